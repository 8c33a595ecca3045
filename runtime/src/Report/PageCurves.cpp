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
/// A number that each epoch has.
struct Quantity {
  double Epoch::*value;
  double scale = 1;
  bool dashed = false;
};

/// A plot of some of them, against the epoch or training time.
struct CurvePlot {
  const char *title, *note;
  std::string yName;
  std::vector<Quantity> quantities;
  bool time = false, fromZero = false;
};

/// The values of a configuration's runs that reached an epoch.
struct Values {
  std::vector<double> seconds; ///< of training, since the run began
  std::vector<const Epoch *> epochs;

  std::optional<Spread> spread(double Epoch::*value) const {
    std::vector<double> values;
    for (const Epoch *epoch : epochs)
      values.push_back(epoch->*value);
    return spreadOf(values);
  }
};
using History = std::map<int64_t, Values>;
} // namespace

static History historyOf(const Comparison &all, const Configuration &one) {
  History history;
  for (size_t index : one.runs) {
    double seconds = 0;
    int64_t next = 1;
    for (const Epoch &epoch : all.runs[index].epochs) {
      // Time is known while no epoch is missing.
      seconds = epoch.epoch == next++ ? seconds + epoch.seconds : NAN;
      Values &values = history[epoch.epoch];
      values.seconds.push_back(seconds);
      values.epochs.push_back(&epoch);
    }
  }
  return history;
}

static double meanSeconds(const Values &values) {
  auto spread = spreadOf(values.seconds);
  return spread ? spread->mean : NAN;
}

/// Seconds in a unit that suits the longest time.
static std::pair<double, const char *>
timeUnit(const std::vector<History> &histories) {
  double longest = 0;
  for (const History &history : histories)
    for (const auto &[epoch, values] : history)
      longest = std::fmax(longest, meanSeconds(values));
  if (longest > 7200)
    return {3600, "h"};
  return longest > 180 ? std::pair(60.0, "min") : std::pair(1.0, "s");
}

static Curve curveOf(const History &history, const Quantity &quantity,
                     double secondsOfUnit) {
  Curve curve;
  curve.dashed = quantity.dashed;
  // More points than a plot has pixels say nothing.
  size_t stride = history.size() / 1000 + 1, position = 0;
  for (const auto &[epoch, values] : history) {
    if (++position % stride && position != history.size())
      continue;
    double low = NAN, high = NAN;
    for (const Epoch *one : values.epochs) {
      low = std::fmin(low, quantity.scale * (one->*quantity.value));
      high = std::fmax(high, quantity.scale * (one->*quantity.value));
    }
    auto spread = values.spread(quantity.value);
    curve.x.push_back(secondsOfUnit > 0 ? meanSeconds(values) / secondsOfUnit
                                        : double(epoch));
    curve.y.push_back(spread ? quantity.scale * spread->mean : NAN);
    curve.low.push_back(low);
    curve.high.push_back(high);
  }
  return curve;
}

/// A plot of learning rates, in a unit that keeps the axis's numbers short.
static CurvePlot ratePlot(const std::vector<History> &histories) {
  double largest = 0;
  for (const History &history : histories)
    for (const auto &[epoch, values] : history)
      for (const Epoch *one : values.epochs)
        largest = std::fmax(largest, one->rate);
  double exponent = largest > 0 ? std::floor(std::log10(largest)) : 0;
  CurvePlot plot{"Learning rate against epoch",
                 "At the epoch's last step.",
                 "learning rate",
                 {{&Epoch::rate}},
                 false,
                 true};
  if (exponent < -2) {
    plot.quantities[0].scale = std::pow(10, -exponent);
    plot.yName += fmt::format(", 1e{:.0f}", exponent);
  }
  return plot;
}

