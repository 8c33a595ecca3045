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
#include "dialect/Shapes.h"

namespace rootc::root {

inline llvm::ArrayRef<int64_t> shapeOf(mlir::Value value) {
  return llvm::cast<mlir::RankedTensorType>(value.getType()).getShape();
}

/// "[?, 4, 4, 8]"
std::string describeShape(llvm::ArrayRef<int64_t> shape);

/// With these bounds no arithmetic on a few of them overflows 64 bits.
inline bool isPad(int64_t value) { return value >= 0 && value <= maxElements; }
inline bool isSize(int64_t value) { return value > 0 && isPad(value); }

/// Checks the shape of one operand or result.
llvm::LogicalResult expectShape(mlir::Operation *op, llvm::StringRef what,
                                mlir::Value value,
                                llvm::ArrayRef<int64_t> expected);

/// Checks that each vector has one element for each channel of `map`.
llvm::LogicalResult expectPerChannel(mlir::Operation *op, mlir::Value map,
                                     mlir::ValueRange vectors);

} // namespace rootc::root

#endif // ROOTC_DIALECT_PRIMRULES_H
