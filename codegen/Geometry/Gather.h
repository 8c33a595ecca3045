//===- Gather.h - What a convolution reads where ----------------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The geometry that algorithms, schedules and the choice of schedules share.
// No Halide or MLIR here.
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_CODEGEN_GEOMETRY_GATHER_H
#define ROOTC_CODEGEN_GEOMETRY_GATHER_H

#include "codegen/Geometry/FilterLayout.h"

#include <algorithm>

namespace rootc::codegen {

/// The blocks that a sum over in channels, columns and rows of taps is cut
/// into, each summed apart: what rounding loses grows with the terms of one
/// sum. They follow from the shape alone, and so do the bits.
struct SumBlocks {
  std::array<int64_t, 3> size{1, 1, 1}; ///< in channels, columns, rows of one
  std::array<int64_t, 3> count{1, 1, 1};

  bool one() const { return count[0] * count[1] * count[2] == 1; }
};

/// A convolution without regard to direction: what is read where.
struct Gather {
  FilterLayout layout;
  int64_t height = 1, width = 1; ///< of the map that is written
  std::array<int64_t, 2> stride{1, 1};
  std::array<int64_t, 2> dilation{1, 1};
  std::array<int64_t, 2> before{0, 0}; ///< padding at the top, at the left
  /// Backward-data of a strided convolution: a written pixel q * phases + p
  /// meets only every `tapStep`th tap, from one on that its phase p decides.
  /// Tap f of phase p reads q + (p + f * dilation - skew) / phases, where that
  /// is whole. Elsewhere one phase has all taps, and reads
  /// q * stride + f * dilation.
  std::array<int64_t, 2> phases{1, 1}, skew{0, 0};
  int64_t inHeight = 1, inWidth = 1; ///< of the map that is read
  /// One pixel is read, and each written pixel has one tap on it, its own:
  /// kernel - 1 - position (backward-data of a linear layer).
  bool ownTap = false;

  /// Whether a tap ever falls beside the map that is read.
  bool needsZeros() const;
  /// Pixels that one phase writes: rows, columns.
  std::array<int64_t, 2> phaseSize() const;
  /// Phases that the map has pixels of: fewer than `phases` in a small map.
  std::array<int64_t, 2> phaseCount() const {
    return {std::min(phases[0], height), std::min(phases[1], width)};
  }
  /// One tap, so that all phases but the first are zeros, and few enough of
  /// them to be written beside it. Not where groups are innermost, whose tiles
  /// have all phases.
  bool sparse() const {
    return !layout.groupLanes() && layout.kernel[0] == 1 &&
           layout.kernel[1] == 1 && phases[0] * phases[1] > 1 &&
           phases[0] * phases[1] <= 9 && before[0] == 0 && before[1] == 0 &&
           skew[0] == 0 && skew[1] == 0;
  }
  /// Taps between those that a written pixel meets, plus one.
  int64_t tapStep(int dimension) const;
  /// The most taps that a written pixel sums over: rows, columns.
  std::array<int64_t, 2> taps() const;
  /// One block, unless more than 512 terms are summed.
  SumBlocks sumBlocks() const;
  /// The farthest that a tap of any phase reads from its pixel's first.
  int64_t reach(int dimension) const;
  /// The strip that `rows` rows of every phase need: rows, columns.
  std::array<int64_t, 2> stripSize(int64_t rows) const;
};

Gather forwardGather(const ConvShape &shape, int64_t block);
Gather backwardDataGather(const ConvShape &shape, int64_t block);

/// Whether products of matrices (FilterLayout::pairs) suit a convolution: one
/// of enough channels, of which several groups lie one after another and begin
/// where a product may, and whose pixels all have the same taps.
bool fitsPairs(const ConvShape &shape, bool backwardData);

/// The same of the gradient of a convolution's filter.
bool fitsPairsGradient(const ConvShape &shape);

/// The gather of a `conv2d` or `conv2d_backward_data` op.
Gather gatherOf(const Kernel &kernel, const Op &op);

/// The forward convolution that any convolution op of a kernel belongs to.
ConvShape convShapeOf(const Kernel &kernel, const Op &op);

/// The largest divisor of `size` that is at most `most`.
int64_t largestDivisor(int64_t size, int64_t most);

/// How many chunks of the batch a backward-filter sums apart, unless
/// ConvShape::chunks does: a function of the filter's size only, so that the
/// sums' order is fixed.
int64_t filterGradientChunks(const ConvShape &shape);

/// Images of a batch that a device is worth while for: where there are more
/// ConvShape::chunks, they cut images too.
constexpr int64_t deviceBatch = 64;

/// Such a backward-filter, its layout that of its vectors.
Gather groupLanesGather(const ConvShape &shape);

/// filterGradientChunks() there: the sums are smaller than dense ones, and so
/// is the work on them.
int64_t groupLanesChunks(const ConvShape &shape);
/// Whether its register tiles are a wide row of taps over pixels beside each
/// other, which read the same ones.
bool sharesPixels(const ConvShape &shape);
/// Rows of dy that it sums apart before it adds them to a chunk's sums.
int64_t groupLanesStripRows(const ConvShape &shape);

/// Whether a backward-filter's vectors run over the out channels of several
/// groups.
bool filterGradientAcrossGroups(const ConvShape &shape);

/// Whether a backward-filter is an outer product for each image, because one
/// pixel is written and all that is read lies inside the map: a linear layer.
/// Then a weight's gradient is summed over the batch in a register, in order.
bool isLinearGradient(const ConvShape &shape);

/// Whether a backward-filter's vectors run over the in channels of a group:
/// where these fill vectors, and there are enough out channels for tiles.
bool filterGradientAcrossIns(const ConvShape &shape);

/// Rows and images of dy that a backward-filter across in channels sums apart
/// before it adds them to the chunk's sums.
struct FilterGradientStrip {
  int64_t rows = 1, images = 1;
};
FilterGradientStrip filterGradientStrip(const ConvShape &shape);
/// Pixels of the strip that `rows` rows of dy of one image need there: a single
/// tap reads none between those of its stride.
int64_t acrossInsStripPixels(const ConvShape &shape, int64_t rows);

/// How many in channels the register tile of a backward-filter spans.
int64_t filterGradientInTile(const ConvShape &shape);

} // namespace rootc::codegen

#endif // ROOTC_CODEGEN_GEOMETRY_GATHER_H
