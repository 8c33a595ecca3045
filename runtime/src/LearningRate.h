//===- LearningRate.h - Learning rate policies ------------------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_RUNTIME_LEARNINGRATE_H
#define ROOTC_RUNTIME_LEARNINGRATE_H

#include <cstdint>
#include <string>
#include <vector>

namespace rootc {

/// The learning rate of each step of a run.
///   constant   lr
///   step       lr gamma^(epoch / every)
///   multistep  lr gamma^(number of milestones that have passed)
///   poly       lr (1 - t)^power, t = step / steps
///   cosine     lr (1 + cos(pi t)) / 2
///   one-cycle  cosine up from lr / 25 over the first 20% of the steps, cosine
///              down to lr / 250,000 at the last step
/// Over the first `warmup` epochs it is times (step + 1) / steps of these.
struct LearningRate {
  std::string policy = "one-cycle";
  double lr = 0.05;
  int64_t every = 10;              ///< epochs, step
  std::vector<int64_t> milestones; ///< epochs, multistep, ascending
  double gamma = 0.1;
  double power = 1;
  double warmup = 0; ///< epochs

  static const std::vector<std::string> &policies();
  /// step counts from 0 over the whole run of stepsPerEpoch * epochs.
  double at(int64_t step, int64_t stepsPerEpoch, int64_t epochs) const;

private:
  double policyAt(int64_t step, int64_t stepsPerEpoch, int64_t epochs) const;
};

} // namespace rootc

#endif // ROOTC_RUNTIME_LEARNINGRATE_H
