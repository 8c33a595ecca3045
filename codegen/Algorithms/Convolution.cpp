//===- Convolution.cpp - Grouped convolution, forward and to its input ----===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/Algorithms/Convolution.h"

#include <stdexcept>

using namespace Halide;

namespace rootc::codegen {

static Expr constant(int64_t value) { return static_cast<int>(value); }

Func stripOf(const Gather &gather, const Value &input) {
  Var c("c"), x("x"), y("y"), n("n");
  Func strip("strip");
  Expr image = min(n, input.batch() - 1);
  if (!gather.needsZeros()) {
    strip(c, x, y, n) = input.func(c, x, y, image);
    return strip;
  }
  Expr inside = Internal::const_true();
  Expr source[2];
  Expr position[2] = {y - constant(gather.before[0]),
                      x - constant(gather.before[1])};
  int64_t extent[2] = {gather.inHeight, gather.inWidth};
  for (int d = 0; d < 2; ++d) {
    Expr spacing = constant(gather.spacing[d]);
    inside = inside && position[d] >= 0 &&
             position[d] < constant(extent[d] * gather.spacing[d]);
    if (gather.spacing[d] != 1)
      inside = inside && position[d] % spacing == 0;
    source[d] = clamp(position[d] / spacing, 0, constant(extent[d] - 1));
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

static Lowered convolve(const Op &op, const Gather &gather, const Value &input,
                        const Value &packed, const Value *bias) {
  const FilterLayout &layout = gather.layout;
  if (packed.type.shape != layout.shape())
    throw std::invalid_argument("op '" + op.name +
                                "': the packed filter has another shape");
  Var l("l"), i("i"), x("x"), y("y"), n("n"), b("b");
  Lowered lowered;
  Func strip = stripOf(gather, input);
  lowered.stages["strip"] = strip;

  auto taps = gather.taps();
  RDom r(0, constant(layout.inPerGroup), 0, constant(taps[1]), 0,
         constant(taps[0]), "r");
  Expr tapX =
      x * constant(gather.stride[1]) + r.y * constant(gather.dilation[1]);
  Expr tapY =
      y * constant(gather.stride[0]) + r.z * constant(gather.dilation[0]);
  Expr filterX = r.y, filterY = r.z;
  if (gather.ownTap) {
    tapX = tapY = 0;
    filterX = constant(layout.kernel[1] - 1) - x;
    filterY = constant(layout.kernel[0] - 1) - y;
  }
  Expr value;
  if (layout.groupsPerBlock == 1) {
    Expr first =
        b / constant(layout.blocksPerGroup) * constant(layout.inPerGroup);
    value = strip(first + r.x, tapX, tapY, n);
  } else if (layout.inPerGroup == 1 && layout.outPerGroup == 1) {
    value =
        strip(existing(b * constant(layout.block) + l, layout), tapX, tapY, n);
  } else {
    Func spread("spread");
    Expr group =
        (b * constant(layout.block) + l) / constant(layout.outPerGroup);
    spread(l, i, x, y, n, b) = strip(
        existing(group * constant(layout.inPerGroup) + i, layout), x, y, n);
    lowered.stages["spread"] = spread;
    value = spread(l, r.x, tapX, tapY, n, b);
  }
  Func accumulator("accumulator");
  accumulator(l, x, y, n, b) = 0.0f;
  accumulator(l, x, y, n, b) +=
      packed.func(l, r.x, filterX, filterY, b) * value;
  lowered.stages["accumulator"] = accumulator;

  Var c = imageVars(1)[0];
  Expr block = c / constant(layout.block), lane = c % constant(layout.block);
  if (layout.groups > 1 && layout.groupsPerBlock == 1 &&
      layout.outPerGroup % layout.block != 0) {
    Expr inGroup = c % constant(layout.outPerGroup);
    block = c / constant(layout.outPerGroup) * constant(layout.blocksPerGroup) +
            inGroup / constant(layout.block);
    lane = inGroup % constant(layout.block);
  }
  Func result(op.name);
  Expr sum = accumulator(lane, x, y, n, block);
  result(c, x, y, n) = bias ? sum + bias->func(c) : sum;
  lowered.results = {result};
  return lowered;
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
  Expr group, out, exists;
  Expr outs = constant(layout.outPerGroup);
  if (layout.groupsPerBlock > 1) {
    Expr channel = b * constant(layout.block) + l;
    exists = channel < constant(layout.groups * layout.outPerGroup);
    channel = min(channel, constant(layout.groups * layout.outPerGroup - 1));
    group = channel / outs;
    out = channel % outs;
  } else {
    group = b / constant(layout.blocksPerGroup);
    Expr inGroup =
        b % constant(layout.blocksPerGroup) * constant(layout.block) + l;
    exists = inGroup < outs;
    out = min(inGroup, outs - 1);
  }
  Expr value = backward ? filter.func(out, constant(shape.kernel[1] - 1) - kx,
                                      constant(shape.kernel[0] - 1) - ky,
                                      group * constant(layout.inPerGroup) + i)
                        : filter.func(i, kx, ky, group * outs + out);
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
