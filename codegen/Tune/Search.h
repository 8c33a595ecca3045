//===- Search.h - Which schedules are tried, in which order -----*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A climb from the rule's point of each kernel: neighbours of the best one,
// those first whose kind of change has paid elsewhere and which the cost model
// expects to be faster, and now and then a longer step. What the cost model
// expects to be much slower is not tried. Kernels have their turns by what a
// run of the network spends in them. The whole search is a function of its
// tasks, its seed and the times: a trial that the database already holds is
// taken from there, so a search that was killed goes on as if it had not been.
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_CODEGEN_TUNE_SEARCH_H
#define ROOTC_CODEGEN_TUNE_SEARCH_H

#include "codegen/CostModel.h"
#include "codegen/Tune/Moves.h"
#include "codegen/Tune/Timer.h"

#include <chrono>
#include <functional>
#include <map>
#include <set>

namespace rootc::codegen {

struct SearchOptions {
  TargetInfo target;
  TuneMachine machine;
  uint64_t seed = 0;
  bool random = false;        ///< no climb: any legal points, to compare with
  int64_t trials = INT64_MAX; ///< in all, those that are known among them
  std::chrono::seconds budget = std::chrono::hours(24 * 365);
  std::function<void(const std::string &)> progress;
};

/// What became of a task.
struct TuneResult {
  double ruleMilliseconds = 0; ///< 0: not measured
  double relative = 1;         ///< of the best schedule
  Schedule best;
  int64_t trials = 0;
};

class Search {
public:
  /// Tasks whose schedule family has no keys are left out.
  Search(std::vector<TuneTask> tasks, TuneDatabase &database, Timer &timer,
         SearchOptions options);

  /// Until the budget is spent or nothing is left to try.
  void run();

  /// Time of all tasks that were measured, by their calls: as the rules have
  /// it, and as tuned.
  double ruleMilliseconds() const;
  double bestMilliseconds() const;
  int64_t trialCount() const { return count; }
  const std::vector<TuneTask> &tasks() const { return all; }
  /// In the order of tasks().
  const std::vector<TuneResult> &results() const { return found; }

private:
  /// How often a kind of move was made, and the sum of the logarithms of what
  /// it did to the time.
  struct Experience {
    double count = 0, sum = 0;
  };
  struct State {
    int64_t problem;
    std::set<Schedule> tried; ///< or about to be
    double guess;             ///< ms, until it is measured
    int64_t sinceGain = 0;
    bool isExhausted = false;
  };
  struct Proposal {
    size_t task;
    Move move;
    double from; ///< relative time of what it was made from
  };

  std::vector<Proposal> propose(int64_t most);
  bool isOver() const;
  double weight(size_t task) const;
  std::optional<Move> next(size_t task);
  std::optional<Move> nearest(size_t task) const;
  std::optional<Move> anywhere(size_t task, std::mt19937_64 &random) const;
  double expected(const std::string &kind) const;
  double predicted(size_t task, const Schedule &point) const;
  void learn(const Proposal &proposal, const Trial &trial);
  void report(size_t task) const;

  std::vector<TuneTask> all;
  TuneDatabase &database;
  Timer &timer;
  const SearchOptions options;
  const Machine typical; ///< what costs are predicted for
  std::chrono::steady_clock::time_point begin;
  std::vector<TuneResult> found;
  std::vector<State> states;
  std::map<std::string, Experience> experience;
  int64_t count = 0;
};

} // namespace rootc::codegen

#endif // ROOTC_CODEGEN_TUNE_SEARCH_H
