//===- Timer.h - How fast a schedule is -------------------------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_CODEGEN_TUNE_TIMER_H
#define ROOTC_CODEGEN_TUNE_TIMER_H

#include "codegen/Schedules/Point.h"
#include "codegen/Tune/Database.h"

#include <cstdio>

namespace rootc::codegen {

/// A kernel of a network, to be tuned.
struct TuneTask {
  Kernel kernel; ///< with the rule's schedule and filter layout
  std::string label;
  int64_t calls = 1; ///< of it, by one run of each program
  int64_t batch = 1;
  bool packsOnce = false;     ///< its filter: see layoutPoints()
  std::string generator = ""; ///< KernelGenerator::version()

  Schedule rule() const { return pointOf(kernel); }
  TuneProblem problem() const {
    return {problemText(kernel, packsOnce), generator};
  }
};

/// A point to be judged.
struct TimingRequest {
  const TuneTask &task;
  Schedule best;           ///< so far
  double bestRelative = 1; ///< its time by the rule's
  Schedule candidate;      ///< the rule's: the first one of a task
};

/// A candidate takes the best one's place if it needs less than this part of
/// its time; what two measurements of one kernel differ by is smaller.
inline constexpr double winningRatio = 0.98;

/// A candidate that was timed beside the rule's schedule. `difference`: of
/// their results, by the largest value.
inline Trial judge(const Schedule &candidate, double milliseconds,
                   double ruleMilliseconds, double difference,
                   double tolerance) {
  Trial trial{candidate, TrialState::Slower, milliseconds,
              milliseconds / ruleMilliseconds, ""};
  if (!(difference <= tolerance)) {
    trial.state = TrialState::Wrong;
    char text[40];
    std::snprintf(text, sizeof text, "differs by %.2g", difference);
    trial.note = text;
  }
  return trial;
}

/// Milliseconds of a kernel that has not been measured, very roughly.
double guessedMilliseconds(const TuneTask &task);

/// What a usable trial is in a database: the rule's, or better than the best so
/// far, whose time by the rule's is `bestRelative`.
inline void classify(Trial &trial, bool isRule, double bestRelative) {
  if (trial.state != TrialState::Slower)
    return;
  if (isRule)
    trial.state = TrialState::Rule;
  else if (trial.relative < winningRatio * bestRelative)
    trial.state = TrialState::Better;
}

/// Judges candidates. What it reports of one is final: `relative` is below
/// `winningRatio` times the best's only if that was measured twice.
class Timer {
public:
  virtual ~Timer() = default;
  /// What will be asked for next.
  virtual void prepare(const std::vector<TimingRequest> &) {}
  /// The state is Slower where the schedule can be used at all.
  virtual Trial time(const TimingRequest &request) = 0;
  /// Whether it takes no more requests.
  virtual bool isFull() const { return false; }
};

/// The times of an earlier search, from its database; a schedule that it has
/// not tried fails.
class RecordedTimer : public Timer {
public:
  RecordedTimer(const std::string &path, TuneMachine machine)
      : database(path, TuneDatabase::Mode::Read), machine(std::move(machine)) {}
  Trial time(const TimingRequest &request) override {
    const TuneTask &task = request.task;
    auto trial = database.find(
        database.problem(task.problem(), machine, task.batch, task.label),
        request.candidate);
    return trial ? *trial
                 : Trial{request.candidate, TrialState::Failed, 0, 0,
                         "not among the recorded times"};
  }

private:
  TuneDatabase database;
  TuneMachine machine;
};

} // namespace rootc::codegen

#endif // ROOTC_CODEGEN_TUNE_TIMER_H
