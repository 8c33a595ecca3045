//===- Tuned.cpp - Schedules that were measured ---------------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/Tune/Tuned.h"
#include "codegen/Schedules/Backend.h"
#include "codegen/Schedules/Point.h"
#include "llvm/Support/FormatVariadic.h"

#include <algorithm>
#include <exception>

namespace rootc::codegen {

TunedSchedules::TunedSchedules(const std::string &path,
                               KernelGenerator generator,
                               const TargetInfo &target, TuneMachine machine,
                               int64_t batch, const ShippedRecords &shipped)
    : path(path), generator(std::move(generator)), target(target),
      machine(std::move(machine)), batch(batch), shipped(shipped) {
  if (!path.empty())
    database.emplace(path, TuneDatabase::Mode::Read);
}

std::optional<KnownSchedule> TunedSchedules::find(const Kernel &kernel,
                                                  bool packsOnce) {
  try {
    // One that training steps share was tuned as theirs.
    std::string version = generator.version(kernel, target);
    std::vector<TuneProblem> problems = {{problemText(kernel, false), version}};
    if (packsOnce)
      problems.insert(problems.begin(), {problemText(kernel, true), version});
    if (auto known = look(problems))
      return known;
    return lookShipped(problems, kernel);
  } catch (const std::exception &error) {
    reason = error.what();
    return std::nullopt;
  }
}

double TunedSchedules::predicted(const Kernel &kernel) const {
  return predict(Problem(kernel, target),
                 typicalMachine(target, machine.threads),
                 std::max<int64_t>(batch, 1))
      .seconds();
}

/// Whether a record will do for the batch, or any, and the threads that are
/// meant. Where it was not measured so, the cost model must not expect it to be
/// slower than the rule, nor may it be Winograd's alone at large batches, whose
/// images share a filter that one image reads for itself.
bool TunedSchedules::suits(const TuneRecord &record, const TuneProblem &problem,
                           const Kernel &kernel) const {
  if (batch && machine.threads == shippedThreads)
    return true;
  if (!batch && record.batch == 1) // what many images are best at is not known
    return false;
  int64_t tile = winogradTile(record.schedule);
  if (!batch && tile != winogradTile(pointOf(kernel))) {
    auto single = shipped.find(problem, target, 1);
    if (!single || winogradTile(single->schedule) != tile)
      return false;
  }
  Kernel rule = kernel;
  rule.schedule = chooseSchedule(kernel, target);
  const double noise = 1.03;
  return predicted(atPoint(kernel, record.schedule)) <= noise * predicted(rule);
}

std::optional<KnownSchedule>
TunedSchedules::lookShipped(const std::vector<TuneProblem> &problems,
                            const Kernel &kernel) const {
  if (backendOf(target).device)
    return std::nullopt;
  for (const TuneProblem &problem : problems) {
    auto record = shipped.find(problem, target, batch);
    if (record && suits(*record, problem, kernel))
      return KnownSchedule{
          record->schedule,
          llvm::formatv("record {0} that comes with rootc, {1:F3} of the "
                        "rule's time at batch {2}",
                        record->trial, record->relative, record->batch)};
  }
  return std::nullopt;
}

std::optional<KnownSchedule>
TunedSchedules::look(const std::vector<TuneProblem> &problems) {
  if (!database)
    return std::nullopt;
  std::vector<TuneDatabase::Other> others;
  bool isOfOtherBatch = false;
  for (const TuneProblem &problem : problems) {
    if (auto record = database->record(problem, machine, batch))
      return KnownSchedule{
          record->schedule,
          llvm::formatv("record {0}, {1:F3} of the rule's time at batch {2}",
                        record->trial, record->relative, record->batch)};
    isOfOtherBatch |= batch && database->record(problem, machine, 0);
    for (TuneDatabase::Other &other : database->others(problem, machine))
      others.push_back(std::move(other));
  }
  // Of several reasons the one that stands against most.
  auto isNone = [&](auto isAlike) {
    return std::none_of(others.begin(), others.end(), isAlike);
  };
  using Other = TuneDatabase::Other;
  const std::string &version = problems.front().generator;
  if (isOfOtherBatch)
    ++otherBatch;
  else if (others.empty())
    return std::nullopt;
  else if (isNone([&](const Other &other) {
             return other.machine.target == machine.target;
           }))
    ++otherTarget;
  else if (isNone([&](const Other &other) {
             return other.machine.cpu == machine.cpu;
           }))
    ++otherCpu;
  else if (isNone(
               [&](const Other &other) { return other.generator == version; }))
    ++otherGenerator;
  else
    ++otherThreads;
  return std::nullopt;
}

std::string TunedSchedules::remark() const {
  std::string text;
  auto add = [&](int64_t count, const char *why) {
    if (count)
      text += (text.empty() ? "" : "; ") + std::to_string(count) +
              (count == 1 ? " kernel has a record" : " kernels have records") +
              " of " + why;
  };
  add(otherGenerator, "another version of the kernel generator");
  add(otherTarget, "another --target");
  add(otherCpu, "another CPU or device");
  add(otherThreads, "another number of threads");
  add(otherBatch, "another size of batch");
  return text.empty() ? ""
                      : path + ": " + text +
                            ", which were not used; rootc-tune makes new ones";
}

} // namespace rootc::codegen
