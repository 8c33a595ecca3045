//===- FilterLayout.cpp - How packed filters lie in memory ----------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/Geometry/FilterLayout.h"

#include <algorithm>
#include <numeric>
#include <stdexcept>

namespace rootc::codegen {

static int64_t ceilDiv(int64_t a, int64_t b) { return (a + b - 1) / b; }

int64_t FilterLayout::outChannel(int64_t index, int64_t lane) const {
  int64_t channels = groups * outPerGroup;
  if (outOrder > 1) {
    int64_t position = index * block + lane;
    return position < channels ? standardChannel(position, channels, outOrder)
                               : -1;
  }
  if (groupsPerBlock > 1) {
    int64_t channel = index * block + lane;
    return channel < channels ? channel : -1;
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
  layout.outOrder = backwardData ? shape.inOrder : shape.outOrder;
  if (shape.groups == 1)
    layout.inOrder = backwardData ? shape.outOrder : shape.inOrder;
  if (layout.groupLanes()) {
    if (block != layout.groups * layout.outPerGroup)
      throw std::invalid_argument("convolution: attribute 'block' is not that "
                                  "of all channels, groups innermost");
    layout.groupsPerBlock = layout.groups;
    layout.blocks = 1;
    return layout;
  }
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
  if (shape.groups > 1 && shape.outOrder > 1)
    return filterLayout(shape, backwardData, outs * shape.groups);
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

bool prefersGroupLanes(const ConvShape &shape, const TargetInfo &target) {
  int64_t half = std::max<int64_t>(target.vectorBits / 64, 4);
  return shape.groups >= half && shape.inPerGroup() <= 24 &&
         shape.outPerGroup() <= 24 &&
         shape.inPerGroup() * shape.outPerGroup() > 1;
}

} // namespace rootc::codegen
