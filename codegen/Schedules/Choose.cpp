//===- Choose.cpp - The schedule a kernel gets by default -----------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/Schedules/Choose.h"
#include "codegen/Schedules/Gather.h"

#include <algorithm>

namespace rootc::codegen {

const Op *convolutionOf(const Kernel &kernel) {
  for (const Op &op : kernel.ops)
    if (op.name == "conv2d" || op.name == "conv2d_backward_data" ||
        op.name == "conv2d_backward_filter")
      return &op;
  return nullptr;
}

/// The width, at most `most`, of the tiles that cover `size` with the least
/// work, the last one moved inwards; a tile has some cost of its own.
static int64_t tileOf(int64_t size, int64_t most) {
  int64_t best = 1;
  auto cost = [&](int64_t tile) {
    return double((size + tile - 1) / tile) * (double(tile) + 0.5);
  };
  for (int64_t tile = 2; tile <= std::min(size, most); ++tile)
    if (cost(tile) <= cost(best))
      best = tile;
  return best;
}

/// Strips, and what is written from them, should stay in half of the L2 cache
/// while a task passes over them again and again.
static constexpr int64_t cacheBytes = 256 * 1024;

/// Forward and backward-data.
static Schedule chooseDirect(const Gather &gather, bool prologue,
                             const TargetInfo &target) {
  const FilterLayout &layout = gather.layout;
  Schedule schedule;
  int64_t lanes = lanesOfBlock(layout.block, target);
  int64_t vectors = layout.block / lanes;
  // Accumulators take three quarters of the registers.
  int64_t pixels = std::max<int64_t>(target.registers * 3 / 4 / vectors, 1);
  auto phase = gather.phaseSize();
  int64_t tileX = tileOf(phase[1], pixels);
  int64_t tileY = 1, tileN = 1;
  // More images than that fill no unit better, but a register each for where
  // they lie, and the cache's sets where maps are a power of two apart.
  int64_t images = std::min<int64_t>(pixels, 8);
  if (gather.ownTap) { // only images share weights
    tileX = 1;
    tileN = images;
  } else if (tileX == phase[1]) {
    tileY = largestDivisor(phase[0], std::max<int64_t>(pixels / tileX, 1));
    if (tileY == phase[0])
      tileN = std::clamp<int64_t>(pixels / (tileX * tileY), 1, images);
  }

  bool copy = prologue || gather.needsZeros();
  bool dense = layout.groups == 1;
  int64_t channels = layout.inPerGroup * layout.groupsPerBlock *
                     (layout.groupsPerBlock > 1 ? layout.outPerGroup : 1);
  int64_t rows = tileY;
  int64_t mostRows = gather.ownTap ? tileY : phase[0];
  auto counts = gather.phaseCount();
  for (int64_t more = tileY; more <= mostRows; more += tileY) {
    if (phase[0] % more != 0)
      continue;
    auto strip = gather.stripSize(more);
    int64_t bytes =
        4 * (strip[0] * strip[1] * channels +
             more * phase[1] * counts[0] * counts[1] * layout.block);
    if (bytes <= cacheBytes)
      rows = more;
  }
  // A copied strip is worth keeping for all blocks; else a block is a task,
  // unless it is a very small one.
  int64_t blocks = 1;
  // All phases together meet each tap once.
  double taps =
      gather.ownTap ? 1.0 : double(layout.kernel[0] * layout.kernel[1]);
  double work =
      2.0 * rows * phase[1] * tileN * layout.block * layout.inPerGroup * taps;
  if (copy && dense)
    blocks = layout.blocks;
  while (blocks < layout.blocks && work * blocks < 1e6)
    ++blocks;

  schedule["lanes"] = lanes;
  schedule["tile_x"] = tileX;
  schedule["tile_y"] = tileY;
  schedule["tile_n"] = tileN;
  schedule["rows"] = rows;
  schedule["blocks"] = blocks;
  schedule["copy"] = copy;
  schedule["unroll"] = largestDivisor(layout.inPerGroup, 4);
  return schedule;
}

static Schedule chooseLinearGradient(const ConvShape &shape,
                                     const TargetInfo &target) {
  Schedule schedule;
  int64_t ins = shape.inChannels, outs = shape.outChannels;
  int64_t lanes = std::max<int64_t>(target.vectorBits / 32, 4);
  int64_t accumulators = target.registers * 3 / 4;
  int64_t vectors =
      std::min<int64_t>(ins / lanes, target.registers < 32 ? 2 : 4);
  if (ins % lanes == 0)
    vectors = largestDivisor(ins / lanes, vectors);
  int64_t most = accumulators / vectors, tileO = largestDivisor(outs, most);
  if (2 * tileO < most)
    tileO = std::min(outs, most);
  schedule["lanes"] = lanes;
  schedule["vectors"] = vectors;
  schedule["tile_o"] = tileO;
  // A task's part of x stays in the L2 cache, and long runs are written.
  schedule["block_i"] =
      ins % (lanes * vectors) == 0
          ? lanes * vectors *
                largestDivisor(ins / (lanes * vectors), 256 / (lanes * vectors))
          : ins;
  schedule["block_o"] =
      outs % tileO == 0 ? tileO * largestDivisor(outs / tileO, 64) : outs;
  return schedule;
}

static Schedule chooseFilterGradient(const ConvShape &shape, bool prologue,
                                     bool dyPrologue,
                                     const TargetInfo &target) {
  Gather gather = forwardGather(shape, 1);
  bool across = filterGradientAcrossGroups(shape);
  int64_t outs = across ? shape.outChannels : shape.outPerGroup();
  int64_t ins = shape.inPerGroup();
  int64_t widest = std::max<int64_t>(target.vectorBits / 32, 4);
  int64_t lanes = widest;
  if (outs % 8 == 0)
    while (outs % lanes != 0)
      lanes /= 2;
  int64_t tileI = filterGradientInTile(shape);
  bool few = target.registers < 32;
  if (few && tileI > 4 && tileI % 2 == 0)
    tileI /= 2;
  int64_t most = target.registers * 3 / 4;
  int64_t tileX = tileI * shape.kernel[1] <= most / 2 ? shape.kernel[1] : 1;
  int64_t vectors = std::clamp<int64_t>(most / (tileI * tileX), 1, few ? 3 : 4);
  vectors = largestDivisor((outs + lanes - 1) / lanes, vectors);

  int64_t rows = 1;
  int64_t channels = across ? outs * ins : shape.inChannels;
  for (int64_t more = 1; more <= gather.height; ++more) {
    auto strip = gather.stripSize(more);
    int64_t bytes = 4 * (strip[0] * strip[1] * channels +
                         more * gather.width * shape.outChannels);
    if (gather.height % more == 0 && bytes <= 2 * cacheBytes)
      rows = more;
  }
  Schedule schedule;
  schedule["lanes"] = lanes;
  schedule["vectors"] = vectors;
  schedule["tile_i"] = tileI;
  schedule["tile_kx"] = tileX;
  schedule["rows"] = rows;
  schedule["split_out"] = filterGradientChunks(shape) < 8;
  schedule["copy"] = prologue || gather.needsZeros();
  schedule["copy_dy"] = dyPrologue || outs % 8 != 0;
  return schedule;
}

Schedule chooseSchedule(const Kernel &kernel, const TargetInfo &target) {
  const Op *conv = convolutionOf(kernel);
  if (!conv)
    return {};
  bool prologue = isComputed(kernel, *conv, 0);
  if (conv->name == "conv2d_backward_filter") {
    ConvShape shape = convShapeOf(kernel, *conv);
    if (isLinearGradient(shape))
      return chooseLinearGradient(shape, target);
    return chooseFilterGradient(shape, prologue, isComputed(kernel, *conv, 1),
                                target);
  }
  return chooseDirect(gatherOf(kernel, *conv), prologue, target);
}

bool isComputed(const Kernel &kernel, const Op &conv, size_t operand) {
  return conv.operands.at(operand) >=
         static_cast<int64_t>(kernel.inputs.size());
}

int64_t scratchBytes(const Kernel &kernel) {
  const Op *conv = convolutionOf(kernel);
  if (!conv || conv->name != "conv2d_backward_filter")
    return 0;
  ConvShape shape = convShapeOf(kernel, *conv);
  if (isLinearGradient(shape))
    return 0;
  auto padded = [&](int64_t size, int64_t tile) {
    return (size + tile - 1) / tile * tile;
  };
  auto key = [&](const char *name) {
    auto it = kernel.schedule.find(name);
    return it == kernel.schedule.end() ? 1 : std::max<int64_t>(it->second, 1);
  };
  bool across = filterGradientAcrossGroups(shape);
  int64_t outs = across ? shape.outChannels : shape.outPerGroup();
  return 4 * filterGradientChunks(shape) * (across ? 1 : shape.groups) *
         padded(outs, key("lanes") * key("vectors")) *
         padded(shape.inPerGroup(), key("tile_i")) * shape.kernel[0] *
         shape.kernel[1];
}

} // namespace rootc::codegen
