//===- Convolution.cpp - Grouped convolution, forward and to its input ----===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/Algorithms/Convolution.h"

#include <limits>
#include <stdexcept>
#include <utility>

using namespace Halide;

namespace rootc::codegen {

Expr constant(int64_t value) {
  if (value < std::numeric_limits<int32_t>::min() ||
      value > std::numeric_limits<int32_t>::max())
    throw std::invalid_argument("the size " + std::to_string(value) +
                                " does not fit indices of 32 bits");
  return static_cast<int>(value);
}

Func stripOf(const Gather &gather, const Value &input, bool surrounded) {
  Var c("c"), x("x"), y("y"), n("n");
  Func strip("strip");
  Expr image = min(n, input.batch() - 1);
  if (!surrounded && !gather.needsZeros()) {
    strip(c, x, y, n) = input.func(c, x, y, image);
    return strip;
  }
  Expr inside = Internal::const_true();
  Expr source[2];
  Expr position[2] = {y - constant(gather.before[0]),
                      x - constant(gather.before[1])};
  int64_t extent[2] = {gather.inHeight, gather.inWidth};
  for (int d = 0; d < 2; ++d) {
    inside = inside && position[d] >= 0 && position[d] < constant(extent[d]);
    source[d] = clamp(position[d], 0, constant(extent[d] - 1));
  }
  strip(c, x, y, n) =
      select(inside, input.func(c, source[1], source[0], image), 0.0f);
  return strip;
}

/// Channels are clamped where the last block spans groups that do not exist.
static Expr existing(Expr channel, const FilterLayout &layout) {
  return layout.groups % layout.groupsPerBlock == 0
             ? channel
             : min(channel, constant(layout.groups * layout.inPerGroup - 1));
}

/// x with a * x = 1 modulo m, by Euclid: `rest` = a * `x` modulo m throughout.
static int64_t inverse(int64_t a, int64_t m) {
  int64_t before = m, rest = a % m, xBefore = 0, x = 1;
  while (rest > 1) {
    int64_t times = before / rest;
    before = std::exchange(rest, before - times * rest);
    xBefore = std::exchange(x, xBefore - times * x);
  }
  return (x % m + m) % m;
}

Taps tapsOf(const Gather &gather, int d, Expr q, Expr phase, Expr r) {
  int64_t phases = gather.phases[d], dilation = gather.dilation[d];
  if (gather.ownTap)
    return {constant(gather.layout.kernel[d] - 1) - q, 0, {}};
  if (gather.sparse())
    return {r, q, {}};
  if (phases == 1)
    return {r, q * constant(gather.stride[d]) + r * constant(dilation), {}};
  // The first tap f with (phase + f * dilation - skew) % phases = 0.
  int64_t step = gather.tapStep(d), common = phases / step;
  Expr rest = constant(gather.skew[d]) - phase, first = rest / constant(common);
  int64_t factor = inverse(dilation / common, step);
  if (phases * factor <= std::numeric_limits<int32_t>::max() / 4)
    first = (first * constant(factor)) % constant(step);
  else // of large strides
    first = cast<int>((cast<int64_t>(first) * Expr(factor)) % Expr(step));
  Taps taps;
  taps.filter = first + r * constant(step);
  taps.exists = taps.filter < constant(gather.layout.kernel[d]);
  if (common != 1)
    taps.exists = taps.exists && rest % constant(common) == 0;
  taps.filter = unsafe_promise_clamped(taps.filter, 0,
                                       constant(gather.layout.kernel[d] - 1));
  Expr offset = (taps.filter * constant(dilation) - rest) / constant(phases);
  taps.position =
      q + unsafe_promise_clamped(offset, 0, constant(gather.reach(d)));
  return taps;
}

std::pair<Expr, Expr> blockAndLane(const FilterLayout &layout, const Expr &c) {
  if (!layout.padsGroups())
    return {c / constant(layout.block), c % constant(layout.block)};
  Expr inGroup = c % constant(layout.outPerGroup);
  return {c / constant(layout.outPerGroup) * constant(layout.blocksPerGroup) +
              inGroup / constant(layout.block),
          inGroup % constant(layout.block)};
}

/// By products of bf16 matrices, in the support code (TileConvolution.cpp).
static Lowered convolvePairs(const Op &op, const Gather &gather,
                             const Value &input, const Value &packed,
                             const Value *bias) {
  const FilterLayout &layout = gather.layout;
  if (packed.type.element != ElementType::BF16 || !packed.stored.defined())
    throw std::invalid_argument("op '" + op.name +
                                "': a filter in pairs is not of bf16");
  Var c("c"), x("x"), y("y"), n("n"), l("l"), b("b");
  Lowered lowered;
  int64_t ins = layout.pairedIns();
  bool padded = ins != layout.inPerGroup && !layout.rowTaps;
  ExternFuncArgument map;
  if (layout.rowTaps) {
    if (!input.stored.defined() || input.stored.type() != Float(32))
      throw std::invalid_argument("op '" + op.name +
                                  "': rows of taps of no map of floats");
    map = input.stored;
  } else if (input.stored.defined() && !padded && !gather.needsZeros() &&
             input.type.element == ElementType::BF16) {
    map = input.stored;
  } else {
    Func wide = stripOf(gather, input), strip("strip");
    Expr value =
        padded ? select(c < constant(layout.inPerGroup),
                        wide(min(c, constant(layout.inPerGroup - 1)), x, y, n),
                        0.0f)
               : wide(c, x, y, n);
    strip(c, x, y, n) = toBfloat(value);
    lowered.stages["strip"] = strip;
    map = strip;
  }
  std::vector<ExternFuncArgument> arguments = {map, packed.stored};
  for (int64_t number :
       {layout.kernel[0], layout.rowTaps ? 1 : layout.kernel[1],
        gather.stride[0], gather.stride[1], gather.dilation[0],
        gather.dilation[1], layout.rowTaps ? gather.before[0] : 0,
        layout.rowTaps ? gather.before[1] : 0,
        layout.rowTaps ? layout.inPerGroup : ins, ins, layout.blocksPerGroup,
        layout.blocks, layout.block})
    arguments.emplace_back(constant(number));
  arguments.emplace_back(input.batch());
  Func accumulator("accumulator");
  accumulator.define_extern("rootc_support_tiles", arguments, Float(32),
                            {l, x, y, n, b});
  lowered.stages["accumulator"] = accumulator;
  auto [block, lane] = blockAndLane(layout, imageVars(1)[0]);
  Func result(op.name);
  Expr sum = accumulator(lane, x, y, n, block);
  result(c, x, y, n) = bias ? sum + bias->func(c) : sum;
  lowered.results = {result};
  return lowered;
}

static Lowered convolve(const Op &op, const Gather &gather, const Value &input,
                        const Value &packed, const Value *bias) {
  const FilterLayout &layout = gather.layout;
  if (packed.type.shape != layout.shape())
    throw std::invalid_argument("op '" + op.name +
                                "': the packed filter has another shape");
  if (layout.groupLanes())
    return convolveGroupLanes(op, gather, input, packed, bias);
  if (layout.pairs)
    return convolvePairs(op, gather, input, packed, bias);
  if (layout.winograd)
    return convolveWinograd(op, gather, input, packed, bias);
  Var l("l"), i("i"), x("x"), y("y"), n("n"), b("b"), px("px"), py("py");
  Lowered lowered;
  Func strip = stripOf(gather, input);
  lowered.stages["strip"] = strip;

  SumBlocks cut = gather.sumBlocks();
  RDom r(0, constant(cut.size[0]), 0, constant(cut.size[1]), 0,
         constant(cut.size[2]), "r");
  Var k[3] = {Var("k0"), Var("k1"), Var("k2")};
  Expr term[3] = {r.x, r.y, r.z}; // in channel, column, row of taps
  if (!cut.one()) {
    auto taps = gather.taps();
    int64_t extent[3] = {layout.inPerGroup, taps[1], taps[0]};
    for (int d = 0; d < 3; ++d) {
      term[d] = k[d] * constant(cut.size[d]) + term[d];
      if (extent[d] % cut.size[d] != 0) {
        r.where(term[d] < constant(extent[d]));
        term[d] = unsafe_promise_clamped(term[d], 0, constant(extent[d] - 1));
      }
    }
  }
  Taps tapsX = tapsOf(gather, 1, x, px, term[1]),
       tapsY = tapsOf(gather, 0, y, py, term[2]);
  for (const Taps &taps : {tapsX, tapsY})
    if (taps.exists.defined())
      r.where(taps.exists);
  Expr tapX = tapsX.position, tapY = tapsY.position;
  Expr value;
  if (layout.groupsPerBlock == 1) {
    Expr first =
        b / constant(layout.blocksPerGroup) * constant(layout.inPerGroup);
    value = strip(first + term[0], tapX, tapY, n);
  } else {
    Func spread("spread");
    Expr group =
        (b * constant(layout.block) + l) / constant(layout.outPerGroup);
    spread(l, i, x, y, n, b) = strip(
        existing(group * constant(layout.inPerGroup) + i, layout), x, y, n);
    lowered.stages["spread"] = spread;
    value = spread(l, term[0], tapX, tapY, n, b);
  }
  Func accumulator("accumulator");
  std::vector<Var> sums = {l, x, y, n, b};
  bool phased =
      (gather.phases[0] != 1 || gather.phases[1] != 1) && !gather.sparse();
  if (phased)
    sums.insert(sums.end(), {px, py});
  std::vector<Var> terms = sums;
  if (!cut.one())
    terms.insert(terms.end(), {k[0], k[1], k[2]});
  accumulator(terms) = 0.0f;
  accumulator(terms) +=
      packed.func(l, term[0], tapsX.filter, tapsY.filter, b) * value;
  lowered.stages["accumulator"] = accumulator;
  Func total = accumulator;
  if (!cut.one()) {
    RDom q(0, constant(cut.count[0]), 0, constant(cut.count[1]), 0,
           constant(cut.count[2]), "q");
    std::vector<Expr> block = asExprs(sums);
    block.insert(block.end(), {q.x, q.y, q.z});
    total = Func("total");
    total(sums) = 0.0f;
    total(sums) += accumulator(block);
    lowered.stages["total"] = total;
  }

  Var c = imageVars(1)[0];
  auto [block, lane] = blockAndLane(layout, c);
  Func result(op.name);
  Expr sum, phasesX = constant(gather.phases[1]),
            phasesY = constant(gather.phases[0]);
  if (gather.sparse()) {
    sum = select(x % phasesX == 0 && y % phasesY == 0,
                 total(lane, x / phasesX, y / phasesY, n, block), 0.0f);
  } else if (phased) {
    // Halide takes x % phases for any phase, even in a loop over one. So tiles
    // of all phases are summed in loops of their own, then interleaved.
    Func tiles("tiles");
    tiles(sums) = total(asExprs(sums));
    lowered.stages["tiles"] = tiles;
    auto counts = gather.phaseCount();
    sum =
        tiles(lane, x / phasesX, y / phasesY, n, block,
              unsafe_promise_clamped(x % phasesX, 0, constant(counts[1] - 1)),
              unsafe_promise_clamped(y % phasesY, 0, constant(counts[0] - 1)));
  } else {
    sum = total(lane, x, y, n, block);
  }
  result(c, x, y, n) = bias ? sum + bias->func(c) : sum;
  lowered.results = {result};
  return lowered;
}

/// The channel of the standard order that a position holds.
static Expr standard(const Expr &position, int64_t channels, int64_t order) {
  return order == 1 ? position
                    : position % constant(order) * constant(channels / order) +
                          position / constant(order);
}

static Lowered packPairs(const ConvShape &shape, const FilterLayout &layout,
                         bool backward, const Value &filter) {
  Var l("l"), i("i"), kx("kx"), ky("ky"), b("b");
  Expr ins = constant(layout.inPerGroup), outs = constant(layout.outPerGroup),
       blocks = constant(layout.blocksPerGroup),
       group = layout.groups > 1 ? b / blocks : Expr(0);
  Expr in = 2 * i + l % 2, tap = kx,
       out = (layout.groups > 1 ? b % blocks : b) * constant(layout.block) +
             l / 2;
  Expr exists = in < ins && out < outs;
  if (layout.rowTaps) {
    exists = in < ins * constant(layout.kernel[1]) && out < outs;
    tap = min(in / ins, constant(layout.kernel[1] - 1));
    in = in % ins;
  }
  in = standard(min(in, ins - 1), layout.inPerGroup, layout.inOrder);
  out = standard(min(out, outs - 1), layout.outPerGroup, layout.outOrder);
  // The filter counts one of the two within its own group.
  Expr within = backward ? out : in;
  if (layout.merged > 1) {
    Expr ownIns = ins / constant(layout.merged),
         ownOuts = outs / constant(layout.merged);
    exists = exists && in / ownIns == out / ownOuts;
    within = backward ? out % ownOuts : in % ownIns;
  }
  Expr value =
      backward
          ? filter.func(within, constant(shape.kernel[1] - 1) - kx,
                        constant(shape.kernel[0] - 1) - ky, group * ins + in)
          : filter.func(within, tap, ky, group * outs + out);
  Func packed("pack_filter");
  packed(l, i, kx, ky, b) = select(exists, value, 0.0f);
  return {{packed}, {}};
}

static Lowered packFilter(const Op &op, const std::vector<Value> &in) {
  const Value &filter = in.at(0);
  std::string direction = textAttribute(op, "direction");
  if (direction != "forward" && direction != "backward_data")
    throw std::invalid_argument("op 'pack_filter', attribute 'direction': "
                                "neither forward nor backward_data");
  bool backward = direction == "backward_data";
  int64_t groups = integerAttribute(op, "groups");
  ConvShape shape = convShape(op.attributes, filter.staticExtent(0) * groups);
  FilterLayout layout =
      filterLayout(shape, backward, integerAttribute(op, "block"));
  Var l("l"), i("i"), kx("kx"), ky("ky"), b("b");
  if (layout.pairs)
    return packPairs(shape, layout, backward, filter);
  Expr group, out, exists;
  Expr outs = constant(layout.outPerGroup), source = i;
  if (layout.groupLanes()) {
    exists = Internal::const_true();
    group = firstGroup(layout, b) + l % constant(layout.laneGroups);
    out = l / constant(layout.laneGroups);
  } else if (layout.groupsPerBlock > 1) {
    Expr channel = b * constant(layout.block) + l;
    exists = channel < constant(layout.groups * layout.outPerGroup);
    channel = min(channel, constant(layout.groups * layout.outPerGroup - 1));
    group = channel / outs;
    out = channel % outs;
  } else {
    Expr blockInGroup = b;
    group = 0;
    if (layout.groups > 1) {
      group = b / constant(layout.blocksPerGroup);
      blockInGroup = b % constant(layout.blocksPerGroup);
    }
    Expr inGroup = blockInGroup * constant(layout.block) + l;
    exists = inGroup < outs;
    out = standard(min(inGroup, outs - 1), layout.outPerGroup, layout.outOrder);
    source = standard(i, layout.inPerGroup, layout.inOrder);
  }
  // The filter counts one of the two within its own group.
  Expr ins = constant(layout.inPerGroup), within = backward ? out : source;
  if (layout.merged > 1) {
    Expr ownIns = ins / constant(layout.merged),
         ownOuts = outs / constant(layout.merged);
    exists = exists && i / ownIns == out / ownOuts;
    within = within % (backward ? ownOuts : ownIns);
  }
  auto valueAt = [&](Expr kx, Expr ky) {
    return Expr(backward
                    ? filter.func(within, constant(shape.kernel[1] - 1) - kx,
                                  constant(shape.kernel[0] - 1) - ky,
                                  group * ins + source)
                    : filter.func(within, kx, ky, group * outs + out));
  };
  Expr value =
      layout.winograd
          ? transformFilter({layout.winograd, shape.kernel[0]}, kx, ky, valueAt)
          : valueAt(kx, ky);
  Func packed("pack_filter");
  packed(l, i, kx, ky, b) = select(exists, value, 0.0f);
  return {{packed}, {}};
}

static Lowered conv2d(const Op &op, const std::vector<Value> &in) {
  ConvShape shape = convShape(op.attributes, in.at(0).channels());
  return convolve(op, forwardGather(shape, integerAttribute(op, "block")),
                  in[0], in.at(1), in.size() > 2 ? &in[2] : nullptr);
}

static Lowered backwardData(const Op &op, const std::vector<Value> &in) {
  ConvShape shape = convShape(op.attributes, op.results.at(0).shape.at(3));
  return convolve(op, backwardDataGather(shape, integerAttribute(op, "block")),
                  in.at(0), in.at(1), nullptr);
}

void addConvolution(OpRegistry &registry) {
  registry["pack_filter"] = {packFilter, false};
  registry["conv2d"] = {conv2d, false};
  registry["conv2d_backward_data"] = {backwardData, false};
}

} // namespace rootc::codegen
