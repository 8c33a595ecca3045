//===- Constant.h - Tensors known at import ---------------------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_ONNX_IMPORT_CONSTANT_H
#define ROOTC_ONNX_IMPORT_CONSTANT_H

#include <cstdint>
#include <memory>
#include <onnx/onnx.pb.h>
#include <optional>
#include <vector>

namespace rootc::importer {

/// No tensor and no view of a map has more dimensions.
inline constexpr int highestRank = 16;

/// A whole number; or a multiple of the batch, whatever that will be: shape
/// arithmetic carries it along. With `image`, `value` and `image` times the
/// number of the image: a list of one an image, whose batch counts as 1 in a
/// constant's shape. `batch` is set then.
struct Size {
  int64_t value = 0;
  bool batch = false;
  int64_t image = 0;
  bool operator==(const Size &) const = default;
};

/// Elements of a tensor of real numbers.
using Values = std::vector<float>;

/// A tensor of real numbers, or of whole ones (bool included).
struct Constant {
  using Proto = ::onnx::TensorProto;
  std::vector<int64_t> shape;          ///< its product does not overflow
  std::shared_ptr<const Values> reals; ///< one of the two is null
  std::shared_ptr<const std::vector<Size>> sizes;
  int32_t wholeType = Proto::INT64; ///< element type of `sizes`
  std::optional<float> fill; ///< all real and this; both are null until needed

  bool isReal() const { return reals || fill; }
  int64_t count() const {
    int64_t result = 1;
    for (int64_t size : shape)
      result *= size;
    return result;
  }
  static Constant of(std::vector<int64_t> shape, std::vector<float> values) {
    return {std::move(shape),
            std::make_shared<const std::vector<float>>(std::move(values)),
            nullptr, Proto::INT64, std::nullopt};
  }
  static Constant of(std::vector<int64_t> shape, std::vector<Size> values,
                     int32_t wholeType = Proto::INT64) {
    return {std::move(shape), nullptr,
            std::make_shared<const std::vector<Size>>(std::move(values)),
            wholeType, std::nullopt};
  }
};

} // namespace rootc::importer

#endif // ROOTC_ONNX_IMPORT_CONSTANT_H
