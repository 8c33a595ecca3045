//===- RootOps.td - All ops of the root dialect ------------*- tablegen -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_DIALECT_ROOTOPS_TD
#define ROOTC_DIALECT_ROOTOPS_TD

include "dialect/RootNetworkOps.td"
include "dialect/RootProgramOps.td"
include "dialect/RootPrimOps.td"

#endif // ROOTC_DIALECT_ROOTOPS_TD
