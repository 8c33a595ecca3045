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
  /// The batch's images; on a device by turns with a copy, which goes up
  /// meanwhile as in training.
  const float *nextImages();

  FloatArray logits, gradients, velocity, sameImages;
  ImagesAhead ahead;
  bool turn = false;
  std::vector<std::unique_ptr<DeviceCopy>> onDevice; ///< of training
};

/// While it lives, sums the time of each kernel call of inference, or of a
/// training step with its update.
class CallProfile {
public:
  /// Microseconds since the first run began.
  struct Interval {
    double begin, end;
  };
  struct Event {
    size_t call;
    Interval time;
  };
  /// Of a call on the workload's batch; bytes.
  struct Work {
    double multiplyAdds, read, written;
  };

  /// `keepsEvents`: also when each call of each run was.
  CallProfile(Workload &work, bool training, bool keepsEvents = false);
  ~CallProfile();
  CallProfile(const CallProfile &) = delete;
  CallProfile &operator=(const CallProfile &) = delete;

  /// One run of the workload.
  void run();

  size_t calls() const { return times.size(); }
  /// Milliseconds of all runs so far, a value a call.
  const std::vector<double> &sums() const { return times; }
  std::string label(size_t call) const;
  Work work(size_t call) const;
  /// In the order of time.
  const std::vector<Event> &events() const { return calledAt; }
  const std::vector<Interval> &runs() const { return ranAt; }

private:
  using Clock = std::chrono::steady_clock;

  static void hook(void *state, int32_t program, int32_t call, int32_t phase);
  double microseconds(Clock::time_point time) const;
  /// A program and one of its calls.
  std::pair<int32_t, size_t> place(size_t call) const;

  Workload &workload;
  const bool training, keepsEvents;
  const size_t updateBegins; ///< among the calls
  std::vector<double> times;
  std::vector<Event> calledAt;
  std::vector<Interval> ranAt;
  std::optional<Clock::time_point> firstRun;
  Clock::time_point start;
};

} // namespace rootc

#endif // ROOTC_RUNTIME_WORKLOAD_H
