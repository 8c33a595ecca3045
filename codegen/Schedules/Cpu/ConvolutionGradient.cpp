//===- ConvolutionGradient.cpp - Schedule of backward-filter --------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A register tile of out channels x in channels x taps runs over the pixels
// of a strip of one image: two or three vectors of dy and a few broadcast
// values of x feed a dozen or more accumulators, which return to memory once
// a strip. The strip of x and dy is what stays in cache while all tiles pass.
//
//===----------------------------------------------------------------------===//

#include "codegen/Algorithms/Convolution.h"
#include "codegen/Schedules/Cpu/Ahead.h"
#include "codegen/Schedules/Cpu/Convolution.h"

using namespace Halide;

namespace rootc::codegen {

Func gradientOf(const ScheduleContext &context) {
  Func output = context.output;
  if (context.anchorFuncs.stages.count("positions") == 0)
    return output;
  if (!context.plain) {
    std::vector<Var> vars = output.args(); // i, kx, ky, o
    output.vectorize(vars[0], context.lanes(), TailStrategy::GuardWithIf)
        .parallel(vars[3]);
  }
  return context.stage("positions").compute_root();
}

/// A register tile of in channels x out channels runs over the batch. A task
/// has its part of x side by side and writes runs of each out channel.
void apply(const ScheduleContext &context,
           const LinearGradientSchedule &schedule) {
  if (context.plain)
    return schedulePlainLinearGradient(context);
  Func total = context.stage("total"), strip = context.stage("strip"),
       dy = context.stage("dy"), output = gradientOf(context);
  auto lanes = static_cast<int>(schedule.lanes),
       vectors = static_cast<int>(schedule.vectors),
       tileO = static_cast<int>(schedule.tileO),
       blockI = static_cast<int>(schedule.blockI),
       blockO = static_cast<int>(schedule.blockO), tileI = lanes * vectors;
  // Within a task, the last tile may lie over the one before.
  auto tail = [](int block, int tile) {
    return block % tile == 0 ? TailStrategy::RoundUp
                             : TailStrategy::ShiftInwards;
  };
  std::vector<Var> vars = output.args(); // i, kx, ky, o
  Var &i = vars[0], &o = vars[3];
  Var ib("ib"), it("it"), iv("iv"), ob("ob"), ot("ot"), t("t"), c("c");
  output.split(i, ib, i, blockI, TailStrategy::RoundUp)
      .split(i, it, i, tileI, tail(blockI, tileI))
      .split(i, iv, i, lanes, TailStrategy::RoundUp)
      .split(o, ob, o, blockO, TailStrategy::RoundUp)
      .split(o, ot, o, tileO, tail(blockO, tileO))
      .reorder(i, iv, o, it, ot, ib, vars[1], vars[2], ob)
      .vectorize(i)
      .unroll(iv)
      .unroll(o)
      .fuse(ib, vars[1], t)
      .fuse(t, vars[2], t)
      .fuse(t, ob, t)
      .parallel(t);
  strip.compute_at(output, t).vectorize(c, lanes, TailStrategy::GuardWithIf);
  Var image = dy.args()[0], channel = dy.args()[1], lane("lane");
  dy.compute_root()
      .split(channel, t, lane, lanes, TailStrategy::GuardWithIf)
      .reorder(lane, image, t)
      .parallel(t);
  std::vector<Var> sums = total.args();
  total.compute_at(output, it)
      .split(sums[0], iv, i, lanes)
      .vectorize(i)
      .unroll(iv)
      .unroll(sums[3]);
  total.update()
      .split(sums[0], iv, i, lanes)
      .reorder(i, iv, sums[3], total.rvars()[0])
      .vectorize(i)
      .unroll(iv)
      .unroll(sums[3]);
}

void apply(const ScheduleContext &context,
           const FilterGradientSchedule &schedule) {
  if (context.plain)
    return schedulePlainFilterGradient(context);
  ConvShape shape = convShapeOf(context.kernel, *context.anchor);
  Gather gather = forwardGather(shape, 1);
  Func partial = context.stage("partial"), total = context.stage("total"),
       strip = context.stage("strip"), dy = context.stage("dy");
  bool across = filterGradientAcrossGroups(shape);
  partial.compute_root();
  int64_t outs = across ? shape.outChannels : shape.outPerGroup();
  int64_t ins = shape.inPerGroup();
  auto lanes = static_cast<int>(schedule.lanes),
       vectors = static_cast<int>(schedule.vectors),
       tileI = static_cast<int>(schedule.tileI),
       tileX = static_cast<int>(schedule.tileKx),
       rows = static_cast<int>(schedule.rows);

  Var o("o"), g("g"), i("i"), kx("kx"), ky("ky"), k("k"), ob("ob"), ov("ov"),
      it("it"), kt("kt"), t("t"), c("c");
  RVar rx = partial.rvars()[0], ry = partial.rvars()[1],
       rn = partial.rvars()[2], rs("rs");
  partial.vectorize(o, lanes, TailStrategy::RoundUp).parallel(k);
  Stage update = partial.update();
  update.split(o, ov, o, lanes, TailStrategy::RoundUp)
      .split(ov, ob, ov, vectors, TailStrategy::RoundUp)
      .split(i, it, i, tileI, TailStrategy::RoundUp)
      .split(kx, kt, kx, tileX, TailStrategy::GuardWithIf)
      .split(ry, rs, ry, rows, TailStrategy::GuardWithIf)
      .vectorize(o)
      .unroll(ov)
      .unroll(i)
      .unroll(kx);
  if (schedule.splitOut != 0)
    update.reorder(o, ov, i, kx, rx, ry, it, kt, ky, rs, rn, ob, g, k)
        .fuse(ob, g, t)
        .fuse(t, k, t)
        .parallel(t);
  else
    update.reorder(o, ov, i, kx, rx, ry, it, kt, ky, ob, g, rs, rn, k)
        .parallel(k);

  auto size = gather.stripSize(rows);
  int64_t pixels = size[0] * size[1];
  LoopLevel level =
      schedule.splitOut != 0 ? LoopLevel(partial, rs) : LoopLevel(partial, g);
  int64_t bytes = pixels * ins * (across ? outs : 1) * 4;
  if (across && fitsCopy(bytes)) {
    Func spread = context.stage("spread");
    spread.compute_at(level)
        .vectorize(o, lanes, TailStrategy::RoundUp)
        .store_in(memoryFor(bytes));
  } else if (!across && schedule.copy != 0 && fitsCopy(bytes)) {
    strip.compute_at(level)
        .vectorize(c, context.lanes(), TailStrategy::GuardWithIf)
        .store_in(memoryFor(bytes));
  }
  if (outs % 8 != 0 || schedule.copyDy != 0)
    dy.compute_at(level)
        .vectorize(o, lanes, TailStrategy::RoundUp)
        .store_in(memoryFor(rows * gather.width * (outs + lanes) * 4));

  if (schedule.splitOut == 0 && shape.groups == 1) {
    std::string loop = partial.name() + ".s1.";
    AheadLoops loops;
    loops.strips = {loop + rs.name(), loop + rn.name()};
    loops.turns = {{loop + ob.name(), ceilDiv(outs, lanes * vectors)},
                   {loop + ky.name(), shape.kernel[0]},
                   {loop + kt.name(), ceilDiv(shape.kernel[1], tileX)},
                   {loop + it.name(), ceilDiv(ins, tileI)},
                   {loop + ry.name(), rows}};
    loops.addInputs(context, context.operands[0].type, size[0],
                    rows * shape.stride[0]);
    loops.addInputs(context, context.operands[1].type, rows, rows);
    context.pipeline.add_custom_lowering_pass(new Ahead(loops));
  }

  // The sums have the out channels innermost, the gradient outermost: turned
  // over in tiles that fit the L1 cache.
  Func output = gradientOf(context);
  std::vector<Var> vars = output.args(); // i, kx, ky, o
  Var group("group");
  output.split(vars[3], group, vars[3], static_cast<int>(outs))
      .split(vars[3], ob, vars[3], 4 * lanes, TailStrategy::GuardWithIf)
      .split(vars[0], it, vars[0], lanes, TailStrategy::GuardWithIf)
      .reorder(vars[0], vars[3], it, vars[1], vars[2], ob, group)
      .fuse(vars[2], ob, t)
      .fuse(t, group, t)
      .parallel(t);
  total.compute_at(output, it).vectorize(o, lanes, TailStrategy::RoundUp);
  total.update()
      .split(o, ov, o, lanes, TailStrategy::RoundUp)
      .vectorize(o)
      .reorder(o, total.rvars()[0], ov, i);
}

} // namespace rootc::codegen
