//===- PageCosts.cpp - Errors against costs -------------------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "PageParts.h"

#include <fmt/ranges.h>
#include <functional>
#include <set>

using namespace rootc;
using namespace rootc::report;

namespace {
/// One of the paper's plots.
struct CostPlot {
  std::string title, subtitle, xName, xUnit;
  std::string reason, command; ///< where no configuration has the cost
  /// The cost of a configuration; NaN: not known.
  std::function<double(const Configuration &)> cost;
};
} // namespace

static ScatterPoint pointOf(const Comparison &all, const Configuration &one,
                            const CostPlot &plot) {
  ScatterPoint point;
  point.x = plot.cost(one);
  point.y = 100 * one.error->mean;
  point.deviation = 100 * one.error->deviation;
  for (size_t run : one.counted)
    point.each.push_back(100 * lastError(all.runs[run]));
  point.hollow = !one.finished;
  point.label = one.label;
  point.tip =
      fmt::format("{}: {}{} {}, test error {} %{}", one.label, compact(point.x),
                  plot.xUnit.empty() ? "" : " " + plot.xUnit, plot.xName,
                  percentText(one.error), one.finished ? "" : ", not finished");
  return point;
}

/// A line under a plot, if there are any of these.
static void writeLeftOut(Markup &markup, const char *why,
                         const std::vector<std::string> &labels) {
  if (!labels.empty())
    markup.leaf("p", {{"class", "under"}},
                fmt::format("{}: {}.", why, fmt::join(labels, ", ")));
}

static void writePlot(Markup &markup, const Comparison &all,
                      const CostPlot &plot) {
  Scatter chart{plot.title, plot.xName, plot.xUnit, "test error, %", {}, {}};
  std::map<size_t, size_t> points; // configuration -> point
  std::vector<std::string> withoutCost, withoutError;
  for (size_t i = 0; i < all.configurations.size(); ++i) {
    const Configuration &one = all.configurations[i];
    if (!one.error || !std::isfinite(plot.cost(one))) {
      (one.error ? withoutCost : withoutError).push_back(one.label);
      continue;
    }
    points[i] = chart.points.size();
    chart.points.push_back(pointOf(all, one, plot));
    chart.points.back().series = i;
  }
  if (chart.points.empty()) {
    if (withoutCost.empty())
      writeMissing(markup, plot.title, "No run has a test error yet.");
    else
      writeMissing(markup, plot.title, plot.reason, plot.command);
    return;
  }
  if (chart.points.size() == 1) {
    writeMissing(markup, plot.title,
                 chart.points.front().tip + ". One point is no plot.");
    auto box = markup.in("div");
    writeLeftOut(markup, "Not drawn, its cost is not known", withoutCost);
    writeLeftOut(markup, "Not drawn, no test error yet", withoutError);
    return;
  }
  for (const Family &family : all.families) {
    std::vector<size_t> line;
    for (size_t member : family.configurations)
      if (points.count(member))
        line.push_back(points[member]);
    chart.lines.push_back(line);
  }
  auto figure = markup.in("figure", {{"class", "card"}});
  {
    auto caption = markup.in("figcaption");
    markup.text(plot.title);
    markup.leaf("small", plot.subtitle);
  }
  size_t unlabelled = chart.draw(markup);
  if (unlabelled)
    markup.leaf("p", {{"class", "under"}},
                fmt::format("Without a label, for want of room: {}; point at "
                            "them, or see the table above.",
                            plural(int64_t(unlabelled), "point")));
  writeLeftOut(markup, "Not drawn, its cost is not known", withoutCost);
  writeLeftOut(markup, "Not drawn, no test error yet", withoutError);
}

/// Where the times of inference were measured: "CPU (2 cores), 2 threads,
/// batch 32, median of 10 runs, 2026-01-31T12:00:00Z".
static std::string inferenceConditions(const Comparison &all) {
  std::set<std::string> texts;
  for (const Run &run : all.runs)
    if (const auto &measured = run.measured)
      texts.insert(fmt::format(
          "{} ({}), {}, batch {}, median of {}, {}", measured->machine.cpu,
          plural(measured->machine.cores, "core"),
          plural(measured->threads, "thread"), measured->batch,
          plural(int64_t(measured->infer.ms.size()), "run"),
          measured->measured));
  return fmt::format("{}", fmt::join(texts, "; "));
}

static std::string trainingConditions(const Comparison &all) {
  std::set<std::string> texts;
  for (const Run &run : all.runs)
    if (!std::isnan(trainingSpeed(run)))
      texts.insert(run.machine.empty()
                       ? "a machine that the run does not name"
                       : fmt::format("{}, {}, batch {}", run.machine,
                                     plural(run.threads, "thread"),
                                     run.option("--batch")));
  return fmt::format("{}", fmt::join(texts, "; "));
}

void rootc::report::writeHow(Markup &markup, const Comparison &all) {
  std::string text;
  if (std::string where = inferenceConditions(all); !where.empty())
    text +=
        "Inference: by --measure on random images, one library at a time, "
        "each in three turns with a pause before and a run that warms up; " +
        where + ". ";
  if (std::string where = trainingConditions(all); !where.empty())
    text += "Training: the median over a run's epochs of its metrics' images a "
            "second (forward, backward and update, with the wait for data); " +
            where + ".";
  if (!text.empty())
    markup.leaf("p", {{"class", "under"}}, "How times were measured. " + text);
}

void rootc::report::writeCosts(Markup &markup, const Comparison &all) {
  // The summary says all of one configuration.
  if (all.configurations.size() < 2)
    return;
  auto section = openSection(
      markup, "costs", "Error against cost",
      "Nearer to the lower left corner is better. A point is a configuration, "
      "the mean of its runs (small dots) with one standard deviation; hollow "
      "if not finished. Lines join one network, trained alike, in the order of "
      "its groups.");
  const char *undescribed =
      "The runs do not say what their networks cost: they were trained by an "
      "older rootrun. Pass the library that they were trained with.";
  std::string pass = "rootrun report RUN... --model NET.so";
  auto modelCost = [&](int64_t ModelInfo::*value) {
    return [&all, value](const Configuration &one) {
      const ModelInfo &model = all.modelOf(one);
      return model.described ? double(model.*value) : NAN;
    };
  };
  const CostPlot plots[] = {
      {"Error against parameters", "Weights and biases.", "parameters", "",
       undescribed, pass, modelCost(&ModelInfo::params)},
      {"Error against multiply-adds", "For one image.", "multiply-adds", "",
       undescribed, pass, modelCost(&ModelInfo::macs)},
      {"Error against measured time, inference", "For one image.",
       "inference time", "ms",
       "Not measured. This measures each run's library on the machine it is "
       "called on, and keeps the times in the runs' folders:",
       measureCommand(all),
       [](const Configuration &one) {
         return one.milliseconds ? one.milliseconds->mean : NAN;
       }},
      {"Error against measured time, training", "For one image of a step.",
       "training time", "ms",
       "The runs' metrics do not say how fast they were.", "",
       [](const Configuration &one) {
         return one.trainMilliseconds ? one.trainMilliseconds->mean : NAN;
       }}};
  {
    auto charts = markup.in("div", {{"class", "charts two"}});
    for (const CostPlot &plot : plots)
      writePlot(markup, all, plot);
  }
}
