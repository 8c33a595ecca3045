//===- KernelBundle.h - Kernels timed on another machine --------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A folder that `rootc-tune --bundle` filled (codegen/Tune/Bundle): libraries
// of KernelTimes, and jobs.jsonl, in which a line is
//
//   {"library": "12.so", ...}
//
// and says more to rootc-tune. What was measured goes to times.jsonl, a line a
// job, in the order in which it was done:
//
//   {"job": 12, "milliseconds": [1.2, 1.1], ...}
//
// the job being the number of its line, from 0 on, and the rest the answer of
// KernelTimes.
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_RUNTIME_KERNELBUNDLE_H
#define ROOTC_RUNTIME_KERNELBUNDLE_H

#include <functional>
#include <string>

namespace rootc {

struct BundleOptions {
  std::string folder;
  int threads = 0; ///< 0: defaultThreads()
  /// Told how many jobs are done, and of how many.
  std::function<void(size_t, size_t)> progress;
};

/// Times every library that has no answer yet, each in a process of its own, so
/// that one that crashes or hangs costs its job. What beats the rule's schedule
/// is measured again, and the worse of both counts. May be killed at any time
/// and run again. Throws an Error that names the file.
void timeBundle(const BundleOptions &options);

} // namespace rootc

#endif // ROOTC_RUNTIME_KERNELBUNDLE_H
