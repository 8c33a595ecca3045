//===- PageLayers.cpp - Cost per layer ------------------------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "LayerTable.h"
#include "PageParts.h"

#include <algorithm>

using namespace rootc;
using namespace rootc::report;

namespace {
/// A cost: what it is called, and how it is written.
struct Cost {
  const char *heading, *unit;
  double LayerCosts::*value;
  std::string (*text)(double);
};
} // namespace

/// Networks of more layers get a chart that shows all at a glance, and their
/// table scrolls.
static constexpr size_t longNetwork = 40;

static std::string countText(double value) { return compact(value); }
static std::string timeText(double value) { return significant(value); }

static const Cost costs[] = {
    {"Parameters", "", &LayerCosts::params, countText},
    {"Multiply-adds", "", &LayerCosts::macs, countText},
    {"Inference, ms an image", " ms", &LayerCosts::infer, timeText},
    {"Training step, ms an image", " ms", &LayerCosts::train, timeText}};

static std::vector<Cost> costsOf(const LayerTable &table) {
  std::vector<Cost> shown;
  for (const Cost &cost : costs)
    if (table.has(cost.value))
      shown.push_back(cost);
  return shown;
}

/// A cell with a bar for each network.
static void writeBars(Markup &markup, const LayerTable &table,
                      const LayerRow &row, const Cost &cost, double longest) {
  auto cell = markup.in("td");
  for (size_t i = 0; i < row.costs.size(); ++i) {
    double value = row.costs[i].*cost.value;
    auto bar = markup.in(
        "div", {{"class", "bar " + seriesClass(table.configurations[i])}});
    {
      auto track = markup.in("i");
      if (value > 0 && longest > 0)
        markup.leaf(
            "b",
            {{"style", fmt::format("width:{:.2f}%", 100 * value / longest)}},
            "");
    }
    markup.leaf("span", std::isnan(value) ? "–" : cost.text(value));
  }
}

static std::string groupsText(const LayerRow &row) {
  std::string text;
  for (const LayerCosts &layer : row.costs) {
    std::string groups = layer.groups ? fmt::format("{}", layer.groups) : "–";
    if (text != groups)
      text += (text.empty() ? "" : " → ") + groups;
  }
  return text;
}

static double largestOf(const LayerRow &row, double LayerCosts::*value) {
  double largest = 0;
  for (const LayerCosts &layer : row.costs)
    largest = std::fmax(largest, layer.*value);
  return largest;
}

static void writeRows(Markup &markup, const Comparison &all,
                      const LayerTable &table) {
  std::vector<Cost> shown = costsOf(table);
  std::vector<std::string> headings = {"#No.", "Layer", "Groups"};
  for (const Cost &cost : shown)
    headings.emplace_back(cost.heading);
  std::string caption = "Cost per layer of";
  for (size_t index : table.configurations)
    caption += (index == table.configurations.front() ? " " : " and ") +
               all.configurations[index].label;
  bool isLong = table.rows.size() > longNetwork;
  auto wrapper = markup.in("div", {{"class", isLong ? "bars long" : "bars"}});
  Table markupTable(markup, caption, headings, /*sortable=*/false);
  std::vector<double> longest;
  for (const Cost &cost : shown) {
    double most = largestOf(table.rest, cost.value);
    for (const LayerRow &row : table.rows)
      most = std::fmax(most, largestOf(row, cost.value));
    longest.push_back(most);
  }
  auto write = [&](const LayerRow &row, const std::string &position) {
    bool isTotal = &row == &table.total;
    auto line = markup.in("tr", {{"class", isTotal ? "total" : "layer"}});
    markup.leaf("td", {{"class", "n soft"}}, position);
    {
      auto name = markup.in("th", {{"scope", "row"}});
      writeName(markup, row.name);
    }
    markup.leaf("td", {{"class", "groups"}},
                position.empty() ? "" : groupsText(row));
    for (size_t i = 0; i < shown.size(); ++i)
      writeBars(markup, table, row, shown[i],
                isTotal ? largestOf(row, shown[i].value) : longest[i]);
  };
  for (size_t i = 0; i < table.rows.size(); ++i)
    write(table.rows[i], fmt::format("{}", i + 1));
  if (table.has(&LayerCosts::infer))
    write(table.rest, "");
  write(table.total, "");
}

