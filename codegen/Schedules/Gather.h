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

#ifndef ROOTC_CODEGEN_SCHEDULES_GATHER_H
#define ROOTC_CODEGEN_SCHEDULES_GATHER_H

#include "codegen/Schedules/FilterLayout.h"

namespace rootc::codegen {

/// A convolution without regard to direction: what is read where.
struct Gather {
  FilterLayout layout;
  int64_t height = 1, width = 1; ///< of the map that is written
  std::array<int64_t, 2> stride{1, 1};
  std::array<int64_t, 2> dilation{1, 1};
  std::array<int64_t, 2> before{0, 0}; ///< padding at the top, at the left
  /// Rows and columns of zeros between those that are read, plus one
  /// (backward-data of a strided convolution).
  std::array<int64_t, 2> spacing{1, 1};
  int64_t inHeight = 1, inWidth = 1; ///< of the map that is read
  /// One pixel is read, and each written pixel has one tap on it, its own:
  /// kernel - 1 - position (backward-data of a linear layer).
  bool ownTap = false;

  /// Whether a tap ever falls beside the map that is read.
  bool needsZeros() const;
  /// Taps that a written pixel sums over: rows, columns.
  std::array<int64_t, 2> taps() const;
  /// The strip that `rows` written rows need: rows, columns.
  std::array<int64_t, 2> stripSize(int64_t rows) const;
};

Gather forwardGather(const ConvShape &shape, int64_t block);
Gather backwardDataGather(const ConvShape &shape, int64_t block);

/// The gather of a `conv2d` or `conv2d_backward_data` op.
Gather gatherOf(const Kernel &kernel, const Op &op);

/// The forward convolution that any convolution op of a kernel belongs to.
ConvShape convShapeOf(const Kernel &kernel, const Op &op);

/// How many chunks of the batch a backward-filter sums apart: a function of
/// the filter's size only, so that the sums' order is fixed.
int64_t filterGradientChunks(const ConvShape &shape);

/// Whether a backward-filter's vectors run over the out channels of several
/// groups.
bool filterGradientAcrossGroups(const ConvShape &shape);

/// Whether a backward-filter is an outer product for each image, because one
/// pixel is written and all that is read lies inside the map: a linear layer.
/// Then a weight's gradient is summed over the batch in a register, in order.
bool isLinearGradient(const ConvShape &shape);

/// How many in channels the register tile of a backward-filter spans.
int64_t filterGradientInTile(const ConvShape &shape);

} // namespace rootc::codegen

#endif // ROOTC_CODEGEN_SCHEDULES_GATHER_H
