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
    StringRef kind = op.getName().stripDialect();
    std::string label = "loss";
    if (!isa<OutputOp>(op)) {
      do
        label = kind.str() + "_" + std::to_string(++unnamed[kind]);
      while (taken.contains(label));
    }
    labels[&op] = builder.getStringAttr(label);
  }
  return labels;
}

llvm::json::Array rootc::layerGraph(NetworkOp network) {
  auto labels = labelLayers(network);
  llvm::json::Array graph;
  for (Operation &op : network.getBody().front()) {
    if (op.getNumResults() == 0)
      continue;
    llvm::json::Array inputs;
    for (Value input : op.getOperands())
      if (Operation *producer = input.getDefiningOp())
        inputs.push_back(labels.lookup(producer).getValue());
    auto conv = dyn_cast<Conv2dOp>(op);
    graph.push_back(llvm::json::Object{
        {"name", labels.lookup(&op).getValue()},
        {"op", op.getName().stripDialect()},
        {"groups", conv ? int64_t(conv.getGroups()) : int64_t(1)},
        {"inputs", std::move(inputs)}});
  }
  return graph;
}
