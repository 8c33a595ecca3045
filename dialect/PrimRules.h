//===- PrimRules.h - What the verifiers of primitive ops share ------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Private to the dialect's sources.
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_DIALECT_PRIMRULES_H
#define ROOTC_DIALECT_PRIMRULES_H

#include "dialect/RootDialect.h"

namespace rootc::root {

inline llvm::ArrayRef<int64_t> shapeOf(mlir::Value value) {
  return llvm::cast<mlir::RankedTensorType>(value.getType()).getShape();
}

/// Checks the shape of one operand or result.
llvm::LogicalResult expectShape(mlir::Operation *op, llvm::StringRef what,
                                mlir::Value value,
                                llvm::ArrayRef<int64_t> expected);

} // namespace rootc::root

#endif // ROOTC_DIALECT_PRIMRULES_H
