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

/// The forward convolution that an op belongs to, whatever its direction.
struct ConvShape {
  int64_t inHeight = 1, inWidth = 1, inChannels = 1, outChannels = 1;
  int64_t groups = 1;
  std::array<int64_t, 2> kernel{1, 1};    ///< height, width
  std::array<int64_t, 2> stride{1, 1};    ///< height, width
  std::array<int64_t, 4> pad{0, 0, 0, 0}; ///< top, left, bottom, right
  std::array<int64_t, 2> dilation{1, 1};  ///< height, width

  int64_t outHeight() const;
  int64_t outWidth() const;
  int64_t inPerGroup() const { return inChannels / groups; }
  int64_t outPerGroup() const { return outChannels / groups; }
};

/// Reads the convolution attributes (docs/architecture.md); the in channels
/// are not among them. A stride that leads beyond the map is cut to the least
/// that does, the dilation of a single tap is 1. Throws std::invalid_argument
/// naming a missing key.
ConvShape convShape(const AttributeMap &attributes, int64_t inChannels);

} // namespace rootc::codegen

#endif // ROOTC_CODEGEN_GEOMETRY_CONVSHAPE_H
