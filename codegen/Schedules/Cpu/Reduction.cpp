//===- Reduction.cpp - Reductions over the batch's positions --------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// Three loops after one another: chunks (some rows of one image, computed in
// registers, in parallel), images where the op wants them, and the ordered sum
// of these. Chunks follow from shapes alone.
//
//===----------------------------------------------------------------------===//

#include "codegen/Schedules/Cpu/Prefetch.h"
#include "codegen/Schedules/Schedules.h"

#include <algorithm>

using namespace Halide;

namespace rootc::codegen {

namespace {
/// Sums over a few hundred parts: vectors over channels are enough.
void scheduleOrdered(const ScheduleContext &context, Func func,
                     const ChannelSplit &split) {
  func.compute_root();
  if (context.plain)
    return;
  Var c = func.args()[0];
  Var co("co"), ci("ci");
  func.vectorize(c, split.vector, TailStrategy::GuardWithIf);
  Stage update = func.update();
  std::vector<VarOrRVar> order = {ci};
  update.split(c, co, ci, split.vector, TailStrategy::GuardWithIf);
  for (const RVar &r : func.rvars())
    order.push_back(r);
  order.push_back(co);
  update.reorder(order).vectorize(ci);
}

/// What is summed over a position's channels, in the loop `at` of `func`; the
/// copies of what ops before the anchor compute, or else none.
void schedulePositions(const ScheduleContext &context, Func func,
                       const Var &at) {
  for (const auto &[name, stage] : context.anchorFuncs.stages) {
    Func f = stage;
    bool lane = name.starts_with("lane "), copy = name.starts_with("copy ");
    if (copy && !isComputed(context.kernel, *context.anchor,
                            static_cast<size_t>(name.back() - '0')))
      continue;
    if (!lane && !copy && !name.starts_with("position "))
      continue;
    f.compute_at(func, at);
    if (context.plain || (!lane && !copy))
      continue;
    Var first = f.args()[0];
    f.vectorize(first, context.lanes(), TailStrategy::GuardWithIf);
    if (lane)
      f.update().vectorize(first, context.lanes(), TailStrategy::GuardWithIf);
  }
}

void scheduleChunk(const ScheduleContext &context, const Value &x,
                   int64_t vectors) {
  Func chunk = context.stage("chunk");
  Var c = chunk.args()[0], b = chunk.args()[1], n = chunk.args()[2];
  Var co("co"), ci("ci"), lane("lane"), bo("bo"), task("task");
  ChannelSplit split = splitChannels(context.lanes(), x.channels(), vectors);
  int64_t rows = rowsPerChunk(x);
  int64_t bytes = rows * x.width() * x.channels() * 4;
  int64_t chunks =
      std::clamp<int64_t>((256 * 1024) / bytes, 1, x.height() / rows);
  chunk.compute_root()
      .split(c, co, ci, split.block, TailStrategy::GuardWithIf)
      .split(b, bo, b, static_cast<int>(chunks), TailStrategy::GuardWithIf)
      .reorder(ci, co, b, bo, n)
      .fuse(bo, n, task);
  if (!context.plain)
    chunk.vectorize(ci, split.vector, TailStrategy::GuardWithIf).parallel(task);
  schedulePositions(context, chunk, b);
  Func sum = context.stage("registers");
  sum.compute_at(chunk, co);
  if (context.plain)
    return;
  Stage update = sum.update();
  Var cu("cu");
  std::vector<VarOrRVar> order = {c};
  for (const RVar &r : sum.rvars())
    order.push_back(r);
  update.split(c, cu, c, split.vector,
               split.exact ? TailStrategy::RoundUp : TailStrategy::GuardWithIf);
  if (split.exact) {
    sum.bound_extent(c, split.block);
    sum.split(c, cu, c, split.vector).vectorize(c).unroll(cu);
    order.insert(order.begin() + 1, cu);
    update.reorder(order).vectorize(c).unroll(cu);
  } else {
    sum.vectorize(c, split.vector, TailStrategy::GuardWithIf);
    order.push_back(cu);
    update.reorder(order).vectorize(c);
  }
}

/// The loops behind those over chunks.
void scheduleSums(const ScheduleContext &context) {
  ChannelSplit split =
      splitChannels(context.lanes(), context.operands.at(0).channels(), 1);
  for (const char *name : {"image0", "image1"}) {
    auto entry = context.anchorFuncs.stages.find(name);
    if (entry == context.anchorFuncs.stages.end())
      continue;
    Func image = entry->second;
    scheduleOrdered(context, image, split);
    if (!context.plain)
      image.update().parallel(image.args()[1]);
  }
  // A few values a group: the loop over images is what there is.
  for (const char *name : {"group0", "group1", "group2"}) {
    auto entry = context.anchorFuncs.stages.find(name);
    if (entry == context.anchorFuncs.stages.end())
      continue;
    Func group = entry->second;
    group.compute_root();
    if (!context.plain && group.has_update_definition())
      group.update().parallel(group.args()[1]);
  }
  for (const char *name : {"total0", "total1"}) {
    auto entry = context.anchorFuncs.stages.find(name);
    if (entry != context.anchorFuncs.stages.end())
      scheduleOrdered(context, entry->second, split);
  }
  Func output = context.output;
  if (!context.plain)
    output.vectorize(output.args()[0], split.vector, TailStrategy::GuardWithIf);
}

} // namespace

void apply(const ScheduleContext &context, const ReductionSchedule &schedule) {
  const Value &x = context.operands.at(0);
  scheduleChunk(context, x, schedule.vectors);
  scheduleSums(context);
  ChannelSplit split =
      splitChannels(context.lanes(), x.channels(), schedule.vectors);
  if (context.plain || split.block >= x.channels())
    return;
  // As many pixels on as have a page's bytes of a block.
  int64_t pixels = std::max<int64_t>(1024 / split.block, 1);
  std::map<std::string, int64_t> maps;
  for (const std::string &input : context.inputsLike(x.type))
    maps[input] = pixels * x.channels();
  context.pipeline.add_custom_lowering_pass(new PixelsAhead(maps));
}

void apply(const ScheduleContext &context, const CombineSchedule &) {
  scheduleSums(context);
}

/// One value of the output an image, or a channel of it.
void apply(const ScheduleContext &context, const GlobalPoolSchedule &) {
  const Value &x = context.operands.at(0);
  std::vector<Var> v = imageVars(4);
  Func output = context.output;
  Func row = context.stage("row"), sum = context.stage("sum");
  ChannelSplit split = splitChannels(context.lanes(), x.channels(), 1);
  Var task("task");
  output.fuse(v[2], v[3], task).reorder(v[0], v[1], task);
  sum.compute_at(output, task);
  row.compute_at(output, task);
  bool channels = !context.anchorFuncs.stages.count("image");
  if (!channels)
    context.stage("image").compute_at(output, task);
  if (context.plain)
    return;
  output.parallel(task);
  if (channels)
    output.vectorize(v[0], split.vector, TailStrategy::GuardWithIf);
  for (Func f : {row, sum}) {
    f.vectorize(f.args()[0], split.vector, TailStrategy::GuardWithIf);
    f.update().vectorize(f.args()[0], split.vector, TailStrategy::GuardWithIf);
  }
}

void apply(const ScheduleContext &context, const PositionSchedule &schedule) {
  ChannelSplit split =
      splitChannels(context.lanes(), context.outputValue.channels(), 4);
  ImageLoops loops =
      loopOverImage(context, context.output, split, schedule.rows);
  computeInner(context, LoopLevel(context.output, loops.task));
  schedulePositions(context, context.output, imageVars(4)[1]);
}

/// One value of the output a position.
void apply(const ScheduleContext &context, const PositionSumSchedule &) {
  std::vector<Var> v = imageVars(4);
  Var task("task");
  Func output = context.output;
  output.fuse(v[2], v[3], task).reorder(v[0], v[1], task);
  schedulePositions(context, output, v[1]);
  if (!context.plain)
    output.parallel(task);
}

} // namespace rootc::codegen
