//===- Warnings.cpp - Why numbers may not compare -------------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Comparison.h"

#include <fmt/ranges.h>
#include <set>

using namespace rootc;
using namespace rootc::report;

using Warnings = std::vector<std::string>;

static void warnOfData(const Comparison &all, Warnings &warnings) {
  std::map<std::string, std::vector<std::string>> names;
  for (const Run &run : all.runs)
    if (!run.dataHash.empty())
      names[run.dataHash].push_back(run.name);
  if (names.size() < 2)
    return;
  std::vector<std::string> parts;
  for (const auto &[hash, users] : names)
    parts.push_back(fmt::format("{} (hash {})", fmt::join(users, ", "), hash));
  warnings.push_back(fmt::format("The runs were trained on different data, so "
                                 "their errors do not compare: {}.",
                                 fmt::join(parts, "; ")));
}

static void warnOfOptions(const Comparison &all, Warnings &warnings) {
  std::vector<std::string> options;
  for (const std::string &name : all.differing)
    if (name != "--seed")
      options.push_back(name);
  if (!options.empty())
    warnings.push_back(fmt::format(
        "The runs differ in more than their network and seed: {} (see "
        "Options). Only runs trained alike are joined by lines.",
        fmt::join(options, ", ")));
}

static void warnOfMachines(const Comparison &all, Warnings &warnings) {
  const Measurement *first = nullptr;
  bool mixed = false;
  for (const Run &run : all.runs)
    if (run.measured) {
      first = first ? first : &*run.measured;
      mixed |= !Comparison::comparable(*first, *run.measured);
    }
  if (mixed)
    warnings.emplace_back(
        "Times were measured on different machines, or with different threads "
        "or batches, and do not compare; --measure measures all runs "
        "together.");
  std::set<std::string> places;
  for (const Run &run : all.runs)
    if (!run.machine.empty())
      places.insert(fmt::format("{}, {}", run.machine, run.threads));
  if (places.size() > 1)
    warnings.emplace_back(
        "The runs were trained on different machines or with different "
        "threads: training times do not compare.");
}

static void warnOfSeeds(const Comparison &all, Warnings &warnings) {
  for (const Configuration &configuration : all.configurations) {
    std::map<std::string, std::string> seeds;
    for (size_t index : configuration.runs) {
      const Run &run = all.runs[index];
      auto [found, added] = seeds.emplace(run.option("--seed"), run.name);
      if (!added)
        warnings.push_back(fmt::format(
            "{} and {} have the same configuration and the same seed: as two "
            "runs they make its spread look smaller than it is.",
            found->second, run.name));
    }
  }
}

static void warnOfEpochs(const Run &run, Warnings &warnings) {
  if (run.epochs.empty()) {
    warnings.push_back(fmt::format("{} has no completed epoch.", run.name));
    return;
  }
  if (run.status == Status::Diverged)
    warnings.push_back(fmt::format("{} diverged: its last epoch has no finite "
                                   "loss; it does not count as finished.",
                                   run.name));
  else if (run.status != Status::Finished)
    warnings.push_back(fmt::format("{} is not finished: {} of {} epochs.",
                                   run.name, run.epochs.back().epoch,
                                   run.plannedEpochs > 0
                                       ? fmt::format("{}", run.plannedEpochs)
                                       : "an unknown number of"));
  int64_t broken = 0;
  double skipped = 0, testSkipped = 0;
  for (const Epoch &epoch : run.epochs) {
    broken += std::isnan(epoch.loss) ||
              (std::isnan(epoch.testLoss) && !std::isnan(epoch.accuracy));
    skipped = std::fmax(skipped, epoch.skipped);
    testSkipped = std::fmax(testSkipped, epoch.testSkipped);
  }
  if (broken)
    warnings.push_back(
        fmt::format("{}: {} of {} epochs have no finite loss; the curves "
                    "have gaps there.",
                    run.name, broken, run.epochs.size()));
  if (skipped + testSkipped > 0)
    warnings.push_back(fmt::format(
        "{}: up to {} training images and {} test images of an epoch could "
        "not be read; its errors are those of the others.",
        run.name, compact(skipped), compact(testSkipped)));
}

Warnings rootc::report::warningsOf(const Comparison &all) {
  Warnings warnings;
  warnOfData(all, warnings);
  warnOfOptions(all, warnings);
  warnOfMachines(all, warnings);
  warnOfSeeds(all, warnings);
  for (const Run &run : all.runs)
    warnOfEpochs(run, warnings);
  return warnings;
}
