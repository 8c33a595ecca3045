//===- PairsFamily.cpp - Schedules of products of bf16 matrices -----------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/Geometry/Gather.h"
#include "codegen/Schedules/Families.h"
#include "codegen/Schedules/Legality.h"

#include <algorithm>

namespace rootc::codegen {

/// That one product of matrices sums.
static constexpr int64_t productTerms = 32;

std::vector<Key<PairsSchedule>> PairsSchedule::keys() {
  using S = PairsSchedule;
  return {{"blocks", &S::blocks},
          {"images", &S::images},
          {"rows", &S::rows},
          {"tile_n", &S::tileN},
          {"tile_y", &S::tileY}};
}

PairsSchedule PairsSchedule::choose(const Problem &problem) {
  Gather gather = gatherOf(problem.kernel, *problem.anchor);
  const FilterLayout &layout = gather.layout;
  PairsSchedule schedule;
  // A task's filter stays in the second-level cache, and so do its sums until
  // what follows is done with them, and its pixels. What is copied first is so
  // again for each share of the blocks.
  bool computes = isComputed(problem.kernel, *problem.anchor, 0),
       copies = computes || gather.needsZeros();
  const int64_t filter = (copies ? 1024 : 512) * 1024, sums = 128 * 1024,
                strip = 512 * 1024, mostBlocks = copies ? 32 : 16,
                fewPixels = 32;
  // A single image has tasks for some threads, but in training, where ops
  // stand before it, there are several.
  const int64_t fewTasks = computes ? 2 : 8;
  int64_t terms = layout.pairedIns() * layout.kernel[0] * layout.kernel[1],
          mostOfTask =
              std::clamp<int64_t>(filter / (2 * terms * layout.block), 1,
                                  std::min(layout.blocks, mostBlocks));
  schedule.blocks = ceilDiv(layout.blocks, ceilDiv(layout.blocks, mostOfTask));
  auto tileOf = [&](int64_t bytes) {
    return bytes / (4 * layout.block * schedule.blocks);
  };
  auto tasks = [&] {
    return gather.height / schedule.rows *
           ceilDiv(layout.blocks, schedule.blocks);
  };
  auto stripBytes = [&](int64_t rows) {
    auto size = gather.stripSize(rows);
    return 2 * size[0] * size[1] * layout.groups * layout.pairedIns();
  };
  schedule.tileY = schedule.rows = largestDivisor(
      gather.height, std::max<int64_t>(tileOf(sums) / gather.width, 1));
  while (tasks() < fewTasks && schedule.tileY > 1) {
    int64_t fewer = largestDivisor(gather.height, schedule.tileY - 1);
    if (fewer * gather.width < fewPixels)
      break;
    schedule.tileY = schedule.rows = fewer;
  }
  while (tasks() < fewTasks && schedule.blocks > 1)
    schedule.blocks = schedule.blocks / 2;
  for (int64_t rows = 2 * schedule.tileY; rows <= gather.height;
       rows += schedule.tileY)
    if (gather.height % rows == 0 && stripBytes(rows) <= strip &&
        gather.height / rows * ceilDiv(layout.blocks, schedule.blocks) >=
            fewTasks)
      schedule.rows = rows;
  if (schedule.rows < gather.height)
    return schedule;
  // A few images fill the last tile of pixels, and pass over one filter.
  int64_t pixels = gather.height * gather.width;
  const int64_t mostImages = 32;
  if (schedule.tileY == gather.height)
    schedule.tileN = std::clamp<int64_t>(tileOf(sums) / pixels, 1, mostImages);
  int64_t images = strip / std::max<int64_t>(stripBytes(gather.height), 1);
  schedule.images =
      schedule.tileN *
      std::clamp<int64_t>(images / schedule.tileN, 1,
                          std::max<int64_t>(8 / schedule.tileN, 1));
  return schedule;
}

std::string PairsSchedule::illegal(const Problem &problem) const {
  Gather gather = gatherOf(problem.kernel, *problem.anchor);
  Legality legality;
  return legality.range("blocks", blocks, 1, gather.layout.blocks)
      .range("images", images, 1, 64)
      .range("rows", rows, 1, gather.height)
      .divides("rows", rows, gather.height, "the map's height")
      .range("tile_n", tileN, 1, images)
      .divides("tile_n", tileN, images, "'images'")
      .range("tile_y", tileY, 1, rows)
      .divides("tile_y", tileY, rows, "'rows'")
      .reason;
}

std::vector<Key<PairsGradientSchedule>> PairsGradientSchedule::keys() {
  using S = PairsGradientSchedule;
  return {{"block_i", &S::blockI}, {"block_o", &S::blockO}};
}

PairsGradientSchedule PairsGradientSchedule::choose(const Problem &problem) {
  ConvShape shape = convShapeOf(problem.kernel, *problem.anchor);
  const int64_t widest = 512, mostSums = 128 * 1024, fewTasks = 4;
  PairsGradientSchedule schedule;
  // What is packed serves a block of the other map; sums and packed pixels
  // stay in the second-level cache.
  schedule.blockI =
      productTerms *
      largestDivisor(shape.inChannels / productTerms, widest / productTerms);
  int64_t most = std::max(mostSums / schedule.blockI, productTerms);
  int64_t parts =
      filterGradientChunks(shape) * shape.inChannels * shape.outChannels;
  while (most > productTerms && parts < fewTasks * schedule.blockI * most)
    most /= 2;
  schedule.blockO =
      productTerms *
      largestDivisor(shape.outChannels / productTerms, most / productTerms);
  return schedule;
}

std::string PairsGradientSchedule::illegal(const Problem &problem) const {
  ConvShape shape = convShapeOf(problem.kernel, *problem.anchor);
  return Legality()
      .range("block_i", blockI, productTerms, shape.inChannels)
      .divides("block_i", blockI, shape.inChannels, "the in channels")
      .multiple("block_i", blockI, productTerms)
      .range("block_o", blockO, productTerms, shape.outChannels)
      .divides("block_o", blockO, shape.outChannels, "the out channels")
      .multiple("block_o", blockO, productTerms)
      .reason;
}

} // namespace rootc::codegen
