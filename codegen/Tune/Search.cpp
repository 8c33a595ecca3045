//===- Search.cpp - Which schedules are tried, in which order -------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/Tune/Search.h"
#include "codegen/KernelWork.h"
#include "codegen/Schedules/Backend.h"
#include "llvm/Support/xxhash.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace rootc::codegen {

namespace {

/// Schedules that are proposed, and compiled, at a time.
constexpr int64_t window = 8;
/// Every so many trials of a task one is a longer step.
constexpr int64_t longSteps = 5;
/// What one trial says of its kind is cut to this, in logarithms.
constexpr double mostLearnt = 0.4;
/// What is predicted to take longer by more than this is not tried, and how
/// much a prediction counts beside what trials said; in logarithms.
constexpr double mostLoss = 0.4, trust = 0.3;

} // namespace

double guessedMilliseconds(const TuneTask &task) {
  KernelWork work = workOf(task.kernel);
  double bytes = work.read.of(task.batch) + work.written.of(task.batch);
  return double(task.batch * work.multiplyAdds) / 1e8 + bytes / 2e7 + 0.01;
}

Search::Search(std::vector<TuneTask> tasks, TuneDatabase &database,
               Timer &timer, SearchOptions options)
    : database(database), timer(timer), options(std::move(options)),
      typical(
          typicalMachine(this->options.target, this->options.machine.threads)) {
  for (TuneTask &task : tasks) {
    if (task.kernel.schedule.empty())
      continue;
    states.push_back({database.problem(task.problem(), this->options.machine,
                                       task.batch, task.label),
                      {},
                      guessedMilliseconds(task)});
    found.push_back({});
    found.back().best = task.rule();
    all.push_back(std::move(task));
  }
}

double Search::ruleMilliseconds() const {
  double sum = 0;
  for (size_t i = 0; i < all.size(); ++i)
    sum += double(all[i].calls) * found[i].ruleMilliseconds;
  return sum;
}

double Search::bestMilliseconds() const {
  double sum = 0;
  for (size_t i = 0; i < all.size(); ++i)
    sum += double(all[i].calls) * found[i].ruleMilliseconds * found[i].relative;
  return sum;
}

bool Search::isOver() const {
  return count >= options.trials || timer.isFull() ||
         std::chrono::steady_clock::now() - begin >= options.budget;
}

/// The more a task takes, and the less has been tried since it last became
/// faster, the sooner it has its turn.
double Search::weight(size_t task) const {
  double time = found[task].ruleMilliseconds > 0
                    ? found[task].ruleMilliseconds * found[task].relative
                    : states[task].guess;
  return double(all[task].calls) * time /
         double(1 + found[task].trials + states[task].sinceGain);
}

/// The logarithm of what a kind of move is expected to do to the time: the mean
/// of what it did, drawn to a small gain where little is known.
double Search::expected(const std::string &kind) const {
  const double hope = -0.02;
  auto known = experience.find(kind);
  return known == experience.end()
             ? hope
             : (hope + known->second.sum) / (1 + known->second.count);
}

/// The logarithm of the seconds that the cost model says; 0 of a device's,
/// which it does not know.
double Search::predicted(size_t task, const Schedule &point) const {
  if (backendOf(options.target).device)
    return 0;
  Kernel kernel = atPoint(all[task].kernel, point);
  return std::log(
      predict(Problem(kernel, options.target), typical, all[task].batch)
          .seconds());
}

/// The most promising neighbour of a task's best point, if one is worth a
/// trial.
std::optional<Move> Search::nearest(size_t task) const {
  Problem problem(all[task].kernel, options.target);
  const TuneResult &result = found[task];
  double before = predicted(task, result.best), least = 0;
  std::optional<Move> best;
  for (Move &move : neighbours(problem, result.best, all[task].packsOnce)) {
    if (states[task].tried.count(move.point))
      continue;
    double change = predicted(task, move.point) - before,
           score = expected(move.kind) + trust * change;
    if (change < mostLoss && (!best || score < least)) {
      least = score;
      best = std::move(move);
    }
  }
  return best;
}

/// A long walk from the rule's point, whatever is expected of where it ends.
std::optional<Move> Search::anywhere(size_t task,
                                     std::mt19937_64 &random) const {
  const int walks = 10, steps = 4; // of two or three keys each
  Problem problem(all[task].kernel, options.target);
  for (int walk = 0; walk < walks; ++walk) {
    Move move{all[task].rule(), ""};
    for (int step = 0; step < steps; ++step)
      if (auto next =
              randomMove(problem, move.point, all[task].packsOnce, random))
        move = std::move(*next);
    if (!states[task].tried.count(move.point))
      return move;
  }
  return std::nullopt;
}

