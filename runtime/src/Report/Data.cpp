//===- Data.cpp - The report as JSON --------------------------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Data.h"

#include "LayerTable.h"

#include <nlohmann/json.hpp>

using namespace rootc;
using namespace rootc::report;
using Json = nlohmann::ordered_json;

static Json numberJson(double value) {
  return std::isfinite(value) ? Json(value) : Json();
}

static Json textJson(const std::string &text) {
  return text.empty() ? Json() : Json(text);
}

static Json spreadJson(const std::optional<Spread> &spread) {
  if (!spread)
    return {};
  return {{"mean", spread->mean},
          {"deviation", spread->count > 1 ? Json(spread->deviation) : Json()},
          {"count", spread->count}};
}

static Json layersJson(const Comparison &all, size_t configuration) {
  Json layers = Json::array();
  LayerTable table(all, {configuration});
  const ModelInfo &model = all.modelOf(all.configurations[configuration]);
  for (size_t i = 0; i < table.rows.size(); ++i) {
    const Layer &layer = model.layers[i];
    const LayerCosts &costs = table.rows[i].costs.front();
    layers.push_back({{"name", layer.name},
                      {"op", layer.op},
                      {"groups", layer.groups},
                      {"params", layer.params},
                      {"macs", layer.macs},
                      {"infer_ms", numberJson(costs.infer)},
                      {"train_ms", numberJson(costs.train)}});
  }
  return layers;
}

static Json configurationJson(const Comparison &all, size_t index) {
  const Configuration &one = all.configurations[index];
  const ModelInfo &model = all.modelOf(one);
  Json runs = Json::array();
  for (size_t run : one.runs)
    runs.push_back(all.runs[run].name);
  auto known = [&](const auto &value) {
    return model.described ? Json(value) : Json();
  };
  return {{"label", one.label},
          {"network", textJson(model.name)},
          {"root", known(model.root)},
          {"topology", known(model.topology)},
          {"groups", known(model.groups)},
          {"image", known(model.image)},
          {"baseline", one.baseline
                           ? Json(all.configurations[*one.baseline].label)
                           : Json()},
          {"runs", runs},
          {"finished", one.finished},
          {"params", known(model.params)},
          {"macs", known(model.macs)},
          {"test_error", spreadJson(one.error)},
          {"best_test_error", spreadJson(one.bestError)},
          {"top5_error", spreadJson(one.top5Error)},
          {"infer_ms", spreadJson(one.milliseconds)},
          {"train_ms", spreadJson(one.trainMilliseconds)},
          {"layers", layersJson(all, index)}};
}

static Json epochJson(const Epoch &epoch) {
  return {{"epoch", epoch.epoch},
          {"loss", numberJson(epoch.loss)},
          {"test_loss", numberJson(epoch.testLoss)},
          {"test_accuracy", numberJson(epoch.accuracy)},
          {"top5", numberJson(epoch.top5)},
          {"images_per_second", numberJson(epoch.imagesPerSecond)},
          {"seconds", numberJson(epoch.seconds)},
          {"lr", numberJson(epoch.rate)}};
}

static Json measuredJson(const std::optional<Measurement> &measured) {
  if (!measured)
    return {};
  return {{"machine", measured->machine},
          {"threads", measured->threads},
          {"batch", measured->batch},
          {"measured", measured->measured},
          {"runs", measured->infer.ms.size()},
          {"infer_ms", measured->inferPerImage()}};
}

static Json runJson(const Run &run) {
  Json epochs = Json::array();
  for (const Epoch &epoch : run.epochs)
    epochs.push_back(epochJson(epoch));
  return {{"name", run.name},
          {"path", run.path},
          {"status", statusText(run.status)},
          {"model_hash", textJson(run.model.hash)},
          {"data_hash", textJson(run.dataHash)},
          {"options", run.options},
          {"machine", textJson(run.machine)},
          {"threads", run.threads ? Json(run.threads) : Json()},
          {"measured", measuredJson(run.measured)},
          {"epochs", epochs}};
}

std::string rootc::report::makeJson(const Comparison &all) {
  Json configurations = Json::array(), runs = Json::array();
  for (size_t i = 0; i < all.configurations.size(); ++i)
    configurations.push_back(configurationJson(all, i));
  for (const Run &run : all.runs)
    runs.push_back(runJson(run));
  Json report = {{"configurations", configurations},
                 {"runs", runs},
                 {"warnings", all.warnings},
                 {"remarks", all.remarks}};
  // A path need not be UTF-8.
  return report.dump(-1, ' ', false, Json::error_handler_t::replace);
}
