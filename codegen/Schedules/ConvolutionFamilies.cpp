//===- ConvolutionFamilies.cpp - Schedules of convolutions ----------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/Geometry/Gather.h"
#include "codegen/Schedules/Families.h"
#include "codegen/Schedules/Legality.h"
#include "codegen/Schedules/RegisterTile.h"

#include <algorithm>

namespace rootc::codegen {

/// Strips, and what is written from them, should stay in the L2 cache while a
/// task passes over them again and again.
static constexpr int64_t stripCacheBytes = 512 * 1024;

/// Of the strips of several images that share weights.
static constexpr int64_t largestCopy = 256 << 20;

//===----------------------------------------------------------------------===//
// Forward and backward-data
//===----------------------------------------------------------------------===//

std::vector<Key<ConvolutionSchedule>> ConvolutionSchedule::keys() {
  using S = ConvolutionSchedule;
  return {
      {"blocks", &S::blocks}, {"copy", &S::copy},    {"inside", &S::inside},
      {"lanes", &S::lanes},   {"rows", &S::rows},    {"tile_n", &S::tileN},
      {"tile_x", &S::tileX},  {"tile_y", &S::tileY}, {"unroll", &S::unroll}};
}

ConvolutionSchedule ConvolutionSchedule::choose(const Problem &problem) {
  const TargetInfo &target = problem.target;
  Gather gather = gatherOf(problem.kernel, *problem.anchor);
  const FilterLayout &layout = gather.layout;
  ConvolutionSchedule schedule;
  int64_t lanes = lanesOfBlock(layout.block, target);
  RegisterTile tile = registerTile(gather, target);
  int64_t tileX = tile.x, tileY = tile.y, tileN = tile.n;
  auto phase = gather.phaseSize();

  // Another one's inner computes as many rows as its reader's task asks for.
  if (problem.nested) {
    tileX = std::max(tileX, std::min(phase[1], tileX * tileY * tileN));
    tileY = tileN = 1;
  }
  bool copy =
      (isComputed(problem.kernel, *problem.anchor, 0) && !problem.inner) ||
      gather.needsZeros();
  bool dense = layout.groups == 1;
  int64_t channels = layout.inPerGroup * layout.groupsPerBlock *
                     (layout.groupsPerBlock > 1 ? layout.outPerGroup : 1);
  auto counts = gather.phaseCount();
  auto bytesOf = [&](int64_t rows) {
    auto strip = gather.stripSize(rows);
    // A single tap reads none of the pixels between those of its stride.
    if (!copy && layout.kernel[0] == 1 && !gather.ownTap)
      strip[0] = rows;
    if (!copy && layout.kernel[1] == 1 && !gather.ownTap)
      strip[1] = phase[1];
    return 4 * (strip[0] * strip[1] * channels +
                rows * phase[1] * counts[0] * counts[1] * layout.block);
  };
  // A wide window on a tiny map: the copies of a few images are large.
  if (copy)
    tileN = std::clamp<int64_t>(largestCopy / bytesOf(tileY), 1, tileN);
  int64_t rows = tileY;
  int64_t mostRows = gather.ownTap ? tileY : phase[0];
  // The more pixels, the less often a filter comes from beyond the cache; one
  // that never has a place there may leave the strip more.
  int64_t filterBytes = 4 * layout.blocks * layout.block * layout.inPerGroup *
                        layout.kernel[0] * layout.kernel[1];
  int64_t mostBytes =
      filterBytes > 4 * stripCacheBytes ? 2 * stripCacheBytes : stripCacheBytes;
  for (int64_t more = tileY; more <= mostRows && bytesOf(more) <= mostBytes;
       more += tileY)
    if (phase[0] % more == 0)
      rows = more;
  // A block is a task, unless it is a very small one.
  int64_t blocks = 1;
  // All phases together meet each tap once.
  double taps =
      gather.ownTap ? 1.0 : double(layout.kernel[0] * layout.kernel[1]);
  // Of few pixels, to read a filter takes longer than to multiply: some twenty
  // multiply-adds a value.
  double pixels = std::max(double(rows * phase[1] * tileN), 20.0);
  double work = 2.0 * pixels * double(layout.block * layout.inPerGroup) * taps;
  // So many that the copy of a strip costs little beside them: what is computed
  // from one of its values, where channels fill the copy's vectors.
  if (copy && dense) {
    auto strip = gather.stripSize(rows);
    double channel = taps * double(rows * phase[1]) /
                     double(strip[0] * strip[1]) *
                     std::min(double(channels) / double(problem.lanes()), 1.0);
    int64_t tasks = std::clamp<int64_t>(
        int64_t(double(layout.outPerGroup) * channel / 512), 1, layout.blocks);
    blocks = (layout.blocks + tasks - 1) / tasks;
  }
  while (blocks < layout.blocks && work * blocks < 1e6)
    ++blocks;
  // Pixels are written from end to end, where tiles pass over a whole filter.
  bool inside =
      !copy && !problem.nested && passesWholeFilter(gather, tileX * tileY);
  if (inside || problem.inner)
    blocks = layout.blocks;
  // A single image has tasks for some threads, to share evenly, as long as the
  // rows that two strips have in common are few, or there would be but one.
  const int64_t fewTasks = 12;
  auto tasks = [&](int64_t rows) {
    return ceilDiv(layout.blocks, blocks) * (phase[0] / rows);
  };
  auto common = [&](int64_t rows) {
    return double(gather.stripSize(rows)[0]) / double(rows);
  };
  auto isOneTask = [&](int64_t rows) {
    return tasks(rows) == 1 &&
           target.batch < 2 * std::max<int64_t>(target.threads, 1);
  };
  for (int64_t fewer = rows - tileY;
       fewer >= tileY && tasks(rows) < fewTasks &&
       (common(fewer) < 1.2 * common(phase[0]) || isOneTask(rows));
       fewer -= tileY)
    if (phase[0] % fewer == 0 && fewer * phase[1] >= 2 * tileX)
      rows = fewer;

  if (problem.nested)
    rows = 1;

  schedule.lanes = lanes;
  schedule.tileX = tileX;
  schedule.tileY = tileY;
  schedule.tileN = tileN;
  schedule.rows = rows;
  schedule.blocks = blocks;
  schedule.copy = copy;
  schedule.inside = inside;
  // LLVM loads the next channels' weights early, and has no registers left for
  // all of a tile's sums where it may reach far: some grouped ones were stored
  // and loaded in each turn of the loop, at half the speed.
  // What comes from far is waited for, at each turn of the loop anew.
  int64_t far = phase[0] * phase[1] == 1 ? 32 << 20 : 4 * stripCacheBytes;
  int64_t most = filterBytes > far ? 8 : 4;
  if (layout.groups > 1 && layout.kernel[0] * layout.kernel[1] > 1)
    most = 2;
  schedule.unroll = largestDivisor(gather.sumBlocks().size[0], most);
  return schedule;
}

std::string ConvolutionSchedule::illegal(const Problem &problem) const {
  Gather gather = gatherOf(problem.kernel, *problem.anchor);
  const FilterLayout &layout = gather.layout;
  auto phase = gather.phaseSize();
  Legality legality;
  legality.lanes(lanes, layout.block)
      .divides("lanes", lanes, layout.block, "the block")
      .range("tile_x", tileX, 1, phase[1])
      .range("rows", rows, 1, phase[0])
      .divides("rows", rows, phase[0], "the map's height")
      .range("tile_y", tileY, 1, rows)
      .divides("tile_y", tileY, rows, "'rows'")
      .range("tile_n", tileN, 1, 64)
      .range("blocks", blocks, problem.inner ? layout.blocks : 1, layout.blocks)
      .range("unroll", unroll, 1, gather.sumBlocks().size[0])
      .flag("copy", copy)
      .range("inside", inside, 0,
             layout.groups == 1 && gather.phases[0] * gather.phases[1] == 1);
  if (!legality.good())
    return legality.reason;
  const int64_t most = mostVectors;
  int64_t vectors =
      unrolledVectors({layout.block / lanes, tileX, tileY, tileN});
  return legality
      .unrolled("'lanes', 'tile_x', 'tile_y', 'tile_n'", vectors, most)
      .unrolled("they and 'unroll'", vectors * std::min(unroll, 8 * most),
                4 * most)
      .reason;
}

//===----------------------------------------------------------------------===//
// Backward-filter of linear layers
//===----------------------------------------------------------------------===//

std::vector<Key<LinearGradientSchedule>> LinearGradientSchedule::keys() {
  using S = LinearGradientSchedule;
  return {{"block_i", &S::blockI},
          {"block_o", &S::blockO},
          {"lanes", &S::lanes},
          {"tile_o", &S::tileO},
          {"vectors", &S::vectors}};
}

LinearGradientSchedule LinearGradientSchedule::choose(const Problem &problem) {
  const TargetInfo &target = problem.target;
  ConvShape shape = convShapeOf(problem.kernel, *problem.anchor);
  LinearGradientSchedule schedule;
  int64_t ins = shape.inChannels, outs = shape.outChannels;
  int64_t lanes = std::max<int64_t>(target.vectorBits / 32, 4);
  int64_t accumulators = target.registers * 3 / 4;
  int64_t vectors =
      std::min<int64_t>(ins / lanes, target.registers < 32 ? 2 : 4);
  if (ins % lanes == 0)
    vectors = largestDivisor(ins / lanes, vectors);
  int64_t most = accumulators / vectors, tileO = largestDivisor(outs, most);
  if (2 * tileO < most)
    tileO = std::min(outs, most);
  schedule.lanes = lanes;
  schedule.vectors = vectors;
  schedule.tileO = tileO;
  // A task's part of x stays in the L2 cache, and long runs are written.
  schedule.blockI =
      ins % (lanes * vectors) == 0
          ? lanes * vectors *
                largestDivisor(ins / (lanes * vectors), 256 / (lanes * vectors))
          : ins;
  schedule.blockO =
      outs % tileO == 0 ? tileO * largestDivisor(outs / tileO, 64) : outs;
  return schedule;
}

std::string LinearGradientSchedule::illegal(const Problem &problem) const {
  ConvShape shape = convShapeOf(problem.kernel, *problem.anchor);
  Legality legality;
  legality.range("block_i", blockI, 1, shape.inChannels)
      .divides("block_i", blockI, shape.inChannels, "the in channels")
      .range("block_o", blockO, 1, shape.outChannels)
      .divides("block_o", blockO, shape.outChannels, "the out channels")
      .lanes(lanes, blockI);
  if (!legality.good())
    return legality.reason;
  return legality.range("vectors", vectors, 1, blockI / lanes)
      .range("tile_o", tileO, 1, blockO)
      .unrolled("'vectors', 'tile_o'", unrolledVectors({vectors, tileO}),
                mostVectors)
      .reason;
}

//===----------------------------------------------------------------------===//
// Backward-filter across in channels
//===----------------------------------------------------------------------===//

std::vector<Key<AcrossInsGradientSchedule>> AcrossInsGradientSchedule::keys() {
  using S = AcrossInsGradientSchedule;
  return {{"ahead", &S::ahead},    {"block_i", &S::blockI},
          {"block_o", &S::blockO}, {"copy", &S::copy},
          {"copy_dy", &S::copyDy}, {"lanes", &S::lanes},
          {"tile_o", &S::tileO},   {"vectors", &S::vectors}};
}

/// A divisor of `size` of about `most`: rather a wide block than many narrow
/// ones.
static int64_t blockOf(int64_t size, int64_t most) {
  int64_t block = largestDivisor(size, std::max<int64_t>(most, 1));
  if (size > most && 2 * block < most)
    for (block = most + 1; size % block != 0;)
      ++block;
  return block;
}

AcrossInsGradientSchedule
AcrossInsGradientSchedule::choose(const Problem &problem) {
  const TargetInfo &target = problem.target;
  ConvShape shape = convShapeOf(problem.kernel, *problem.anchor);
  Gather gather = forwardGather(shape, 1);
  int64_t lanes = std::max<int64_t>(target.vectorBits / 32, 4);
  while (shape.inPerGroup() % lanes != 0)
    lanes /= 2;
  AcrossInsGradientSchedule schedule;
  schedule.lanes = lanes;
  // Rather many in channels than many out channels: tiles that follow each
  // other read dy's lines from the first-level cache.
  schedule.vectors =
      largestDivisor(shape.inPerGroup() / lanes, target.registers < 32 ? 3 : 4);
  bool single = shape.kernel[0] * shape.kernel[1] == 1 && !gather.needsZeros();
  bool dense =
      shape.groups == 1 && shape.stride[0] == 1 && shape.stride[1] == 1;
  int64_t tileI = lanes * schedule.vectors, ins = shape.inPerGroup(),
          outs = shape.outPerGroup();
  // The wider a block, the less of its time goes into copying what it reads;
  // its sums stay in the second-level cache. There are a few tasks.
  const int64_t widest = 512, mostSums = 160 * 1024, fewTasks = 4;
  int64_t parts = filterGradientChunks(shape) * shape.groups * ins * outs;
  for (int64_t wide : {widest, widest / 2}) {
    if (wide == widest && !single)
      continue;
    schedule.blockI = tileI * blockOf(ins / tileI, wide / tileI);
    int64_t sums = schedule.blockI * shape.kernel[0] * shape.kernel[1],
            most = widest;
    while (most > 32 && most * sums > mostSums)
      most /= 2;
    schedule.blockO = blockOf(outs, most);
    if (parts >= fewTasks * schedule.blockI * schedule.blockO)
      break;
    while (most > 32 && parts < fewTasks * schedule.blockI * most)
      most /= 2;
    schedule.blockO = blockOf(outs, most);
  }
  // A register for each vector of in channels, one for dy; tiles of one width.
  int64_t tiles =
      ceilDiv(schedule.blockO, (target.registers - 1) / schedule.vectors - 1);
  schedule.tileO = ceilDiv(schedule.blockO, tiles);
  // Narrow maps are read in place by all tiles, from the L2 cache, where the
  // strip before has had them fetched. Wide ones have pixels that fall into few
  // sets of a cache, and are copied unless too few tiles pass over them. Of dy
  // a tile reads but one or two lines of each pixel.
  auto computed = [&](size_t operand) {
    return isComputed(problem.kernel, *problem.anchor, operand);
  };
  bool inPlace = single && dense && outs <= widest,
       narrow = inPlace && (outs <= 64 || std::max(ins, outs) <= widest / 2);
  schedule.copy = !narrow || computed(0);
  schedule.copyDy =
      !(narrow || (inPlace && schedule.blockO == outs)) || computed(1);
  schedule.ahead = dense && (schedule.blockI == ins || schedule.blockO == outs);
  return schedule;
}

std::string AcrossInsGradientSchedule::illegal(const Problem &problem) const {
  ConvShape shape = convShapeOf(problem.kernel, *problem.anchor);
  int64_t ins = shape.inPerGroup();
  int64_t outs = shape.outPerGroup();
  Legality legality;
  legality.lanes(lanes, ins);
  if (!legality.good())
    return legality.reason;
  legality.range("vectors", vectors, 1, std::min(ins / lanes, mostVectors));
  if (!legality.good())
    return legality.reason;
  return legality
      .divides("lanes * vectors", lanes * vectors, ins,
               "the in channels of a group")
      .range("block_i", blockI, 1, ins)
      .divides("block_i", blockI, ins, "the in channels of a group")
      .multiple("block_i", blockI, lanes * vectors)
      .range("block_o", blockO, 1, outs)
      .divides("block_o", blockO, outs, "the out channels of a group")
      .range("tile_o", tileO, 1, blockO)
      .flag("ahead", ahead)
      .flag("copy", copy)
      .flag("copy_dy", copyDy)
      .unrolled("'vectors', 'tile_o'", unrolledVectors({vectors, tileO}),
                mostVectors)
      .reason;
}

//===----------------------------------------------------------------------===//
// Backward-filter of all others
//===----------------------------------------------------------------------===//

std::vector<Key<FilterGradientSchedule>> FilterGradientSchedule::keys() {
  using S = FilterGradientSchedule;
  return {{"copy", &S::copy},          {"copy_dy", &S::copyDy},
          {"lanes", &S::lanes},        {"rows", &S::rows},
          {"split_out", &S::splitOut}, {"tile_i", &S::tileI},
          {"tile_kx", &S::tileKx},     {"vectors", &S::vectors}};
}

FilterGradientSchedule FilterGradientSchedule::choose(const Problem &problem) {
  const TargetInfo &target = problem.target;
  ConvShape shape = convShapeOf(problem.kernel, *problem.anchor);
  Gather gather = forwardGather(shape, 1);
  bool across = filterGradientAcrossGroups(shape);
  int64_t outs = across ? shape.outChannels : shape.outPerGroup();
  int64_t ins = shape.inPerGroup();
  int64_t widest = std::max<int64_t>(target.vectorBits / 32, 4);
  int64_t lanes = widest;
  if (outs % 8 == 0)
    while (outs % lanes != 0)
      lanes /= 2;
  int64_t tileI = filterGradientInTile(shape);
  bool few = target.registers < 32;
  if (few && tileI > 4 && tileI % 2 == 0)
    tileI /= 2;
  int64_t most = target.registers * 3 / 4;
  int64_t tileX = tileI * shape.kernel[1] <= most / 2 ? shape.kernel[1] : 1;
  int64_t vectors = std::clamp<int64_t>(most / (tileI * tileX), 1, few ? 3 : 4);
  vectors = largestDivisor((outs + lanes - 1) / lanes, vectors);
  // Where half of the sums are missing, columns beside those that the kernel
  // has cost less than that.
  if (2 * tileI * tileX * vectors <= most && tileX == 1)
    for (int64_t more = 2; more <= most / (tileI * vectors); ++more)
      if (more <= shape.kernel[1] &&
          4 * ceilDiv(shape.kernel[1], more) * more <= 5 * shape.kernel[1])
        tileX = more;

  // Dense, the next strip's maps come to the cache meanwhile.
  int64_t rows = 1,
          mostBytes = shape.groups == 1 ? stripCacheBytes / 4 : stripCacheBytes;
  int64_t channels = across ? outs * ins : shape.inChannels;
  for (int64_t more = 1; more <= gather.height; ++more) {
    auto strip = gather.stripSize(more);
    int64_t bytes = 4 * (strip[0] * strip[1] * channels +
                         more * gather.width * shape.outChannels);
    if (bytes > mostBytes)
      break;
    if (gather.height % more == 0)
      rows = more;
  }
  FilterGradientSchedule schedule;
  schedule.lanes = lanes;
  schedule.vectors = vectors;
  schedule.tileI = tileI;
  schedule.tileKx = tileX;
  schedule.rows = rows;
  schedule.splitOut = filterGradientChunks(shape) < 8;
  schedule.copy =
      isComputed(problem.kernel, *problem.anchor, 0) || gather.needsZeros();
  schedule.copyDy =
      isComputed(problem.kernel, *problem.anchor, 1) || outs % 8 != 0;
  return schedule;
}

std::string FilterGradientSchedule::illegal(const Problem &problem) const {
  ConvShape shape = convShapeOf(problem.kernel, *problem.anchor);
  bool across = filterGradientAcrossGroups(shape);
  int64_t outs = across ? shape.outChannels : shape.outPerGroup();
  int64_t ins = shape.inPerGroup();
  Legality legality;
  legality.lanes(lanes, 64);
  if (!legality.good())
    return legality.reason;
  legality.range("vectors", vectors, 1, (outs + lanes - 1) / lanes)
      .range("tile_i", tileI, 1, ins)
      .range("tile_kx", tileKx, 1, shape.kernel[1])
      .range("rows", rows, 1, shape.outHeight())
      .flag("split_out", splitOut)
      .flag("copy", copy)
      .flag("copy_dy", copyDy);
  // Beyond the last of them, out channels read zeros, in channels are clamped,
  // but only where the algorithm's own tile may reach there.
  if (outs % 8 == 0)
    legality.divides("lanes * vectors", lanes * vectors, outs,
                     "the out channels of a group");
  if (ins % filterGradientInTile(shape) == 0)
    legality.divides("tile_i", tileI, ins, "the in channels of a group");
  if (!legality.good())
    return legality.reason;
  return legality
      .unrolled("'vectors', 'tile_i', 'tile_kx'",
                unrolledVectors({vectors, tileI, tileKx}), mostVectors)
      .reason;
}

} // namespace rootc::codegen
