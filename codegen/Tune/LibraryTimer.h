//===- LibraryTimer.h - Times of kernels, compiled and run ------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The rule's kernel, the best so far and the candidate become one library like
// a network's, whose inference calls them in turns: on the product's thread
// pool, on buffers that lie beyond the caches of the cores, as a network's do
// by the time that they are read. Another process, rootc-time, runs it, so that
// a kernel that crashes or hangs costs one trial.
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_CODEGEN_TUNE_LIBRARYTIMER_H
#define ROOTC_CODEGEN_TUNE_LIBRARYTIMER_H

#include "codegen/Emit/KernelCompiler.h"
#include "codegen/Emit/TemporaryFolder.h"
#include "codegen/Program.h"
#include "codegen/Tune/Timer.h"

namespace rootc::codegen {

/// A model whose inference calls each kernel `copies` times, in turns, each
/// time on other buffers. The kernels are one kernel with several schedules.
/// Its description says where the buffers lie (runtime/src/KernelTimes.h).
Model timingModel(const std::vector<Kernel> &kernels, int64_t batch,
                  int64_t copies);

/// How many copies of a kernel's buffers lie beyond the caches (large ones do
/// alone, and more would come from farther than in a network); no multiple of
/// the number of kernels that have turns, so that each meets every copy.
int64_t copiesFor(const Kernel &kernel, int64_t batch, int64_t turns);

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

  void prepare(const std::vector<TimingRequest> &requests) override;
  Trial time(const TimingRequest &request) override;

private:
  struct Times {
    std::vector<double> milliseconds; ///< of each kernel, the median
    std::vector<double> difference;   ///< of results, from the first kernel's
  };
  /// Milliseconds and samples that one measurement takes at least.
  struct Effort {
    int64_t milliseconds, samples;
  };
  llvm::Expected<Times> measure(const TuneTask &task,
                                const std::vector<Schedule> &schedules,
                                Effort effort);
  llvm::Expected<Times> run(const std::string &library, Effort effort);

  LibraryTimerOptions options;
  TemporaryFolder folder;
};

} // namespace rootc::codegen

#endif // ROOTC_CODEGEN_TUNE_LIBRARYTIMER_H
