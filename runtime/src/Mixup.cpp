//===- Mixup.cpp - Batches of mixed images --------------------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Mixup.h"
#include "Philox.h"
#include "codegen/MixedLabel.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>

using namespace rootc;

namespace {
/// The random words of one batch.
struct Words {
  uint64_t seed;
  int64_t epoch, index;
  uint32_t block = 0;
  PhiloxBlock next() {
    return philox({block++, uint32_t(index), uint32_t(epoch),
                   uint32_t(RandomUse::MixShare)},
                  seed);
  }
};
} // namespace

static double between0And1(uint32_t word) { return (word + 0.5) * 0x1p-32; }

/// The logarithm of a Gamma(alpha, 1) distributed number, which itself may be
/// too small for a double: by Marsaglia and Tsang (2000), of alpha + 1.
static double logGamma(double alpha, Words &words) {
  double d = alpha + 1 - 1.0 / 3, c = 1 / std::sqrt(9 * d);
  while (true) {
    PhiloxBlock word = words.next();
    double normal = std::sqrt(-2 * std::log(between0And1(word[0]))) *
                    std::cos(2 * std::numbers::pi * word[1] * 0x1p-32);
    double root = 1 + c * normal, cube = root * root * root;
    if (cube > 0 && std::log(between0And1(word[2])) <
                        normal * normal / 2 + d - d * cube + d * std::log(cube))
      return std::log(d * cube) + std::log(between0And1(word[3])) / alpha;
  }
}

double rootc::mixingWeight(double alpha, uint64_t seed, int64_t epoch,
                           int64_t index) {
  Words words{seed, epoch, index};
  double own = logGamma(alpha, words), other = logGamma(alpha, words);
  return 1 / (1 + std::exp(other - own));
}

static std::vector<int64_t> partnersOf(const Batch &batch, uint64_t seed) {
  std::vector<int64_t> partners(size_t(batch.size));
  std::iota(partners.begin(), partners.end(), int64_t(0));
  for (int64_t i = batch.size - 1; i > 0; --i) {
    PhiloxBlock words =
        philox({uint32_t(i), uint32_t(batch.index), uint32_t(batch.epoch),
                uint32_t(RandomUse::MixPartners)},
               seed);
    std::swap(partners[size_t(i)], partners[below(words[0], uint32_t(i) + 1)]);
  }
  return partners;
}

void rootc::mixBatch(Batch &batch, double alpha, uint64_t seed) {
  constexpr int64_t units = codegen::maxLabels;
  double weight = mixingWeight(alpha, seed, batch.epoch, batch.index);
  int64_t share = std::min(int64_t(std::llround(weight * units)), units - 1);
  if (batch.size == 0 || share == 0)
    return;
  float other = float(share) / units, own = 1 - other;
  std::vector<int64_t> partners = partnersOf(batch, seed);
  std::vector<int64_t> labels = batch.labels;
  for (size_t i = 0; i < labels.size(); ++i)
    batch.labels[i] =
        ROOTC_MIXED_LABEL(labels[i], labels[size_t(partners[i])], share);
  // In place: along each cycle of the permutation, whose first image is kept
  // for its last.
  int64_t size = int64_t(batch.image.size()) / batch.size;
  std::vector<float> first;
  std::vector<char> mixed(size_t(batch.size));
  for (int64_t start = 0; start < batch.size; ++start) {
    if (mixed[size_t(start)])
      continue;
    float *images = batch.image.data();
    first.assign(images + start * size, images + (start + 1) * size);
    for (int64_t i = start, next; !mixed[size_t(i)]; i = next) {
      mixed[size_t(i)] = true;
      next = partners[size_t(i)];
      const float *with = next == start ? first.data() : images + next * size;
      for (int64_t at = 0; at < size; ++at) {
        float &value = images[i * size + at];
        value = own * value + other * with[at];
      }
    }
  }
}
