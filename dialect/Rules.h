//===- Rules.h - What the rules of network ops have in common -------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Private to the dialect's sources. Each function reports at the op, with the
// rule's number.
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_DIALECT_RULES_H
#define ROOTC_DIALECT_RULES_H

#include "dialect/RootDialect.h"

#include "llvm/Support/FormatVariadic.h"

namespace rootc::root {

inline constexpr size_t maxNameLength = 200;

/// Refuses what is no name of a layer.
llvm::LogicalResult verifyName(mlir::Operation *op, llvm::StringRef rule,
                               llvm::StringRef name);

inline bool isResizeMode(llvm::StringRef word) {
  return word == "nearest" || word == "bilinear";
}
inline bool isResizeCoordinates(llvm::StringRef word) {
  return word == "half_pixel" || word == "pytorch_half_pixel" ||
         word == "align_corners" || word == "asymmetric";
}
inline bool isResizeRounding(llvm::StringRef word) {
  return word == "round_prefer_floor" || word == "round_prefer_ceil" ||
         word == "floor" || word == "ceil";
}

inline std::string describe(MapShape shape) {
  return llvm::formatv("{0}x{1}x{2}", shape.height, shape.width, shape.channels)
      .str();
}

inline llvm::LogicalResult verifySize(mlir::Operation *op, llvm::StringRef rule,
                                      llvm::StringRef name, int64_t value,
                                      int64_t least = 1) {
  if (value >= least && value <= maxElements)
    return llvm::success();
  return op->emitOpError() << "(" << rule << ") " << name << " is " << value
                           << "; it must be from " << least << " to "
                           << maxElements;
}

inline llvm::LogicalResult
verifySizes(mlir::Operation *op, llvm::StringRef rule, llvm::StringRef name,
            llvm::ArrayRef<int64_t> values, size_t count, int64_t least = 1) {
  if (values.size() != count)
    return op->emitOpError()
           << "(" << rule << ") " << name << " has " << values.size()
           << " values; it must have " << count;
  for (int64_t value : values)
    if (llvm::failed(verifySize(op, rule, name, value, least)))
      return llvm::failure();
  return llvm::success();
}

/// Refuses what `elementCount` refuses.
inline llvm::LogicalResult verifyCount(mlir::Operation *op,
                                       llvm::StringRef rule,
                                       llvm::StringRef what,
                                       std::initializer_list<int64_t> sizes) {
  if (elementCount(sizes))
    return llvm::success();
  mlir::InFlightDiagnostic error = op->emitOpError()
                                   << "(" << rule << ") " << what << ", ";
  llvm::interleave(
      sizes, [&](int64_t size) { error << size; }, [&] { error << "x"; });
  return error << ", exceed " << maxElements
               << " elements; make this layer smaller";
}

} // namespace rootc::root

#endif // ROOTC_DIALECT_RULES_H
