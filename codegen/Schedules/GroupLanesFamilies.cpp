//===- GroupLanesFamilies.cpp - Schedules where groups are innermost ------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/Geometry/Gather.h"
#include "codegen/Schedules/Families.h"
#include "codegen/Schedules/Legality.h"

#include <algorithm>
#include <limits>
#include <numeric>

namespace rootc::codegen {

/// What is copied at a time stays in the L2 cache with what is written.
static constexpr int64_t copyCacheBytes = 256 * 1024;
/// And what a tile of a filter's gradient reads in the first-level cache.
static constexpr int64_t firstCacheBytes = 36 * 1024;

/// Lanes of a vector as the machine has it, out channels beside each other so
/// that a vector of few groups is filled.
static int64_t fill(int64_t laneGroups, int64_t outs, int64_t lanes) {
  return std::gcd(outs, std::max<int64_t>(lanes / laneGroups, 1));
}

/// Machine vectors that `across` out channels of a block of groups take.
static int64_t vectorsOf(int64_t laneGroups, int64_t across, int64_t lanes) {
  return ceilDiv(laneGroups * across, lanes);
}

/// A tile's out channels, `across` of them in each vector.
static void checkOuts(Legality &legality, const FilterLayout &layout,
                      int64_t across, int64_t tileO) {
  legality.range("across", across, 1, layout.outPerGroup)
      .range("tile_o", tileO, 1, layout.outPerGroup)
      .divides("tile_o", tileO, layout.outPerGroup,
               "the out channels of a group");
  if (legality.good() && (across & (across - 1)) != 0)
    legality.range("across", across, 1, 1);
  legality.divides("across", across, tileO, "'tile_o'");
}

static bool isPhased(const Gather &gather) {
  return gather.phases[0] != 1 || gather.phases[1] != 1;
}

/// Whether the pixels of a tile fall into too few sets of the L1 cache (64, of
/// 8 lines) to stay there until the next out channels.
static bool fallTogether(const Gather &gather, int64_t tileX) {
  const int64_t sets = 64, ways = 8, line = 16;
  const FilterLayout &layout = gather.layout;
  int64_t pixels =
      (tileX - 1) * gather.stride[1] + gather.taps()[1] * gather.dilation[1];
  int64_t used =
      sets / std::gcd(sets, ceilDiv(layout.groups * layout.inPerGroup, line));
  return gather.taps()[0] * pixels > used * ways;
}

//===----------------------------------------------------------------------===//
// Forward and backward-data
//===----------------------------------------------------------------------===//

std::vector<Key<GroupLanesSchedule>> GroupLanesSchedule::keys() {
  using S = GroupLanesSchedule;
  return {{"across", &S::across}, {"ahead", &S::ahead},
          {"copy", &S::copy},     {"pixels_first", &S::pixelsFirst},
          {"rows", &S::rows},     {"step", &S::step},
          {"tile_o", &S::tileO},  {"tile_x", &S::tileX},
          {"tile_y", &S::tileY},  {"unroll_kx", &S::unrollKx}};
}

GroupLanesSchedule GroupLanesSchedule::choose(const Problem &problem) {
  Gather gather = gatherOf(problem.kernel, *problem.anchor);
  const FilterLayout &layout = gather.layout;
  auto phase = gather.phaseSize();
  bool phased = isPhased(gather);
  int64_t lanes = problem.lanes();
  GroupLanesSchedule schedule;
  schedule.across = fill(layout.laneGroups, layout.outPerGroup, lanes);
  int64_t wide = vectorsOf(layout.laneGroups, schedule.across, lanes);
  // The tile that costs least: two multiply-adds a cycle, loads that take half
  // of their time beside them, and what a tile takes by itself. The taps of a
  // row share what they load.
  int64_t outs = layout.outPerGroup / schedule.across;
  auto taps = gather.taps();
  double terms = double(layout.inPerGroup * taps[0] * taps[1]);
  const TargetInfo &target = problem.target;
  int64_t most = target.registers;
  const int64_t widestUnrolled = 7, widestMasked = 5;
  double least = std::numeric_limits<double>::max();
  for (bool unroll : {true, false})
    for (int64_t tileO = 1; tileO <= outs; ++tileO)
      for (int64_t tileX = 1; tileX <= std::min<int64_t>(phase[1], 16);
           ++tileX) {
        if (outs % tileO != 0 ||
            (!gather.needsZeros() && phase[1] % tileX != 0) ||
            (unroll && (phased || taps[1] == 1 || taps[1] > widestUnrolled)))
          continue;
        // Loaded for a row of taps, which may share a pixel; what a tap has
        // loaded is held for the next.
        int64_t loaded =
            unroll ? std::min((tileX - 1) * gather.stride[1] +
                                  (taps[1] - 1) * gather.dilation[1] + 1,
                              tileX * taps[1])
                   : tileX;
        int64_t held = unroll ? tileX : 1;
        if ((tileO * tileX + tileO + held) * wide > most)
          continue;
        double loads = tileO + double(loaded) / double(unroll ? taps[1] : 1);
        double sums = double(tileO * tileX),
               tile = terms * (sums / 2 + loads / 4) + 12 + sums;
        // Without a row of taps, what a tile reads is copied first.
        if (!unroll && gather.needsZeros())
          tile += double(3 * tileX * gather.stride[0] * gather.stride[1] *
                         layout.inPerGroup * tileO) /
                  double(outs);
        double cost = double(ceilDiv(phase[1], tileX) * (outs / tileO)) * tile;
        if (cost < least) {
          least = cost;
          schedule.tileO = tileO * schedule.across;
          schedule.tileX = tileX;
          schedule.unrollKx = unroll;
        }
      }
  // Zeros around a map cost nothing where a row of taps loads whole vectors and
  // masks have registers of their own, or a tile passes over a group's pixels
  // but once. A wide row has too many masks, unless a tile spans the map and
  // knows them.
  bool inPlace =
      schedule.unrollKx != 0 &&
      (schedule.across == 1 || schedule.tileO == layout.outPerGroup) &&
      (target.registers >= 32 || layout.inPerGroup == 1) &&
      (taps[1] <= widestMasked || schedule.tileX == phase[1]) &&
      !(schedule.tileO < layout.outPerGroup &&
        fallTogether(gather, schedule.tileX));
  schedule.copy = isComputed(problem.kernel, *problem.anchor, 0) || phased ||
                  (gather.needsZeros() && !inPlace);
  schedule.ahead = 1;
  int64_t channels = layout.inPerGroup * layout.laneGroups * layout.blocks;
  auto bytesOf = [&](int64_t rows) {
    auto strip = gather.stripSize(rows);
    return 4 * strip[0] * strip[1] * channels;
  };
  schedule.rows = phased || phase[0] < 8
                      ? phase[0]
                      : largestDivisor(phase[0], (phase[0] + 1) / 2);
  const int64_t fewestRows = 5; // of thirds or less, whose edges count
  if (2 * schedule.rows < phase[0] && schedule.rows < fewestRows)
    schedule.rows = phase[0];
  // Of few images, all threads have as many rows.
  auto isEven = [&](int64_t rows) {
    const int64_t many = 6 * target.threads;
    int64_t strips = phase[0] / rows;
    return problem.sharesEvenly(strips) || target.batch * strips >= many;
  };
  if (target.batch > 0 && target.threads > 0 && !phased)
    while (schedule.rows > 1 && !isEven(schedule.rows))
      schedule.rows = largestDivisor(phase[0], schedule.rows - 1);
  // Another one's inner computes as many rows as its reader's task asks for.
  if (problem.nested)
    schedule.rows = 1;
  // Without vectors a copy takes as long as taps do: few rows are copied twice.
  int64_t mostRows = lanes == 1 ? schedule.rows : 4;
  for (int64_t more = 1; more <= std::min(schedule.rows, mostRows); ++more)
    if (schedule.rows % more == 0 && bytesOf(more) <= copyCacheBytes)
      schedule.step = more;
  return schedule;
}

std::string GroupLanesSchedule::illegal(const Problem &problem) const {
  Gather gather = gatherOf(problem.kernel, *problem.anchor);
  const FilterLayout &layout = gather.layout;
  auto phase = gather.phaseSize();
  Legality legality;
  checkOuts(legality, layout, across, tileO);
  legality.range("tile_x", tileX, 1, phase[1])
      .range("rows", rows, 1, phase[0])
      .divides("rows", rows, phase[0], "the map's height")
      .range("step", step, 1, rows)
      .divides("step", step, rows, "'rows'")
      .range("tile_y", tileY, 1, step)
      .divides("tile_y", tileY, step, "'step'")
      .flag("ahead", ahead)
      .flag("copy", copy)
      .flag("pixels_first", pixelsFirst)
      .flag("unroll_kx", unrollKx);
  // Tiles reach beyond the map, where only zeros that are asked for lie.
  if (!gather.needsZeros())
    legality.divides("tile_x", tileX, phase[1], "the map's width");
  if (isPhased(gather))
    legality.range("copy", copy, 1, 1);
  if (!legality.good())
    return legality.reason;
  int64_t vectors = unrolledVectors(
      {vectorsOf(layout.laneGroups, tileO, problem.lanes()), tileX, tileY});
  return legality.unrolled("'tile_o', 'tile_x', 'tile_y'", vectors, mostVectors)
      .unrolled("they and 'unroll_kx'",
                vectors * (unrollKx != 0 ? gather.taps()[1] : 1),
                4 * mostVectors)
      .reason;
}

//===----------------------------------------------------------------------===//
// Backward-filter
//===----------------------------------------------------------------------===//

std::vector<Key<GroupLanesGradientSchedule>>
GroupLanesGradientSchedule::keys() {
  using S = GroupLanesGradientSchedule;
  return {{"across", &S::across},  {"blocks", &S::blocks},
          {"copy", &S::copy},      {"copy_dy", &S::copyDy},
          {"rows", &S::rows},      {"tile_i", &S::tileI},
          {"tile_kx", &S::tileKx}, {"tile_ky", &S::tileKy},
          {"tile_o", &S::tileO},   {"unroll_x", &S::unrollX}};
}

GroupLanesGradientSchedule
GroupLanesGradientSchedule::choose(const Problem &problem) {
  ConvShape shape = convShapeOf(problem.kernel, *problem.anchor);
  Gather gather = groupLanesGather(shape);
  const FilterLayout &layout = gather.layout;
  int64_t lanes = problem.lanes();
  GroupLanesGradientSchedule schedule;
  int64_t summed = groupLanesStripRows(shape);
  // Chunks of the batch are tasks, and where these are few, blocks of groups.
  const int64_t tasks = 8;
  schedule.blocks = largestDivisor(
      layout.blocks,
      std::max<int64_t>(layout.blocks * groupLanesChunks(shape) / tasks, 1));
  schedule.across = fill(layout.laneGroups, layout.outPerGroup, lanes);
  int64_t wide = vectorsOf(layout.laneGroups, schedule.across, lanes);
  // The tile that loads least for what it multiplies.
  int64_t outs = layout.outPerGroup / schedule.across;
  double least = std::numeric_limits<double>::max();
  for (int64_t tileKy : {shape.kernel[0], int64_t(1)})
    for (int64_t tileKx : {shape.kernel[1], int64_t(1)})
      for (int64_t tileO = 1; tileO <= outs; ++tileO)
        for (int64_t tileI = 1; tileI <= layout.inPerGroup; ++tileI) {
          int64_t ins = tileI * std::min<int64_t>(tileKx, 64) *
                        std::min<int64_t>(tileKy, 64);
          if (outs % tileO != 0 || layout.inPerGroup % tileI != 0 ||
              (tileO * ins + tileO + 1) * wide > problem.target.registers)
            continue;
          double cost =
              std::max(1.0, double(tileO + ins) / double(tileO * ins)) +
              1.0 / double(tileO * ins);
          if (cost < least) {
            least = cost;
            schedule.tileO = tileO * schedule.across;
            schedule.tileI = tileI;
            schedule.tileKx = tileKx;
            schedule.tileKy = tileKy;
          }
        }
  if (least == std::numeric_limits<double>::max())
    schedule.tileO = schedule.across;
  bool computed = isComputed(problem.kernel, *problem.anchor, 0);
  // In place, for what little a tile loads.
  const int64_t mostPixels = 14, fewRows = 2;
  bool shares = sharesPixels(shape);
  if (shares) {
    schedule.tileKx = shape.kernel[1];
    schedule.tileKy = 1;
    schedule.unrollX = largestDivisor(gather.width, mostPixels);
    if (!computed) {
      schedule.rows = summed * largestDivisor(gather.height / summed,
                                              ceilDiv(fewRows, summed));
      return schedule;
    }
  }
  // A tile that multiplies little of what it loads has that in the first-level
  // cache, though narrow strips have many rows copied twice.
  int64_t tileBytes = 4 * layout.laneGroups * gather.width *
                      (schedule.tileI + schedule.tileO),
          products = ceilDiv(schedule.tileO * layout.laneGroups, lanes) *
                     schedule.tileI * schedule.tileKx * schedule.tileKy;
  bool loadsMuch = !shares && tileBytes > 12 * gather.width * products;
  int64_t channels = 4 * layout.laneGroups * schedule.blocks;
  int64_t strips = ceilDiv(gather.height, summed);
  for (int64_t some = 1; some <= strips; ++some) {
    int64_t rows = some * summed;
    auto strip = gather.stripSize(rows);
    int64_t bytes = channels * (strip[0] * strip[1] * layout.inPerGroup +
                                rows * gather.width * layout.outPerGroup);
    if (strips % some == 0 &&
        (some == 1 || (bytes <= 2 * copyCacheBytes &&
                       (!loadsMuch || rows * tileBytes <= firstCacheBytes))))
      schedule.rows = rows;
  }
  schedule.copy = computed || gather.needsZeros();
  // A vector's out channels lie apart in the map where it has more groups.
  schedule.copyDy = isComputed(problem.kernel, *problem.anchor, 1) ||
                    (schedule.across > 1 && layout.laneGroups != layout.groups);
  return schedule;
}

std::string GroupLanesGradientSchedule::illegal(const Problem &problem) const {
  ConvShape shape = convShapeOf(problem.kernel, *problem.anchor);
  const FilterLayout &layout = groupLanesGather(shape).layout;
  int64_t summed = groupLanesStripRows(shape);
  Legality legality;
  checkOuts(legality, layout, across, tileO);
  legality.range("tile_i", tileI, 1, layout.inPerGroup)
      .divides("tile_i", tileI, layout.inPerGroup, "the in channels of a group")
      .range("tile_kx", tileKx, 1, shape.kernel[1])
      .divides("tile_kx", tileKx, shape.kernel[1], "the kernel's width")
      .range("tile_ky", tileKy, 1, shape.kernel[0])
      .divides("tile_ky", tileKy, shape.kernel[0], "the kernel's height")
      .range("blocks", blocks, 1, layout.blocks)
      .divides("blocks", blocks, layout.blocks, "the blocks of groups")
      .range("rows", rows, 1, ceilDiv(shape.outHeight(), summed) * summed)
      .multiple("rows", rows, summed)
      .flag("copy", copy)
      .flag("copy_dy", copyDy)
      .range("unroll_x", unrollX, 1, shape.outWidth())
      .divides("unroll_x", unrollX, shape.outWidth(), "the map's width");
  if (!legality.good())
    return legality.reason;
  int64_t vectors =
      unrolledVectors({vectorsOf(layout.laneGroups, tileO, problem.lanes()),
                       tileI, tileKx, tileKy});
  return legality
      .unrolled("they and 'unroll_x'",
                vectors * std::min(unrollX, 8 * mostVectors), 4 * mostVectors)
      .unrolled("'tile_o', 'tile_i', 'tile_kx', 'tile_ky'", vectors,
                mostVectors)
      .reason;
}

} // namespace rootc::codegen
