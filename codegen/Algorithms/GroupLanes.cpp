//===- GroupLanes.cpp - Convolutions whose groups lie innermost -----------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Position i * groups + g of a map holds channel i of group g, so vectors run
// across groups: each lane has its own filter, and nothing is spread over
// lanes. A block of groups is a dimension of every Func, and results are
// written by an update over it: of a position's remainder by the groups,
// Halide's bounds would be all groups.
//
//===----------------------------------------------------------------------===//

#include "codegen/Algorithms/Convolution.h"

#include <stdexcept>

using namespace Halide;

namespace rootc::codegen {

Expr firstGroup(const FilterLayout &layout, const Expr &block) {
  Expr first = block * constant(layout.laneGroups);
  return layout.groups % layout.laneGroups == 0
             ? first
             : min(first, constant(layout.groups - layout.laneGroups));
}

Lowered convolveGroupLanes(const Op &op, const Gather &gather,
                           const Value &input, const Value &packed,
                           const Value *bias) {
  const FilterLayout &layout = gather.layout;
  Var l("l"), o("o"), i("i"), x("x"), y("y"), n("n"), b("b"), px("px"),
      py("py");
  Expr groups = constant(layout.groups), lanes = constant(layout.laneGroups);
  Lowered lowered;
  Func strip("strip"), map = stripOf(gather, input);
  strip(l, i, x, y, n, b) =
      map(i * groups + firstGroup(layout, b) + l, x, y, n);
  lowered.stages["strip"] = strip;

  auto taps = gather.taps();
  RDom r(0, constant(layout.inPerGroup), 0, constant(taps[1]), 0,
         constant(taps[0]), "r");
  Taps tapsX = tapsOf(gather, 1, x, px, r.y),
       tapsY = tapsOf(gather, 0, y, py, r.z);
  for (const Taps &tap : {tapsX, tapsY})
    if (tap.exists.defined())
      r.where(tap.exists);
  Func accumulator("accumulator");
  std::vector<Var> sums = {l, o, x, y, n, b};
  bool phased = gather.phases[0] != 1 || gather.phases[1] != 1;
  if (phased)
    sums.insert(sums.end(), {px, py});
  accumulator(sums) = 0.0f;
  accumulator(sums) +=
      packed.func(o * lanes + l, r.x, tapsX.filter, tapsY.filter, b) *
      strip(l, r.x, tapsX.position, tapsY.position, n, b);
  lowered.stages["accumulator"] = accumulator;

  std::vector<Var> point = imageVars(4);
  Func result(op.name);
  result(point) = undef<float>();
  RDom s(0, lanes, 0, constant(layout.outPerGroup), 0, constant(layout.blocks),
         "s");
  std::vector<Expr> position = asExprs(point);
  position[0] = s.y * groups + firstGroup(layout, s.z) + s.x;
  std::vector<Expr> sum = {s.x, s.y, point[1], point[2], point[3], s.z};
  if (phased) {
    // A tile has whole phases of all, so that it is no loss that Halide takes
    // x % phases for any.
    auto counts = gather.phaseCount();
    for (int d : {1, 0}) {
      Expr phases = constant(gather.phases[d]), pixel = point[2 - d];
      sum[3 - d] = pixel / phases;
      sum.push_back(
          unsafe_promise_clamped(pixel % phases, 0, constant(counts[d] - 1)));
    }
  }
  Expr value = accumulator(sum);
  result(position) = bias ? value + bias->func(position[0]) : value;
  lowered.results = {result};
  lowered.scatters = true;
  return lowered;
}

Lowered groupLanesGradient(const Op &op, const ConvShape &shape,
                           const Value &input, const Value &gradient) {
  Gather gather = groupLanesGather(shape);
  const FilterLayout &layout = gather.layout;
  int64_t chunks = groupLanesChunks(shape);
  Var l("l"), o("o"), i("i"), kx("kx"), ky("ky"), x("x"), y("y"), n("n"),
      b("b");
  Expr groups = constant(layout.groups), lanes = constant(layout.laneGroups);
  Lowered lowered;
  Func strip("strip"), dy("dy"), map = stripOf(gather, input);
  strip(l, i, x, y, n, b) =
      map(i * groups + firstGroup(layout, b) + l, x, y, n);
  lowered.stages["strip"] = strip;
  dy(l, o, x, y, n, b) = gradient.func(o * groups + firstGroup(layout, b) + l,
                                       x, y, min(n, gradient.batch() - 1));
  lowered.stages["dy"] = dy;

  // A strip of an image is summed apart: what rounding loses grows with the
  // terms of one sum.
  int64_t rows = groupLanesStripRows(shape);
  Var s("s");
  RDom p(0, constant(gather.width), 0, constant(rows), "p");
  Expr row = s * constant(rows) + p.y;
  if (gather.height % rows != 0) {
    p.where(row < constant(gather.height));
    row = min(row, constant(gather.height - 1));
  }
  // One weight a channel waits for memory anyway, and before a batch norm its
  // gradient is what little is left of large terms.
  Type type = layout.inPerGroup * layout.outPerGroup * shape.kernel[0] *
                          shape.kernel[1] ==
                      1
                  ? Float(64)
                  : Float(32);
  Func sums("sums");
  sums(l, o, i, kx, ky, b, s, n) = cast(type, 0);
  sums(l, o, i, kx, ky, b, s, n) +=
      cast(type, dy(l, o, p.x, row, n, b)) *
      cast(type, strip(l, i,
                       p.x * constant(shape.stride[1]) +
                           kx * constant(shape.dilation[1]),
                       row * constant(shape.stride[0]) +
                           ky * constant(shape.dilation[0]),
                       n, b));
  lowered.stages["sums"] = sums;

  ChunkOfStrips of(shape, chunks, ceilDiv(gather.height, rows),
                   gradient.batch());
  Func partial("partial"), total("total");
  std::vector<Var> sum = of.with({l, o, i, kx, ky, b});
  partial(sum) = 0.0f;
  partial(sum) += cast<float>(sums(l, o, i, kx, ky, b, of.strip, of.unit));
  lowered.stages["partial"] = partial;
  // [O,kh,kw,I/g] reversed, O in the standard order.
  std::vector<Var> vars = imageVars(4);
  Expr outs = constant(layout.outPerGroup), group = vars[3] / outs,
       block = group / lanes, lane = group % lanes;
  if (layout.groups % layout.laneGroups !=
      0) // lanes of the last one come first
    lane = select(
        block == constant(layout.blocks - 1),
        lane + constant(layout.laneGroups - layout.groups % layout.laneGroups),
        lane);
  lane = unsafe_promise_clamped(lane, 0, lanes - 1);
  std::vector<Expr> point = {lane,    vars[3] % outs, vars[0],
                             vars[1], vars[2],        block};
  if (shape.chunks)
    total = of.total(partial, point);
  else
    total(l, o, i, kx, ky, b) = sumOfChunks(
        chunks, [&](const Expr &k) { return partial(l, o, i, kx, ky, b, k); });
  lowered.stages["total"] = total;
  Func result(op.name);
  result(vars) = total(shape.chunks ? asExprs(vars) : point);
  lowered.results = {result};
  return lowered;
}

} // namespace rootc::codegen
