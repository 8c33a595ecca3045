//===- WinogradFamily.cpp - Schedules of Winograd's convolution -----------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/Geometry/Winograd.h"
#include "codegen/Schedules/Families.h"
#include "codegen/Schedules/Legality.h"

#include <algorithm>

namespace rootc::codegen {

std::vector<Key<WinogradSchedule>> WinogradSchedule::keys() {
  using S = WinogradSchedule;
  return {{"blocks", &S::blocks}, {"images", &S::images}, {"lanes", &S::lanes},
          {"rows", &S::rows},     {"tile_x", &S::tileX},  {"tile_y", &S::tileY},
          {"unroll", &S::unroll}};
}

/// How many times the tiles that cover `size`, the last one moved inwards,
/// cover it.
static double covered(int64_t size, int64_t tile) {
  return double((size + tile - 1) / tile * tile) / double(size);
}

WinogradSchedule WinogradSchedule::choose(const Problem &problem) {
  Gather gather = gatherOf(problem.kernel, *problem.anchor);
  const FilterLayout &layout = gather.layout;
  Winograd winograd = winogradOf(gather);
  auto [tileRows, tileColumns] = winogradTiles(gather);
  WinogradSchedule schedule;
  schedule.lanes = lanesOfBlock(layout.block, problem.target);
  int64_t vectors = layout.block / schedule.lanes;

  // What a task transforms stays in the L2 cache beside the filter; where the
  // filter does not, more tiles share it.
  int64_t products = 4 * winograd.edge() * winograd.edge();
  int64_t row = products * layout.groups * layout.inPerGroup * tileColumns;
  int64_t filter = products * layout.inPerGroup * layout.blocks * layout.block;
  int64_t room =
      filter <= 768 * 1024 ? std::max<int64_t>(row, 192 * 1024) : 1024 * 1024;
  schedule.rows = largestDivisor(tileRows, std::max<int64_t>(room / row, 1));
  // Of maps of few tiles, a filter that comes from memory for each task is
  // worth all the images that a thread has.
  const int64_t far = 6 * 1024 * 1024, mostImages = 8;
  const TargetInfo &target = problem.target;
  bool few = filter > far && tileRows * tileColumns <= 4 &&
             target.threads > 0 && target.batch >= mostImages * target.threads;
  if (schedule.rows == tileRows)
    schedule.images = std::clamp<int64_t>((filter > 4 * 1024 * 1024 ? 5 : 2) *
                                              room / 2 / (row * tileRows),
                                          1, few ? mostImages : 4);
  // With whole images for tasks, a few still have work for some threads.
  bool isShared =
      schedule.rows == tileRows && !problem.sharesEvenly(1, schedule.images) &&
      target.batch / schedule.images < std::max<int64_t>(2 * target.threads, 1);
  schedule.blocks = isShared ? (layout.blocks + 1) / 2 : layout.blocks;

  // Twice as many loads as multiply-adds can go at a time, and a vector of
  // the filter comes from the L2 cache, which seven tiles hide.
  const int64_t hidden = 7;
  int64_t registers = target.registers,
          most = std::min(registers * 7 / 8, registers - vectors - 1) / vectors;
  double best = 0;
  for (int64_t y = 1; y <= schedule.rows; ++y)
    for (int64_t x = 1; x <= tileColumns && x * y <= most; ++x) {
      double tiles = double(x * y), sums = tiles * double(vectors);
      double cost =
          covered(tileColumns, x) * covered(schedule.rows, y) *
          (std::max({1.0, (tiles + double(vectors)) / sums, 8 / sums}) +
           2.5 / double(std::min(x * y, hidden)));
      if (best == 0 || cost < best) {
        best = cost;
        schedule.tileX = x;
        schedule.tileY = y;
      }
    }
  // Both vectors of a block as one: LLVM then spreads a tile's scalar once.
  if (vectors == 2 && registers >= 32 &&
      schedule.tileX * schedule.tileY >= hidden)
    schedule.lanes = layout.block;
  schedule.unroll = largestDivisor(layout.inPerGroup, 4);
  return schedule;
}

std::string WinogradSchedule::illegal(const Problem &problem) const {
  Gather gather = gatherOf(problem.kernel, *problem.anchor);
  const FilterLayout &layout = gather.layout;
  auto [tileRows, tileColumns] = winogradTiles(gather);
  Legality legality;
  legality.lanes(lanes, layout.block)
      .divides("lanes", lanes, layout.block, "the block")
      .range("blocks", blocks, 1, layout.blocks)
      .range("images", images, 1, 64)
      .range("rows", rows, 1, tileRows)
      .divides("rows", rows, tileRows, "the rows of tiles")
      .range("tile_x", tileX, 1, tileColumns)
      .range("tile_y", tileY, 1, rows)
      .range("unroll", unroll, 1, std::min<int64_t>(layout.inPerGroup, 16));
  if (!legality.good())
    return legality.reason;
  int64_t vectors = unrolledVectors({layout.block / lanes, tileX, tileY});
  return legality.unrolled("'lanes', 'tile_x', 'tile_y'", vectors, mostVectors)
      .unrolled("they and 'unroll'", vectors * unroll, 4 * mostVectors)
      .reason;
}

} // namespace rootc::codegen
