//===- Comparison.cpp - Runs side by side ---------------------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Comparison.h"

#include "../VerbSupport.h"

#include <algorithm>
#include <fmt/ranges.h>
#include <set>
#include <tuple>

using namespace rootc;
using namespace rootc::report;

double rootc::report::lastError(const Run &run) {
  for (auto it = run.epochs.rbegin(); it != run.epochs.rend(); ++it)
    if (!std::isnan(it->accuracy))
      return 1 - it->accuracy;
  return NAN;
}

double rootc::report::bestError(const Run &run) {
  double best = NAN;
  for (const Epoch &epoch : run.epochs)
    best = std::fmin(best, 1 - epoch.accuracy);
  return best;
}

double rootc::report::lastTop5Error(const Run &run) {
  for (auto it = run.epochs.rbegin(); it != run.epochs.rend(); ++it)
    if (!std::isnan(it->top5))
      return 1 - it->top5;
  return NAN;
}

double rootc::report::trainingSpeed(const Run &run) {
  std::vector<double> speeds;
  for (const Epoch &epoch : run.epochs)
    if (std::isfinite(epoch.imagesPerSecond))
      speeds.push_back(epoch.imagesPerSecond);
  return speeds.empty() ? NAN : median(speeds);
}

const Measurement *
Comparison::measurementOf(const Configuration &configuration) const {
  for (size_t index : configuration.runs)
    if (runs[index].measured)
      return &*runs[index].measured;
  return nullptr;
}

bool Comparison::comparable(const Measurement &a, const Measurement &b) {
  return a.machine == b.machine && a.threads == b.threads && a.batch == b.batch;
}

/// What decides a run's result besides its model and seed. Runs of unknown
/// options are like no other.
static std::string trainingOf(const Run &run) {
  if (run.options.empty())
    return "folder " + run.path;
  std::string text = "data " + run.dataHash;
  for (const auto &[name, value] : run.options)
    if (name != "--seed" && !value.empty())
      text += fmt::format("\n{} {}", name, value);
  return text;
}

/// What a model computes, and for which machine.
static std::string networkOf(const ModelInfo &model) {
  if (!model.described)
    return model.name + "\n" + model.hash;
  std::string text = model.name + "\n" + model.target + "\n" + model.image;
  for (const Layer &layer : model.layers)
    text += fmt::format("\n{} {} {} {} {}", layer.name, layer.op, layer.groups,
                        layer.params, layer.macs);
  return text;
}

static bool isRestructured(const ModelInfo &model) {
  return model.root > 1 || !model.groups.empty();
}

static std::string labelOf(const Run &run) {
  const ModelInfo &model = run.model;
  if (model.name.empty())
    return run.name;
  std::string label = model.name;
  if (model.root > 1)
    label += fmt::format(" {}-{}", model.topology, model.root);
  if (!model.groups.empty())
    label += " " + model.groups;
  if (!model.image.empty())
    label += " " + model.image;
  return label;
}

/// Labels that several configurations share get what tells those apart.
static void tellApart(Comparison &all) {
  std::map<std::string, std::vector<Configuration *>> same;
  for (Configuration &configuration : all.configurations)
    same[configuration.label].push_back(&configuration);
  for (auto &[label, members] : same) {
    if (members.size() == 1)
      continue;
    std::vector<std::string> names;
    for (const std::string &name : all.differing) {
      std::set<std::string> values;
      for (Configuration *member : members)
        values.insert(all.runs[member->runs.front()].option(name));
      if (name != "--seed" && values.size() > 1)
        names.push_back(name);
    }
    std::map<std::string, int> seen;
    for (Configuration *member : members) {
      const Run &run = all.runs[member->runs.front()];
      std::vector<std::string> parts;
      for (const std::string &name : names) {
        std::string value = run.option(name);
        parts.push_back(fmt::format("{} {}", name.substr(2),
                                    value.empty() ? "unset" : value));
      }
      if (parts.empty() || run.options.empty())
        parts = {run.name};
      member->label += fmt::format(" ({})", fmt::join(parts, ", "));
      if (int again = ++seen[member->label]; again > 1)
        member->label += fmt::format(" #{}", again);
    }
  }
}

/// Runs are called by the last part of their path, if that tells them apart.
static void nameRuns(std::vector<Run> &runs) {
  std::map<std::string, int> counts;
  for (const Run &run : runs)
    ++counts[run.name];
  for (Run &run : runs)
    if (counts[run.name] > 1)
      run.name = run.path;
}

static void groupRuns(Comparison &all) {
  std::map<std::string, size_t> known;
  for (size_t i = 0; i < all.runs.size(); ++i) {
    const Run &run = all.runs[i];
    auto [found, added] =
        known.emplace(networkOf(run.model) + "\n\n" + trainingOf(run),
                      all.configurations.size());
    if (added)
      all.configurations.emplace_back().label = labelOf(run);
    all.configurations[found->second].runs.push_back(i);
  }
  // A network's configurations stand together, the costliest first: the
  // baseline leads.
  std::stable_sort(all.configurations.begin(), all.configurations.end(),
                   [&](const Configuration &a, const Configuration &b) {
                     const ModelInfo &first = all.modelOf(a),
                                     &second = all.modelOf(b);
                     return std::tie(first.name, second.macs) <
                            std::tie(second.name, first.macs);
                   });
}

