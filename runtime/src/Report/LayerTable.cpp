//===- LayerTable.cpp - What layers cost ----------------------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "LayerTable.h"

#include <algorithm>
#include <set>

using namespace rootc;
using namespace rootc::report;

void LayerCosts::add(const LayerCosts &other) {
  auto sum = [](double &to, double value) {
    if (!std::isnan(value))
      to = (std::isnan(to) ? 0 : to) + value;
  };
  sum(params, other.params);
  sum(macs, other.macs);
  sum(infer, other.infer);
  sum(train, other.train);
}

namespace {
/// The costs of one configuration.
struct Column {
  std::map<std::string, LayerCosts> layers;
  LayerCosts rest, total;
  std::vector<LayerTable::RestCall> restCalls;

  void addTimes(const Timing &timing, double batch, double LayerCosts::*value);
};
} // namespace

/// Adds the calls' times: a call's label begins with the layer's name.
void Column::addTimes(const Timing &timing, double batch,
                      double LayerCosts::*value) {
  for (const auto &[label, ms] : timing.calls) {
    // Names may hold spaces: the longest that fits.
    LayerCosts *found = nullptr;
    for (size_t end = label.size(); !found && end != std::string::npos && end;
         end = label.rfind(' ', end - 1)) {
      auto layer = layers.find(label.substr(0, end));
      found = layer == layers.end() ? nullptr : &layer->second;
    }
    LayerCosts time;
    time.*value = ms / batch;
    (found ? *found : rest).add(time);
    if (!found)
      restCalls.push_back({label, ms / batch, value == &LayerCosts::train});
    total.add(time);
  }
}

static Column makeColumn(const Comparison &all, size_t index) {
  const Configuration &configuration = all.configurations[index];
  const ModelInfo &model = all.modelOf(configuration);
  Column column;
  for (const Layer &layer : model.layers)
    column.layers[layer.name] = {layer.groups, double(layer.params),
                                 double(layer.macs)};
  column.total.params = double(model.params);
  column.total.macs = double(model.macs);
  if (const Measurement *measured = all.measurementOf(configuration)) {
    auto batch = double(measured->batch);
    column.addTimes(measured->infer, batch, &LayerCosts::infer);
    if (measured->train)
      column.addTimes(*measured->train, batch, &LayerCosts::train);
  }
  return column;
}

LayerTable::LayerTable(const Comparison &all, std::vector<size_t> indices)
    : configurations(std::move(indices)), rest{"everything else", "", {}},
      total{"all", "", {}} {
  std::vector<Column> columns;
  for (size_t index : configurations) {
    columns.push_back(makeColumn(all, index));
    rest.costs.push_back(columns.back().rest);
    restCalls.push_back(columns.back().restCalls);
    std::stable_sort(
        restCalls.back().begin(), restCalls.back().end(),
        [](const RestCall &a, const RestCall &b) { return a.ms > b.ms; });
    total.costs.push_back(columns.back().total);
  }
  std::set<std::string> seen;
  for (size_t index : configurations)
    for (const Layer &layer : all.modelOf(all.configurations[index]).layers) {
      if (!seen.insert(layer.name).second)
        continue;
      LayerRow row{layer.name, layer.op, {}};
      for (const Column &column : columns) {
        auto found = column.layers.find(layer.name);
        row.costs.push_back(found == column.layers.end() ? LayerCosts()
                                                         : found->second);
      }
      rows.push_back(std::move(row));
    }
}

bool LayerTable::has(double LayerCosts::*value) const {
  return std::any_of(
      total.costs.begin(), total.costs.end(),
      [&](const LayerCosts &costs) { return !std::isnan(costs.*value); });
}

std::vector<LayerTable> rootc::report::layerTables(const Comparison &all) {
  std::set<size_t> baselines;
  for (const Configuration &one : all.configurations)
    if (one.baseline)
      baselines.insert(*one.baseline);
  std::vector<LayerTable> tables;
  std::set<std::string> seen;
  for (size_t i = 0; i < all.configurations.size(); ++i) {
    const Configuration &one = all.configurations[i];
    const ModelInfo &model = all.modelOf(one);
    if (!model.described || baselines.count(i) ||
        !seen.insert(model.name + "\n" + model.hash).second)
      continue;
    tables.emplace_back(all, one.baseline
                                 ? std::vector<size_t>{*one.baseline, i}
                                 : std::vector<size_t>{i});
  }
  std::stable_sort(
      tables.begin(), tables.end(),
      [](const LayerTable &a, const LayerTable &b) {
        return std::pair(b.configurations.size(), a.total.costs.back().macs) <
               std::pair(a.configurations.size(), b.total.costs.back().macs);
      });
  return tables;
}
