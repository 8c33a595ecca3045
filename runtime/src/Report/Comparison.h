//===- Comparison.h - Runs side by side -------------------------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_RUNTIME_REPORT_COMPARISON_H
#define ROOTC_RUNTIME_REPORT_COMPARISON_H

#include "Numbers.h"
#include "RunData.h"

namespace rootc::report {

/// Runs that differ in nothing but their seed.
struct Configuration {
  std::string label; ///< "nin root-8"; no two configurations share one
  std::vector<size_t> runs;
  /// Those whose results count: the finished ones, or if none is, all that
  /// have an epoch.
  std::vector<size_t> counted;
  bool finished = false;          ///< `counted` are finished runs
  std::optional<size_t> baseline; ///< the configuration it is measured against

  /// Over `counted`, parts of one.
  std::optional<Spread> error, bestError, top5Error;
  /// Over all runs: images a second and milliseconds of an image in training,
  /// as the metrics say; milliseconds of an image in inference, as measured.
  std::optional<Spread> speed, trainMilliseconds, milliseconds;
};

/// Configurations of one network and topology, trained alike, in the order of
/// their groups; first the baseline if there is one.
struct Family {
  std::string label; ///< "nin, root"
  std::vector<size_t> configurations;
};

struct Comparison {
  std::vector<Run> runs;
  std::vector<Configuration> configurations;
  std::vector<Family> families;
  std::vector<std::string> warnings; ///< why numbers may not compare
  std::vector<std::string> remarks;  ///< of the runs
  /// Options with more than one value among the runs, and those with one.
  std::vector<std::string> differing, common;

  const ModelInfo &modelOf(const Configuration &configuration) const {
    return runs[configuration.runs.front()].model;
  }
  /// Of the first of its runs that has been measured; null if none has.
  const Measurement *measurementOf(const Configuration &configuration) const;
  /// Whether both are of one machine, number of threads and batch.
  static bool comparable(const Measurement &a, const Measurement &b);
};

Comparison compare(std::vector<Run> runs);

/// Why the numbers of runs may not compare, or what is missing of them.
std::vector<std::string> warningsOf(const Comparison &all);

/// 1 - accuracy of the last epoch that has one, and of the best; NaN: none.
double lastError(const Run &run);
double bestError(const Run &run);
double lastTop5Error(const Run &run);
/// The median over its epochs; NaN: unknown.
double trainingSpeed(const Run &run);

} // namespace rootc::report

#endif // ROOTC_RUNTIME_REPORT_COMPARISON_H
