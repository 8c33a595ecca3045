//===- Measurement.h - Times of a run's model -------------------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// RUN/measured.json, which `rootrun report --measure` writes.
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_RUNTIME_REPORT_MEASUREMENT_H
#define ROOTC_RUNTIME_REPORT_MEASUREMENT_H

#include "../RunRecord.h"

#include <vector>

namespace rootc::report {

/// The calls of a program's kernels, in order: label and mean ms of a batch.
using CallTimes = std::vector<std::pair<std::string, double>>;

/// Times of one program on a batch.
struct Timing {
  std::vector<double> ms; ///< of each measured run
  CallTimes calls;

  double median() const;
};

struct Measurement {
  Machine machine;
  int64_t threads = 0, batch = 0;
  std::string measured; ///< when, "2026-01-31T12:00:00Z"
  std::string modelHash;
  Timing infer;
  std::optional<Timing> train; ///< absent: a model without training

  /// Milliseconds of an image.
  double inferPerImage() const { return infer.median() / double(batch); }

  std::string toJson() const;
  /// Throws an Error that names the file and says what is wrong with it.
  static Measurement parse(std::string_view text, const std::string &path);
};

struct MeasureOptions {
  int64_t batch = 0; ///< images at a time
  int64_t runs = 10; ///< measured runs of each model
  int threads = 0;   ///< 0: defaultThreads()
};

/// Measures models one at a time, in turns with a pause before each, so that
/// neither their threads nor a change in the machine's speed favours one.
/// `progress` is told what is going on.
std::vector<Measurement>
measure(const std::vector<std::string> &libraries,
        const MeasureOptions &options,
        const std::function<void(const std::string &)> &progress);

} // namespace rootc::report

#endif // ROOTC_RUNTIME_REPORT_MEASUREMENT_H
