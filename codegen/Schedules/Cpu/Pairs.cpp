//===- Pairs.cpp - Schedule of products of bf16 matrices ------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A task takes some rows of an image, or some images, and some blocks of out
// channels. It goes through its pixels, a few rows or images at a time: the
// support code makes their sums, then what follows of the kernel is done with
// them while they are in cache, pixel by pixel: a line of a block alone, and
// the next one far away, would come from memory too late.
//
//===----------------------------------------------------------------------===//

#include "codegen/Algorithms/Convolution.h"
#include "codegen/Schedules/Cpu/Convolution.h"

using namespace Halide;

namespace rootc::codegen {

static int whole(int64_t value) { return static_cast<int>(value); }

void apply(const ScheduleContext &context, const PairsSchedule &schedule) {
  Gather gather = gatherOf(context.kernel, *context.anchor);
  const FilterLayout &layout = gather.layout;
  Func output = context.output, accumulator = context.stage("accumulator");
  Var c("c"), x("x"), y("y"), n("n"), co("co"), ci("ci"), cs("cs"), yo("yo"),
      ys("ys"), no("no"), ns("ns"), task("task"), l("l");
  int64_t channels = layout.groups * layout.outPerGroup;
  int64_t step = layout.padsGroups() ? layout.outPerGroup : layout.block;
  output
      .split(c, co, ci, whole(step),
             channels % step == 0 ? TailStrategy::RoundUp
                                  : TailStrategy::GuardWithIf)
      .split(co, cs, co, whole(schedule.blocks), TailStrategy::GuardWithIf)
      .split(y, ys, y, whole(schedule.rows), TailStrategy::RoundUp)
      .split(y, yo, y, whole(schedule.tileY), TailStrategy::RoundUp)
      .split(n, ns, n, whole(schedule.images), TailStrategy::GuardWithIf)
      .split(n, no, n, whole(schedule.tileN), TailStrategy::GuardWithIf)
      .reorder({ci, co, x, y, n, yo, no, cs, ys, ns})
      .fuse(cs, ys, task)
      .fuse(task, ns, task);
  accumulator.compute_at(output, yo).bound_extent(l, whole(layout.block));
  bool copies = context.anchorFuncs.stages.count("strip") != 0;
  if (copies)
    context.stage("strip").compute_at(output, task).store_in(MemoryType::Heap);
  if (context.plain)
    return;
  int lanes = static_cast<int>(lanesOfBlock(step, {"", context.lanes() * 32}));
  Var cv("cv");
  output
      .split(ci, cv, ci, lanes,
             step % lanes == 0 ? TailStrategy::RoundUp
                               : TailStrategy::GuardWithIf)
      .vectorize(ci)
      .unroll(cv)
      .parallel(task);
  if (copies)
    context.stage("strip").vectorize(context.stage("strip").args()[0],
                                     context.lanes(),
                                     TailStrategy::GuardWithIf);
}

// A task sums a block of the filter over a chunk of the batch; what ops before
// it make is rounded for it first.
void apply(const ScheduleContext &context,
           const PairsGradientSchedule &schedule) {
  Func output = gradientOf(context), partial = context.stage("partial"),
       sums = context.stage("sums");
  std::vector<Var> f = output.args(); // i, kx, ky, o
  Var i("i"), o("o"), k("k"), ib("ib"), ob("ob"), task("task");
  partial.compute_root()
      .split(i, ib, i, whole(schedule.blockI), TailStrategy::RoundUp)
      .split(o, ob, o, whole(schedule.blockO), TailStrategy::RoundUp)
      .reorder({i, o, ib, ob, k})
      .fuse(ib, ob, task)
      .fuse(task, k, task);
  sums.compute_at(partial, task);
  for (const char *name : {"strip", "dy"})
    if (context.anchorFuncs.stages.count(name))
      context.stage(name).compute_at(partial, task).store_in(MemoryType::Heap);
  if (context.plain)
    return;
  int lanes = context.lanes();
  output.vectorize(f[0], lanes, TailStrategy::RoundUp).parallel(f[3]);
  partial.vectorize(i, lanes).parallel(task);
  for (const char *name : {"strip", "dy"})
    if (context.anchorFuncs.stages.count(name)) {
      Func map = context.stage(name);
      map.vectorize(map.args()[0], lanes, TailStrategy::GuardWithIf);
    }
}

} // namespace rootc::codegen
