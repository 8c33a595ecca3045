//===- Winograd.cpp - Convolution by fewer multiplications ----------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/Geometry/Winograd.h"

#include <cmath>
#include <stdexcept>

namespace rootc::codegen {

static constexpr std::array<double, 5> points = {0, 1, -1, 2, -2};

Winograd::Matrix Winograd::filter() const {
  Matrix g(edge(), std::vector<double>(taps, 0.0));
  for (size_t i = 0; i < points.size(); ++i) {
    double scale = 1;
    for (size_t other = 0; other < points.size(); ++other)
      if (other != i)
        scale *= points[i] - points[other];
    for (int64_t power = 0; power < taps; ++power)
      g[i][power] = std::pow(points[i], power) / scale;
  }
  g.back().back() = 1;
  return g;
}

/// Row i: the coefficients of the polynomial whose zeros are all points but i.
Winograd::Matrix Winograd::input() const {
  Matrix b;
  for (size_t without = 0; without <= points.size(); ++without) {
    std::vector<double> row(edge(), 0.0);
    row[0] = 1;
    for (size_t zero = 0; zero < points.size(); ++zero) {
      if (zero == without)
        continue;
      for (int64_t power = edge() - 1; power >= 0; --power)
        row[power] =
            (power > 0 ? row[power - 1] : 0.0) - points[zero] * row[power];
    }
    b.push_back(row);
  }
  return b;
}

Winograd::Matrix Winograd::output() const {
  Matrix a(tile, std::vector<double>(edge(), 0.0));
  for (int64_t power = 0; power < tile; ++power)
    for (size_t i = 0; i < points.size(); ++i)
      a[power][i] = std::pow(points[i], power);
  a.back().back() = 1;
  return a;
}

/// Whether a convolution is F(tile x tile, kernel).
static bool isWinograd(const ConvShape &shape) {
  int64_t taps = shape.kernel[0];
  return shape.kernel[1] == taps && (taps == 3 || taps == 5) &&
         shape.winograd + taps == int64_t(points.size()) + 2 &&
         shape.stride[0] == 1 && shape.stride[1] == 1 &&
         shape.dilation[0] == 1 && shape.dilation[1] == 1;
}

Winograd winogradOf(const Gather &gather) {
  const FilterLayout &layout = gather.layout;
  ConvShape shape;
  shape.kernel = layout.kernel;
  shape.stride = {gather.stride[0] * gather.phases[0],
                  gather.stride[1] * gather.phases[1]};
  shape.dilation = gather.dilation;
  shape.winograd = layout.winograd;
  if (!isWinograd(shape))
    throw std::invalid_argument("attribute 'winograd': not of a convolution "
                                "of stride 1, 3x3 in tiles of 4 or 5x5 of 2");
  if (layout.groupLanes())
    throw std::invalid_argument(
        "attribute 'winograd': the groups are innermost");
  if (layout.groupsPerBlock > 1 || layout.padsGroups())
    throw std::invalid_argument(
        "attribute 'winograd': blocks must fill the groups");
  return {layout.winograd, layout.kernel[0]};
}

std::array<int64_t, 2> winogradTiles(const Gather &gather) {
  int64_t tile = gather.layout.winograd;
  return {ceilDiv(gather.height, tile), ceilDiv(gather.width, tile)};
}

/// Lanes of a vector of out channels.
static int64_t lanesOf(const ConvShape &shape, int64_t outs,
                       const TargetInfo &target) {
  int64_t lanes = std::max<int64_t>(target.vectorBits / 32, 4);
  while (shape.groups > 1 && outs % lanes != 0)
    lanes /= 2;
  return lanes;
}

const char *againstWinograd(ConvShape shape, bool backwardData,
                            const TargetInfo &target) {
  shape.winograd = shape.kernel[0] == 5 ? 2 : 4;
  if (!isWinograd(shape))
    return "it needs a kernel of 3x3 or 5x5, stride and dilation 1";
  if (groupsInnermost(shape))
    return "the groups are innermost, and have few channels";
  Gather gather =
      backwardData ? backwardDataGather(shape, 1) : forwardGather(shape, 1);
  auto [rows, columns] = winogradTiles(gather);
  int64_t outs = gather.layout.outPerGroup, ins = gather.layout.inPerGroup;
  int64_t covered = rows * columns * shape.winograd * shape.winograd;
  // Fewer tiles share a filter that is four times as large, of one image or of
  // the few of a task; fewer channels share a transformed tile.
  int64_t images = std::clamp<int64_t>(target.batch, 1, 4);
  if (images * rows * columns < 16)
    return "the map has too few tiles to share a filter that grows";
  if (2 * gather.height * gather.width < covered)
    return "its tiles would lie beyond the map for the most part";
  // Direct ones of a group's few channels are slow where taps are many.
  int64_t fewest = shape.kernel[0] == 5 && shape.groups > 1 ? 24 : 16;
  if (ins < fewest || outs < fewest)
    return "too few channels of a group share a transformed tile";
  if (ins > 2048)
    return "its transformed tiles have no place in the cache";
  if (lanesOf(shape, outs, target) < 8)
    return "the channels of a group do not fill vectors";
  return nullptr;
}

FilterLayout winogradLayout(ConvShape shape, bool backwardData,
                            const TargetInfo &target) {
  if (againstWinograd(shape, backwardData, target))
    return {};
  shape.winograd = shape.kernel[0] == 5 ? 2 : 4;
  int64_t outs = backwardData ? shape.inPerGroup() : shape.outPerGroup(),
          lanes = lanesOf(shape, outs, target);
  // What padding and few sums in flight cost, as measured.
  const std::array<double, 4> cost = target.registers >= 32
                                         ? std::array{1.33, 1.06, 1.0, 1.0}
                                         : std::array{1.3, 1.09, 1.0, 2.0};
  int64_t vectors = 1;
  double best = 0;
  for (int64_t count = 1; count <= int64_t(cost.size()); ++count) {
    if (shape.groups > 1 && outs % (count * lanes) != 0)
      continue;
    double padded = double(ceilDiv(outs, count * lanes) * count * lanes) /
                    double(outs) * cost[count - 1];
    if (best == 0 || padded < best) {
      best = padded;
      vectors = count;
    }
  }
  return filterLayout(shape, backwardData, vectors * lanes);
}

} // namespace rootc::codegen
