//===- LayerName.cpp - How layers are called ------------------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Weights of PyTorch are called as in the module, "layer1.0.conv1.weight";
// where a batch norm was folded into them they have numbers, and the node has
// the scopes: "/layer1/layer1.0/conv1/Conv". TensorFlow's nodes and weights are
// paths that end in operations, "model/conv1/Conv2D/ReadVariableOp:0".
//
//===----------------------------------------------------------------------===//

#include "lib/Onnx/Import/Importer.h"

#include <fmt/ranges.h>

using namespace rootc;
using namespace rootc::importer;

namespace {
/// Ends of paths that say what is computed, not by which layer.
const std::set<std::string> computations = {
    "BiasAdd",      "Cast",      "Conv2D",        "FusedBatchNormV3",
    "MatMul",       "batchnorm", "convolution",   "depthwise",
    "merged_input", "mul",       "ReadVariableOp"};

/// Without what an exporter counted: "Conv__339", "Conv_3", "conv2d_0.w_0".
std::string withoutNumber(const std::string &name) {
  size_t end = name.find_last_not_of("0123456789");
  if (end == std::string::npos)
    return "";
  bool numbered =
      end + 1 < name.size() && (name[end] == '_' || name[end] == '.');
  return numbered ? name.substr(0, name.find_last_not_of("_.", end) + 1) : name;
}

bool isComputation(const std::string &part, const std::string &op) {
  std::string stem = withoutNumber(part);
  // "MatMul_Gemm__660"
  if (stem.ends_with("_" + op))
    stem.resize(stem.size() - op.size() - 1);
  // TensorFlow's own numbers may be the layer's, those behind "__" are not.
  return stem == op || computations.count(part) ||
         (part.find("__") != std::string::npos && computations.count(stem));
}

/// The layer's part of a path; empty if there is none.
std::string layerPath(const std::string &path, const std::string &op) {
  std::vector<std::string> parts;
  for (size_t begin = 0, end; begin < path.size(); begin = end + 1) {
    end = std::min(path.find('/', begin), path.size());
    std::string part = path.substr(begin, end - begin);
    // "layer1", "layer1.0": a scope that begins with the one around it.
    if (!parts.empty() && part.starts_with(parts.back() + "."))
      parts.pop_back();
    if (!part.empty())
      parts.push_back(part);
  }
  while (!parts.empty() && isComputation(parts.back(), op))
    parts.pop_back();
  return fmt::format("{}", fmt::join(parts, path.starts_with("/") ? "." : "/"));
}

/// Whether the name of weights says nothing.
bool isMadeUp(const std::string &name) {
  return withoutNumber(name).empty() || name.starts_with("onnx::") ||
         name.starts_with("const_fold_opt");
}
} // namespace

/// A name before it is made unique.
static std::string wantedName(const Operation &op, int weightInput) {
  std::string weights = op.input(weightInput);
  // "features.0.weight", unless equal weights of several layers were merged.
  const std::string suffix = ".weight";
  if (weights.ends_with(suffix) && weights.size() > suffix.size() &&
      op.importer.graph.uses(weights) == 1)
    return weights.substr(0, weights.size() - suffix.size());
  std::string path = layerPath(op.name(), op.op());
  if (!path.empty())
    return path;
  std::string tensor = weights.substr(0, weights.rfind(':'));
  if (tensor.find('/') != std::string::npos)
    path = layerPath(tensor, op.op());
  if (!path.empty())
    return path;
  if (!op.name().empty() && isMadeUp(weights))
    return op.name();
  return weights.empty() ? op.output(0) : weights;
}

std::string Operation::layerName(int weightInput) {
  return importer.network.uniqueName(wantedName(*this, weightInput));
}
