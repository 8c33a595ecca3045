//===- LibraryTimer.h - Times of kernels, compiled and run ------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Another process, rootc-time, runs the libraries, so that a kernel that
// crashes or hangs costs one trial.
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_CODEGEN_TUNE_LIBRARYTIMER_H
#define ROOTC_CODEGEN_TUNE_LIBRARYTIMER_H

#include "codegen/Tune/TimingLibrary.h"

namespace rootc::codegen {

struct LibraryTimerOptions {
  TargetInfo target;
  KernelCompilerOptions compiler; ///< target and kind are set here
  std::string timingProgram;      ///< path of rootc-time
  int64_t threads = 1;
};

class LibraryTimer : public Timer {
public:
  /// Throws std::runtime_error if there is no place for intermediate files.
  explicit LibraryTimer(LibraryTimerOptions options);

  void prepare(const std::vector<TimingRequest> &requests) override {
    libraries.prepare(requests);
  }
  Trial time(const TimingRequest &request) override;
  /// The name of the CPU's model, or, of a target that has one, of the device
  /// on which a task's kernel runs.
  llvm::Expected<std::string> machine(const TuneTask &task);

private:
  struct Times {
    std::vector<double> milliseconds; ///< of each kernel, the median
    std::vector<double> difference;   ///< of results, from the first kernel's
    std::string machine;
  };
  /// Milliseconds and samples that one measurement takes at least.
  struct Effort {
    int64_t milliseconds, samples;
  };
  llvm::Expected<Times> measure(const TuneTask &task,
                                const std::vector<Schedule> &points,
                                Effort effort);
  llvm::Expected<Times> run(const std::string &library, Effort effort);

  LibraryTimerOptions options;
  TimingLibraries libraries;
};

} // namespace rootc::codegen

#endif // ROOTC_CODEGEN_TUNE_LIBRARYTIMER_H
