//===- Choose.cpp - The schedule a kernel gets by default -----------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/Schedules/Choose.h"
#include "codegen/Schedules/FilterLayout.h"

#include <algorithm>

namespace rootc::codegen {

const Op *convolutionOf(const Kernel &kernel) {
  for (const Op &op : kernel.ops)
    if (op.name == "conv2d" || op.name == "conv2d_backward_data" ||
        op.name == "conv2d_backward_filter")
      return &op;
  return nullptr;
}

/// The largest divisor of `size` that is at most `most`, or `most` itself where
/// every divisor would leave the registers half empty.
static int64_t tileOf(int64_t size, int64_t most) {
  if (size <= most)
    return size;
  for (int64_t tile = most; 2 * tile > most; --tile)
    if (size % tile == 0)
      return tile;
  return most;
}

/// Forward and backward-data: `height` x `width` is the map that is written.
static Schedule chooseDirect(const FilterLayout &layout, int64_t height,
                             int64_t width, const TargetInfo &target) {
  Schedule schedule;
  int64_t lanes = lanesOfBlock(layout.block, target);
  int64_t vectors = layout.block / lanes;
  // Accumulators take three quarters of the registers.
  int64_t pixels = std::max<int64_t>(target.registers * 3 / 4 / vectors, 1);
  int64_t tileX = tileOf(width, pixels);
  int64_t tileY = tileOf(height, std::max<int64_t>(pixels / tileX, 1));
  schedule["lanes"] = lanes;
  schedule["tile_x"] = tileX;
  schedule["tile_y"] = tileY;
  schedule["tile_n"] = width * height == tileX * tileY
                           ? std::max<int64_t>(pixels / (tileX * tileY), 1)
                           : 1;
  return schedule;
}

static Schedule chooseBackwardFilter(const ConvShape &shape,
                                     const TargetInfo &target) {
  Schedule schedule;
  FilterLayout layout = filterLayout(shape, false, target);
  schedule["block"] = layout.block;
  schedule["lanes"] = lanesOfBlock(layout.block, target);
  return schedule;
}

Schedule chooseSchedule(const Kernel &kernel, const TargetInfo &target) {
  const Op *conv = convolutionOf(kernel);
  if (!conv)
    return {};
  bool backwardData = conv->name == "conv2d_backward_data";
  // The packed filter does not say how many channels lie around it: the map on
  // the other side does.
  const TensorType &in =
      backwardData ? conv->results[0] : kernel.type(conv->operands[0]);
  ConvShape shape = convShape(conv->attributes, in.shape[3]);
  if (conv->name == "conv2d_backward_filter")
    return chooseBackwardFilter(shape, target);
  int64_t block = std::get<int64_t>(conv->attributes.at("block"));
  FilterLayout layout = filterLayout(shape, backwardData, block);
  return backwardData
             ? chooseDirect(layout, shape.inHeight, shape.inWidth, target)
             : chooseDirect(layout, shape.outHeight(), shape.outWidth(),
                            target);
}

} // namespace rootc::codegen
