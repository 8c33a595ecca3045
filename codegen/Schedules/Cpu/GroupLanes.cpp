//===- GroupLanes.cpp - Schedules of convolutions, groups innermost -------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Vectors run across groups, a register tile has out channels x pixels (of a
// filter's gradient: out channels x in channels x taps). A few rows of what is
// read are copied at a time, all channels in the order of memory, then block
// after block of groups passes over them.
//
//===----------------------------------------------------------------------===//

#include "codegen/Algorithms/Convolution.h"
#include "codegen/Schedules/Cpu/Ahead.h"
#include "codegen/Schedules/Cpu/Convolution.h"

using namespace Halide;

namespace rootc::codegen {

/// The Func that the anchor's update writes: the output, unless what stands
/// behind the anchor needs other points of it.
static Func scatteredTo(const ScheduleContext &context) {
  if (context.output.has_update_definition())
    return context.output;
  Func result = context.anchorFuncs.results[0];
  result.compute_root();
  if (!context.plain)
    loopOverImage(
        context, context.output,
        splitChannels(context.lanes(), context.outputValue.channels(), 1), 1);
  return result;
}

void apply(const ScheduleContext &context, const GroupLanesSchedule &schedule) {
  Gather gather = gatherOf(context.kernel, *context.anchor);
  const FilterLayout &layout = gather.layout;
  Func target = scatteredTo(context),
       accumulator = context.stage("accumulator"),
       strip = context.stage("strip");
  bool phased = gather.phases[0] != 1 || gather.phases[1] != 1;
  auto across = static_cast<int>(schedule.across),
       tileO = static_cast<int>(schedule.tileO),
       tileX = static_cast<int>(schedule.tileX),
       tileY = static_cast<int>(schedule.tileY),
       step = static_cast<int>(schedule.step),
       rows = static_cast<int>(schedule.rows);
  // Of phases, in whose pixels a tile and its rows are counted.
  auto phasesX = static_cast<int>(gather.phases[1]),
       phasesY = static_cast<int>(gather.phases[0]);
  std::vector<RVar> s = target.rvars(0); // lane, out channel, block
  Var l("l"), o("o"), x("x"), y("y"), n("n"), ol("ol"), xo("xo"), xi("xi"),
      ys("ys"), yo("yo"), yr("yr"), yi("yi"), task("task");
  RVar so("so"), si("si"), sl("sl");
  Stage update = target.update(0);
  update.allow_race_conditions(); // every point is written once
  auto guard = TailStrategy::GuardWithIf;
  update.split(s[1], so, si, tileO, guard)
      .split(si, si, sl, across, guard)
      .split(x, xo, xi, tileX * phasesX, guard)
      .split(y, ys, yi, rows * phasesY, guard)
      .split(yi, yo, yi, step * phasesY, guard)
      .split(yi, yr, yi, tileY * phasesY, guard);
  // A tile of out channels passes over a row, or all of them over a few pixels.
  bool pixelsFirst = schedule.pixelsFirst != 0;
  VarOrRVar first = pixelsFirst ? VarOrRVar(xo) : VarOrRVar(so),
            second = pixelsFirst ? VarOrRVar(so) : VarOrRVar(xo);
  update.reorder({s[0], sl, si, xi, yi, first, second, yr, s[2], yo, ys, n});
  if (!phased)
    update.unroll(si).unroll(xi).unroll(yi);
  if (!context.plain) // out channels beside each other lie apart in the map
    update.vectorize(s[0]).unroll(sl);
  if (!context.plain && !context.within)
    update.fuse(ys, n, task).parallel(task);

  LoopLevel level = pixelsFirst ? LoopLevel(target, xo) : LoopLevel(target, so);
  auto lanes = static_cast<int>(layout.laneGroups);
  auto inRegisters = [&](Stage stage, std::vector<VarOrRVar> loops) {
    stage.split(o, o, ol, across);
    std::vector<VarOrRVar> inner = {l, ol, o, x, y};
    inner.insert(inner.end(), loops.begin(), loops.end());
    stage.reorder(inner).unroll(o).unroll(x).unroll(y);
    if (!context.plain)
      stage.vectorize(l).vectorize(ol);
  };
  accumulator.compute_at(level)
      .bound_extent(l, lanes)
      .bound_extent(o, tileO)
      .bound_extent(x, tileX)
      .bound_extent(y, tileY);
  std::vector<RVar> r = accumulator.rvars(); // in channel, column, row
  std::vector<VarOrRVar> loops = {r[0], r[1], r[2]};
  if (schedule.unrollKx != 0)
    std::swap(loops[0], loops[1]);
  if (phased) {
    std::vector<Var> sums = accumulator.args(); // ..., phases of x, of y
    auto counts = gather.phaseCount();
    accumulator.bound_extent(sums[6], static_cast<int>(counts[1]))
        .bound_extent(sums[7], static_cast<int>(counts[0]));
    loops.insert(loops.end(), {sums[6], sums[7]});
  }
  inRegisters(accumulator, {});
  inRegisters(accumulator.update(), loops);
  if (schedule.unrollKx != 0)
    accumulator.update().unroll(r[1]);

  auto size = gather.stripSize(step);
  int64_t bytes = size[0] * size[1] * layout.inPerGroup * lanes *
                  layout.blocks * 8; // folded: up to twice the rows
  bool copies = (schedule.copy != 0 ||
                 (context.plain && gather.needsZeros())) && // it has no masks
                fitsCopy(bytes);
  if (schedule.ahead != 0 && !context.plain && !context.within) {
    std::string loop = target.name() + ".s1.";
    std::pair<std::string, int64_t> tiles = {loop + so.name(),
                                             layout.outPerGroup / tileO},
                                    pixels = {
                                        loop + xo.name(),
                                        ceilDiv(gather.phaseSize()[1], tileX)};
    AheadLoops loops;
    loops.strips = {loop + yo.name()};
    loops.turns = {{loop + s[2].name(), layout.blocks},
                   {loop + yr.name(), step / tileY},
                   pixelsFirst ? tiles : pixels,
                   pixelsFirst ? pixels : tiles};
    int64_t written = step * gather.phases[0], read = step * gather.stride[0];
    size_t outputs = context.kernel.outputs.size();
    for (size_t i = 0; i < outputs; ++i) {
      int64_t row =
          context.outputValue.width() * context.outputValue.channels();
      loops.maps[context.output.name() + (outputs > 1 ? "." + std::to_string(i)
                                                      : "")] = {written * row,
                                                                written * row};
    }
    loops.addInputs(context, context.outputValue.type, written, written);
    loops.addInputs(context, context.operands[0].type, copies ? read : size[0],
                    read);
    context.pipeline.add_custom_lowering_pass(new Ahead(loops));
  }
  if (!copies)
    return;
  strip.compute_at(target, yo);
  std::vector<Var> d = strip.args(); // lane, in, x, y, n, block
  strip.reorder({d[0], d[5], d[1], d[2], d[3], d[4]})
      .bound_extent(d[0], lanes)
      .bound_extent(d[1], static_cast<int>(layout.inPerGroup))
      .bound_extent(d[5], static_cast<int>(layout.blocks))
      .store_in(memoryFor(bytes));
  if (!context.plain) {
    strip.vectorize(d[0]).store_at(target, context.within ? n : task);
    if (layout.blocks * layout.inPerGroup <= 16)
      strip.unroll(d[1]).unroll(d[5]);
  }
}

void apply(const ScheduleContext &context,
           const GroupLanesGradientSchedule &schedule) {
  ConvShape shape = convShapeOf(context.kernel, *context.anchor);
  Gather gather = groupLanesGather(shape);
  const FilterLayout &layout = gather.layout;
  Func partial = context.stage("partial"), total = context.stage("total"),
       sums = context.stage("sums"), strip = context.stage("strip"),
       dy = context.stage("dy"), output = context.output;
  int64_t summed = groupLanesStripRows(shape);
  auto across = static_cast<int>(schedule.across),
       tileO = static_cast<int>(schedule.tileO),
       tileI = static_cast<int>(schedule.tileI),
       tileKx = static_cast<int>(schedule.tileKx),
       tileKy = static_cast<int>(schedule.tileKy),
       rows = static_cast<int>(schedule.rows),
       strips = static_cast<int>(schedule.rows / summed),
       blocks = static_cast<int>(schedule.blocks),
       lanes = static_cast<int>(layout.laneGroups);
  std::vector<Var> v = partial.args(); // lane, out, in, kx, ky, block, chunk
  Var l = v[0], o = v[1], i = v[2], kx = v[3], ky = v[4], b = v[5], k = v[6],
      ol("ol"), ot("ot"), it("it"), kxt("kxt"), kyt("kyt"), bt("bt"),
      task("task");
  RVar rs = partial.rvars()[0], rn = partial.rvars()[1], ry("ry");
  partial.compute_root();
  partial.update()
      .split(o, ot, o, tileO)
      .split(o, o, ol, across)
      .split(i, it, i, tileI)
      .split(kx, kxt, kx, tileKx)
      .split(ky, kyt, ky, tileKy)
      .split(b, bt, b, blocks)
      .split(rs, rs, ry, strips, TailStrategy::GuardWithIf)
      .reorder({l, ol, o, i, kx, ky, ry, it, ot, kxt, kyt, b, rs, rn, bt, k})
      .unroll(o)
      .unroll(i)
      .unroll(kx)
      .unroll(ky);
  std::vector<RVar> p = sums.rvars(); // column, row
  auto inRegisters = [&](Stage stage, std::vector<VarOrRVar> loops) {
    stage.split(o, o, ol, across);
    std::vector<VarOrRVar> inner = {l, ol, o, i, kx, ky};
    inner.insert(inner.end(), loops.begin(), loops.end());
    stage.reorder(inner).unroll(o).unroll(i).unroll(kx).unroll(ky);
    if (!context.plain)
      stage.vectorize(l).vectorize(ol);
  };
  sums.compute_at(partial, ry)
      .bound_extent(l, lanes)
      .bound_extent(o, tileO)
      .bound_extent(i, tileI)
      .bound_extent(kx, tileKx)
      .bound_extent(ky, tileKy);
  inRegisters(sums, {});
  inRegisters(sums.update(), {p[0], p[1]});
  if (schedule.unrollX > 1)
    sums.update().unroll(p[0], static_cast<int>(schedule.unrollX));
  total.compute_root();
  if (!context.plain) {
    partial.vectorize(l).parallel(k);
    partial.update()
        .vectorize(l)
        .vectorize(ol)
        .fuse(bt, k, task)
        .parallel(task);
    total.vectorize(l).parallel(b);
    output.parallel(output.args()[3]);
  }
  auto size = gather.stripSize(rows);
  int64_t channels = 4 * lanes * schedule.blocks;
  auto copy = [&](Func map, int64_t perGroup, int64_t pixels) {
    int64_t bytes = pixels * perGroup * channels;
    if (!fitsCopy(bytes))
      return;
    std::vector<Var> d = map.args(); // lane, channel, x, y, n, block
    map.compute_at(partial, rs)
        .reorder({d[0], d[5], d[1], d[2], d[3], d[4]})
        .bound_extent(d[0], lanes)
        .reorder_storage(d[0], d[2], d[3], d[4], d[1], d[5])
        .bound_extent(d[1], static_cast<int>(perGroup))
        .bound_extent(d[5], blocks)
        .store_in(memoryFor(bytes));
    if (!context.plain)
      map.vectorize(d[0]);
  };
  if (schedule.copy != 0)
    copy(strip, layout.inPerGroup, size[0] * size[1]);
  if (schedule.copyDy != 0)
    copy(dy, layout.outPerGroup, rows * gather.width);
  if (context.plain)
    return;
  std::string loop = partial.name() + ".s1.";
  AheadLoops loops;
  loops.strips = {loop + rs.name(), loop + rn.name()};
  loops.turns = {{loop + b.name(), blocks},
                 {loop + kyt.name(), shape.kernel[0] / tileKy},
                 {loop + kxt.name(), shape.kernel[1] / tileKx},
                 {loop + ot.name(), layout.outPerGroup / tileO},
                 {loop + it.name(), layout.inPerGroup / tileI},
                 {loop + ry.name(), strips},
                 {sums.name() + ".s1." + p[1].name(), summed}};
  loops.addInputs(context, context.operands[0].type, size[0],
                  rows * shape.stride[0]);
  loops.addInputs(context, context.operands[1].type, rows, rows);
  context.pipeline.add_custom_lowering_pass(new Ahead(loops));
}

} // namespace rootc::codegen
