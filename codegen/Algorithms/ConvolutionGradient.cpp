//===- ConvolutionGradient.cpp - Convolution's gradient by its filter -----===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The batch is cut into a number of chunks that the filter's size alone
// decides; each chunk sums apart, then the sums are added in order. So chunks
// run in parallel and the bits do not depend on the number of threads. In a
// linear layer each weight is summed over the batch, in order. For devices,
// which want more chunks than there are images, images' strips of rows are cut
// too (ConvShape::chunks).
//
//===----------------------------------------------------------------------===//

#include "codegen/Algorithms/Convolution.h"

using namespace Halide;

namespace rootc::codegen {

Expr sumOfChunks(int64_t chunks,
                 const std::function<Expr(const Expr &)> &part) {
  Expr sum = part(constant(0));
  for (int64_t index = 1; index < chunks; ++index)
    sum = sum + part(constant(index));
  return sum;
}

ChunkOfStrips::ChunkOfStrips(const ConvShape &shape, int64_t chunks,
                             int64_t strips, const Expr &units, Region inner) {
  // Of an image. Their number is a dimension, as of k % cuts Halide would take
  // any to be needed.
  int64_t cuts =
      shape.chunks ? largestDivisor(strips, chunks / deviceBatch) : 1;
  int64_t stripsOfChunk = strips / cuts, parts = chunks / cuts;
  Expr unitsOfChunk = (units + constant(parts - 1)) / constant(parts);
  Var k("k"), cut("cut");
  vars = {k};
  all = {{0, constant(parts)}};
  int first = static_cast<int>(inner.size());
  inner.emplace_back(0, constant(stripsOfChunk));
  inner.emplace_back(0, unitsOfChunk);
  r = RDom(inner, "r");
  strip = r[first];
  unit = k * unitsOfChunk + r[first + 1];
  r.where(unit < units);
  if (cuts > 1) {
    vars.push_back(cut);
    all.emplace_back(0, constant(cuts));
    strip = cut * constant(stripsOfChunk) + r[first];
  }
}

std::vector<Var> ChunkOfStrips::with(std::vector<Var> sum) const {
  sum.insert(sum.end(), vars.begin(), vars.end());
  return sum;
}

static Func totalOf(const Func &partial, const std::vector<Var> &args,
                    std::vector<Expr> point, const Region &all) {
  RDom chunks(all, "chunks");
  for (size_t d = 0; d < all.size(); ++d)
    point.push_back(chunks[static_cast<int>(d)]);
  Func total("total");
  total(args) = 0.0f;
  total(args) += partial(point);
  return total;
}

Func ChunkOfStrips::total(const Func &partial) const {
  std::vector<Var> args = partial.args();
  args.resize(args.size() - vars.size());
  return totalOf(partial, args, asExprs(args), all);
}

Func ChunkOfStrips::total(const Func &partial, std::vector<Expr> point) const {
  return totalOf(partial, imageVars(4), std::move(point), all);
}

static Lowered linearGradient(const Op &op, const ConvShape &shape,
                              const Gather &gather, const Value &input,
                              const Value &gradient) {
  Var i("i"), kx("kx"), ky("ky"), o("o"), n("n");
  Lowered lowered;
  Func strip = stripOf(gather, input);
  lowered.stages["strip"] = strip;
  // Images innermost, as they are summed.
  Func dy("dy");
  dy(n, o) = gradient.func(o, 0, 0, n);
  lowered.stages["dy"] = dy;
  RDom r(0, gradient.batch(), "r");
  Func total("total");
  total(i, kx, ky, o) = 0.0f;
  total(i, kx, ky, o) += dy(r, o) * strip(i, kx * constant(shape.dilation[1]),
                                          ky * constant(shape.dilation[0]), r);
  lowered.stages["total"] = total;
  std::vector<Var> vars = imageVars(4);
  Func result(op.name);
  result(vars) = total(vars[0], vars[1], vars[2], vars[3]);
  lowered.results = {result};
  return lowered;
}

/// Vectors run over the in channels, as the filter's do: what is summed lies as
/// it is written.
static Lowered acrossInsGradient(const Op &op, const ConvShape &shape,
                                 const Gather &gather, const Value &input,
                                 const Value &gradient) {
  int64_t ins = shape.inPerGroup(), outs = shape.outPerGroup();
  int64_t chunks = filterGradientChunks(shape);
  Var i("i"), kx("kx"), ky("ky"), o("o"), g("g"), x("x"), y("y"), n("n"),
      c("c");
  Lowered lowered;
  Func strip("strip"), map = stripOf(gather, input);
  // A single tap reads no pixels between those of its stride.
  int64_t stripStride[2], tapStride[2];
  for (int d = 0; d < 2; ++d) {
    bool single = shape.kernel[d] == 1;
    stripStride[d] = single ? shape.stride[d] : 1;
    tapStride[d] = single ? 1 : shape.stride[d];
  }
  strip(c, x, y, n) =
      map(c, x * constant(stripStride[1]), y * constant(stripStride[0]), n);
  lowered.stages["strip"] = strip;

  // The last tile of out channels may reach beyond the group's.
  Func dy("dy");
  dy(o, x, y, n, g) =
      gradient.func(g * constant(outs) + min(likely(o), constant(outs - 1)), x,
                    y, min(n, gradient.batch() - 1));
  lowered.stages["dy"] = dy;

  FilterGradientStrip size = filterGradientStrip(shape);
  Var s("s"), u("u");
  RDom p(0, constant(gather.width), 0, constant(size.rows), 0,
         constant(size.images), "p");
  Expr row = s * constant(size.rows) + p.y,
       image = u * constant(size.images) + p.z;
  if (gather.height % size.rows != 0) {
    p.where(row < constant(gather.height));
    row = min(row, constant(gather.height - 1));
  }
  if (size.images > 1)
    p.where(image < gradient.batch());
  Func sums("sums");
  sums(i, kx, ky, o, g, s, u) = 0.0f;
  sums(i, kx, ky, o, g, s, u) +=
      dy(o, p.x, row, image, g) *
      strip(g * constant(ins) + i,
            p.x * constant(tapStride[1]) + kx * constant(shape.dilation[1]),
            row * constant(tapStride[0]) + ky * constant(shape.dilation[0]),
            image);
  lowered.stages["sums"] = sums;

  // Strips of several images are whole in one chunk.
  ChunkOfStrips of(shape, chunks, ceilDiv(gather.height, size.rows),
                   (gradient.batch() + constant(size.images - 1)) /
                       constant(size.images));
  Func partial("partial");
  std::vector<Var> sum = of.with({i, kx, ky, o, g});
  partial(sum) = 0.0f;
  partial(sum) += sums(i, kx, ky, o, g, of.strip, of.unit);
  lowered.stages["partial"] = partial;

  std::vector<Var> vars = imageVars(4);
  Expr inGroup = vars[3], group = 0;
  if (shape.groups > 1) {
    inGroup = vars[3] % constant(outs);
    group = vars[3] / constant(outs);
  }
  Func result(op.name);
  if (shape.chunks) {
    Func total = of.total(partial, {vars[0], vars[1], vars[2], inGroup, group});
    lowered.stages["total"] = total;
    result(vars) = total(asExprs(vars));
  } else {
    result(vars) = sumOfChunks(chunks, [&](const Expr &k) {
      return partial(vars[0], vars[1], vars[2], inGroup, group, k);
    });
  }
  lowered.results = {result};
  return lowered;
}

/// By products of bf16 matrices, in the support code.
static Lowered pairsGradient(const Op &op, const ConvShape &shape,
                             const Value &input, const Value &gradient) {
  Var c("c"), x("x"), y("y"), n("n"), i("i"), o("o"), k("k");
  Lowered lowered;
  int64_t stride[2] = {shape.stride[0], shape.stride[1]};
  auto stored = [&](const Value &map, const char *name,
                    bool strides) -> ExternFuncArgument {
    if (map.stored.defined() && map.type.element == ElementType::BF16)
      return map.stored;
    Func narrow(name);
    narrow(c, x, y, n) = toBfloat(map.func(
        c, strides ? x * constant(stride[1]) : Expr(x),
        strides ? y * constant(stride[0]) : Expr(y), min(n, map.batch() - 1)));
    lowered.stages[name] = narrow;
    if (strides)
      stride[0] = stride[1] = 1;
    return narrow;
  };
  ExternFuncArgument from = stored(input, "strip", true),
                     by = stored(gradient, "dy", false);
  int64_t chunks = filterGradientChunks(shape);
  Expr batch = gradient.batch();
  Func sums("sums"), partial("partial");
  sums.define_extern("rootc_support_gradient",
                     {from, by, constant(shape.outHeight()),
                      constant(shape.outWidth()), constant(stride[0]),
                      constant(stride[1]),
                      (batch + constant(chunks - 1)) / constant(chunks), batch},
                     Float(32), {i, o, k});
  partial(i, o, k) = sums(i, o, k);
  lowered.stages["sums"] = sums;
  lowered.stages["partial"] = partial;
  std::vector<Var> vars = imageVars(4);
  Func result(op.name);
  result(vars) = sumOfChunks(
      chunks, [&](const Expr &k) { return partial(vars[0], vars[3], k); });
  lowered.results = {result};
  return lowered;
}

static Lowered standardGradient(const Op &op, const ConvShape &shape,
                                const Value &input, const Value &gradient) {
  Gather gather = forwardGather(shape, 1);
  if (shape.pairs)
    return pairsGradient(op, shape, input, gradient);
  if (isLinearGradient(shape))
    return linearGradient(op, shape, gather, input, gradient);
  if (filterGradientAcrossIns(shape))
    return acrossInsGradient(op, shape, gather, input, gradient);
  bool across = filterGradientAcrossGroups(shape);
  int64_t outs = across ? shape.outChannels : shape.outPerGroup();
  int64_t ins = shape.inPerGroup();
  Var o("o"), g("g"), i("i"), x("x"), y("y"), n("n"), kx("kx"), ky("ky");
  Lowered lowered;
  Func strip = stripOf(gather, input);
  lowered.stages["strip"] = strip;

  Func dy("dy");
  Expr image = min(n, gradient.batch() - 1);
  if (outs % 8 == 0)
    dy(o, g, x, y, n) = gradient.func(g * constant(outs) + o, x, y, image);
  else
    dy(o, g, x, y, n) =
        select(o < constant(outs),
               gradient.func(g * constant(outs) + min(o, constant(outs - 1)), x,
                             y, image),
               0.0f);
  lowered.stages["dy"] = dy;

  int64_t chunks = filterGradientChunks(shape);
  ChunkOfStrips of(shape, chunks, gather.height, gradient.batch(),
                   {{0, constant(gather.width)}});
  Expr column = of.r[0], row = of.strip, sample = of.unit;
  Expr tapX =
      column * constant(shape.stride[1]) + kx * constant(shape.dilation[1]);
  Expr tapY =
      row * constant(shape.stride[0]) + ky * constant(shape.dilation[0]);
  Expr last = constant(shape.inChannels - 1);
  // The last tile of in channels may reach beyond the group's.
  auto inChannel = [&](Expr group) -> Expr {
    Expr channel = group * constant(ins) + i;
    return ins % filterGradientInTile(shape) != 0 ? min(channel, last)
                                                  : channel;
  };
  Expr value;
  if (!across) {
    value = strip(inChannel(g), tapX, tapY, sample);
  } else {
    Func spread("spread");
    Expr group = min(o, constant(outs - 1)) / constant(shape.outPerGroup());
    spread(o, i, x, y, n) = strip(inChannel(group), x, y, n);
    lowered.stages["spread"] = spread;
    value = spread(o, i, tapX, tapY, sample);
  }
  Func partial("partial");
  std::vector<Var> sum = of.with({o, g, i, kx, ky});
  partial(sum) = 0.0f;
  partial(sum) += dy(o, g, column, row, sample) * value;
  lowered.stages["partial"] = partial;

  // The layout [O,kh,kw,I/g] reversed, under the names all outputs have.
  std::vector<Var> vars = imageVars(4);
  Func result(op.name);
  // Halide takes o % outs for any out channel, wherever o lies.
  bool several = shape.groups > 1 && !across;
  std::vector<Expr> point = {several ? vars[3] % constant(outs) : Expr(vars[3]),
                             several ? vars[3] / constant(outs) : Expr(0),
                             vars[0], vars[1], vars[2]};
  Func total = shape.chunks ? of.total(partial, point) : of.total(partial);
  lowered.stages["total"] = total;
  result(vars) = total(shape.chunks ? asExprs(vars) : point);
  lowered.results = {result};
  return lowered;
}

/// Of a dense one the maps' positions are as good as channels, until the
/// filter is written.
static Lowered backwardFilter(const Op &op, const std::vector<Value> &in) {
  const Value &input = in.at(0), &gradient = in.at(1);
  ConvShape shape = convShape(op.attributes, input.channels());
  if (groupsInnermost(shape))
    return groupLanesGradient(op, shape, input, gradient);
  Lowered lowered = standardGradient(op, shape, input, gradient);
  if (shape.inOrder == 1 && shape.outOrder == 1)
    return lowered;
  Func positions = lowered.results[0], result(op.name);
  lowered.stages["positions"] = positions;
  auto positionOf = [](Expr channel, int64_t channels, int64_t order) -> Expr {
    Expr each = constant(channels / order);
    return order == 1 ? channel
                      : channel % each * constant(order) + channel / each;
  };
  std::vector<Var> vars = imageVars(4);
  result(vars) = positions(
      positionOf(vars[0], shape.inChannels, shape.inOrder), vars[1], vars[2],
      positionOf(vars[3], shape.outChannels, shape.outOrder));
  lowered.results = {result};
  return lowered;
}

void addConvolutionGradient(OpRegistry &registry) {
  registry["conv2d_backward_filter"] = {backwardFilter, false};
}

} // namespace rootc::codegen