static void writeChart(Markup &markup, const Comparison &all,
                       const std::vector<History> &histories,
                       const CurvePlot &plot) {
  CurveChart chart;
  auto [factor, unit] = timeUnit(histories);
  chart.title = plot.title;
  chart.xName = plot.time ? "training time" : "epoch";
  chart.xUnit = plot.time ? unit : "";
  chart.yName = plot.yName;
  chart.fromZero = plot.fromZero;
  chart.whole = !plot.time;
  for (const Quantity &quantity : plot.quantities)
    for (size_t i = 0; i < histories.size(); ++i) {
      Curve curve = curveOf(histories[i], quantity, plot.time ? factor : 0);
      curve.series = i;
      curve.label = all.configurations[i].label;
      chart.curves.push_back(std::move(curve));
    }
  if (!chart.hasLine()) {
    writeMissing(markup, chart.title,
                 "The runs do not say it of two epochs: they are shorter, or "
                 "were trained by an older rootrun.");
    return;
  }
  auto figure = markup.in("figure", {{"class", "card"}});
  {
    auto caption = markup.in("figcaption");
    markup.text(chart.title);
    if (*plot.note)
      markup.leaf("small", plot.note);
  }
  chart.draw(markup);
}

/// What the curves show, a table for each configuration.
static void writeValues(Markup &markup, const std::string &label,
                        const History &history) {
  auto details = markup.in("details");
  markup.leaf("summary", "Values of " + label);
  size_t stride = history.size() / 1000 + 1, position = 0;
  Table table(markup, "Values of " + label,
              {"#Epoch", "#Training loss", "#Test loss", "#Test accuracy, %",
               "#Learning rate", "#Training time"},
              /*sortable=*/false);
  for (const auto &[epoch, values] : history) {
    if (++position % stride && position != history.size())
      continue;
    auto row = markup.in("tr");
    markup.leaf("th", {{"scope", "row"}, {"class", "n"}},
                fmt::format("{}", epoch));
    auto cell = [&, &values = values](double Epoch::*value, auto text) {
      auto spread = values.spread(value);
      double mean = spread ? spread->mean : NAN;
      numberCell(markup, mean, text(mean));
    };
    auto four = [](double value) { return significant(value, 4); };
    cell(&Epoch::loss, four);
    cell(&Epoch::testLoss, four);
    cell(&Epoch::accuracy, percent);
    cell(&Epoch::rate, [](double value) { return significant(value); });
    double seconds = meanSeconds(values);
    numberCell(markup, seconds, duration(seconds));
  }
}

void rootc::report::writeCurves(Markup &markup, const Comparison &all) {
  std::vector<History> histories;
  bool several = false;
  size_t longest = 0;
  for (const Configuration &one : all.configurations) {
    histories.push_back(historyOf(all, one));
    several |= one.runs.size() > 1;
    longest = std::max(longest, histories.back().size());
  }
  auto section = openSection(
      markup, "curves", "Training curves",
      several ? "A line is the mean of a configuration's runs that reached the "
                "epoch; the band spans the lowest and the highest of them."
              : "");
  if (longest == 0) {
    writeMissing(markup, "Training curves",
                 "No run has completed an epoch yet.");
    return;
  }
  if (longest > 1) {
    {
      auto legend = markup.in("ul", {{"class", "legend"}});
      for (size_t i = 0; i < histories.size(); ++i) {
        auto item = markup.in("li");
        writeKey(markup, all, i);
      }
    }
    const CurvePlot plots[] = {
        {"Test accuracy against epoch",
         "",
         "test accuracy, %",
         {{&Epoch::accuracy, 100}}},
        {"Loss against epoch",
         "Solid: mean over the epoch's training batches; dashed: test images.",
         "loss",
         {{&Epoch::loss}, {&Epoch::testLoss, 1, true}},
         false,
         true},
        {"Test accuracy against training time",
         "",
         "test accuracy, %",
         {{&Epoch::accuracy, 100}},
         true},
        ratePlot(histories)};
    auto charts = markup.in("div", {{"class", "charts two"}});
    for (const CurvePlot &plot : plots)
      writeChart(markup, all, histories, plot);
  } else {
    markup.leaf("p", "One epoch so far; curves need two.");
  }
  for (size_t i = 0; i < histories.size(); ++i)
    writeValues(markup, all.configurations[i].label, histories[i]);
}
