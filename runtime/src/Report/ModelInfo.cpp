//===- ModelInfo.cpp - What a model says about itself ---------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "RunData.h"

#include <nlohmann/json.hpp>
#include <set>

using namespace rootc;
using namespace rootc::report;
using Json = nlohmann::ordered_json;

/// A whole number, not below `least`; any other value throws.
static int64_t countOf(const Json &object, const char *key, int64_t least) {
  const Json &value = object.at(key);
  if (!value.is_number_integer() || value.get<int64_t>() < least)
    fail("'{}' is not a whole number from {} on", key, least);
  return value.get<int64_t>();
}

static Layer readLayer(const Json &entry) {
  Layer layer;
  entry.at("name").get_to(layer.name);
  entry.at("op").get_to(layer.op);
  layer.groups = countOf(entry, "groups", 1);
  layer.params = countOf(entry, "params", 0);
  layer.macs = countOf(entry, "macs", 0);
  return layer;
}

bool ModelInfo::describe(std::string_view text) {
  ModelInfo read = *this;
  try {
    Json json = Json::parse(text);
    read.params = countOf(json, "params", 0);
    read.macs = countOf(json, "macs", 0);
    read.layers.clear();
    std::set<std::string> names;
    for (const Json &entry : json.at("layers")) {
      read.layers.push_back(readLayer(entry));
      if (!names.insert(read.layers.back().name).second)
        fail("two layers are called '{}'", read.layers.back().name);
    }
    if (auto made = json.find("options"); made != json.end()) {
      read.root = made->contains("root") ? countOf(*made, "root", 0) : 0;
      read.topology = made->value("topology", std::string());
      read.groups = made->value("groups", std::string());
      read.image = made->value("image", std::string());
    }
  } catch (const Json::exception &) {
    return false;
  } catch (const Error &) {
    return false;
  }
  read.described = true;
  *this = std::move(read);
  return true;
}

std::string ModelInfo::groupList() const {
  std::vector<std::pair<int64_t, int64_t>> counts; // groups, layers in a row
  std::string names;
  int64_t grouped = 0;
  for (const Layer &layer : layers) {
    if (layer.groups == 1)
      continue;
    names +=
        fmt::format("{}{} {}", grouped++ ? ", " : "", layer.name, layer.groups);
    if (counts.empty() || counts.back().first != layer.groups)
      counts.push_back({layer.groups, 0});
    ++counts.back().second;
  }
  if (grouped <= 4)
    return names;
  std::string list;
  for (auto [groups, count] : counts)
    list += fmt::format("{}{} × {}", list.empty() ? "" : ", ", groups, count);
  return list;
}
