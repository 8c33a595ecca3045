//===- DeviceFamilies.cpp - Schedules of kernels on a device --------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/Geometry/Gather.h"
#include "codegen/Schedules/Backend.h"
#include "codegen/Schedules/Legality.h"

#include <numeric>
#include <stdexcept>

namespace rootc::codegen {

namespace {
/// Of a block, as every device has them.
constexpr int64_t mostThreads = 1024, mostShared = 48 * 1024;
/// Sums of a register tile: beside them a thread of 64 registers has room for
/// what it multiplies and for addresses.
constexpr int64_t mostSums = 32;
/// Threads that a block should have, and shared memory of which several blocks
/// have theirs.
constexpr int64_t usualThreads = 256, usualShared = 32 * 1024;

} // namespace

//===----------------------------------------------------------------------===//
// Convolutions
//===----------------------------------------------------------------------===//

int64_t deviceFilterBlock(const ConvShape &shape, bool backwardData,
                          const TargetInfo &) {
  const int64_t warp = 32, most = 4;
  int64_t outs = backwardData ? shape.inPerGroup() : shape.outPerGroup();
  if (groupsInnermost(shape))
    return outs * laneGroupsFor(shape.groups, outs, warp);
  // The channels of a thread's register tile, all of one group. The last block
  // of a dense filter may be filled up, those of groups may not.
  int64_t block = largestDivisor(outs, most);
  return shape.groups == 1 ? std::min(outs, most) : block;
}

namespace {
struct DeviceProblem {
  Gather gather;
  bool groupLanes;
  std::array<int64_t, 2> phase; ///< rows and columns that threads share
  int64_t phases;               ///< of a thread's pixels
  int64_t channels;             ///< blocks or groups that threads run across
  int64_t tile;                 ///< channels of a thread
  int64_t mostColumns;          ///< of a tile

  explicit DeviceProblem(const Problem &problem)
      : gather(gatherOf(problem.kernel, *problem.anchor)) {
    const FilterLayout &layout = gather.layout;
    groupLanes = layout.groupLanes();
    phase = gather.phaseSize();
    auto counts = gather.phaseCount();
    phases = gather.sparse() ? 1 : counts[0] * counts[1];
    channels = groupLanes ? layout.laneGroups : layout.blocks;
    tile = groupLanes ? 1 : layout.block;
    // Without zeros around the map no tile may go beyond it, and Halide does
    // not see that the last pixel of an odd row ends one.
    mostColumns =
        gather.sparse() && gather.width % gather.phases[1] != 0 ? 1 : phase[1];
  }

  /// The largest number of threads up to `most` that have whole groups, or are
  /// of one.
  int64_t threadsAcross(int64_t most) const {
    int64_t threads = largestDivisor(channels, most);
    while (!fits(threads))
      threads = largestDivisor(channels, threads - 1);
    return threads;
  }
  bool fits(int64_t threads) const {
    int64_t each = gather.layout.blocksPerGroup;
    return groupLanes || each % threads == 0 || threads % each == 0;
  }

