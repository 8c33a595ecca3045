//===- Pool.cpp - Pools, and ops on one position's channels ---------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/Schedules/Schedules.h"

using namespace Halide;

namespace rootc::codegen {

namespace {
int64_t tapCount(const Func &accumulator) {
  int64_t count = 1;
  for (const Internal::ReductionVariable &r :
       accumulator.function().update(0).schedule().rvars())
    count *= *Internal::as_const_int(r.extent);
  return count;
}
} // namespace

void schedulePool(const ScheduleContext &context) {
  Func accumulator = context.stage("accumulator");
  bool backward = context.anchor->name.ends_with("_backward");
  // Forward, a map is read once from memory: fastest with all channels of a
  // position in registers, so that the reads go straight on (NIN's 32x32x192
  // to 16x16: 12 vectors 7.6 ms, 4 vectors 10.1 ms). Backward, what is written
  // dominates, and few registers do.
  ChannelSplit split = splitChannels(
      context, context.outputValue.channels(),
      static_cast<int>(
          context.knob("vectors", backward ? 4 : context.registers() * 3 / 8)));
  std::vector<RVar> taps = accumulator.rvars();
  // Two results a tap leave no room to overlap taps.
  bool unrollTaps =
      context.knob("unroll", !backward && accumulator.outputs() == 1 &&
                                 tapCount(accumulator) <= 9);
  ImageLoops loops =
      loopOverImage(context, context.output, context.outputValue, split);
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
    if (unrollTaps)
      update.unroll(taps[0]).unroll(taps[1]);
  } else {
    accumulator.vectorize(v[0], split.vector, TailStrategy::GuardWithIf);
    update.split(v[0], cu, v[0], split.vector, TailStrategy::GuardWithIf)
        .reorder(v[0], taps[0], taps[1], cu)
        .vectorize(v[0]);
  }
}

void scheduleLocalResponseNorm(const ScheduleContext &context) {
  ChannelSplit split =
      splitChannels(context, context.outputValue.channels(), 4);
  loopOverImage(context, context.output, context.outputValue, split);
  std::vector<Var> v = imageVars(4);
  // Every intermediate is the channels of one position.
  for (auto &[name, stage] : context.anchorFuncs.stages) {
    Func row = stage;
    row.compute_at(context.output, v[1]);
    if (!context.plain)
      row.vectorize(v[0], context.lanes(), TailStrategy::GuardWithIf);
  }
}

void scheduleConcat(const ScheduleContext &context) {
  ChannelSplit split =
      splitChannels(context, context.outputValue.channels(), 4);
  loopOverImage(context, context.output, context.outputValue, split);
  Func joined = context.stage("joined");
  joined.compute_at(context.output, imageVars(4)[1]);
  if (context.plain)
    return;
  for (int i = 0; i < joined.num_update_definitions(); ++i)
    joined.update(i).vectorize(joined.rvars(i)[0], context.lanes(),
                               TailStrategy::GuardWithIf);
}

} // namespace rootc::codegen
