//===- MapFamilies.cpp - Schedules of whatever is no convolution ----------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/Geometry/Resample.h"
#include "codegen/Schedules/Families.h"
#include "codegen/Schedules/Legality.h"

#include <algorithm>
#include <stdexcept>

namespace rootc::codegen {

ChannelSplit splitChannels(int64_t lanes, int64_t channels, int64_t most) {
  auto vector = static_cast<int>(lanes);
  // Narrower vectors rather than a guarded tail, down to a quarter.
  int narrowest = std::max(1, vector / 4);
  while (vector > narrowest && channels % vector != 0)
    vector /= 2;
  if (channels % vector != 0) {
    int power = 1;
    while (power < channels)
      power *= 2;
    vector = std::min(static_cast<int>(lanes), power);
    return {vector, vector, false};
  }
  int64_t count = channels / vector;
  int64_t vectors = std::min(std::max<int64_t>(most, 1), count);
  while (count % vectors != 0)
    --vectors;
  return {vector, vector * static_cast<int>(vectors), true};
}

/// `vectors` of channels make a block, blocks the channels; one vector where
/// they do not fill vectors.
static void checkVectors(Legality &legality, int64_t vectors, int64_t lanes,
                         int64_t channels) {
  ChannelSplit one = splitChannels(lanes, channels, 1);
  int64_t count = one.exact ? channels / one.vector : 1;
  legality.range("vectors", vectors, 1, std::min<int64_t>(count, 64))
      .divides("vectors", vectors, count, "the vectors of all channels");
}

//===----------------------------------------------------------------------===//
// Loops over images
//===----------------------------------------------------------------------===//

/// So many rows of `height` or somewhat fewer that leave no rest, which a last
/// task would take as long for as for all of its rows.
static int64_t rowsWithoutRest(int64_t height, int64_t rows) {
  int64_t exact = largestDivisor(height, rows);
  return 2 * exact > rows ? exact : rows;
}

/// Rows of one tensor that one task of a parallel loop covers: enough that
/// starting the task costs nothing, few enough that threads share evenly.
static int64_t rowsOfTask(const Problem &problem) {
  const int64_t most = 256 * 1024, least = 32 * 1024;
  const std::vector<int64_t> &shape = problem.shape();
  int64_t row = 4 * shape.at(2) * shape.at(3),
          rows = std::clamp<int64_t>(most / row, 1, shape.at(1));
  // Fewer images than threads are shared out, too.
  const TargetInfo &target = problem.target;
  if (target.batch > 0 && target.batch < target.threads)
    rows = std::min(
        rows, std::max(ceilDiv(target.batch * shape.at(1), target.threads),
                       ceilDiv(least, row)));
  return rows;
}

template <typename Family>
Family ImageSchedule<Family>::choose(const Problem &problem) {
  Family schedule;
  schedule.rows = rowsOfTask(problem);
  // What is computed for it makes a task long enough.
  const int64_t fewTasks = 4;
  if (problem.inner)
    schedule.rows = std::min(schedule.rows,
                             (problem.shape().at(1) + fewTasks - 1) / fewTasks);
  return schedule;
}

template <typename Family>
std::string ImageSchedule<Family>::illegal(const Problem &problem) const {
  return Legality().range("rows", rows, 1, problem.shape().at(1)).reason;
}

template struct ImageSchedule<PointwiseSchedule>;
template struct ImageSchedule<ShuffleSchedule>;
template struct ImageSchedule<PositionSchedule>;
template struct ImageSchedule<NeighbourSchedule>;
template struct ImageSchedule<ConcatSchedule>;

//===----------------------------------------------------------------------===//
// Pools
//===----------------------------------------------------------------------===//

static bool isBackward(const Problem &problem) {
  return problem.anchor->name.ends_with("_backward");
}

/// Rows and columns of the attribute `kernel` or `stride`.
static std::vector<int64_t> pairOf(const Problem &problem, const char *name) {
  auto it = problem.anchor->attributes.find(name);
  auto *values = it == problem.anchor->attributes.end()
                     ? nullptr
                     : std::get_if<std::vector<int64_t>>(&it->second);
  if (!values || values->size() != 2 || (*values)[0] < 1 || (*values)[1] < 1)
    throw std::invalid_argument("op '" + problem.anchor->name +
                                "', attribute '" + name +
                                "': expected 2 positive values");
  return *values;
}

/// Positions that one output looks at: of its window, or windows over it.
static int64_t tapsOf(const Problem &problem) {
  if (problem.anchor->name.starts_with("resample")) {
    int64_t taps = 1;
    for (const ResampleAxis &axis : resampleAxes(*problem.anchor))
      taps *= isBackward(problem) ? axis.outputs() : axis.taps();
    return taps;
  }
  auto kernel = pairOf(problem, "kernel"), stride = pairOf(problem, "stride");
  int64_t taps = 1;
  for (int d = 0; d < 2; ++d)
    taps *= isBackward(problem) ? (kernel[d] - 1) / stride[d] + 1 : kernel[d];
  return taps;
}

std::vector<Key<PoolSchedule>> PoolSchedule::keys() {
  return {{"rows", &PoolSchedule::rows},
          {"unroll", &PoolSchedule::unroll},
          {"vectors", &PoolSchedule::vectors}};
}

/// Rows of a task that computes what it reads: the more, the fewer rows of that
/// are computed twice, but they stay in the L2 cache.
static int64_t rowsOfReader(const Problem &problem) {
  const int64_t bytes = PoolSchedule::mostRead,
                fewTasks =
                    problem.sharesEvenly(1) ? 2 : PoolSchedule::fewestTasks;
  const auto &input = problem.kernel.type(problem.anchor->operands.at(0)).shape;
  int64_t kernel = pairOf(problem, "kernel")[0],
          stride = pairOf(problem, "stride")[0],
          fit = bytes / (4 * input.at(2) * input.at(3)),
          most = std::max<int64_t>((fit - kernel) / stride + 1, 1),
          height = problem.shape().at(1),
          tasks = std::clamp((height + most - 1) / most,
                             std::min(fewTasks, height), height);
  return (height + tasks - 1) / tasks;
}

PoolSchedule PoolSchedule::choose(const Problem &problem) {
  PoolSchedule schedule;
  const std::vector<int64_t> &shape = problem.shape();
  // Forward, a map is read once from memory: fastest with all channels of a
  // position in registers, so that the reads go straight on (NIN's 32x32x192
  // to 16x16: 12 vectors 7.6 ms, 4 vectors 10.1 ms). Backward, what is written
  // dominates, and few registers do.
  bool backward = isBackward(problem);
  ChannelSplit split =
      splitChannels(problem.lanes(), shape.at(3),
                    backward ? 4 : problem.target.registers * 3 / 8);
  schedule.rows = rowsWithoutRest(
      shape.at(1), problem.inner ? rowsOfReader(problem) : rowsOfTask(problem));
  schedule.vectors = split.vectors();
  // Two results a tap leave no room to overlap taps.
  schedule.unroll = split.exact && !backward && tapsOf(problem) <= 9 &&
                    problem.anchor->results.size() == 1;
  return schedule;
}

std::string PoolSchedule::illegal(const Problem &problem) const {
  Legality legality;
  const std::vector<int64_t> &shape = problem.shape();
  legality.range("rows", rows, 1, shape.at(1)).flag("unroll", unroll);
  checkVectors(legality, vectors, problem.lanes(), shape.at(3));
  int64_t taps = std::min<int64_t>(tapsOf(problem), 1 << 16);
  if (unroll)
    legality.unrolled("'unroll', 'vectors'", taps * vectors, 256);
  if (legality.good() && unroll &&
      !splitChannels(problem.lanes(), shape.at(3), 1).exact)
    return "'unroll' is 1, but the channels do not fill vectors";
  return legality.reason;
}

//===----------------------------------------------------------------------===//
// Reductions
//===----------------------------------------------------------------------===//

std::vector<Key<ReductionSchedule>> ReductionSchedule::keys() {
  return {{"vectors", &ReductionSchedule::vectors}};
}

/// Of the map that is reduced.
static int64_t channelsOf(const Problem &problem) {
  return problem.kernel.type(problem.anchor->operands.at(0)).shape.back();
}

ReductionSchedule ReductionSchedule::choose(const Problem &problem) {
  ReductionSchedule schedule;
  int64_t sums = problem.anchor->name == "channel_sum" ? 1 : 2;
  schedule.vectors = splitChannels(problem.lanes(), channelsOf(problem),
                                   (problem.target.registers - 8) / sums)
                         .vectors();
  return schedule;
}

std::string ReductionSchedule::illegal(const Problem &problem) const {
  Legality legality;
  checkVectors(legality, vectors, problem.lanes(), channelsOf(problem));
  return legality.reason;
}

} // namespace rootc::codegen
