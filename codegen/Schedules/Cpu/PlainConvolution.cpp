//===- PlainConvolution.cpp - Convolutions as C++ source ------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Loops for a C++ compiler: no multiply-add is done twice, and the innermost
// loop runs over adjacent sums in an array on the stack, a constant number of
// them, which compilers turn into vectors without asking what overlaps what.
// Unrolled inside of it are a few pixels, or in channels, that share a load.
//
//===----------------------------------------------------------------------===//

#include "codegen/Algorithms/Convolution.h"
#include "codegen/Schedules/Cpu/Convolution.h"

#include <algorithm>

using namespace Halide;

namespace rootc::codegen {

/// Values that share a load, one after the other in the innermost loop.
static constexpr int64_t together = 8;
/// Sums in the innermost loop, and in all that stay in the first-level cache.
static constexpr int64_t sums = 128, cachedSums = 8192;

static int tileOf(int64_t size, int64_t most) {
  return static_cast<int>(largestDivisor(size, most));
}

void schedulePlainConvolution(const ScheduleContext &context) {
  Gather gather = gatherOf(context.kernel, *context.anchor);
  const FilterLayout &layout = gather.layout;
  Func output = context.output, accumulator = context.stage("accumulator");
  Var c("c"), x("x"), y("y"), n("n"), l("l"), b("b"), co("co"), ci("ci"),
      xo("xo"), xi("xi");
  auto channels = static_cast<int>(layout.groups * layout.outPerGroup);
  auto step =
      static_cast<int>(layout.padsGroups() ? layout.outPerGroup : layout.block);
  int tile = tileOf(gather.phaseSize()[1], together);
  output.split(c, co, ci, step,
               channels % step == 0 ? TailStrategy::RoundUp
                                    : TailStrategy::GuardWithIf);
  // Where pixels have phases, the sums of all, and then these interleaved.
  bool phased = context.anchorFuncs.stages.count("tiles") != 0;
  Func tiles = output;
  if (phased) {
    tiles = context.stage("tiles");
    std::vector<Var> sums = tiles.args(); // l, x, y, n, b, phases of x, y
    output.reorder(ci, x, y, co, n);
    tiles.compute_at(output, co)
        .bound_extent(l, static_cast<int>(layout.block))
        .split(x, xo, xi, tile, TailStrategy::RoundUp)
        .reorder(l, xi, xo, y, sums[5], sums[6], b, n);
  } else {
    Var xp("xp"), yp("yp");
    output
        .split(x, x, xp, static_cast<int>(gather.phases[1]),
               TailStrategy::GuardWithIf)
        .split(y, y, yp, static_cast<int>(gather.phases[0]),
               TailStrategy::GuardWithIf)
        .split(x, xo, xi, tile, TailStrategy::RoundUp)
        .reorder(ci, xp, xi, yp, xo, y, co, n);
  }
  computeInner(context, LoopLevel(output, n));
  auto inTiles = [&](Func sum) {
    sum.bound_extent(l, static_cast<int>(layout.block))
        .bound_extent(x, tile)
        .reorder(x, l)
        .unroll(x);
    std::vector<RVar> r = sum.rvars();
    sum.update().reorder(x, l, r[0], r[1], r[2]).unroll(x);
  };
  Func total = accumulator;
  if (context.anchorFuncs.stages.count("total")) {
    total = context.stage("total");
    accumulator.compute_at(total, total.rvars()[0]);
    inTiles(accumulator);
  }
  total.compute_at(tiles, xo);
  inTiles(total);
  if ((isComputed(context.kernel, *context.anchor, 0) && !context.inner) ||
      gather.needsZeros())
    context.stage("strip").compute_at(output, n);
  if (context.anchorFuncs.stages.count("spread"))
    context.stage("spread")
        .store_at(output, co)
        .compute_at(output, phased ? co : y);
}

/// What ops before it make is kept whole: each of its values is read for many
/// sums, and chunks of the batch overlap in the last image.
static void keepOperands(const ScheduleContext &context) {
  for (size_t operand : {0, 1})
    if (isComputed(context.kernel, *context.anchor, operand)) {
      Func map = context.operands[operand].func;
      map.compute_root();
    }
}

void schedulePlainLinearGradient(const ScheduleContext &context) {
  keepOperands(context);
  ConvShape shape = convShapeOf(context.kernel, *context.anchor);
  Func output = gradientOf(context), total = context.stage("total");
  std::vector<Var> vars = output.args(), inner = total.args(); // i, kx, ky, o
  Var it("it"), ot("ot");
  int tileI = tileOf(shape.inChannels, 4 * sums),
      tileO = tileOf(shape.outChannels, together);
  output.split(vars[0], it, vars[0], tileI, TailStrategy::RoundUp)
      .split(vars[3], ot, vars[3], tileO, TailStrategy::RoundUp)
      .reorder(vars[0], vars[3], it, vars[1], vars[2], ot);
  total.compute_at(output, it)
      .bound_extent(inner[0], tileI)
      .bound_extent(inner[3], tileO)
      .reorder(inner[3], inner[0])
      .unroll(inner[3]);
  total.update().reorder(inner[3], inner[0], total.rvars()[0]).unroll(inner[3]);
}

void schedulePlainAcrossInsGradient(const ScheduleContext &context) {
  keepOperands(context);
  ConvShape shape = convShapeOf(context.kernel, *context.anchor);
  Func output = gradientOf(context), partial = context.stage("partial"),
       tile = context.stage("sums");
  std::vector<Var> vars = output.args(), inner = partial.args();
  Var it("it"), ot("ot"), group("group"), oi("oi");
  int64_t outs = shape.outPerGroup(), taps = shape.kernel[0] * shape.kernel[1] *
                                             filterGradientChunks(shape);
  // Under many taps fewer in channels leave room for out channels beside them.
  int tileI = tileOf(shape.inPerGroup(),
                     std::clamp<int64_t>(cachedSums / (4 * taps), 16, sums)),
      // A group of several is computed whole: Halide takes o % outs for any.
      tileO = shape.groups > 1
                  ? static_cast<int>(outs)
                  : tileOf(outs, std::clamp<int64_t>(
                                     cachedSums / (tileI * taps), 1, together));
  output.split(vars[3], group, vars[3], static_cast<int>(outs))
      .split(vars[3], ot, vars[3], tileO, TailStrategy::RoundUp)
      .split(vars[0], it, vars[0], tileI, TailStrategy::RoundUp)
      .reorder(vars[0], vars[1], vars[2], vars[3], it, ot, group);
  partial.compute_at(output, it)
      .bound_extent(inner[0], tileI)
      .bound_extent(inner[3], tileO)
      .store_in(memoryFor(tileO * tileI * taps * 4));
  std::vector<RVar> strips = partial.rvars(), pixels = tile.rvars();
  partial.update().reorder({inner[0], inner[3], inner[1], inner[2], strips[0],
                            strips[1], inner[4], inner[5]});
  tile.compute_at(partial, strips[0])
      .bound_extent(inner[0], tileI)
      .bound_extent(inner[3], tileO)
      .store_in(memoryFor(tileO * tileI * taps * 4))
      .update()
      .split(inner[3], inner[3], oi, tileOf(tileO, together),
             TailStrategy::RoundUp)
      .reorder({oi, inner[0], inner[3], inner[1], inner[2], pixels[0],
                pixels[1], pixels[2]})
      .unroll(oi);
  // Else each product asks whether it lies beside the map.
  if (forwardGather(shape, 1).needsZeros())
    context.stage("strip").compute_at(partial, strips[0]);
}

void schedulePlainFilterGradient(const ScheduleContext &context) {
  keepOperands(context);
  ConvShape shape = convShapeOf(context.kernel, *context.anchor);
  bool across = filterGradientAcrossGroups(shape);
  int64_t taps = shape.kernel[0] * shape.kernel[1];
  int tileI = tileOf(shape.inPerGroup(), together),
      tileO = tileOf(across ? shape.outChannels : shape.outPerGroup(),
                     std::clamp<int64_t>(cachedSums / (tileI * taps), 1, sums));
  Func total = context.stage("total"), partial = context.stage("partial");
  Var o("o"), g("g"), i("i"), kx("kx"), ky("ky"), ot("ot"), it("it");
  RVar rx = partial.rvars()[0], ry = partial.rvars()[1],
       rn = partial.rvars()[2];
  total.compute_root()
      .update()
      .split(o, ot, o, tileO, TailStrategy::RoundUp)
      .split(i, it, i, tileI, TailStrategy::RoundUp)
      .reorder(o, i, kx, ky, it, ot, g, total.rvars()[0]);
  partial.compute_at(total, it)
      .bound_extent(o, tileO)
      .bound_extent(i, tileI)
      .store_in(memoryFor(tileO * tileI * taps * 4));
  partial.update().reorder(i, o, kx, ky, rx, ry, rn).unroll(i);
  if (context.anchorFuncs.stages.count("spread"))
    context.stage("spread").compute_at(partial, ry);
}

} // namespace rootc::codegen
