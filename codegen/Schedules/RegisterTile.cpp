//===- RegisterTile.cpp - Accumulators of a convolution -------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/Schedules/RegisterTile.h"
#include "codegen/Schedules/Backend.h"

#include <algorithm>
#include <numeric>

namespace rootc::codegen {

static bool isDenseSingleTap(const FilterLayout &layout) {
  return layout.groups == 1 && layout.kernel[0] * layout.kernel[1] == 1;
}

bool passesWholeFilter(const Gather &gather, int64_t pixels) {
  const FilterLayout &layout = gather.layout;
  const int64_t nearBytes = 320 * 1024, fewTiles = 12;
  auto phase = gather.phaseSize(), counts = gather.phaseCount();
  return isDenseSingleTap(layout) && !gather.ownTap &&
         counts[0] * counts[1] == 1 &&
         phase[0] * phase[1] >= fewTiles * pixels &&
         4 * layout.outPerGroup * layout.inPerGroup <= nearBytes;
}

/// Whether a map's pixels have so many channels that the sums of a single tap
/// take most of the time.
static bool hasLongPixels(const Gather &gather) {
  const int64_t many = 256;
  const FilterLayout &layout = gather.layout;
  auto phase = gather.phaseSize();
  return isDenseSingleTap(layout) && layout.inPerGroup > many &&
         phase[0] * phase[1] > 1;
}

/// Pixels of a tile of so many vectors: accumulators, the block's filter and a
/// pixel spread over the lanes share the registers; an eighth stays free for
/// what else the loop needs. With AVX-512 a multiply-add spreads a pixel
/// itself: worth a register where sums are long, but not what writing more of
/// them takes elsewhere.
static int64_t mostPixels(const Gather &gather, int64_t vectors,
                          const TargetInfo &target) {
  int64_t spread = hasLongPixels(gather) && target.registers >= 32 ? 0 : 1;
  int64_t accumulators =
      std::min(target.registers - vectors - spread, target.registers * 7 / 8);
  return std::max<int64_t>(accumulators / vectors, 1);
}

/// Of a filter that comes from beyond the second-level cache.
static constexpr double farFilter = 2.5;

/// Of one that is read but once. Of AlexNet's and GoogLeNet's linear layers at
/// batch 1, blocks of four lines take 1.04 to 1.22 times as long as of two.
static double onceFilter(const FilterLayout &layout) {
  const int64_t twoLines = 32;
  return farFilter +
         0.01 * double(std::max(layout.block - twoLines, int64_t(0)));
}

/// What the load of a vector adds to the time of a multiply-add, as measured. A
/// block's filter comes from the first-level cache or from beyond; a whole one,
/// block by block, comes to each tile anew.
static double filterLoad(const Gather &gather, int64_t pixels) {
  const FilterLayout &layout = gather.layout;
  const int64_t firstLevel = 32 << 10, secondLevel = 512 << 10;
  auto taps = gather.taps();
  int64_t panel = 4 * layout.inPerGroup * taps[0] * taps[1] * layout.block;
  if (panel > firstLevel)
    return panel <= secondLevel ? 1.5 : farFilter;
  bool isNear = panel * layout.blocks <= firstLevel;
  return passesWholeFilter(gather, pixels) && !isNear ? 1.0 : 0.4;
}

/// Pixels of a single tap come to the first-level cache once for all blocks of
/// the filter, unless they have many channels and blocks that follow pass
/// through it in between; sums of one vector wait for each of them. Without
/// AVX-512 a pixel is spread by an instruction of its own.
static double pixelLoad(const Gather &gather, int64_t vectors, int64_t pixels,
                        const TargetInfo &target) {
  const FilterLayout &layout = gather.layout;
  double load = target.registers < 32 ? 0.8 : 0.35;
  if (!hasLongPixels(gather))
    return load;
  if (vectors == 1)
    load += 0.6;
  if (passesWholeFilter(gather, pixels))
    load += 0.25 * double(layout.blocks - 1) / double(layout.blocks);
  return load;
}

RegisterTile registerTile(const Gather &gather, const TargetInfo &target) {
  const FilterLayout &layout = gather.layout;
  int64_t lanes = lanesOfBlock(layout.block, target);
  int64_t vectors = layout.block / lanes;
  int64_t most = mostPixels(gather, vectors, target);
  auto phase = gather.phaseSize();
  // More images than eight fill no unit better, but cost a register each for
  // where they lie, and the cache's sets where maps are a power of two apart.
  const int64_t mostImages = 8;
  const bool few = target.batch > 0 && target.batch <= mostImages;
  const int64_t images = few ? target.batch : mostImages;
  auto isOneTile = [&](int64_t pixels) {
    return gather.ownTap || pixels == phase[0] * phase[1];
  };
  RegisterTile best;
  auto consider = [&](int64_t x, int64_t y, int64_t n) {
    // The last tile of a row is moved inwards.
    double computed = double((phase[1] + x - 1) / x * x) / double(phase[1]);
    // What is left of the images takes as long, and reads all weights again.
    if (few || gather.ownTap)
      computed *= double(ceilDiv(images, n) * n) / double(images);
    // Of each multiply-add: a vector of the filter is read once for all pixels,
    // a pixel once for all vectors.
    int64_t pixels = x * y * n;
    double filter = few && isOneTile(x * y) && n == images
                        ? onceFilter(layout)
                        : filterLoad(gather, pixels);
    double loads = filter / double(pixels) +
                   pixelLoad(gather, vectors, pixels, target) / double(vectors);
    double cost = computed * (1 + loads);
    // Two images' pixels come from two places at once: in ResNet-50's 7x7 maps
    // 3 vectors x 7 pixels of one take 0.9 of the time of 2 x 7 of two.
    if (n > 1 && x * y > 1)
      cost *= 1.08;
    if (best.cost == 0 || cost < best.cost * 0.99)
      best = {x, y, n, cost};
  };
  if (gather.ownTap) { // only images share weights
    consider(1, 1, std::min(most, images));
    return best;
  }
  for (int64_t x = std::min(phase[1], most); x >= 1; --x)
    for (int64_t y = 1; x * y <= most && y <= phase[0]; ++y) {
      if (phase[0] % y != 0)
        continue;
      consider(x, y, 1);
      if (x == phase[1] && y == phase[0])
        consider(x, y, std::clamp<int64_t>(most / (x * y), 1, images));
      else if (x == phase[1] && 2 * x * y <= most && images > 1)
        consider(x, y, 2);
    }
  return best;
}

int64_t cpuFilterBlock(const ConvShape &shape, bool backwardData,
                       const TargetInfo &target) {
  int64_t outs = backwardData ? shape.inPerGroup() : shape.outPerGroup();
  int64_t widest = std::max<int64_t>(target.vectorBits / 32, 4);
  if (groupsInnermost(shape))
    return outs * laneGroupsFor(shape.groups, outs, widest);
  // Two tiles of the matrix unit; of images, whose rows are made bf16 for each
  // block, as many out channels as they often have.
  if (shape.pairs) {
    FilterLayout layout = filterLayout(shape, backwardData, 16);
    int64_t most = layout.rowTaps ? 64 : 32;
    return std::min(ceilDiv(layout.outPerGroup, 16) * 16, most);
  }
  double best = 0;
  int64_t block = widest;
  auto consider = [&](int64_t candidate, double factor) {
    Gather gather = backwardData ? backwardDataGather(shape, candidate)
                                 : forwardGather(shape, candidate);
    const FilterLayout &layout = gather.layout;
    bool spreads = layout.groupsPerBlock > 1;
    if ((spreads || layout.merged > 1) && outs >= 12)
      return;
    // To spread pixels costs as much as many multiply-adds, which a single tap
    // has not; products of merged groups with zeros are but multiply-adds. A
    // few a pixel take no longer than to read and write it, from end to end as
    // one group is: MobileNetV3's first takes 0.54 of the time of four.
    const int64_t fewProducts = 64;
    if (spreads && shape.kernel[0] * shape.kernel[1] == 1)
      factor = 0.05;
    else if (layout.merged > 1)
      factor = layout.groups == 1 && candidate /
                                             lanesOfBlock(candidate, target) *
                                             layout.inPerGroup <=
                                         fewProducts
                   ? 1.0
                   : 1.0 / double(layout.merged);
    double used =
        double(outs * shape.groups) / double(layout.blocks * layout.block);
    // Of few images with small maps, blocks are all there is to share out.
    const int64_t smallMap = 64;
    auto phase = gather.phaseSize();
    int64_t threads = std::max<int64_t>(target.threads, 1);
    if (target.batch > 0 && target.batch < 2 * threads &&
        phase[0] * phase[1] <= smallMap)
      used *= double(layout.blocks) /
              double(ceilDiv(layout.blocks, threads) * threads);
    // Vectors of half the width cost nothing on some machines and half of the
    // rate on others.
    int64_t lanes = lanesOfBlock(candidate, target);
    double width = lanes == widest     ? 1.0
                   : layout.merged > 1 ? double(lanes) / double(widest)
                   : lanes >= 8        ? 0.7
                                       : 0.4;
    double score = used * width * factor / registerTile(gather, target).cost;
    if (score > best * 1.001) {
      best = score;
      block = candidate;
    }
  };
  // One group's sums have the registers to themselves; those of several small
  // ones leave room for pixels that are spread over the lanes first.
  const bool roomy = target.registers >= 32;
  const int64_t most = roomy ? 6 : 3, mostOfSeveral = roomy ? 4 : 3;
  for (int64_t vectors = 1; vectors <= most; ++vectors)
    for (int64_t lanes = widest; lanes >= 4; lanes /= 2)
      consider(vectors * lanes, outs < 12 && shape.groups > 1 ? 0.6 : 1.0);
  if (shape.groups > 1 && outs < 12)
    for (int64_t lanes = widest; lanes >= 8; lanes /= 2) {
      int64_t unit = std::lcm(outs, lanes);
      for (int64_t times : {3, 2, 4, 1})
        if (unit * times <= widest * mostOfSeveral)
          consider(unit * times, 0.6);
      consider(unit, 0.5);
    }
  return block;
}

FilterLayout filterLayout(const ConvShape &shape, bool backwardData,
                          const TargetInfo &target) {
  return filterLayout(
      shape, backwardData,
      backendOf(target).filterBlock(shape, backwardData, target));
}

} // namespace rootc::codegen
