//===- Noise.cpp - Differences that say nothing ---------------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Noise.h"

#include <algorithm>

using namespace rootc;
using namespace rootc::report;

/// The fewest test images of a configuration's runs; 0: not known.
static int64_t testImagesOf(const Comparison &all, const Configuration &one) {
  int64_t fewest = 0;
  for (size_t index : one.counted)
    if (int64_t images = all.runs[index].testImages; images > 0)
      fewest = fewest ? std::min(fewest, images) : images;
  return fewest;
}

Noise rootc::report::errorNoise(const Comparison &all, const Configuration &a,
                                const Configuration &b) {
  if (!a.error || !b.error)
    return {};
  Noise sampling, seeds;
  int64_t images = std::min(testImagesOf(all, a), testImagesOf(all, b));
  if (images > 0) {
    auto variance = [](double part) { return part * (1 - part); };
    sampling = {
        2 * std::sqrt((variance(a.error->mean) + variance(b.error->mean)) /
                      double(images)),
        grouped(images) + " test images"};
  }
  if (a.error->count > 1 && b.error->count > 1) {
    auto variance = [](const Spread &spread) {
      return spread.deviation * spread.deviation / double(spread.count);
    };
    seeds = {2 * std::sqrt(variance(*a.error) + variance(*b.error)),
             "the spread over seeds"};
  }
  return std::isnan(sampling.size) || seeds.size > sampling.size ? seeds
                                                                 : sampling;
}

static Noise quotientNoise(const std::vector<double> &a,
                           const std::vector<double> &b, const char *of) {
  auto first = spreadOf(a), second = spreadOf(b);
  if (!first || !second || first->count < 2 || second->count < 2 ||
      first->mean <= 0 || second->mean <= 0)
    return {};
  return {std::hypot(first->deviation / first->mean,
                     second->deviation / second->mean),
          of};
}

Noise rootc::report::inferenceNoise(const Comparison &all,
                                    const Configuration &a,
                                    const Configuration &b) {
  const Measurement *first = all.measurementOf(a);
  const Measurement *second = all.measurementOf(b);
  if (!first || !second)
    return {};
  return quotientNoise(first->infer.ms, second->infer.ms,
                       "the spread of measured runs");
}

Noise rootc::report::trainingNoise(const Comparison &all,
                                   const Configuration &a,
                                   const Configuration &b) {
  auto speeds = [&](const Configuration &one) {
    std::vector<double> values;
    for (size_t index : one.runs)
      for (const Epoch &epoch : all.runs[index].epochs)
        values.push_back(epoch.imagesPerSecond);
    return values;
  };
  return quotientNoise(speeds(a), speeds(b), "the spread of epochs");
}
