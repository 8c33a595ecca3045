//===- RunRecord.cpp - What a training run is -----------------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "RunRecord.h"

#include <chrono>
#include <ctime>
#include <nlohmann/json.hpp>
#include <xxhash.h>

using namespace rootc;
using Json = nlohmann::ordered_json;

std::string rootc::hashOfFile(const std::string &path) {
  std::vector<char> bytes = readFile(path);
  return fmt::format("{:016x}", XXH3_64bits(bytes.data(), bytes.size()));
}

std::string rootc::timestamp() {
  std::time_t now = std::time(nullptr);
  std::tm parts = {};
  gmtime_r(&now, &parts);
  char text[32];
  size_t length =
      std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
  return {text, length};
}

void rootc::to_json(Json &json, const Machine &machine) {
  json = Json{{"cpu", machine.cpu}, {"cores", machine.cores}};
}

void rootc::from_json(const Json &json, Machine &machine) {
  json.at("cpu").get_to(machine.cpu);
  json.at("cores").get_to(machine.cores);
}

std::string RunRecord::toJson() const {
  Json model = {{"name", modelName},
                {"path", modelPath},
                {"hash", modelHash},
                {"bytes", modelBytes},
                {"target", target}};
  Json parsed = Json::parse(description, nullptr, /*allow_exceptions=*/false);
  if (parsed.is_object())
    model["description"] = parsed;
  Json record = {{"model", model},
                 {"data",
                  {{"path", dataPath},
                   {"hash", dataHash},
                   {"training_images", trainingImages},
                   {"test_images", testImages}}},
                 {"options", options},
                 {"machine", machine},
                 {"threads", threads},
                 {"started", started}};
  // A path need not be UTF-8.
  return record.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

/// Refuses nesting so deep that whoever walks it overflows the stack.
static Json parseShallow(std::string_view text) {
  return Json::parse(text, [](int depth, Json::parse_event_t, Json &) {
    if (depth > 64)
      fail("it is nested too deeply");
    return true;
  });
}

RunRecord RunRecord::parse(std::string_view text, const std::string &path) {
  RunRecord record;
  try {
    Json json = parseShallow(text);
    const Json &model = json.at("model"), &data = json.at("data");
    model.at("name").get_to(record.modelName);
    model.at("path").get_to(record.modelPath);
    model.at("hash").get_to(record.modelHash);
    model.at("target").get_to(record.target);
    // Runs of older versions lack it.
    record.modelBytes = model.value("bytes", int64_t(0));
    if (model.contains("description"))
      record.description = model.at("description").dump();
    data.at("path").get_to(record.dataPath);
    data.at("hash").get_to(record.dataHash);
    data.at("training_images").get_to(record.trainingImages);
    data.at("test_images").get_to(record.testImages);
    json.at("options").get_to(record.options);
    json.at("machine").get_to(record.machine);
    json.at("threads").get_to(record.threads);
    json.at("started").get_to(record.started);
  } catch (const std::exception &error) {
    fail("{}: is damaged or of another version: {}; put the file back, or "
         "leave the run out",
         path, error.what());
  }
  return record;
}
