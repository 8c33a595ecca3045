//===- RootPrimOps.td - Primitive ops with explicit operands -*- tablegen -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_DIALECT_ROOTPRIMOPS_TD
#define ROOTC_DIALECT_ROOTPRIMOPS_TD

include "dialect/RootDialect.td"

#endif // ROOTC_DIALECT_ROOTPRIMOPS_TD
