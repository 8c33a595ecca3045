//===- Pointwise.cpp - Elementwise kernels, and loops over images ---------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/Schedules/Schedules.h"

#include <algorithm>

using namespace Halide;

namespace rootc::codegen {

namespace {
/// Bytes of one tensor that one task of a parallel loop covers: enough that
/// starting the task costs nothing, few enough that threads share evenly.
constexpr int TaskBytes = 256 * 1024;

int nextPowerOfTwo(int64_t value) {
  int power = 1;
  while (power < value)
    power *= 2;
  return power;
}

/// Whether every value in the kernel but the result has the outputs' shape, and
/// its channels' order, so that channels and columns may be walked as one
/// dimension.
bool allOneShape(const ScheduleContext &context) {
  const std::vector<int64_t> &shape = context.outputValue.type.shape;
  for (const TensorType &type : context.kernel.inputs)
    if (type.shape != shape)
      return false;
  for (const Op &op : context.kernel.ops) {
    if (op.name == "channel_shuffle")
      return false;
    for (const TensorType &type : op.results)
      if (type.shape != shape)
        return false;
  }
  return true;
}
} // namespace

ChannelSplit splitChannels(const ScheduleContext &context, int64_t channels,
                           int most) {
  int vector = context.lanes();
  // Narrower vectors rather than a guarded tail, down to a quarter.
  int narrowest = std::max(1, vector / 4);
  while (vector > narrowest && channels % vector != 0)
    vector /= 2;
  if (channels % vector != 0) {
    vector = std::min(context.lanes(), nextPowerOfTwo(channels));
    return {vector, vector, false};
  }
  int count = static_cast<int>(channels / vector);
  int vectors = std::min(std::max(most, 1), count);
  while (count % vectors != 0)
    --vectors;
  return {vector, vector * vectors, true};
}

/// Splits the rows of all images into tasks of about TaskBytes; `row` counts
/// within a task.
static void splitIntoTasks(const ScheduleContext &context, Func func,
                           const Value &value, const Var &row,
                           const Var &task) {
  std::vector<Var> v = imageVars(4);
  Var yo("yo");
  int64_t bytes = value.width() * value.channels() * 4;
  int64_t rows = context.knob(
      "rows", std::clamp<int64_t>(TaskBytes / bytes, 1, value.height()));
  func.split(v[2], yo, row, static_cast<int>(rows), TailStrategy::GuardWithIf)
      .fuse(yo, v[3], task);
}

ImageLoops loopOverImage(const ScheduleContext &context, Func func,
                         const Value &value, const ChannelSplit &split) {
  ImageLoops loops{Var("co"), Var("ci"), Var("yi"), Var("task")};
  std::vector<Var> v = imageVars(4);
  Var lane("lane");
  func.split(v[0], loops.channelBlock, loops.channel, split.block,
             TailStrategy::GuardWithIf);
  splitIntoTasks(context, func, value, loops.row, loops.task);
  for (Func stage : context.positionStages) {
    stage.compute_at(func, v[1]);
    if (!context.plain)
      stage.bound(stage.args()[0], 0, 4)
          .unroll(stage.args()[0])
          .reorder(stage.args()[0], stage.args()[1])
          .vectorize(stage.args()[1], context.lanes(),
                     TailStrategy::GuardWithIf);
  }
  if (context.plain)
    return loops;
  if (split.exact)
    func.split(loops.channel, loops.channel, lane, split.vector)
        .vectorize(lane)
        .unroll(loops.channel);
  else
    func.vectorize(loops.channel);
  func.parallel(loops.task);
  return loops;
}

/// A shuffle is the transposition of a matrix of `groups` rows, written row
/// after row of the result. Few rows are interleaved, few columns taken apart:
/// either way vectors are read and written whole, without a gather. Overlapping
/// tails are right, as a shuffle is never done in place.
static bool scheduleShuffle(const ScheduleContext &context) {
  const int most = 4; // what Halide turns into shuffles of registers
  const std::vector<Op> &ops = context.kernel.ops;
  if (context.plain || ops.size() != 1 || ops[0].name != "channel_shuffle")
    return false;
  const Value &value = context.outputValue;
  auto rows = static_cast<int>(integerAttribute(ops[0], "groups"));
  auto columns = static_cast<int>(value.channels()) / rows;
  bool interleaves = rows <= most;
  int length = interleaves ? columns : rows;
  if ((!interleaves && columns > most) || length < 2 * most)
    return false;
  Func output = context.output;
  std::vector<Var> v = imageVars(4);
  Var column("column"), row("row"), block("block"), lane("lane"), y("yi"),
      task("task");
  Var along = interleaves ? column : row, across = interleaves ? row : column;
  int vector = std::min(context.lanes(), nextPowerOfTwo(length + 1) / 2);
  output.split(v[0], column, row, rows, TailStrategy::RoundUp)
      .split(along, block, lane, vector, TailStrategy::ShiftInwards)
      .reorder(across, lane, block, v[1])
      .vectorize(lane)
      .unroll(across);
  splitIntoTasks(context, output, value, y, task);
  output.parallel(task);
  return true;
}

void schedulePointwise(const ScheduleContext &context) {
  if (scheduleShuffle(context))
    return;
  Func output = context.output;
  const Value &value = context.outputValue;
  std::vector<Var> v = imageVars(value.type.shape.size());
  if (value.type.shape.size() == 4 && value.type.shape[0] < 0) {
    ChannelSplit split = splitChannels(context, value.channels(), 4);
    if (!allOneShape(context) || split.vector == context.lanes()) {
      loopOverImage(context, output, value, split);
      return;
    }
  }
  if (context.plain)
    return;
  // Vectors, filters, and maps that are walked as rows of W * C.
  Var flat = v[0], outer("outer"), inner("inner");
  if (v.size() >= 2) {
    flat = Var("flat");
    output.fuse(v[0], v[1], flat);
  }
  if (v.size() == 4) {
    Var task("task");
    output.fuse(v[2], v[3], task).parallel(task);
  }
  output.split(flat, outer, inner, context.lanes(), TailStrategy::GuardWithIf)
      .vectorize(inner);
}

void scheduleSgd(const ScheduleContext &context) {
  const int blockLanes = 64; // 4 KB of each operand: stays in cache
  Func output = context.output, velocity = context.stage("velocity");
  Var c = imageVars(1)[0], task("task"), block("block");
  int lanes = context.lanes(), blockSize = blockLanes * lanes;
  output.split(c, block, c, blockSize, TailStrategy::GuardWithIf);
  // Both inputs are read before either output, which may lie in their place,
  // is written.
  velocity.compute_at(output, block);
  if (context.plain)
    return;
  output
      .split(block, task, block, TaskBytes / 4 / blockSize,
             TailStrategy::GuardWithIf)
      .vectorize(c, lanes, TailStrategy::GuardWithIf)
      .parallel(task);
  velocity.vectorize(c, lanes, TailStrategy::GuardWithIf);
}

} // namespace rootc::codegen
