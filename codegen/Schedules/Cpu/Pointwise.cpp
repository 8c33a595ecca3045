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

ImageLoops loopOverImage(const ScheduleContext &context, Func func,
                         const Value &value, const ChannelSplit &split) {
  ImageLoops loops{Var("co"), Var("ci"), Var("yi"), Var("task")};
  std::vector<Var> v = imageVars(4);
  Var yo("yo"), lane("lane");
  int64_t row = value.width() * value.channels() * 4;
  int64_t rows = context.knob(
      "rows", std::clamp<int64_t>(TaskBytes / row, 1, value.height()));
  func.split(v[0], loops.channelBlock, loops.channel, split.block,
             TailStrategy::GuardWithIf)
      .split(v[2], yo, loops.row, static_cast<int>(rows),
             TailStrategy::GuardWithIf)
      .reorder(loops.channel, loops.channelBlock, v[1], loops.row, yo, v[3])
      .fuse(yo, v[3], loops.task);
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

void schedulePointwise(const ScheduleContext &context) {
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
