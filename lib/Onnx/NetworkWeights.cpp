//===- NetworkWeights.cpp - Weights of a network without a library --------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lib/Onnx/NetworkWeights.h"
#include "lib/Transforms/Passes.h"
#include "mlir/Pass/PassManager.h"

using namespace mlir;
using namespace rootc;
using namespace rootc::root;

FailureOr<NetworkWeights> NetworkWeights::collect(NetworkOp network,
                                                  std::string description) {
  NetworkWeights result;
  result.name = network.getSymName().str();
  result.description = std::move(description);
  result.image = network.getImageShape();
  result.classes = network.getClasses();

  // The program for inference declares them.
  OwningOpRef<ModuleOp> module = ModuleOp::create(network.getLoc());
  module->push_back(network->clone());
  PassManager passes(network.getContext());
  passes.addPass(createBuildPrograms({/*inferOnly=*/true}));
  if (failed(passes.run(*module)))
    return failure();
  for (auto model : module->getOps<ModelOp>())
    for (auto tensor : model.getBody().getOps<ArenaTensorOp>())
      result.append(tensor);
  return result;
}

void NetworkWeights::append(ArenaTensorOp tensor) {
  auto type = cast<RankedTensorType>(tensor.getType());
  rootc_tensor entry = {};
  entry.rank = static_cast<int32_t>(type.getRank());
  llvm::copy(type.getShape(), entry.shape);
  entry.fan_in = tensor.getFanIn();
  entry.statistic = tensor.getKind() == TensorKind::Statistic;
  int64_t &arena = entry.statistic ? statisticCount : parameterCount;
  entry.offset = arena;
  arena += type.getNumElements();
  indices[tensor.getName()] = tensors.size();
  tensors.push_back({tensor.getName().str(), tensor.getRole().str(), entry,
                     type.getNumElements()});
}

int64_t NetworkWeights::bytes() const {
  return (parameterCount + statisticCount) *
         static_cast<int64_t>(sizeof(float));
}

std::vector<std::string> NetworkWeights::names() const {
  std::vector<std::string> names;
  for (const Tensor &tensor : tensors)
    names.push_back(tensor.name);
  return names;
}

rootc_model NetworkWeights::table() {
  entries.clear();
  for (const Tensor &tensor : tensors) {
    rootc_tensor &entry = entries.emplace_back(tensor.entry);
    entry.name = tensor.name.c_str();
    entry.role = tensor.role.c_str();
  }
  rootc_model table = {};
  table.name = name.c_str();
  table.target = "";
  table.description = description.c_str();
  table.height = image.height;
  table.width = image.width;
  table.channels = image.channels;
  table.classes = classes;
  table.tensors = entries.data();
  table.tensor_count = static_cast<int64_t>(entries.size());
  table.parameter_count = parameterCount;
  table.statistic_count = statisticCount;
  return table;
}

void NetworkWeights::initialise(uint64_t seed) {
  rootc_model own = table();
  weights = Weights::initialise(Model::describe(&own), seed);
}

void NetworkWeights::load(
    const std::string &path, bool slice,
    const std::function<void(const std::string &)> &message) {
  rootc_model own = table();
  weights = Weights::load(Model::describe(&own), path, slice, message);
}

ArrayRef<float> NetworkWeights::operator[](StringRef name) const {
  const Tensor &tensor = tensors[indices.lookup(name)];
  const FloatArray &arena =
      tensor.entry.statistic ? weights->statistics : weights->parameters;
  return {arena.data() + tensor.entry.offset,
          static_cast<size_t>(tensor.count)};
}
