//===- Passes.h - The passes of rootc ---------------------------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Each pass is described in Passes.td, implemented in a file of its own, and
// made by `createNAME()`.
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_TRANSFORMS_PASSES_H
#define ROOTC_TRANSFORMS_PASSES_H

#include "dialect/RootDialect.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"

namespace rootc {

#define GEN_PASS_DECL
#include "lib/Transforms/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "lib/Transforms/Passes.h.inc"

} // namespace rootc

#endif // ROOTC_TRANSFORMS_PASSES_H