  int64_t sharedBytes(const DeviceConvolutionSchedule &schedule) const {
    const FilterLayout &layout = gather.layout;
    int64_t groups = groupLanes
                         ? layout.laneGroups
                         : ceilDiv(schedule.threadsC, layout.blocksPerGroup);
    int64_t bytes =
        4 * layout.inPerGroup * groups * schedule.threadsN * schedule.tileN;
    if (gather.ownTap)
      return bytes;
    int64_t rows = (schedule.threadsY - 1) * gather.stride[0] +
                   gather.reach(0) + 1,
            columns =
                (schedule.threadsX * schedule.tileX - 1) * gather.stride[1] +
                gather.reach(1) + 1;
    return bytes * rows * columns;
  }
};
} // namespace

std::vector<Key<DeviceConvolutionSchedule>> DeviceConvolutionSchedule::keys() {
  using S = DeviceConvolutionSchedule;
  return {{"stage", &S::stage},        {"threads_c", &S::threadsC},
          {"threads_n", &S::threadsN}, {"threads_x", &S::threadsX},
          {"threads_y", &S::threadsY}, {"tile_n", &S::tileN},
          {"tile_x", &S::tileX}};
}

DeviceConvolutionSchedule
DeviceConvolutionSchedule::choose(const Problem &problem) {
  DeviceProblem p(problem);
  DeviceConvolutionSchedule schedule;
  bool pixel = p.phase[0] * p.phase[1] == 1;
  // What else is read at the end needs registers for where it lies, and long
  // sums need as many again for their blocks.
  const size_t fewInputs = 4;
  int64_t sums = mostSums;
  if (problem.kernel.inputs.size() > fewInputs)
    sums /= 2;
  if (!p.gather.sumBlocks().one())
    sums /= 2;
  int64_t most =
      std::max<int64_t>(std::min<int64_t>(sums / (p.tile * p.phases), 8), 1);
  int64_t fewest = 0;
  for (int64_t tile = std::min(most, p.mostColumns); tile >= 1; --tile) {
    // A tile reads the filter's values as well as its pixels.
    int64_t cost = ceilDiv(p.phase[1], tile) * (tile + 1);
    if (p.groupLanes && p.phase[1] % tile != 0)
      continue;
    if (fewest == 0 || cost < fewest) {
      fewest = cost;
      schedule.tileX = tile;
    }
  }
  if (pixel && !p.groupLanes)
    schedule.tileN = std::min<int64_t>(most, 4); // each has an address
  int64_t left = usualThreads;
  auto share = [&](int64_t size) {
    int64_t threads = p.groupLanes ? largestDivisor(size, left)
                                   : std::min<int64_t>(size, left);
    left = std::max<int64_t>(left / threads, 1);
    return threads;
  };
  const int64_t quarterWarp = 8, warp = 32;
  schedule.threadsC =
      p.threadsAcross(p.groupLanes || pixel ? warp : quarterWarp);
  left /= schedule.threadsC;
  schedule.threadsX = share(p.phase[1] / schedule.tileX);
  schedule.threadsY = share(p.phase[0]);
  if (pixel && !p.groupLanes)
    schedule.threadsN = std::min<int64_t>(left, 8);
  schedule.stage = 1;
  DeviceConvolutionSchedule smaller = schedule;
  while (p.sharedBytes(smaller) > usualShared) {
    int64_t &more = smaller.threadsY > 1 ? smaller.threadsY : smaller.threadsN;
    if (more == 1) {
      schedule.stage = 0;
      return schedule;
    }
    more = p.groupLanes ? largestDivisor(more, more - 1) : more / 2;
  }
  return smaller;
}

std::string DeviceConvolutionSchedule::illegal(const Problem &problem) const {
  DeviceProblem p(problem);
  const FilterLayout &layout = p.gather.layout;
  if (!p.groupLanes && (layout.padsGroups() || layout.groupsPerBlock > 1))
    return "the filter's blocks are no parts of groups; attribute 'block' must "
           "divide the channels of a group, " +
           std::to_string(layout.outPerGroup);
  int64_t columns = p.phase[1] / std::max<int64_t>(tileX, 1);
  Legality legality;
  legality.flag("stage", stage)
      .range("threads_c", threadsC, 1, std::min(p.channels, mostThreads))
      .divides("threads_c", threadsC, p.channels, "the filter's blocks")
      .range("tile_x", tileX, 1, p.mostColumns)
      .range("threads_x", threadsX, 1, std::min(columns, mostThreads))
      .range("threads_y", threadsY, 1, std::min(p.phase[0], mostThreads))
      .range("tile_n", tileN, 1, p.groupLanes ? 1 : 16)
      .range("threads_n", threadsN, 1, p.groupLanes ? 1 : 64)
      .unrolled("'tile_n', 'tile_x'",
                p.tile * tileN * std::min(tileX, mostThreads), 128);
  if (p.groupLanes)
    legality.divides("tile_x", tileX, p.phase[1], "the columns")
        .divides("threads_x", threadsX, columns, "the tiles of a row")
        .divides("threads_y", threadsY, p.phase[0], "the rows");
  if (!legality.good())
    return legality.reason;
  if (!p.fits(threadsC))
    return "'threads_c' is " + std::to_string(threadsC) +
           ", neither whole groups nor part of one";
  if (threadsC * threadsN * threadsX * threadsY > mostThreads)
    return "'threads_c', 'threads_n', 'threads_x', 'threads_y': more than " +
           std::to_string(mostThreads) + " threads a block";
  if (threadsN > 1 && threadsY > 1)
    return "'threads_n' is " + std::to_string(threadsN) +
           ", which only maps of one row can have";
  if (stage != 0 && p.sharedBytes(*this) > mostShared)
    return "'stage' is 1, but what a block reads takes " +
           std::to_string(p.sharedBytes(*this)) + " bytes of " +
           std::to_string(mostShared);
  return "";
}

//===----------------------------------------------------------------------===//
// Filter gradients
//===----------------------------------------------------------------------===//

namespace {
struct GradientProblem {
  int64_t ins, outs; ///< that threads and tiles share
  int64_t lanes = 1; ///< groups across more threads

