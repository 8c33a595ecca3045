//===- ConvShape.h - The sizes of a convolution -----------------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_CODEGEN_GEOMETRY_CONVSHAPE_H
#define ROOTC_CODEGEN_GEOMETRY_CONVSHAPE_H

#include "codegen/Kernel.h"

#include <array>

namespace rootc::codegen {

/// a / b, rounded up, of numbers that are not negative.
inline int64_t ceilDiv(int64_t a, int64_t b) { return (a + b - 1) / b; }

/// The forward convolution that an op belongs to, whatever its direction.
struct ConvShape {
  int64_t inHeight = 1, inWidth = 1, inChannels = 1, outChannels = 1;
  int64_t groups = 1;
  std::array<int64_t, 2> kernel{1, 1};    ///< height, width
  std::array<int64_t, 2> stride{1, 1};    ///< height, width
  std::array<int64_t, 4> pad{0, 0, 0, 0}; ///< top, left, bottom, right
  std::array<int64_t, 2> dilation{1, 1};  ///< height, width
  /// In what order the channels of the input and of the output lie (see
  /// standardChannel). With groups both are 1, or both the groups.
  int64_t inOrder = 1, outOrder = 1;
  int64_t winograd = 0; ///< edge of Winograd's tiles; 0: a direct convolution
  bool pairs = false;   ///< by matrix products (FilterLayout::pairs)
  /// Parts of all images' strips that a backward-filter sums apart; 0: of the
  /// batch, as many as filterGradientChunks() says.
  int64_t chunks = 0;

  int64_t outHeight() const;
  int64_t outWidth() const;
  int64_t inPerGroup() const { return inChannels / groups; }
  int64_t outPerGroup() const { return outChannels / groups; }
};

/// The channel that a position holds in a map of a channel order: position
/// i * order + g has channel g * (channels / order) + i of the standard order,
/// which is order 1. It is also the position of a channel in the map whose
/// order is channels / order.
inline int64_t standardChannel(int64_t position, int64_t channels,
                               int64_t order) {
  return position % order * (channels / order) + position / order;
}

/// Reads the convolution attributes (docs/architecture.md); the in channels
/// are not among them. A stride that leads beyond the map is cut to the least
/// that does, the dilation of a single tap is 1. Throws std::invalid_argument
/// naming a missing key, or where channel orders do not fit.
ConvShape convShape(const AttributeMap &attributes, int64_t inChannels);

} // namespace rootc::codegen

#endif // ROOTC_CODEGEN_GEOMETRY_CONVSHAPE_H
