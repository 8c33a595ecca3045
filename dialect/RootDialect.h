//===- RootDialect.h - The root dialect -------------------------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_DIALECT_ROOTDIALECT_H
#define ROOTC_DIALECT_ROOTDIALECT_H

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "dialect/RootDialect.h.inc"

#define GET_TYPEDEF_CLASSES
#include "dialect/RootTypes.h.inc"

#define GET_OP_CLASSES
#include "dialect/RootOps.h.inc"

#endif // ROOTC_DIALECT_ROOTDIALECT_H
