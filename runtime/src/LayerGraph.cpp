//===- LayerGraph.cpp - Which layer reads which ---------------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "LayerGraph.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

using namespace rootc;

LayerGraph::LayerGraph(const Model &model) {
  try {
    auto description = nlohmann::json::parse(model->description);
    for (const auto &entry : description.at("graph")) {
      Layer &layer = layers.emplace_back();
      entry.at("name").get_to(layer.name);
      entry.at("op").get_to(layer.op);
      entry.at("groups").get_to(layer.groups);
      entry.at("inputs").get_to(layer.inputs);
      // Readers come after what they read, so that walks end.
      for (const std::string &input : layer.inputs)
        if (!indices.contains(input))
          fail("{}: its description is damaged: layer '{}' reads '{}', which "
               "is not before it; make it again with rootc",
               model.path(), layer.name, input);
      indices[layer.name] = layers.size() - 1;
    }
    for (int64_t i = 0; i < model->response_count; ++i)
      for (const char *name :
           {model->responses[i].name, model->responses[i].value_of})
        if (!find(name))
          fail("{}: its description is damaged: it does not list layer '{}'; "
               "make it again with rootc",
               model.path(), name);
  } catch (const nlohmann::json::exception &) {
    fail("{}: its description does not list its layers; make it again with "
         "rootc",
         model.path());
  }
}

const LayerGraph::Layer *LayerGraph::find(const std::string &name) const {
  auto found = indices.find(name);
  return found == indices.end() ? nullptr : &layers[found->second];
}

static bool hasWeights(const LayerGraph::Layer &layer) {
  return layer.op == "conv2d" || layer.op == "linear";
}

LayerGraph::Path LayerGraph::walk(const Layer &layer, const std::string &source,
                                  std::map<std::string, Path> &known) const {
  Path result;
  for (const std::string &input : layer.inputs) {
    auto [entry, isNew] = known.try_emplace(input);
    const Layer &next = *find(input);
    if (isNew && input == source)
      entry->second.found = true;
    else if (isNew && !hasWeights(next))
      entry->second = walk(next, source, known);
    if (!entry->second.found)
      continue;
    result.found = true;
    result.keepsChannels &= entry->second.keepsChannels;
  }
  if (layer.op == "concat" || layer.op == "channel_shuffle" ||
      layer.op == "slice_channels" || layer.op == "space_to_depth" ||
      layer.op == "depth_to_space")
    result.keepsChannels = false;
  return result;
}

LayerGraph::Path LayerGraph::path(const std::string &source,
                                  const std::string &reader) const {
  std::map<std::string, Path> known;
  const Layer *layer = find(reader);
  return layer ? walk(*layer, source, known) : Path();
}

std::vector<std::string> LayerGraph::sources(const std::string &reader,
                                             const std::string &until) const {
  std::vector<std::string> result, pending = find(reader)->inputs;
  std::set<std::string> seen;
  while (!pending.empty()) {
    std::string name = pending.back();
    pending.pop_back();
    if (!seen.insert(name).second)
      continue;
    const Layer &layer = *find(name);
    if (name == until || hasWeights(layer))
      result.push_back(name);
    else
      pending.insert(pending.end(), layer.inputs.begin(), layer.inputs.end());
  }
  std::sort(result.begin(), result.end());
  return result;
}

std::vector<std::string> LayerGraph::readers(const std::string &name) const {
  std::vector<std::string> result;
  for (const Layer &layer : layers)
    if (std::find(layer.inputs.begin(), layer.inputs.end(), name) !=
        layer.inputs.end())
      result.push_back(layer.name);
  return result;
}
