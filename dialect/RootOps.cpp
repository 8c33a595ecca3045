//===- RootOps.cpp - Generated op definitions -----------------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialect/RootDialect.h"

#include "mlir/IR/Builders.h"

using namespace mlir;
using namespace rootc::root;

#define GET_OP_CLASSES
#include "dialect/RootOps.cpp.inc"
