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
int nextPowerOfTwo(int64_t value) {
  int power = 1;
  while (power < value)
    power *= 2;
  return power;
}

} // namespace

/// Splits the rows of all images into tasks; `row` counts within a task.
static void splitIntoTasks(Func func, int64_t rows, const Var &row,
                           const Var &task) {
  std::vector<Var> v = imageVars(4);
  Var yo("yo");
  func.split(v[2], yo, row, static_cast<int>(rows), TailStrategy::GuardWithIf)
      .fuse(yo, v[3], task);
}

ImageLoops loopOverImage(const ScheduleContext &context, Func func,
                         const ChannelSplit &split, int64_t rows) {
  ImageLoops loops{Var("co"), Var("ci"), Var("yi"), Var("task")};
  std::vector<Var> v = imageVars(4);
  Var lane("lane");
  func.split(v[0], loops.channelBlock, loops.channel, split.block,
             TailStrategy::GuardWithIf);
  splitIntoTasks(func, rows, loops.row, loops.task);
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

void apply(const ScheduleContext &context, const PointwiseSchedule &schedule) {
  ChannelSplit split =
      splitChannels(context.lanes(), context.outputValue.channels(), 4);
  loopOverImage(context, context.output, split, schedule.rows);
}

/// A shuffle is the transposition of a matrix of `groups` rows. Few rows are
/// interleaved, few columns taken apart: either way vectors are read and
/// written whole. Where there are more of both, a vector is gathered from the
/// rows, with no index to compute. Overlapping tails are right, as a shuffle is
/// never done in place.
void apply(const ScheduleContext &context, const ShuffleSchedule &schedule) {
  if (context.plain) {
    ChannelSplit whole =
        splitChannels(context.lanes(), context.outputValue.channels(), 1);
    loopOverImage(context, context.output, whole, schedule.rows);
    return;
  }
  const std::vector<Op> &ops = context.kernel.ops;
  const Value &value = context.outputValue;
  auto rows = static_cast<int>(integerAttribute(ops[0], "groups"));
  auto columns = static_cast<int>(value.channels()) / rows;
  const int few = 4; // what Halide turns into shuffles of registers
  bool interleaves = rows <= few && rows <= columns;
  int length = interleaves ? columns : rows;
  Func output = context.output;
  std::vector<Var> v = imageVars(4);
  Var column("column"), row("row"), block("block"), lane("lane"), y("yi"),
      task("task");
  Var along = interleaves ? column : row, across = interleaves ? row : column;
  int vector = std::min(context.lanes(), nextPowerOfTwo(length + 1) / 2);
  output.split(v[0], column, row, rows, TailStrategy::RoundUp)
      .split(along, block, lane, vector, TailStrategy::ShiftInwards)
      .vectorize(lane);
  if (std::min(rows, columns) <= few)
    output.reorder(across, lane, block, v[1]).unroll(across);
  else
    output.reorder(lane, block, across, v[1]);
  splitIntoTasks(output, schedule.rows, y, task);
  output.parallel(task);
}

void apply(const ScheduleContext &context, const FlatSchedule &) {
  if (context.plain)
    return;
  Func output = context.output;
  std::vector<Var> v = imageVars(context.outputValue.type.shape.size());
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

} // namespace rootc::codegen
