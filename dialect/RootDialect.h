//===- RootDialect.h - The root dialect -------------------------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_DIALECT_ROOTDIALECT_H
#define ROOTC_DIALECT_ROOTDIALECT_H

#include "dialect/Shapes.h"

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "dialect/RootDialect.h.inc"

#define GET_TYPEDEF_CLASSES
#include "dialect/RootTypes.h.inc"

#include "dialect/RootEnums.h.inc"

#define GET_ATTRDEF_CLASSES
#include "dialect/RootAttributes.h.inc"

namespace rootc::root {
/// Marks the primitive ops that may join another op's kernel: each element of
/// the result comes from the same element of the operands.
template <typename ConcreteOp>
class PrimElementwise
    : public mlir::OpTrait::TraitBase<ConcreteOp, PrimElementwise> {};

// See RootPrimBase.td.
template <typename ConcreteOp>
class PrimCheap : public mlir::OpTrait::TraitBase<ConcreteOp, PrimCheap> {};
template <typename ConcreteOp>
class PrimTakesEpilogue
    : public mlir::OpTrait::TraitBase<ConcreteOp, PrimTakesEpilogue> {};
template <typename ConcreteOp>
class PrimTakesPrologue
    : public mlir::OpTrait::TraitBase<ConcreteOp, PrimTakesPrologue> {};

/// The attribute of a primitive op whose results' channels are not in the
/// standard order: the order that they are in.
inline constexpr llvm::StringRef channelOrderAttrName = "root.order";

/// Whether `op` is one of `root.prim.*`.
bool isPrim(mlir::Operation *op);
/// Its name without `root.prim.`, as in docs/architecture.md.
llvm::StringRef primName(mlir::Operation *op);
} // namespace rootc::root

#include "dialect/RootInterfaces.h.inc"

#define GET_OP_CLASSES
#include "dialect/RootOps.h.inc"

#endif // ROOTC_DIALECT_ROOTDIALECT_H