  explicit GradientProblem(const Problem &problem) {
    ConvShape shape = convShapeOf(problem.kernel, *problem.anchor);
    ins = shape.inPerGroup();
    outs = shape.outPerGroup();
    if (groupsInnermost(shape))
      lanes = groupLanesGather(shape).layout.laneGroups;
    else if (!isLinearGradient(shape) && !filterGradientAcrossIns(shape) &&
             filterGradientAcrossGroups(shape))
      outs = shape.outChannels;
  }
};
} // namespace

int64_t deviceGradientChunks(const ConvShape &shape) {
  if (!groupsInnermost(shape) && isLinearGradient(shape))
    return 0;
  // A thread has about sixteen of a chunk's sums. Large GPUs hold a quarter of
  // a million threads; more are not worth the memory of their sums.
  const int64_t threads = 1 << 18, sumsOfThread = 16, most = 512;
  int64_t rows = groupsInnermost(shape) ? groupLanesStripRows(shape)
                 : filterGradientAcrossIns(shape)
                     ? filterGradientStrip(shape).rows
                     : 1;
  int64_t size = shape.outChannels * shape.kernel[0] * shape.kernel[1] *
                 shape.inPerGroup(),
          chunks = 1;
  while (chunks < most && 2 * chunks * size <= threads * sumsOfThread)
    chunks *= 2;
  if (chunks <= deviceBatch)
    return chunks;
  return deviceBatch *
         largestDivisor(ceilDiv(shape.outHeight(), rows), chunks / deviceBatch);
}

std::vector<Key<DeviceGradientSchedule>> DeviceGradientSchedule::keys() {
  using S = DeviceGradientSchedule;
  return {{"threads_i", &S::threadsI},
          {"threads_o", &S::threadsO},
          {"tile_i", &S::tileI},
          {"tile_o", &S::tileO}};
}

DeviceGradientSchedule DeviceGradientSchedule::choose(const Problem &problem) {
  GradientProblem p(problem);
  ConvShape shape = convShapeOf(problem.kernel, *problem.anchor);
  DeviceGradientSchedule schedule;
  // Where a thread's out channels are of several groups, each reads its own.
  schedule.tileI = largestDivisor(p.ins, 4);
  schedule.tileO =
      largestDivisor(shape.outPerGroup(), mostSums / 2 / schedule.tileI);
  int64_t most = p.lanes > 1 ? 4 : 16;
  schedule.threadsO = std::min(p.outs / schedule.tileO, most);
  schedule.threadsI = std::min(p.ins / schedule.tileI, most);
  return schedule;
}

std::string DeviceGradientSchedule::illegal(const Problem &problem) const {
  GradientProblem p(problem);
  const int64_t widest = 16;
  Legality legality;
  legality.range("tile_i", tileI, 1, std::min(p.ins, widest))
      .divides("tile_i", tileI, p.ins, "the in channels of a group")
      .range("tile_o", tileO, 1, std::min(p.outs, widest))
      .divides("tile_o", tileO, p.outs, "the out channels of a group")
      .unrolled("'tile_i', 'tile_o'", tileI * tileO, 128)
      .range("threads_i", threadsI, 1, mostThreads)
      .range("threads_o", threadsO, 1, mostThreads);
  if (legality.good() && p.lanes * threadsI * threadsO > mostThreads)
    return "'threads_i', 'threads_o': more than " +
           std::to_string(mostThreads / p.lanes) + " threads of a block";
  return legality.reason;
}

//===----------------------------------------------------------------------===//
// All else
//===----------------------------------------------------------------------===//

std::vector<Key<DeviceMapSchedule>> DeviceMapSchedule::keys() {
  return {{"threads", &DeviceMapSchedule::threads}};
}

DeviceMapSchedule DeviceMapSchedule::choose(const Problem &) {
  return {usualThreads};
}

std::string DeviceMapSchedule::illegal(const Problem &) const {
  Legality legality;
  legality.range("threads", threads, 1, mostThreads);
  if (legality.good() && (threads & (threads - 1)) != 0)
    return "'threads' is " + std::to_string(threads) + ", not a power of two";
  return legality.reason;
}

TypedSchedule deviceSchedule(const Problem &problem) {
  if (problem.inner)
    throw std::invalid_argument("op '" + problem.anchor->name +
                                "' reads another anchor's result, which no "
                                "schedule for a device computes with it");
  if (!problem.anchor)
    return DeviceMapSchedule::choose(problem);
  const Op &anchor = *problem.anchor;
  if (anchor.name == "conv2d_backward_filter")
    return DeviceGradientSchedule::choose(problem);
  if (anchor.name != "conv2d" && anchor.name != "conv2d_backward_data")
    return DeviceMapSchedule::choose(problem);
  if (anchor.attributes.count("winograd"))
    throw std::invalid_argument("op '" + anchor.name +
                                "': no schedule for a device has Winograd's "
                                "convolution");
  return DeviceConvolutionSchedule::choose(problem);
}

} // namespace rootc::codegen
