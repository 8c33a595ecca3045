//===- Updates.cpp - Updates of whole arenas ------------------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/Schedules/Schedules.h"

using namespace Halide;

namespace rootc::codegen {

/// Bytes of one arena that one task of a parallel loop covers: enough that
/// starting the task costs nothing, few enough that threads share evenly.
static constexpr int taskBytes = 256 * 1024;

/// The sum of squares, before anything is written.
static void scheduleNorm(const ScheduleContext &context) {
  Func lane = context.stage("lane"), chunk = context.stage("chunk"),
       norm = context.stage("norm");
  Var l = lane.args()[0], k = chunk.args()[0];
  RVar r = lane.rvars()[0];
  for (Func func : {norm, chunk})
    func.compute_root();
  context.stage("rest").compute_root();
  lane.compute_at(chunk, k);
  if (context.plain)
    return;
  chunk.update().parallel(k);
  lane.compute_at(chunk, k).vectorize(l, context.lanes());
  lane.update().reorder(l, r).vectorize(l, context.lanes());
}

void apply(const ScheduleContext &context, const UpdateSchedule &) {
  const int blockLanes = 64; // 4 KB of each operand: stays in cache
  Func output = context.output;
  Var c = imageVars(1)[0], task("task"), block("block");
  int lanes = context.lanes(), blockSize = blockLanes * lanes;
  output.split(c, block, c, blockSize, TailStrategy::GuardWithIf);
  if (context.anchor->name == "clip_norm")
    scheduleNorm(context);
  // Inputs are read before any output, which may lie in their place, is
  // written.
  for (auto [name, stage] : context.anchorFuncs.stages)
    if (name.starts_with("new"))
      stage.compute_at(output, block);
  if (context.plain)
    return;
  output
      .split(block, task, block, taskBytes / 4 / blockSize,
             TailStrategy::GuardWithIf)
      .vectorize(c, lanes, TailStrategy::GuardWithIf)
      .parallel(task);
  for (auto [name, stage] : context.anchorFuncs.stages)
    if (name.starts_with("new"))
      stage.vectorize(c, lanes, TailStrategy::GuardWithIf);
}

} // namespace rootc::codegen
