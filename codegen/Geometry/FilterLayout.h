//===- FilterLayout.h - How packed filters lie in memory --------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A convolution reads its filter packed as
//
//   [blocks, kernel height, kernel width, in channels of a group, block]
//
// so that the out channels a register tile needs at once are adjacent. A block
// holds out channels of one group (the last block of each group is filled up
// with zeros), or, where groups are small, all out channels of several whole
// groups. For `backward_data` the roles are swapped: the in channels of the
// forward convolution are packed as out channels, and both kernel axes are
// reversed, so that a backward-data convolution of stride 1 is a forward one.
// For Winograd's convolution (Winograd.h) the kernel is transformed: 6 by 6.
//
// Where channels lie in another order than the standard one (ConvShape), "out"
// and "in" count positions: the packed filter takes in the order. Where groups
// are innermost, a block has all out channels of `laneGroups` groups, across
// which vectors run: lane o * laneGroups + g is out channel o of the block's
// g-th group. The last block may lie over the one before.
//
// For products of bf16 matrices (runtime/support/TileProducts.h) two in
// channels lie beside each other, and there are zeros up to a multiple of 32 in
// channels:
//
//   [blocks, kernel height, kernel width, pairs of in channels, 2 * block]
//
// Two groups that have half of a product's in channels each are one of twice as
// many channels, with zeros where one's in channels meet the other's out
// channels: half of the products are wasted, and still they are faster.
//
// Where a row of taps has few in channels, as of an image, all of them lie one
// after another, as they do in the map, and the kernel has one column.
//
// No Halide or MLIR here: the passes choose and print the layout.
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_CODEGEN_GEOMETRY_FILTERLAYOUT_H
#define ROOTC_CODEGEN_GEOMETRY_FILTERLAYOUT_H

#include "codegen/Geometry/ConvShape.h"

#include <algorithm>

namespace rootc::codegen {

/// Where the filter's values lie once packed. "Out" and "in" are those of the
/// packed direction.
struct FilterLayout {
  int64_t block = 1;          ///< out channels in a block, padding included
  int64_t groupsPerBlock = 1; ///< more than one: a block spans whole groups
  int64_t blocksPerGroup = 1; ///< one where a block spans groups
  int64_t blocks = 1;
  int64_t groups = 1, outPerGroup = 1, inPerGroup = 1;
  std::array<int64_t, 2> kernel{1, 1};
  int64_t laneGroups = 0; ///< of a block whose lanes are groups; else 0
  int64_t outOrder = 1;   ///< of the out channels, where there is one group
  int64_t inOrder = 1;    ///< of the in channels, likewise
  int64_t winograd = 0;   ///< edge of Winograd's tiles; 0: the kernel as it is
  bool pairs = false;     ///< for products of matrices
  bool rowTaps = false;   ///< in pairs: in channels are those of a row of taps
  /// The convolution's groups in one of these, with zeros between them: where
  /// pairs or, of a single tap, a block would not be filled by one.
  int64_t merged = 1;

  bool groupLanes() const { return laneGroups > 0; }
  /// The group of a block's first lane, where lanes are groups.
  int64_t firstGroup(int64_t index) const {
    return std::min(index * laneGroups, groups - laneGroups);
  }
  std::vector<int64_t> shape() const {
    int64_t more = winograd ? winograd - 1 : 0;
    if (pairs)
      return {blocks, kernel[0], rowTaps ? 1 : kernel[1], pairedIns() / 2,
              2 * block};
    return {blocks, kernel[0] + more, kernel[1] + more, inPerGroup, block};
  }
  /// In channels with those that are zero, where they lie in pairs.
  int64_t pairedIns() const {
    return (inPerGroup * (rowTaps ? kernel[1] : 1) + 31) / 32 * 32;
  }
  /// Whether the last block of each of several groups is filled up.
  bool padsGroups() const {
    return groups > 1 && groupsPerBlock == 1 && outPerGroup % block != 0;
  }
  /// The out channel that lane `lane` of block `index` computes, counted over
  /// all groups; -1 where the lane is padding and the packed value zero.
  int64_t outChannel(int64_t index, int64_t lane) const;
  /// The in channel of its group that in position `in` holds.
  int64_t inChannel(int64_t in) const {
    return standardChannel(in, inPerGroup, inOrder);
  }
};

/// Whether groups are innermost in both maps of a grouped convolution, and
/// vectors run across them. With one channel a group they always are.
bool groupsInnermost(const ConvShape &shape);

/// The layout of a given block size (attribute `block`). Throws
/// std::invalid_argument if it is below one, or where groups are innermost no
/// number of whole groups.
FilterLayout filterLayout(const ConvShape &shape, bool backwardData,
                          int64_t block);

/// Whether a grouped convolution should have its channels group-innermost, if
/// its neighbours can: vectors across groups then do better than vectors
/// across the out channels of one.
bool prefersGroupLanes(const ConvShape &shape, const TargetInfo &target);

/// How many groups vectors of up to `widest` lanes run across where groups are
/// innermost and each has so many out channels; a power of two. Narrower
/// vectors have several out channels side by side.
int64_t laneGroupsFor(int64_t groups, int64_t outs, int64_t widest);

/// Lanes of the vectors that compute a block: the most that fill whole vectors.
int64_t lanesOfBlock(int64_t block, const TargetInfo &target);

} // namespace rootc::codegen

#endif // ROOTC_CODEGEN_GEOMETRY_FILTERLAYOUT_H
