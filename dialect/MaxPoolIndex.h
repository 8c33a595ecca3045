//===- MaxPoolIndex.h - Where a window's largest element lies ---*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_DIALECT_MAXPOOLINDEX_H
#define ROOTC_DIALECT_MAXPOOLINDEX_H

#include "dialect/Shapes.h"
#include "mlir/IR/BuiltinTypes.h"

namespace rootc::root {

/// What holds the place of a max pool's largest element: a byte where windows
/// have at most 256 elements, else 32 bits.
inline mlir::IntegerType maxPoolIndexType(mlir::MLIRContext *context,
                                          llvm::ArrayRef<int64_t> kernel) {
  std::optional<int64_t> count = elementCount({kernel[0], kernel[1]});
  return count && *count <= 256
             ? mlir::IntegerType::get(context, 8, mlir::IntegerType::Unsigned)
             : mlir::IntegerType::get(context, 32);
}

} // namespace rootc::root

#endif // ROOTC_DIALECT_MAXPOOLINDEX_H
