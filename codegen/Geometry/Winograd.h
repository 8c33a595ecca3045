//===- Winograd.h - Convolution by fewer multiplications --------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Winograd's convolution F(m x m, r x r): a tile of m x m pixels is
//
//   A^T ((G g G^T) * (B^T d B)) A
//
// for the filter g, r x r, and what the tile reads, d, (m + r - 1) squared; *
// is element by element. Where channels are summed, these products are: a tile
// takes (m + r - 1)^2 multiply-adds a pair of channels instead of (m r)^2. The
// matrices are those of Toom and Cook for the points 0, 1, -1, 2, -2 and
// infinity. Lavin, Gray: Fast Algorithms for Convolutional Neural Networks,
// CVPR 2016.
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_CODEGEN_GEOMETRY_WINOGRAD_H
#define ROOTC_CODEGEN_GEOMETRY_WINOGRAD_H

#include "codegen/Geometry/Gather.h"

namespace rootc::codegen {

struct Winograd {
  int64_t tile = 4; ///< m
  int64_t taps = 3; ///< r

  using Matrix = std::vector<std::vector<double>>;
  /// m + r - 1, which is always 6.
  int64_t edge() const { return tile + taps - 1; }
  Matrix filter() const; ///< G, edge x taps
  Matrix input() const;  ///< B^T, edge x edge
  Matrix output() const; ///< A^T, tile x edge
};

/// Of a convolution whose filter is packed for it (attribute `winograd`).
/// Throws std::invalid_argument where the shape does not take it: strides,
/// dilations, another kernel than 3x3 with tile 4 or 5x5 with tile 2, blocks
/// that span groups or do not fill them.
Winograd winogradOf(const Gather &gather);

/// Tiles of a map: rows, columns.
std::array<int64_t, 2> winogradTiles(const Gather &gather);

/// Why Winograd's convolution is not faster than a direct one, or not to be
/// had; null where it is faster.
const char *againstWinograd(ConvShape shape, bool backwardData,
                            const TargetInfo &target);

/// The packed layout for the convolution, its `winograd` the tile, where that
/// is faster than to convolve directly; elsewhere `winograd` is 0.
FilterLayout winogradLayout(ConvShape shape, bool backwardData,
                            const TargetInfo &target);

} // namespace rootc::codegen

#endif // ROOTC_CODEGEN_GEOMETRY_WINOGRAD_H
