//===- Shapes.h - Arithmetic on map sizes -----------------------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Map sizes of convolutions and pools. Pure functions; every operation is
// checked for overflow. Needs neither MLIR nor LLVM.
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_DIALECT_SHAPES_H
#define ROOTC_DIALECT_SHAPES_H

#include <cstdint>
#include <initializer_list>
#include <optional>

namespace rootc::root {

/// One image or map, the batch apart.
struct MapShape {
  int64_t height = 0, width = 0, channels = 0;
  bool operator==(const MapShape &) const = default;
};

/// No size in a network, and no tensor of one image, padding included, has more
/// elements: kernels index with 32 bits. What grows with the batch is checked
/// when a model runs.
inline constexpr int64_t maxElements = 2147483647;

/// No side of a padded map is longer, so that sums of three positions fit 32
/// bits.
inline constexpr int64_t maxSide = maxElements / 4;

/// A sliding window along one dimension.
struct Window {
  int64_t kernel = 1, stride = 1, dilation = 1;
  int64_t padBefore = 0, padAfter = 0;
};

/// How many inputs one window spans: (kernel - 1) dilation + 1. Empty if that
/// overflows.
inline std::optional<int64_t> windowExtent(const Window &window) {
  int64_t extent;
  if (__builtin_sub_overflow(window.kernel, 1, &extent) ||
      __builtin_mul_overflow(extent, window.dilation, &extent) ||
      __builtin_add_overflow(extent, 1, &extent))
    return std::nullopt;
  return extent;
}

/// The number of windows over `size` inputs: floor, or with `ceil` the ceiling,
/// of (size + pads - extent) / stride, plus 1; a window that would start beyond
/// size + padBefore is dropped. 0 if no window fits; empty if it overflows.
inline std::optional<int64_t> outputSize(int64_t size, const Window &window,
                                         bool ceil = false) {
  std::optional<int64_t> extent = windowExtent(window);
  int64_t begin, padded;
  if (!extent || __builtin_add_overflow(size, window.padBefore, &begin) ||
      __builtin_add_overflow(begin, window.padAfter, &padded))
    return std::nullopt;
  if (*extent > padded)
    return 0;
  int64_t slack = padded - *extent;
  int64_t count = slack / window.stride + 1;
  // The extra window starts at count * stride <= slack + stride.
  int64_t start;
  if (ceil && slack % window.stride != 0 &&
      !__builtin_mul_overflow(count, window.stride, &start) && start < begin)
    ++count;
  return count;
}

/// The product of sizes that are not negative; empty if it exceeds
/// `maxElements`.
inline std::optional<int64_t>
elementCount(std::initializer_list<int64_t> sizes) {
  int64_t count = 1;
  for (int64_t size : sizes)
    if (size == 0)
      return 0;
  for (int64_t size : sizes)
    if (__builtin_mul_overflow(count, size, &count) || count > maxElements)
      return std::nullopt;
  return count;
}

} // namespace rootc::root

#endif // ROOTC_DIALECT_SHAPES_H
