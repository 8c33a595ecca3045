//===- Flags.h - What rootrun's verbs say alike ---------------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_TOOLS_ROOTRUN_FLAGS_H
#define ROOTC_TOOLS_ROOTRUN_FLAGS_H

#include "runtime/src/Train.h"

#include <CLI/CLI.hpp>
#include <cmath>
#include <fmt/format.h>
#include <limits>

namespace rootc::flags {

inline const CLI::Range counts(int64_t(1), int64_t(1) << 40);
inline const CLI::Range threadCounts(1, 1024);
inline const CLI::Range indices(int64_t(0), int64_t(1) << 40);

/// Numbers for which `fits`; NaN, which CLI::Range lets through, is for it to
/// refuse.
inline CLI::Validator numbersThat(bool (*fits)(double), const char *kind,
                                  const char *range) {
  auto check = [=](std::string &text) {
    double value = NAN;
    if (CLI::detail::lexical_cast(text, value) && fits(value))
      return std::string();
    return fmt::format("'{}' is not a number {}", text, range);
  };
  return {check, kind};
}
/// What kernels compute with is a float.
inline const CLI::Validator numbers = numbersThat(
    [](double value) {
      return value >= 0 && value <= std::numeric_limits<float>::max();
    },
    "NONNEGATIVE", "of at least 0, and finite as a float");
inline const CLI::Validator positiveNumbers = numbersThat(
    [](double value) {
      return float(value) > 0 && std::isfinite(float(value));
    },
    "POSITIVE", "greater than 0, and finite as a float");
inline const CLI::Validator parts =
    numbersThat([](double value) { return value >= 0 && value <= 1; }, "0 TO 1",
                "from 0 to 1");

inline const char *const dataHelp =
    "Folder of CIFAR-10's data_batch_*.bin and test_batch.bin, or of "
    "train/CLASS/... and val/CLASS/... (or test/), JPEG and PNG files";
inline const char *const deviceHelp =
    "cpu, or the number of a device, of what the model was compiled for "
    "(default: the first device, else the CPU)";
inline const char *const loaderHelp =
    "Threads that make batches ahead (default: 1; for JPEG and PNG files half "
    "of the kernels' default)";

/// The verb train, which sets `code` to the command's exit code.
void addTrain(CLI::App &app, TrainOptions &options, int &code);

} // namespace rootc::flags

#endif // ROOTC_TOOLS_ROOTRUN_FLAGS_H
