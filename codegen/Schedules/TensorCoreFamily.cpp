//===- TensorCoreFamily.cpp - Convolutions by tensor cores ----------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/Geometry/Gather.h"
#include "codegen/Schedules/Families.h"
#include "codegen/Schedules/Legality.h"

namespace rootc::codegen {

namespace {
/// A product of fragments: rows, columns, and the terms of either operand.
constexpr int64_t fragmentM = 16, fragmentN = 8, fragmentK = 16, warp = 32;
constexpr int64_t mostThreads = 1024;

bool isGradient(const Op &anchor) {
  return anchor.name == "conv2d_backward_filter";
}

/// Ops that read what they are given elsewhere than at their own point.
bool movesPoints(const Op &op) {
  for (const char *name :
       {"branch_softmax", "branch_softmax_backward", "channel_shuffle",
        "depth_to_space", "pad", "reflect_pad", "reflect_pad_backward",
        "slice_channels", "space_to_depth"})
    if (op.name == name)
      return true;
  return false;
}

/// Fewer channels leave most of a tile zeros.
constexpr int64_t fewestChannels = 16;
} // namespace

TensorCoreGroups tensorCoreGroups(const Problem &problem) {
  const Op &anchor = *problem.anchor;
  TensorCoreGroups result;
  if (isGradient(anchor)) {
    ConvShape shape = convShapeOf(problem.kernel, anchor);
    result.groups = shape.groups;
    result.ins = shape.inPerGroup();
    result.outs = shape.outPerGroup();
    result.taps = shape.kernel[0] * shape.kernel[1];
  } else {
    FilterLayout layout = gatherOf(problem.kernel, anchor).layout;
    result.groups = layout.groups;
    result.ins = layout.inPerGroup;
    result.outs = layout.outPerGroup;
    result.taps = layout.kernel[0] * layout.kernel[1];
  }
  const int64_t most = 4;
  int64_t channels = std::min(result.ins, result.outs);
  while (result.merged * channels < fewestChannels && result.merged < most &&
         result.merged < result.groups)
    do
      ++result.merged;
    while (result.groups % result.merged != 0);
  if (result.merged > most)
    result.merged = 1;
  result.groups /= result.merged;
  result.ins *= result.merged;
  result.outs *= result.merged;
  return result;
}

bool isForTensorCores(const Kernel &kernel) {
  return kernel.schedule.count("operand_bits") != 0;
}

bool fitsTensorCores(const Problem &problem) {
  const Op *anchor = problem.anchor;
  if (problem.target.halide.find("-cuda") == std::string::npos || !anchor ||
      problem.inner ||
      (anchor->name != "conv2d" && anchor->name != "conv2d_backward_data" &&
       !isGradient(*anchor)))
    return false;
  ConvShape shape = convShapeOf(problem.kernel, *anchor);
  if (groupsInnermost(shape))
    return false;
  if (isGradient(*anchor)) {
    if (shape.inOrder != 1 || shape.outOrder != 1)
      return false;
  } else if (gatherOf(problem.kernel, *anchor).ownTap ||
             isComputed(problem.kernel, *anchor, 1)) {
    return false;
  }
  TensorCoreGroups channels = tensorCoreGroups(problem);
  if (std::min(channels.ins, channels.outs) < fewestChannels)
    return false;
  for (const TensorType &type : problem.kernel.inputs)
    if (type.element == ElementType::BF16)
      return false;
  for (const Op &op : problem.kernel.ops)
    if (&op != anchor &&
        (op.name.starts_with("branch_softmax") ||
         (&op > anchor &&
          (movesPoints(op) || op.results.at(0).shape != problem.shape()))))
      return false;
  return true;
}

std::vector<Key<TensorCoreSchedule>> TensorCoreSchedule::keys() {
  using S = TensorCoreSchedule;
  return {{"operand_bits", &S::operandBits},
          {"split", &S::split},
          {"tile_k", &S::tileK},
          {"tile_m", &S::tileM},
          {"tile_n", &S::tileN},
          {"warps_m", &S::warpsM},
          {"warps_n", &S::warpsN}};
}

TensorCoreSchedule TensorCoreSchedule::choose(const Problem &problem) {
  TensorCoreSchedule schedule;
  if (!fitsTensorCores(problem))
    return schedule;
  // A warp has 32 x 32 sums, 32 registers of each thread.
  const int64_t edge = 32;
  TensorCoreGroups matrices = tensorCoreGroups(problem);
  schedule.warpsM =
      isGradient(*problem.anchor) ? (matrices.outs > edge ? 2 : 1) : 4;
  schedule.warpsN =
      (isGradient(*problem.anchor) ? matrices.ins : matrices.outs) > edge ? 2
                                                                          : 1;
  schedule.tileM = edge * schedule.warpsM;
  schedule.tileN = edge * schedule.warpsN;
  if (isGradient(*problem.anchor)) {
    // Enough blocks for a GPU of 132 multiprocessors to be busy.
    const int64_t blocks = 512, mostChunks = 256;
    int64_t tiles = ceilDiv(matrices.outs, schedule.tileM) *
                    ceilDiv(matrices.ins, schedule.tileN) * matrices.taps *
                    matrices.groups;
    schedule.split = std::clamp<int64_t>(blocks / tiles, 1, mostChunks);
  }
  return schedule;
}

int64_t TensorCoreSchedule::sharedBytes() const {
  // Two stages, and as many floats as any pitch takes.
  const int64_t pad = 8;
  return 2 * 4 *
         (std::max(tileM * (tileK + pad), tileK * (tileM + pad)) +
          tileK * (tileN + pad));
}

std::string TensorCoreSchedule::illegal(const Problem &problem) const {
  if (!fitsTensorCores(problem))
    return "'operand_bits' is given, and the kernel is no convolution that "
           "tensor cores can have";
  if (operandBits != 16 && operandBits != 19)
    return "'operand_bits' is " + std::to_string(operandBits) +
           ", neither 19, TF32, nor 16, bf16";
  const int64_t widest = 256;
  Legality legality;
  legality.range("split", split, 1, isGradient(*problem.anchor) ? 1024 : 1)
      .range("warps_m", warpsM, 1, 8)
      .range("warps_n", warpsN, 1, 8)
      .range("tile_m", tileM, 1, widest)
      .range("tile_n", tileN, 1, widest)
      .range("tile_k", tileK, 1, 64);
  if (!legality.good())
    return legality.reason;
  legality.multiple("tile_k", tileK, fragmentK)
      .multiple("tile_m", tileM, fragmentM * warpsM)
      .multiple("tile_n", tileN, fragmentN * warpsN);
  if (!legality.good())
    return legality.reason;
  const int64_t threads = warp * warpsM * warpsN, vector = 4;
  if (threads > mostThreads)
    return "'warps_m', 'warps_n': more than " + std::to_string(mostThreads) +
           " threads a block";
  if (tileM * tileK / vector % threads != 0 ||
      tileN * tileK / vector % threads != 0)
    return "'tile_k', 'tile_m', 'tile_n': a tile in shared memory is not as "
           "many floats of each of " +
           std::to_string(threads) + " threads";
  if (sharedBytes() > mostShared)
    return "'tile_k', 'tile_m', 'tile_n': the tiles take " +
           std::to_string(sharedBytes()) + " bytes of " +
           std::to_string(mostShared);
  return "";
}

TensorCoreLaunch launchOf(const TensorCoreSchedule &schedule,
                          const Problem &problem) {
  TensorCoreLaunch launch;
  launch.threads = warp * schedule.warpsM * schedule.warpsN;
  TensorCoreGroups matrices = tensorCoreGroups(problem);
  if (isGradient(*problem.anchor)) {
    ConvShape shape = convShapeOf(problem.kernel, *problem.anchor);
    launch.gradient = true;
    launch.pixels = shape.outHeight() * shape.outWidth();
    launch.tile = schedule.tileK;
    launch.blocks[0] = ceilDiv(matrices.outs, schedule.tileM) *
                       ceilDiv(matrices.ins, schedule.tileN);
    launch.blocks[1] = matrices.taps;
    launch.blocks[2] = matrices.groups;
    launch.split = schedule.split;
    launch.weights = matrices.groups * matrices.outs * matrices.taps *
                     matrices.ins / matrices.merged;
    return launch;
  }
  Gather gather = gatherOf(problem.kernel, *problem.anchor);
  auto size = gather.phaseSize(), counts = gather.phaseCount();
  launch.pixels = size[0] * size[1];
  launch.tile = schedule.tileM;
  launch.blocks[1] = ceilDiv(matrices.outs, schedule.tileN);
  launch.blocks[2] = matrices.groups * counts[0] * counts[1];
  return launch;
}

} // namespace rootc::codegen