/// All layers of a cost at a glance.
static void writeChart(Markup &markup, const Comparison &all,
                       const LayerTable &table, const Cost &cost) {
  BarChart chart;
  chart.title = std::string(cost.heading) + ", layer by layer";
  chart.xName = "layer, as numbered in the table";
  chart.yName = cost.heading;
  chart.series = table.configurations;
  for (const LayerRow &row : table.rows) {
    BarChart::Bar bar;
    bar.tip = row.name;
    for (size_t i = 0; i < row.costs.size(); ++i) {
      double value = row.costs[i].*cost.value;
      bar.values.push_back(value);
      if (!std::isnan(value))
        bar.tip += fmt::format(
            "\n{}: {}{}", all.configurations[table.configurations[i]].label,
            cost.text(value), cost.unit);
    }
    chart.bars.push_back(std::move(bar));
  }
  auto figure = markup.in("figure", {{"class", "card wide"}});
  markup.leaf("figcaption", chart.title);
  auto scroll = markup.in("div", {{"class", "strip"},
                                  {"role", "region"},
                                  {"aria-label", chart.title},
                                  {"tabindex", "0"}});
  chart.draw(markup);
}

/// What the row "everything else" is made of.
static void writeRest(Markup &markup, const Comparison &all,
                      const LayerTable &table) {
  constexpr size_t most = 6;
  for (size_t i = 0; i < table.configurations.size(); ++i)
    for (bool training : {false, true}) {
      std::string text;
      size_t count = 0;
      double others = 0;
      for (const LayerTable::RestCall &call : table.restCalls[i]) {
        if (call.training != training)
          continue;
        if (count++ < most)
          text += fmt::format("{}{} {} ms", count > 1 ? ", " : "", call.label,
                              significant(call.ms));
        else
          others += call.ms;
      }
      if (count == 0)
        continue;
      if (count > most)
        text += fmt::format(", and {} more, {} ms", count - most,
                            significant(others));
      markup.leaf("p", {{"class", "under"}},
                  fmt::format("Everything else of {} in {}: {}.",
                              all.configurations[table.configurations[i]].label,
                              training ? "a training step" : "inference",
                              text));
    }
}

static void writeTable(Markup &markup, const Comparison &all,
                       const LayerTable &table) {
  {
    auto legend = markup.in("ul", {{"class", "legend"}});
    for (size_t index : table.configurations) {
      auto item = markup.in("li");
      writeKey(markup, all, index);
    }
  }
  if (table.rows.size() > longNetwork)
    for (const Cost &cost : costsOf(table))
      writeChart(markup, all, table, cost);
  writeRows(markup, all, table);
  writeRest(markup, all, table);
}

void rootc::report::writeLayers(Markup &markup, const Comparison &all) {
  std::vector<LayerTable> tables = layerTables(all);
  bool timed = std::any_of(all.runs.begin(), all.runs.end(),
                           [](const Run &run) { return bool(run.measured); });
  auto section = openSection(
      markup, "layers", "Cost per layer",
      tables.empty() ? ""
                     : "Bars of a column share one scale, but for the last "
                       "row. A layer's kernel includes the normalisation and "
                       "ReLU that are fused into it. \"Everything else\" is "
                       "kernels of no convolution or linear layer: "
                       "pools, normalisations and additions that are not "
                       "fused, the loss, the update.");
  if (tables.empty()) {
    writeMissing(markup, "Cost per layer",
                 "The runs do not say what their layers cost: they were "
                 "trained by an older rootrun. Pass the library that they were "
                 "trained with.",
                 "rootrun report RUN... --model NET.so");
    return;
  }
  for (size_t i = 0; i < tables.size(); ++i) {
    Attributes attributes;
    if (i == 0)
      attributes.emplace_back("open", "");
    auto details = markup.in("details", attributes);
    {
      auto summary = markup.in("summary");
      for (size_t index : tables[i].configurations) {
        if (index != tables[i].configurations.front())
          markup.text(" beside ");
        writeName(markup, all.configurations[index].label);
      }
    }
    writeTable(markup, all, tables[i]);
  }
  if (!timed) {
    auto charts = markup.in("div", {{"class", "charts two"}});
    writeMissing(markup, "Time per layer",
                 "Not measured. This measures every kernel of each run's "
                 "library:",
                 measureCommand(all));
  }
}