static void summarise(Comparison &all, Configuration &configuration) {
  for (bool finished : {true, false}) {
    for (size_t index : configuration.runs) {
      const Run &run = all.runs[index];
      if (!std::isnan(lastError(run)) &&
          (!finished || run.status == Status::Finished))
        configuration.counted.push_back(index);
    }
    configuration.finished = finished && !configuration.counted.empty();
    if (configuration.finished)
      break;
  }
  auto over = [&](const std::vector<size_t> &runs, auto value) {
    std::vector<double> values;
    for (size_t index : runs)
      values.push_back(value(all.runs[index]));
    return spreadOf(values);
  };
  configuration.error = over(configuration.counted, lastError);
  configuration.bestError = over(configuration.counted, bestError);
  configuration.top5Error = over(configuration.counted, lastTop5Error);
  configuration.speed = over(configuration.runs, trainingSpeed);
  configuration.trainMilliseconds =
      over(configuration.runs,
           [](const Run &run) { return 1000 / trainingSpeed(run); });
  configuration.milliseconds = over(configuration.runs, [](const Run &run) {
    return run.measured ? run.measured->inferPerImage() : NAN;
  });
}

/// The network without groups from a flag; trained alike if there is one.
static void findBaseline(const Comparison &all, Configuration &configuration) {
  const Run &run = all.runs[configuration.runs.front()];
  if (!isRestructured(run.model))
    return;
  for (bool alike : {true, false})
    for (size_t i = 0; i < all.configurations.size(); ++i) {
      const Run &other = all.runs[all.configurations[i].runs.front()];
      if (!configuration.baseline && other.model.described &&
          !isRestructured(other.model) && other.model.name == run.model.name &&
          other.model.image == run.model.image &&
          (!alike || trainingOf(other) == trainingOf(run)))
        configuration.baseline = i;
    }
}

static void findFamilies(Comparison &all) {
  std::map<std::string, Family> families;
  for (size_t i = 0; i < all.configurations.size(); ++i) {
    const Run &run = all.runs[all.configurations[i].runs.front()];
    const ModelInfo &model = run.model;
    if (!isRestructured(model))
      continue;
    std::string kind = model.groups.empty() ? model.topology : "groups";
    Family &family = families[fmt::format("{}\n{}\n{}\n{}", model.name, kind,
                                          model.image, trainingOf(run))];
    family.label = fmt::format("{}, {}", model.name, kind);
    family.configurations.push_back(i);
  }
  for (auto &[key, family] : families) {
    std::vector<size_t> &members = family.configurations;
    // Fewer groups, more multiply-adds.
    std::stable_sort(members.begin(), members.end(), [&](size_t a, size_t b) {
      const ModelInfo &first = all.modelOf(all.configurations[a]);
      const ModelInfo &second = all.modelOf(all.configurations[b]);
      return std::pair(first.root, second.macs) <
             std::pair(second.root, first.macs);
    });
    const Configuration &first = all.configurations[members.front()];
    if (first.baseline) {
      const Run &baseline =
          all.runs[all.configurations[*first.baseline].runs.front()];
      if (trainingOf(baseline) == trainingOf(all.runs[first.runs.front()]))
        members.insert(members.begin(), *first.baseline);
    }
    all.families.push_back(family);
  }
}

static void findOptions(Comparison &all) {
  std::map<std::string, std::set<std::string>> values;
  for (const Run &run : all.runs)
    for (const auto &[name, value] : run.options)
      values[name].insert(value);
  for (const auto &[name, different] : values)
    (different.size() > 1 ? all.differing : all.common).push_back(name);
}

/// Times of a library that is not the run's any more.
static void dropOthersTimes(Run &run) {
  if (!run.measured || run.measured->modelHash == run.model.hash)
    return;
  run.measured.reset();
  run.remarks.push_back(run.path + "/measured.json: measured another library "
                                   "than the run's; it is left out (--measure "
                                   "measures again)");
}

Comparison rootc::report::compare(std::vector<Run> runs) {
  Comparison all;
  all.runs = std::move(runs);
  for (Run &run : all.runs)
    dropOthersTimes(run);
  nameRuns(all.runs);
  findOptions(all);
  groupRuns(all);
  tellApart(all);
  for (Configuration &configuration : all.configurations) {
    summarise(all, configuration);
    findBaseline(all, configuration);
  }
  findFamilies(all);
  all.warnings = warningsOf(all);
  for (const Run &run : all.runs)
    for (const std::string &remark : run.remarks)
      all.remarks.push_back(remark);
  return all;
}
