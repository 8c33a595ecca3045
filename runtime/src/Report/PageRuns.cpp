//===- PageRuns.cpp - Runs, options, covariance maps ----------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "PageParts.h"

#include <algorithm>
#include <set>

using namespace rootc;
using namespace rootc::report;

static std::string topologyOf(const ModelInfo &model) {
  if (model.root > 1)
    return fmt::format("{}-{}", model.topology, model.root);
  return model.described ? "as written" : "not known";
}

static void textCell(Markup &markup, const std::string &text,
                     const std::string &note = "", const char *style = "text") {
  auto cell = markup.in("td", {{"class", style}});
  writeName(markup, text);
  if (!note.empty())
    markup.leaf("small", note);
}

/// What tells a run's training from others', a line each.
static void writeDifferences(Markup &markup, const Comparison &all,
                             const Run &run) {
  auto cell = markup.in("td", {{"class", "text"}});
  for (const std::string &name : all.differing)
    if (name != "--seed" && name != "--epochs")
      markup.leaf(
          "small",
          fmt::format("{} {}", name.substr(2),
                      run.option(name).empty() ? "–" : run.option(name)));
}

static bool differInOptions(const Comparison &all) {
  return std::any_of(all.differing.begin(), all.differing.end(),
                     [](const std::string &name) {
                       return name != "--seed" && name != "--epochs";
                     });
}

static void writeRun(Markup &markup, const Comparison &all, const Run &run,
                     bool top5) {
  auto row = markup.in("tr");
  {
    auto name = markup.in("th", {{"scope", "row"}});
    writeName(markup, run.name);
    markup.leaf("small", statusText(run.status));
  }
  std::string groups = run.model.groupList();
  textCell(markup,
           fmt::format("{}, {}",
                       run.model.name.empty() ? "not known" : run.model.name,
                       topologyOf(run.model)),
           groups);
  numberCell(markup, run.model.described ? double(run.model.params) : NAN,
             compact(double(run.model.params)));
  numberCell(markup, run.model.described ? double(run.model.macs) : NAN,
             compact(double(run.model.macs)));
  double accuracy = 1 - lastError(run);
  numberCell(markup, accuracy, percent(accuracy),
             "best " + percent(1 - bestError(run)));
  double testLoss = run.epochs.empty() ? NAN : run.epochs.back().testLoss;
  numberCell(markup, testLoss, significant(testLoss));
  if (top5)
    numberCell(markup, 1 - lastTop5Error(run), percent(1 - lastTop5Error(run)));
  double speed = trainingSpeed(run);
  std::string threads = run.threads ? plural(run.threads, "thread") : "";
  numberCell(markup, speed, significant(speed), threads);
  const auto &measured = run.measured;
  numberCell(markup, measured ? measured->inferPerImage() : NAN,
             measured ? significant(measured->inferPerImage()) : "",
             measured ? fmt::format("batch {}, {}", measured->batch,
                                    plural(measured->threads, "thread"))
                      : "");
  int64_t done = run.epochs.empty() ? 0 : run.epochs.back().epoch;
  numberCell(markup, double(done), fmt::format("{}", done),
             run.plannedEpochs > 0 && done != run.plannedEpochs
                 ? fmt::format("of {}", run.plannedEpochs)
                 : "");
  std::string seed = run.option("--seed");
  textCell(markup, seed.empty() ? "–" : seed, "", "seed");
  if (differInOptions(all))
    writeDifferences(markup, all, run);
}

void rootc::report::writeRuns(Markup &markup, const Comparison &all) {
  auto section = openSection(markup, "runs", "Runs");
  bool top5 = std::any_of(all.runs.begin(), all.runs.end(), [](const Run &run) {
    return !std::isnan(lastTop5Error(run));
  });
  std::vector<std::string> headings = {"Run",
                                       "Network",
                                       "#Parameters",
                                       "#Multiply-adds",
                                       "#Test accuracy, %",
                                       "#Test loss"};
  if (top5)
    headings.emplace_back("#Top-5, %");
  headings.insert(
      headings.end(),
      {"#Training, images/s", "#Inference, ms an image", "#Epochs", "Seed"});
  if (differInOptions(all))
    headings.emplace_back("Trained with");
  Table table(markup, "Runs", headings, /*sortable=*/true);
  for (const Run &run : all.runs)
    writeRun(markup, all, run, top5);
}

