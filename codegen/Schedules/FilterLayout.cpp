//===- FilterLayout.cpp - How packed filters lie in memory ----------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/Schedules/FilterLayout.h"

#include <algorithm>
#include <numeric>
#include <stdexcept>

namespace rootc::codegen {

static int64_t ceilDiv(int64_t a, int64_t b) { return (a + b - 1) / b; }

static int64_t outSize(int64_t in, int64_t padding, int64_t kernel,
                       int64_t dilation, int64_t stride) {
  return (in + padding - ((kernel - 1) * dilation + 1)) / stride + 1;
}

int64_t ConvShape::outHeight() const {
  return outSize(inHeight, pad[0] + pad[2], kernel[0], dilation[0], stride[0]);
}

int64_t ConvShape::outWidth() const {
  return outSize(inWidth, pad[1] + pad[3], kernel[1], dilation[1], stride[1]);
}

template <typename T>
static const T &attribute(const AttributeMap &attributes, const char *key) {
  auto it = attributes.find(key);
  if (it == attributes.end() || !std::holds_alternative<T>(it->second))
    throw std::invalid_argument(
        std::string("convolution: attribute missing or of another type: ") +
        key);
  return std::get<T>(it->second);
}

template <size_t Count>
static std::array<int64_t, Count> arrayAttribute(const AttributeMap &attributes,
                                                 const char *key) {
  const auto &values = attribute<std::vector<int64_t>>(attributes, key);
  if (values.size() != Count)
    throw std::invalid_argument(
        std::string("convolution: attribute of another length: ") + key);
  std::array<int64_t, Count> result{};
  std::copy(values.begin(), values.end(), result.begin());
  return result;
}

ConvShape convShape(const AttributeMap &attributes, int64_t inChannels) {
  ConvShape shape;
  auto input = arrayAttribute<2>(attributes, "input");
  shape.inHeight = input[0];
  shape.inWidth = input[1];
  shape.inChannels = inChannels;
  shape.outChannels = attribute<int64_t>(attributes, "filters");
  shape.groups = attribute<int64_t>(attributes, "groups");
  shape.kernel = arrayAttribute<2>(attributes, "kernel");
  shape.stride = arrayAttribute<2>(attributes, "stride");
  shape.pad = arrayAttribute<4>(attributes, "pad");
  shape.dilation = arrayAttribute<2>(attributes, "dilation");
  // Steps that are never made may be of any size.
  for (int d = 0; d < 2; ++d) {
    if (shape.kernel[d] < 1 || shape.stride[d] < 1 || shape.dilation[d] < 1)
      throw std::invalid_argument(
          "convolution: kernel, stride or dilation below 1");
    if (shape.kernel[d] == 1)
      shape.dilation[d] = 1;
    int64_t rest = input[d] + shape.pad[d] + shape.pad[d + 2] -
                   ((shape.kernel[d] - 1) * shape.dilation[d] + 1);
    shape.stride[d] = std::clamp<int64_t>(rest + 1, 1, shape.stride[d]);
  }
  return shape;
}

int64_t FilterLayout::outChannel(int64_t index, int64_t lane) const {
  if (groupsPerBlock > 1) {
    int64_t channel = index * block + lane;
    return channel < groups * outPerGroup ? channel : -1;
  }
  int64_t inGroup = index % blocksPerGroup * block + lane;
  return inGroup < outPerGroup ? index / blocksPerGroup * outPerGroup + inGroup
                               : -1;
}

FilterLayout filterLayout(const ConvShape &shape, bool backwardData,
                          int64_t block) {
  if (block < 1)
    throw std::invalid_argument("convolution: attribute 'block' below 1");
  FilterLayout layout;
  layout.block = block;
  layout.groups = shape.groups;
  layout.outPerGroup = backwardData ? shape.inPerGroup() : shape.outPerGroup();
  layout.inPerGroup = backwardData ? shape.outPerGroup() : shape.inPerGroup();
  layout.kernel = shape.kernel;
  if (shape.groups > 1 && block > layout.outPerGroup &&
      block % layout.outPerGroup == 0) {
    layout.groupsPerBlock = block / layout.outPerGroup;
    layout.blocks = ceilDiv(shape.groups, layout.groupsPerBlock);
  } else {
    layout.blocksPerGroup = ceilDiv(layout.outPerGroup, block);
    layout.blocks = shape.groups * layout.blocksPerGroup;
  }
  return layout;
}

int64_t lanesOfBlock(int64_t block, const TargetInfo &target) {
  int64_t lanes = std::max<int64_t>(target.vectorBits / 32, 4);
  while (lanes > 1 && block % lanes != 0)
    lanes /= 2;
  return lanes;
}

FilterLayout filterLayout(const ConvShape &shape, bool backwardData,
                          const TargetInfo &target) {
  int64_t outs = backwardData ? shape.inPerGroup() : shape.outPerGroup();
  int64_t widest = std::max<int64_t>(target.vectorBits / 32, 4);
  double best = 0;
  int64_t block = widest;
  auto consider = [&](int64_t candidate, double factor) {
    // Half-width vectors cost little (they may issue twice as often), and
    // fewer than three vectors of weights a tile leave less reuse of x.
    int64_t lanes = lanesOfBlock(candidate, target);
    int64_t vectors = candidate / lanes;
    FilterLayout layout = filterLayout(shape, backwardData, candidate);
    if (layout.groupsPerBlock > 1 && outs >= 12)
      return;
    double used =
        double(outs * shape.groups) / double(layout.blocks * layout.block);
    double width = lanes == widest ? 1.0 : lanes >= 8 ? 0.95 : 0.45;
    double reuse = vectors == 1 ? 0.85 : vectors == 2 ? 0.95 : 1.0;
    double score = used * width * reuse * factor;
    if (score > best * 1.001) {
      best = score;
      block = candidate;
    }
  };
  int64_t most = target.registers >= 32 ? 4 : 2;
  for (int64_t vectors : {3, 2, 4, 1})
    for (int64_t lanes = widest; lanes >= 4; lanes /= 2)
      if (vectors <= most)
        consider(vectors * lanes, outs < 12 && shape.groups > 1 ? 0.6 : 1.0);
  // Blocks of several small groups: x must be spread over the lanes first.
  if (shape.groups > 1 && outs < 12)
    for (int64_t lanes = widest; lanes >= 8; lanes /= 2) {
      int64_t unit = std::lcm(outs, lanes);
      for (int64_t times : {3, 2, 4, 1})
        if (unit * times <= widest * most)
          consider(unit * times, 0.6);
      consider(unit, 0.5);
    }
  return filterLayout(shape, backwardData, block);
}

} // namespace rootc::codegen