/// What to try next; nothing if there is nothing.
std::optional<Move> Search::next(size_t task) {
  State &state = states[task];
  const TuneResult &result = found[task];
  if (state.tried.empty())
    return Move{all[task].rule(), ""};
  if (result.ruleMilliseconds == 0)
    return std::nullopt; // until the rule's is known
  std::mt19937_64 random(options.seed ^ llvm::xxh3_64bits(all[task].label) ^
                         state.tried.size());
  if (options.random)
    return anywhere(task, random);
  if (int64_t(state.tried.size()) % longSteps != 0)
    if (auto move = nearest(task))
      return move;
  Problem problem(all[task].kernel, options.target);
  double best = predicted(task, result.best);
  const int most = 30;
  for (int i = 0; i < most; ++i) {
    auto move = randomMove(problem, result.best, all[task].packsOnce, random);
    if (move && !state.tried.count(move->point) &&
        predicted(task, move->point) - best < mostLoss)
      return move;
  }
  return std::nullopt;
}

std::vector<Search::Proposal> Search::propose(int64_t most) {
  std::vector<Proposal> proposals;
  std::set<size_t> waiting; // for the answer on their rule, or for good
  while (int64_t(proposals.size()) < most) {
    size_t chosen = all.size();
    for (size_t i = 0; i < all.size(); ++i)
      if (!states[i].isExhausted && !waiting.count(i) &&
          (chosen == all.size() || weight(i) > weight(chosen)))
        chosen = i;
    if (chosen == all.size())
      break;
    auto move = next(chosen);
    if (!move) {
      // With an answer outstanding there may be more later.
      if (found[chosen].ruleMilliseconds > 0 &&
          int64_t(states[chosen].tried.size()) == found[chosen].trials)
        states[chosen].isExhausted = true;
      waiting.insert(chosen);
      continue;
    }
    states[chosen].tried.insert(move->point);
    // So that the next proposal is another task's, if that has more to gain.
    ++states[chosen].sinceGain;
    proposals.push_back({chosen, std::move(*move), found[chosen].relative});
  }
  return proposals;
}

void Search::learn(const Proposal &proposal, const Trial &trial) {
  if (proposal.move.kind.empty())
    return;
  bool isUsable =
      trial.state != TrialState::Failed && trial.state != TrialState::Wrong;
  double change =
      isUsable ? std::log(trial.relative / proposal.from) : mostLearnt;
  Experience &known = experience[proposal.move.kind];
  ++known.count;
  known.sum += std::clamp(change, -mostLearnt, mostLearnt);
}

void Search::report(size_t task) const {
  if (!options.progress)
    return;
  char text[160];
  double before = ruleMilliseconds(), after = bestMilliseconds();
  std::snprintf(text, sizeof text,
                "%lld trials, %.1f ms of kernels now %.1f (%.3f times as fast)",
                static_cast<long long>(count), before, after,
                after > 0 ? before / after : 1.0);
  std::string line = text;
  auto left = std::chrono::duration_cast<std::chrono::seconds>(
                  begin + options.budget - std::chrono::steady_clock::now())
                  .count();
  if (options.trials != INT64_MAX)
    line += ", " + std::to_string(options.trials - count) + " trials left";
  else
    line += ", " + std::to_string(std::max<int64_t>(left, 0)) + " s left";
  options.progress(line + "; " + all[task].label);
}

void Search::run() {
  begin = std::chrono::steady_clock::now();
  while (!isOver()) {
    std::vector<Proposal> proposals =
        propose(std::min(window, options.trials - count));
    if (proposals.empty())
      return;
    std::vector<TimingRequest> requests;
    auto requestOf = [&](const Proposal &proposal) {
      const TuneResult &result = found[proposal.task];
      return TimingRequest{all[proposal.task], result.best, result.relative,
                           proposal.move.point};
    };
    for (const Proposal &proposal : proposals)
      if (!database.find(states[proposal.task].problem, proposal.move.point))
        requests.push_back(requestOf(proposal));
    if (!requests.empty())
      timer.prepare(requests);
    for (const Proposal &proposal : proposals) {
      if (isOver())
        return;
      State &state = states[proposal.task];
      TuneResult &result = found[proposal.task];
      bool isRule = proposal.move.point == all[proposal.task].rule();
      auto trial = database.find(state.problem, proposal.move.point);
      if (!trial) {
        trial = timer.time(requestOf(proposal));
        classify(*trial, isRule, result.relative);
        database.add(state.problem, *trial);
      }
      ++count;
      ++result.trials;
      learn(proposal, *trial);
      if (trial->state == TrialState::Rule)
        result.ruleMilliseconds = trial->milliseconds;
      else if (isRule)
        state.isExhausted = true; // nothing to compare with
      if (trial->state == TrialState::Better &&
          trial->relative < winningRatio * result.relative) {
        result.relative = trial->relative;
        result.best = trial->schedule;
        state.sinceGain = 0;
      }
      report(proposal.task);
    }
  }
}

} // namespace rootc::codegen
