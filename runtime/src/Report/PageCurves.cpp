//===- PageCurves.cpp - Training curves -----------------------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "PageParts.h"

#include <algorithm>

using namespace rootc;
using namespace rootc::report;

namespace {
/// The means over a configuration's runs at an epoch that some have reached.
struct Mean {
  double seconds = NAN; ///< of training, since the run began
  std::optional<Spread> loss, accuracy;
  double lossLow = NAN, lossHigh = NAN, accuracyLow = NAN, accuracyHigh = NAN;
};
/// epoch -> means
using Means = std::map<int64_t, Mean>;
} // namespace

static Means meansOf(const Comparison &all, const Configuration &one) {
  struct Values {
    std::vector<double> seconds, loss, accuracy;
  };
  std::map<int64_t, Values> values;
  for (size_t index : one.runs) {
    double seconds = 0;
    int64_t next = 1;
    for (const Epoch &epoch : all.runs[index].epochs) {
      // Time is known while no epoch is missing.
      seconds = epoch.epoch == next++ ? seconds + epoch.seconds : NAN;
      Values &to = values[epoch.epoch];
      to.seconds.push_back(seconds);
      to.loss.push_back(epoch.loss);
      to.accuracy.push_back(100 * epoch.accuracy);
    }
  }
  Means means;
  for (const auto &[epoch, lists] : values) {
    Mean &mean = means[epoch];
    mean.loss = spreadOf(lists.loss);
    mean.accuracy = spreadOf(lists.accuracy);
    if (auto seconds = spreadOf(lists.seconds))
      mean.seconds = seconds->mean;
    for (double loss : lists.loss) {
      mean.lossLow = std::fmin(mean.lossLow, loss);
      mean.lossHigh = std::fmax(mean.lossHigh, loss);
    }
    for (double accuracy : lists.accuracy) {
      mean.accuracyLow = std::fmin(mean.accuracyLow, accuracy);
      mean.accuracyHigh = std::fmax(mean.accuracyHigh, accuracy);
    }
  }
  return means;
}

/// Seconds in a unit that suits the longest time.
static std::pair<double, const char *> timeUnit(double longest) {
  if (longest > 7200)
    return {3600, "h"};
  return longest > 180 ? std::pair(60.0, "min") : std::pair(1.0, "s");
}

static void writeChart(Markup &markup, const Comparison &all,
                       const std::vector<Means> &means, bool accuracy,
                       bool time) {
  CurveChart chart;
  double longest = 0;
  for (const Means &list : means)
    for (const auto &[epoch, mean] : list)
      longest = std::fmax(longest, mean.seconds);
  auto [factor, unit] = timeUnit(longest);
  chart.title =
      fmt::format("{} against {}", accuracy ? "Test accuracy" : "Training loss",
                  time ? "training time" : "epoch");
  chart.xName = time ? "training time" : "epoch";
  chart.xUnit = time ? unit : "";
  chart.yName = accuracy ? "test accuracy, %" : "loss";
  chart.fromZero = !accuracy;
  chart.whole = !time;
  bool drawn = false;
  for (size_t i = 0; i < means.size(); ++i) {
    Curve curve{i, all.configurations[i].label, {}, {}, {}, {}};
    // More points than a plot has pixels say nothing.
    size_t stride = means[i].size() / 1000 + 1, position = 0;
    for (const auto &[epoch, mean] : means[i]) {
      if (++position % stride && position != means[i].size())
        continue;
      const auto &spread = accuracy ? mean.accuracy : mean.loss;
      curve.x.push_back(time ? mean.seconds / factor : double(epoch));
      curve.y.push_back(spread ? spread->mean : NAN);
      curve.low.push_back(accuracy ? mean.accuracyLow : mean.lossLow);
      curve.high.push_back(accuracy ? mean.accuracyHigh : mean.lossHigh);
      drawn |= spread && std::isfinite(curve.x.back());
    }
    chart.curves.push_back(std::move(curve));
  }
  if (!drawn) {
    if (time)
      writeMissing(markup, chart.title,
                   "The runs do not say how long an epoch took: they were "
                   "trained by an older rootrun. Going on with a run, even a "
                   "finished one, notes what is missing:",
                   "rootrun train NET.so --data DIR --resume -o RUN");
    else
      writeMissing(markup, chart.title, "No run has completed an epoch yet.");
    return;
  }
  auto figure = markup.in("figure", {{"class", "card"}});
  markup.leaf("figcaption", chart.title);
  chart.draw(markup);
}

static void writeValues(Markup &markup, const Comparison &all,
                        const std::vector<Means> &means) {
  auto details = markup.in("details");
  markup.leaf("summary", "Values of the curves");
  std::map<int64_t, bool> epochs;
  std::vector<std::string> headings = {"#Epoch"};
  for (size_t i = 0; i < means.size(); ++i) {
    for (const auto &[epoch, mean] : means[i])
      epochs[epoch] = true;
    headings.push_back("#" + all.configurations[i].label + ": loss");
    headings.push_back("#test accuracy, %");
    headings.push_back("#time");
  }
  size_t stride = epochs.size() / 1000 + 1, position = 0;
  const Spread none{NAN, 0, 0};
  Table table(markup, "Values of the curves", headings, /*sortable=*/false);
  for (auto [epoch, known] : epochs) {
    if (++position % stride && position != epochs.size())
      continue;
    auto row = markup.in("tr");
    markup.leaf("th", {{"scope", "row"}, {"class", "n"}},
                fmt::format("{}", epoch));
    for (const Means &list : means) {
      auto found = list.find(epoch);
      Mean mean = found == list.end() ? Mean() : found->second;
      double loss = mean.loss.value_or(none).mean;
      double accuracy = mean.accuracy.value_or(none).mean;
      numberCell(markup, loss, significant(loss, 4));
      numberCell(markup, accuracy, fmt::format("{:.2f}", accuracy));
      numberCell(markup, mean.seconds, duration(mean.seconds));
    }
  }
}

void rootc::report::writeCurves(Markup &markup, const Comparison &all) {
  std::vector<Means> means;
  bool several = false;
  for (const Configuration &one : all.configurations) {
    means.push_back(meansOf(all, one));
    several |= one.runs.size() > 1;
  }
  auto section = openSection(
      markup, "curves", "Training curves",
      several ? "A line is the mean of a configuration's runs that reached the "
                "epoch; the band spans the lowest and the highest of them."
              : "");
  {
    auto legend = markup.in("ul", {{"class", "legend"}});
    for (size_t i = 0; i < means.size(); ++i) {
      auto item = markup.in("li");
      writeKey(markup, all, i);
    }
  }
  {
    auto charts = markup.in("div", {{"class", "charts two"}});
    for (bool time : {false, true})
      for (bool accuracy : {true, false})
        writeChart(markup, all, means, accuracy, time);
  }
  writeValues(markup, all, means);
}
