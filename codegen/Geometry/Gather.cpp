//===- Gather.cpp - What a convolution reads where ------------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/Geometry/Gather.h"

#include <numeric>
#include <stdexcept>

namespace rootc::codegen {

static int64_t floorDiv(int64_t a, int64_t b) {
  return a / b - (a % b < 0 ? 1 : 0);
}

bool Gather::needsZeros() const {
  if (ownTap)
    return false;
  auto strip = stripSize(phaseSize()[0]);
  return before[0] != 0 || before[1] != 0 || strip[0] > inHeight ||
         strip[1] > inWidth;
}

std::array<int64_t, 2> Gather::phaseSize() const {
  return {ceilDiv(height, phases[0]), ceilDiv(width, phases[1])};
}

int64_t Gather::tapStep(int d) const {
  return phases[d] / std::gcd(phases[d], dilation[d]);
}

std::array<int64_t, 2> Gather::taps() const {
  if (ownTap)
    return {1, 1};
  return {ceilDiv(layout.kernel[0], tapStep(0)),
          ceilDiv(layout.kernel[1], tapStep(1))};
}

SumBlocks Gather::sumBlocks() const {
  const int64_t longest = 512, longestBlock = 256;
  auto rowsAndColumns = taps();
  SumBlocks blocks;
  blocks.size = {layout.inPerGroup, rowsAndColumns[1], rowsAndColumns[0]};
  if (blocks.size[0] * blocks.size[1] * blocks.size[2] <= longest)
    return blocks;
  int64_t room = longestBlock;
  for (int d = 0; d < 3; ++d) {
    int64_t extent = blocks.size[d], least = ceilDiv(extent, room);
    // Blocks of one size, if not many more; else the last one is shorter.
    int64_t count = least;
    while (count < 2 * least && extent % count != 0)
      ++count;
    blocks.size[d] = extent % count == 0
                         ? extent / count
                         : std::min(room, ceilDiv(extent, 4 * least) * 4);
    blocks.count[d] = ceilDiv(extent, blocks.size[d]);
    room = std::max<int64_t>(room / blocks.size[d], 1);
  }
  return blocks;
}

int64_t Gather::reach(int d) const {
  return (phases[d] - 1 + (layout.kernel[d] - 1) * dilation[d] - skew[d]) /
         phases[d];
}

std::array<int64_t, 2> Gather::stripSize(int64_t rows) const {
  if (ownTap)
    return {1, 1};
  return {(rows - 1) * stride[0] + reach(0) + 1,
          (phaseSize()[1] - 1) * stride[1] + reach(1) + 1};
}

Gather forwardGather(const ConvShape &shape, int64_t block) {
  Gather gather;
  gather.layout = filterLayout(shape, false, block);
  gather.height = shape.outHeight();
  gather.width = shape.outWidth();
  gather.stride = shape.stride;
  gather.dilation = shape.dilation;
  gather.before = {shape.pad[0], shape.pad[1]};
  gather.inHeight = shape.inHeight;
  gather.inWidth = shape.inWidth;
  return gather;
}

Gather backwardDataGather(const ConvShape &shape, int64_t block) {
  Gather gather;
  gather.layout = filterLayout(shape, true, block);
  gather.height = shape.inHeight;
  gather.width = shape.inWidth;
  gather.dilation = shape.dilation;
  gather.inHeight = shape.outHeight();
  gather.inWidth = shape.outWidth();
  auto own = [&](int d, int64_t written) {
    return shape.kernel[d] == written && shape.pad[d] == 0 &&
           shape.dilation[d] == 1;
  };
  gather.ownTap = gather.inHeight == 1 && gather.inWidth == 1 &&
                  gather.height * gather.width > 1 && own(0, gather.height) &&
                  own(1, gather.width);
  if (gather.ownTap)
    return gather;
  gather.phases = shape.stride;
  for (int d = 0; d < 2; ++d) {
    int64_t before = (shape.kernel[d] - 1) * shape.dilation[d] - shape.pad[d];
    gather.before[d] = floorDiv(before, shape.stride[d]);
    gather.skew[d] = before - gather.before[d] * shape.stride[d];
  }
  return gather;
}

bool fitsPairs(const ConvShape &shape, bool backwardData) {
  if (groupsInnermost(shape))
    return false;
  ConvShape paired = shape;
  paired.pairs = true;
  Gather gather =
      backwardData ? backwardDataGather(paired, 16) : forwardGather(paired, 16);
  const FilterLayout &layout = gather.layout;
  if (gather.ownTap || gather.phases[0] * gather.phases[1] != 1)
    return false;
  const int64_t fewest = 16, mostBytes = 64 * 1024; // of copied rows
  int64_t terms = layout.inPerGroup;
  if (layout.rowTaps) {
    terms *= layout.kernel[1];
    if (gather.inWidth * layout.inPerGroup * layout.kernel[0] * 2 > mostBytes)
      return false;
  }
  return std::min(terms, layout.outPerGroup) >= fewest &&
         (layout.groups == 1 || layout.inPerGroup == layout.pairedIns());
}

bool fitsPairsGradient(const ConvShape &shape) {
  const int64_t terms = 32; // and two tiles of channels
  return shape.groups == 1 && shape.kernel[0] * shape.kernel[1] == 1 &&
         !forwardGather(shape, 1).needsZeros() &&
         shape.inChannels % terms == 0 && shape.outChannels % terms == 0;
}

static int64_t blockOf(const Op &op) {
  auto it = op.attributes.find("block");
  if (it == op.attributes.end() || !std::holds_alternative<int64_t>(it->second))
    throw std::invalid_argument("op '" + op.name +
                                "', attribute 'block': missing");
  return std::get<int64_t>(it->second);
}

ConvShape convShapeOf(const Kernel &kernel, const Op &op) {
  const TensorType &in = op.name == "conv2d_backward_data"
                             ? op.results.at(0)
                             : kernel.type(op.operands.at(0));
  return convShape(op.attributes, in.shape.at(3));
}

Gather gatherOf(const Kernel &kernel, const Op &op) {
  ConvShape shape = convShapeOf(kernel, op);
  int64_t block = blockOf(op);
  return op.name == "conv2d" ? forwardGather(shape, block)
                             : backwardDataGather(shape, block);
}

int64_t largestDivisor(int64_t size, int64_t most) {
  for (int64_t divisor = std::min(size, most); divisor > 1; --divisor)
    if (size % divisor == 0)
      return divisor;
  return 1;
}

int64_t filterGradientChunks(const ConvShape &shape) {
  if (shape.chunks)
    return shape.chunks;
  int64_t size = shape.outChannels * shape.kernel[0] * shape.kernel[1] *
                 shape.inPerGroup();
  if (filterGradientAcrossIns(shape)) {
    int64_t chunks = 1;
    while (chunks < 8 && 2 * chunks * size <= (1 << 18))
      chunks *= 2;
    return chunks;
  }
  return std::clamp<int64_t>((1 << 20) / size, 1, 16);
}

Gather groupLanesGather(const ConvShape &shape) {
  // The bits must not depend on the machine, so neither do the vectors.
  const int64_t widest = 16;
  return forwardGather(
      shape, shape.outPerGroup() *
                 laneGroupsFor(shape.groups, shape.outPerGroup(), widest));
}

int64_t groupLanesChunks(const ConvShape &shape) {
  if (shape.chunks)
    return shape.chunks;
  int64_t size = shape.outChannels * shape.kernel[0] * shape.kernel[1] *
                 shape.inPerGroup();
  // Chunks are the tasks: large filters have a few too.
  const int64_t few = 4;
  int64_t chunks = 1;
  while (chunks < 16 && 2 * chunks * size <= (chunks < few ? 1 << 20 : 1 << 18))
    chunks *= 2;
  return chunks;
}

bool sharesPixels(const ConvShape &shape) {
  const int64_t narrow = 5, widest = 7;
  return shape.kernel[1] > narrow && shape.kernel[1] <= widest &&
         shape.inPerGroup() == 1 && shape.outPerGroup() == 1 &&
         shape.stride[1] == 1 && shape.dilation[1] == 1;
}

bool filterGradientAcrossGroups(const ConvShape &shape) {
  return shape.groups > 1 && shape.outPerGroup() < 8;
}

bool isLinearGradient(const ConvShape &shape) {
  Gather gather = forwardGather(shape, 1);
  // Vectors run over the in channels.
  return shape.groups == 1 && shape.inChannels >= 16 && gather.width == 1 &&
         gather.height == 1 && !gather.needsZeros();
}

bool filterGradientAcrossIns(const ConvShape &shape) {
  return shape.inPerGroup() >= 16 && shape.inPerGroup() % 8 == 0 &&
         shape.outPerGroup() >= 16 && !isLinearGradient(shape);
}

/// Rows of dy that are summed apart, of about so many pixels.
static int64_t stripRows(const ConvShape &shape, int64_t pixels) {
  int64_t height = shape.outHeight();
  int64_t most = std::clamp<int64_t>(pixels / shape.outWidth(), 1, height);
  int64_t rows = largestDivisor(height, most);
  return 2 * rows <= most ? ceilDiv(height, ceilDiv(height, most)) : rows;
}

int64_t groupLanesStripRows(const ConvShape &shape) {
  const int64_t pixels = 128, fewPixels = 28;
  return sharesPixels(shape)
             ? largestDivisor(
                   shape.outHeight(),
                   std::max<int64_t>(fewPixels / shape.outWidth(), 1))
             : stripRows(shape, pixels);
}

FilterGradientStrip filterGradientStrip(const ConvShape &shape) {
  // What a register tile reads of them fits the first-level cache.
  const int64_t pixels = 128;
  FilterGradientStrip strip;
  int64_t height = shape.outHeight(), map = height * shape.outWidth();
  strip.rows = stripRows(shape, pixels);
  if (strip.rows == height)
    strip.images = std::clamp<int64_t>(
        pixels / map, 1,
        std::max<int64_t>(16 * pixels / acrossInsStripPixels(shape, height),
                          1));
  return strip;
}

int64_t acrossInsStripPixels(const ConvShape &shape, int64_t rows) {
  auto strip = forwardGather(shape, 1).stripSize(rows);
  return (shape.kernel[0] == 1 ? rows : strip[0]) *
         (shape.kernel[1] == 1 ? shape.outWidth() : strip[1]);
}

int64_t filterGradientInTile(const ConvShape &shape) {
  int64_t ins = shape.inPerGroup();
  if (ins <= 8)
    return ins;
  for (int64_t tile : {8, 7, 6, 5, 4})
    if (ins % tile == 0)
      return tile;
  return 8;
}

} // namespace rootc::codegen
