//===- Passes.td - The passes of rootc ---------------------*- tablegen -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_TRANSFORMS_PASSES_TD
#define ROOTC_TRANSFORMS_PASSES_TD

include "mlir/Pass/PassBase.td"

#endif // ROOTC_TRANSFORMS_PASSES_TD
