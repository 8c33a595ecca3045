//===- Network.cpp - The network that is being written --------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lib/Onnx/Import/Network.h"

#include <algorithm>
#include <fmt/format.h>

using namespace rootc::importer;

namespace {
constexpr size_t longestName = 200;
/// `input.mean` and `input.scale` are the training set's.
constexpr const char *reservedName = "input";
} // namespace

bool Layer::hasBias() const {
  return std::any_of(weights.begin(), weights.end(), [](const Weight &weight) {
    return weight.role == "bias";
  });
}

std::string Network::uniqueName(const std::string &wanted) {
  std::string base;
  for (char c : wanted.substr(0, longestName)) {
    bool allowed = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                   (c >= '0' && c <= '9') || c == '_' || c == '.' || c == '-' ||
                   c == '/';
    base += allowed ? c : '_';
  }
  if (base.empty())
    base = "layer";
  std::string name = base;
  // Remembered, so that many equal names do not each count from the start.
  int &next = suffixes.try_emplace(base, 2).first->second;
  while (name == reservedName || !names.insert(name).second) {
    std::string suffix = fmt::format("_{}", next++);
    name = base.substr(0, longestName - suffix.size()) + suffix;
  }
  return name;
}

void Network::keepOnly(int &output) {
  std::vector<bool> needed(layers.size());
  if (output != image)
    needed[size_t(output)] = true;
  for (size_t i = layers.size(); i-- > 0;)
    if (needed[i])
      for (int input : layers[i].inputs)
        if (input != image)
          needed[size_t(input)] = true;
  std::vector<int> renumbered(layers.size(), image);
  std::vector<Layer> kept;
  for (size_t i = 0; i < layers.size(); ++i) {
    if (!needed[i])
      continue;
    for (int &input : layers[i].inputs)
      if (input != image)
        input = renumbered[size_t(input)];
    renumbered[i] = int(kept.size());
    kept.push_back(std::move(layers[i]));
  }
  layers = std::move(kept);
  if (output != image)
    output = renumbered[size_t(output)];
}

static std::string valueName(int layer) {
  return layer == Network::image ? "%image" : fmt::format("%{}", layer + 1);
}

std::string Network::print(const std::string &name, const std::string &comment,
                           const root::MapShape &imageShape, int output) const {
  std::string text = fmt::format(
      "// {}\nroot.network @{}(%image: !root.image<{}x{}x{}>) classes({}) {{\n",
      comment, name, imageShape.height, imageShape.width, imageShape.channels,
      layers[size_t(output)].shape.channels);
  for (size_t i = 0; i < layers.size(); ++i) {
    const Layer &layer = layers[i];
    text += fmt::format("  {} = root.{}", valueName(int(i)), layer.op);
    if (!layer.name.empty())
      text += fmt::format(" \"{}\"", layer.name);
    for (size_t j = 0; j < layer.inputs.size(); ++j)
      text += (j ? ", " : " ") + valueName(layer.inputs[j]);
    text += layer.clauses;
    if ((layer.takesBias() || layer.op == "conv2d_transpose") &&
        !layer.hasBias())
      text += " no_bias";
    text += "\n";
  }
  return text + fmt::format("  root.output {}\n}}\n", valueName(output));
}
