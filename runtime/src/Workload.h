//===- Workload.h - A model to be timed -------------------------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_RUNTIME_WORKLOAD_H
#define ROOTC_RUNTIME_WORKLOAD_H

#include "MemoryPlan.h"
#include "VerbSupport.h"

#include <chrono>
#include <optional>

namespace rootc {

/// A model with weights (random ones unless --weights says else) and a random
/// batch, ready to be timed. While it lives, so do its threads: time one at a
/// time.
class Workload {
public:
  /// Ready for training steps, inference or both.
  Workload(const VerbOptions &options, bool withTraining, bool withInference);

  /// Inference, or forward, backward and update.
  void run(bool training);
  /// Milliseconds of one run.
  double time(bool training);
  int64_t batchSize() const { return int64_t(batch.labels.size()); }

  Model model;
  const int64_t processBytes = residentBytes(); ///< before weights
  Weights weights;
  std::optional<Prepared> prepared; ///< for inference only
  std::shared_ptr<ThreadPool> pool;
  Session session;
  RandomBatch batch;
  MemoryPlan plan;

private:
  FloatArray logits, gradients, velocity;
};

/// While it lives, sums the time of each kernel call of one of the workload's
/// programs.
class CallProfile {
public:
  CallProfile(Workload &work, bool training);
  ~CallProfile();
  CallProfile(const CallProfile &) = delete;
  CallProfile &operator=(const CallProfile &) = delete;

  /// Milliseconds of all runs so far, a value a call.
  const std::vector<double> &sums() const { return times; }
  std::string label(size_t call) const {
    return work.model->call_labels[program][call];
  }

private:
  static void hook(void *state, int32_t program, int32_t call, int32_t phase);

  Workload &work;
  int32_t program;
  std::vector<double> times;
  std::chrono::steady_clock::time_point start;
};

} // namespace rootc

#endif // ROOTC_RUNTIME_WORKLOAD_H
