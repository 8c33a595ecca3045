//===- LayerGraph.cpp - The layers of a network and who reads whom --------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lib/Analysis/LayerGraph.h"

#include "mlir/IR/Builders.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringSet.h"

using namespace mlir;
using namespace rootc;
using namespace rootc::root;

llvm::DenseSet<Operation *> rootc::usedLayers(NetworkOp network,
                                              bool training) {
  llvm::DenseSet<Operation *> used;
  for (Operation &layer : llvm::reverse(network.getBody().front()))
    if (isa<OutputOp>(layer) || (training && isa<AuxiliaryOp>(layer)) ||
        llvm::any_of(layer.getUsers(),
                     [&](Operation *user) { return used.contains(user); }))
      used.insert(&layer);
  return used;
}

void rootc::warnUnused(NetworkOp network) {
  auto used = usedLayers(network, /*training=*/true);
  auto labels = labelLayers(network);
  for (Operation &layer : network.getBody().front())
    if (!used.contains(&layer))
      layer.emitWarning("layer '")
          << labels.lookup(&layer).getValue()
          << "' is left out: no output or auxiliary classifier depends on it";
}

llvm::DenseMap<Operation *, StringAttr> rootc::labelLayers(NetworkOp network) {
  Builder builder(network.getContext());
  llvm::DenseMap<Operation *, StringAttr> labels;
  llvm::StringSet<> taken;
  for (Operation &op : network.getBody().front())
    if (auto name = op.getAttrOfType<StringAttr>("layer")) {
      labels[&op] = name;
      taken.insert(name.getValue());
    }
  llvm::StringMap<int64_t> unnamed;
  for (Operation &op : network.getBody().front()) {
    if (labels.contains(&op))
      continue;
    StringRef kind = isa<OutputOp>(op) ? "loss" : op.getName().stripDialect();
    std::string label = kind.str();
    if (!isa<OutputOp>(op) || taken.contains(label))
      do
        label = kind.str() + "_" + std::to_string(++unnamed[kind]);
      while (taken.contains(label));
    labels[&op] = builder.getStringAttr(label);
  }
  return labels;
}

llvm::json::Array rootc::layerGraph(NetworkOp network) {
  auto labels = labelLayers(network);
  auto used = usedLayers(network, /*training=*/true);
  llvm::json::Array graph;
  for (Operation &op : network.getBody().front()) {
    if (op.getNumResults() == 0 || !used.contains(&op))
      continue;
    llvm::json::Array inputs;
    for (Value input : op.getOperands())
      if (Operation *producer = input.getDefiningOp())
        inputs.push_back(labels.lookup(producer).getValue());
    auto conv = dyn_cast<Conv2dOp>(op);
    auto map = cast<ImageType>(op.getResult(0).getType());
    graph.push_back(llvm::json::Object{
        {"name", labels.lookup(&op).getValue()},
        {"op", op.getName().stripDialect()},
        {"groups", conv ? int64_t(conv.getGroups()) : int64_t(1)},
        {"shape", llvm::json::Array(map.getShape())},
        {"inputs", std::move(inputs)}});
  }
  return graph;
}
