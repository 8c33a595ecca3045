//===- LearningRate.cpp - Learning rate policies --------------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "LearningRate.h"
#include "Support.h"

#include <algorithm>
#include <cmath>
#include <numbers>

using namespace rootc;

const std::vector<std::string> &LearningRate::policies() {
  static const std::vector<std::string> names = {
      "constant", "step", "multistep", "poly", "cosine", "one-cycle"};
  return names;
}

/// From `from` to `to` along half a cosine as t goes from 0 to 1.
static double anneal(double from, double to, double t) {
  return to + (from - to) * (1 + std::cos(std::numbers::pi * t)) / 2;
}

double LearningRate::at(int64_t step, int64_t stepsPerEpoch,
                        int64_t epochs) const {
  double warm = std::round(warmup * double(stepsPerEpoch));
  double rate = policyAt(step, stepsPerEpoch, epochs);
  return double(step) < warm ? rate * double(step + 1) / warm : rate;
}

double LearningRate::policyAt(int64_t step, int64_t stepsPerEpoch,
                              int64_t epochs) const {
  int64_t steps = stepsPerEpoch * epochs;
  int64_t epoch = step / stepsPerEpoch;
  double t = double(step) / double(steps);
  if (policy == "constant")
    return lr;
  if (policy == "step")
    return lr * std::pow(gamma, double(epoch / every));
  if (policy == "multistep")
    return lr * std::pow(gamma, double(std::count_if(
                                    milestones.begin(), milestones.end(),
                                    [&](int64_t m) { return m <= epoch; })));
  if (policy == "poly")
    return lr * std::pow(1 - t, power);
  if (policy == "cosine")
    return anneal(lr, 0, t);
  if (policy == "one-cycle") {
    // The steps at which the rate is highest and lowest.
    double top = std::max(0.0, 0.2 * double(steps) - 1);
    double last = double(steps - 1);
    if (double(step) < top)
      return anneal(lr / 25, lr, double(step) / top);
    return last > top
               ? anneal(lr, lr / 250000, (double(step) - top) / (last - top))
               : lr;
  }
  std::string names;
  for (const std::string &name : policies())
    names += (names.empty() ? "" : ", ") + name;
  fail("--lr-policy: '{}' is unknown; use one of {}", policy, names);
}
