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

int64_t FilterLayout::outChannel(int64_t index, int64_t lane) const {
  int64_t channels = groups * outPerGroup;
  if (groupLanes())
    return (firstGroup(index) + lane % laneGroups) * outPerGroup +
           lane / laneGroups;
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

bool groupsInnermost(const ConvShape &shape) {
  return shape.groups > 1 && (shape.outOrder > 1 || (shape.inPerGroup() == 1 &&
                                                     shape.outPerGroup() == 1));
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
  layout.winograd = shape.winograd;
  layout.pairs = shape.pairs;
  const int64_t terms = 32; // of one product
  layout.rowTaps = shape.pairs && !backwardData && shape.groups == 1 &&
                   shape.kernel[1] > 1 && shape.dilation[1] == 1 &&
                   shape.inOrder == 1 &&
                   shape.inPerGroup() * shape.kernel[1] <= terms;
  bool several = shape.groups > 1 && !groupsInnermost(shape) &&
                 block > layout.outPerGroup && block % layout.outPerGroup == 0;
  if (shape.pairs)
    layout.merged = !groupsInnermost(shape) && shape.groups % 2 == 0 &&
                            2 * layout.inPerGroup == terms
                        ? 2
                        : 1;
  else if (several && shape.kernel[0] * shape.kernel[1] == 1 &&
           shape.groups % (block / layout.outPerGroup) == 0)
    layout.merged = block / layout.outPerGroup;
  layout.groups /= layout.merged;
  layout.inPerGroup *= layout.merged;
  layout.outPerGroup *= layout.merged;
  if (groupsInnermost(shape)) {
    layout.laneGroups = block / layout.outPerGroup;
    if (block % layout.outPerGroup != 0 || layout.laneGroups > shape.groups)
      throw std::invalid_argument("convolution: attribute 'block' is no number "
                                  "of whole groups, which are innermost");
    layout.groupsPerBlock = layout.laneGroups;
    layout.blocks = ceilDiv(shape.groups, layout.laneGroups);
    return layout;
  }
  if (shape.groups == 1) {
    layout.outOrder = backwardData ? shape.inOrder : shape.outOrder;
    layout.inOrder = backwardData ? shape.outOrder : shape.inOrder;
  }
  if (several && !shape.pairs && layout.merged == 1) {
    layout.groupsPerBlock = block / layout.outPerGroup;
    layout.blocks = ceilDiv(shape.groups, layout.groupsPerBlock);
  } else {
    layout.blocksPerGroup = ceilDiv(layout.outPerGroup, block);
    layout.blocks = layout.groups * layout.blocksPerGroup;
  }
  return layout;
}

int64_t laneGroupsFor(int64_t groups, int64_t outs, int64_t widest) {
  int64_t best = 1;
  double bestCost = 0;
  // Half a vector is loaded twice for several out channels, or stored twice.
  double share = 1.0;
  for (int64_t lanes = widest; lanes >= 1; lanes /= 2, share *= 1.15) {
    int64_t across = std::gcd(outs, widest / lanes);
    double cost = share * double(ceilDiv(groups, lanes)) / double(across);
    if (lanes <= groups && (bestCost == 0 || cost < bestCost)) {
      best = lanes;
      bestCost = cost;
    }
  }
  return best;
}

int64_t lanesOfBlock(int64_t block, const TargetInfo &target) {
  int64_t lanes = std::max<int64_t>(target.vectorBits / 32, 4);
  while (lanes > 1 && block % lanes != 0)
    lanes /= 2;
  return lanes;
}

bool prefersGroupLanes(const ConvShape &shape, const TargetInfo &target) {
  int64_t lanes = target.vectorBits / 32,
          half = std::max<int64_t>(lanes / 2, 4),
          quarter = std::max<int64_t>(lanes / 4, 4),
          most = std::max(shape.inPerGroup(), shape.outPerGroup());
  // A few groups fill their vectors with several out channels, and lose where
  // many channels of a group would fill them too.
  bool few = shape.groups < half, fills = shape.inPerGroup() % lanes == 0 &&
                                          shape.outPerGroup() % lanes == 0;
  if (shape.groups == 2)
    return !fills && shape.inPerGroup() % half == 0 &&
           shape.outPerGroup() % half == 0 && most <= 160;
  return shape.groups >= quarter && (!few || shape.groups % quarter == 0) &&
         most > 1 &&
         most <= (!few    ? 24
                  : fills ? 32
                          : 80);
}

} // namespace rootc::codegen