/// "value (in a, b); other (in c)"
static std::string valuesOf(const Comparison &all, const std::string &name) {
  std::map<std::string, std::vector<std::string>> users;
  for (const Run &run : all.runs) {
    auto found = run.options.find(name);
    if (found != run.options.end())
      users[found->second].push_back(run.name);
  }
  std::string text;
  for (const auto &[value, names] : users) {
    text += text.empty() ? "" : "; ";
    text += value.empty() ? "none" : value;
    if (users.size() == 1)
      break;
    text += " (";
    for (size_t i = 0; i < names.size(); ++i)
      text += (i ? ", " : "") + names[i];
    text += ")";
  }
  return text;
}

void rootc::report::writeOptions(Markup &markup, const Comparison &all) {
  bool different =
      std::any_of(all.differing.begin(), all.differing.end(),
                  [](const std::string &name) { return name != "--seed"; });
  auto section = openSection(
      markup, "options", "Options",
      all.runs.size() == 1 ? "What the run was trained with."
      : different ? "What the runs were trained with. They differ in more than "
                    "network and seed."
                  : "What the runs were trained with. They differ in nothing "
                    "but network and seed, where this is known.");
  size_t unknown =
      size_t(std::count_if(all.runs.begin(), all.runs.end(),
                           [](const Run &run) { return run.options.empty(); }));
  if (unknown)
    markup.leaf("p", fmt::format("{} of {} runs do not say: they have neither "
                                 "run.json nor a checkpoint.",
                                 unknown, all.runs.size()));
  Table table(markup, "Options", {"Option", "Value"}, /*sortable=*/false);
  for (const auto *names : {&all.differing, &all.common})
    for (const std::string &name : *names) {
      auto row = markup.in("tr");
      {
        auto head = markup.in("th", {{"scope", "row"}});
        markup.leaf("code", name);
      }
      textCell(markup, valuesOf(all, name), "",
               names == &all.differing && name != "--seed" ? "differs"
                                                           : "same");
    }
  std::map<std::string, std::string> places;
  for (const Run &run : all.runs) {
    if (!run.dataHash.empty())
      places[run.dataHash +
             (run.dataPath.empty() ? "" : ", " + run.dataPath)] += "";
  }
  for (const auto &[place, nothing] : places) {
    auto row = markup.in("tr");
    markup.leaf("th", {{"scope", "row"}}, "data");
    textCell(markup, place, "", places.size() > 1 ? "differs" : "same");
  }
  std::set<std::string> machines;
  for (const Run &run : all.runs)
    if (!run.machine.empty())
      machines.insert(
          fmt::format("{}; {}", run.machine, plural(run.threads, "thread")));
  for (const std::string &machine : machines) {
    auto row = markup.in("tr");
    markup.leaf("th", {{"scope", "row"}}, "trained on");
    textCell(markup, machine, "", machines.size() > 1 ? "differs" : "same");
  }
}

static void writeMap(Markup &markup, const Run &run, const Covariance &result,
                     const CovarianceMap &map) {
  auto figure = markup.in("figure", {{"class", "card"}});
  {
    auto caption = markup.in("figcaption");
    writeName(markup, run.name);
    markup.text(
        fmt::format(": {} and {}, {}", result.layerA, result.layerB, map.kind));
    std::string detail;
    if (std::isfinite(map.ratio))
      detail = fmt::format(
          "Inside the {} blocks over outside: {} (mean magnitude {} over {}). ",
          result.blocks, significant(map.ratio), significant(map.inside),
          significant(map.outside));
    else if (std::isfinite(map.inside))
      detail = fmt::format("Mean magnitude {}. ", significant(map.inside));
    markup.leaf("small", fmt::format("{}{} images, {} split.", detail,
                                     grouped(result.images), result.split));
  }
  if (map.picture.empty()) {
    markup.leaf("p", {{"class", "soft"}}, "The folder holds no picture.");
    return;
  }
  markup.empty(
      "img",
      {{"class", map.mediaType == "image/png" ? "pixels" : "drawing"},
       {"alt", fmt::format("Heat map of the {} covariance between {} and {} of "
                           "{}",
                           map.kind, result.layerA, result.layerB, run.name)},
       {"src", "data:" + map.mediaType + ";base64," + base64(map.picture)}});
}

void rootc::report::writeCovariances(Markup &markup, const Comparison &all) {
  bool any = std::any_of(all.runs.begin(), all.runs.end(), [](const Run &run) {
    return !run.covariances.empty();
  });
  if (!any)
    return;
  auto section = openSection(
      markup, "covariance", "Covariance between layers",
      "Responses of two adjacent layers. Where groups matter, covariance lies "
      "in blocks on the diagonal.");
  auto maps = markup.in("div", {{"class", "maps"}});
  for (const Run &run : all.runs)
    for (const Covariance &result : run.covariances)
      for (const CovarianceMap &map : result.maps)
        writeMap(markup, run, result, map);
}
