//===- Pool.cpp - Pools, and ops on one position's channels ---------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/Schedules/Schedules.h"

using namespace Halide;

namespace rootc::codegen {

void apply(const ScheduleContext &context, const PoolSchedule &schedule) {
  Func accumulator = context.stage("accumulator");
  ChannelSplit split = splitChannels(
      context.lanes(), context.outputValue.channels(), schedule.vectors);
  std::vector<RVar> taps = accumulator.rvars();
  ImageLoops loops =
      loopOverImage(context, context.output, split, schedule.rows);
  computeInner(context, LoopLevel(context.output, loops.task));
  // A block of channels of one position, in registers.
  accumulator.compute_at(context.output, loops.channelBlock);
  if (context.plain)
    return;
  std::vector<Var> v = imageVars(4);
  Var cu("cu");
  Stage update = accumulator.update();
  if (split.exact) {
    accumulator.bound_extent(v[0], split.block);
    accumulator.split(v[0], cu, v[0], split.vector).vectorize(v[0]).unroll(cu);
    update.split(v[0], cu, v[0], split.vector)
        .reorder(v[0], cu, taps[0], taps[1])
        .vectorize(v[0])
        .unroll(cu);
    if (schedule.unroll != 0)
      update.unroll(taps[0]).unroll(taps[1]);
  } else {
    accumulator.vectorize(v[0], split.vector, TailStrategy::GuardWithIf);
    update.split(v[0], cu, v[0], split.vector, TailStrategy::GuardWithIf)
        .reorder(v[0], taps[0], taps[1], cu)
        .vectorize(v[0]);
  }
}

void apply(const ScheduleContext &context, const NeighbourSchedule &schedule) {
  ChannelSplit split =
      splitChannels(context.lanes(), context.outputValue.channels(), 4);
  loopOverImage(context, context.output, split, schedule.rows);
  std::vector<Var> v = imageVars(4);
  // Every intermediate is the channels of one position.
  for (auto &[name, stage] : context.anchorFuncs.stages) {
    Func row = stage;
    row.compute_at(context.output, v[1]);
    if (!context.plain)
      row.vectorize(v[0], context.lanes(), TailStrategy::GuardWithIf);
  }
}

void apply(const ScheduleContext &context, const ConcatSchedule &schedule) {
  ChannelSplit split =
      splitChannels(context.lanes(), context.outputValue.channels(), 4);
  loopOverImage(context, context.output, split, schedule.rows);
  Func joined = context.stage("joined");
  joined.compute_at(context.output, imageVars(4)[1]);
  if (context.plain)
    return;
  for (int i = 0; i < joined.num_update_definitions(); ++i)
    joined.update(i).vectorize(joined.rvars(i)[0], context.lanes(),
                               TailStrategy::GuardWithIf);
}

} // namespace rootc::codegen
