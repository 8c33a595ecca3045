//===- RootNetworkOps.td - Layers of a network, as a user writes them -*- tablegen -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_DIALECT_ROOTNETWORKOPS_TD
#define ROOTC_DIALECT_ROOTNETWORKOPS_TD

include "dialect/RootDialect.td"

#endif // ROOTC_DIALECT_ROOTNETWORKOPS_TD
