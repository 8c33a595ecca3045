//===- Cost.cpp - Parameters and multiply-adds of a network ---------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lib/Analysis/Cost.h"
#include "lib/Analysis/LayerGraph.h"

#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/JSON.h"

using namespace mlir;
using namespace rootc;
using namespace rootc::root;

namespace {

/// No product here overflows: weights, positions and biases are each at most
/// `maxElements`, as the verifier has seen to.
LayerCost countWeights(StringRef name, StringRef op, int64_t groups,
                       int64_t weights, MapShape out, bool bias) {
  int64_t biases = bias ? out.channels : 0;
  return {name.str(), op.str(), groups, weights + biases,
          weights * out.height * out.width + biases};
}

void emitText(const NetworkCost &cost, llvm::raw_ostream &out) {
  size_t width = 5;
  for (const LayerCost &layer : cost.layers)
    width = std::max(width, layer.name.size());
  // One line of the table, numbers to the right.
  auto row = [&](StringRef name, StringRef op, const std::string &groups,
                 const std::string &params, const std::string &macs) {
    out << name << std::string(width - name.size(), ' ') << "  "
        << llvm::formatv("{0,-6}  {1,6}  {2,12}  {3,16}\n", op, groups, params,
                         macs);
  };
  out << cost.network << "\n";
  row("layer", "op", "groups", "params", "macs");
  for (const LayerCost &layer : cost.layers)
    row(layer.name, layer.op, std::to_string(layer.groups),
        std::to_string(layer.params), std::to_string(layer.macs));
  row("total", "", "", std::to_string(cost.params), std::to_string(cost.macs));
  if (cost.uncountedParams)
    out << "normalisations and learnt factors, which are not counted, have "
        << cost.uncountedParams << " parameters\n";
}

void emitJson(const NetworkCost &cost, llvm::raw_ostream &out) {
  llvm::json::OStream json(out, /*IndentSize=*/2);
  json.object([&] {
    json.attribute("network", cost.network);
    json.attribute("params", cost.params);
    json.attribute("macs", cost.macs);
    json.attributeArray("layers", [&] {
      for (const LayerCost &layer : cost.layers)
        json.object([&] {
          json.attribute("name", layer.name);
          json.attribute("op", layer.op);
          json.attribute("groups", layer.groups);
          json.attribute("params", layer.params);
          json.attribute("macs", layer.macs);
        });
    });
  });
  out << "\n";
}

/// Names hold no comma and no quote: the verifier has seen to it.
void emitCsv(const NetworkCost &cost, llvm::raw_ostream &out) {
  out << "name,op,groups,params,macs\n";
  for (const LayerCost &layer : cost.layers)
    out << layer.name << "," << layer.op << "," << layer.groups << ","
        << layer.params << "," << layer.macs << "\n";
  out << "total,,," << cost.params << "," << cost.macs << "\n";
}

} // namespace

std::optional<LayerCost> rootc::countLayer(Operation *op,
                                           const MapShapes &shapes) {
  auto in = [&] { return shapes.lookup(op->getOperand(0)); };
  if (auto conv = dyn_cast<Conv2dOp>(op))
    return countWeights(conv.getLayer(), "conv2d", conv.getGroups(),
                        conv.getFilters() * conv.getKernel()[0] *
                            conv.getKernel()[1] *
                            (in().channels / conv.getGroups()),
                        shapes.lookup(conv.getResult()), conv.getBias());
  if (auto conv = dyn_cast<Conv2dTransposeOp>(op))
    // Each value of the input meets each of its weights.
    return countWeights(
        conv.getLayer(), "conv2d_transpose", conv.getGroups(),
        in().channels * conv.getKernel()[0] * conv.getKernel()[1] *
            (conv.getFilters() / conv.getGroups()),
        {in().height, in().width, conv.getFilters()}, conv.getBias());
  if (auto linear = dyn_cast<LinearOp>(op))
    return countWeights(linear.getLayer(), "linear", 1,
                        linear.getOutputs() * in().height * in().width *
                            in().channels,
                        shapes.lookup(linear.getResult()), linear.getBias());
  return std::nullopt;
}

int64_t rootc::countUncounted(Operation *op, const MapShapes &shapes) {
  if (auto conv = dyn_cast<Conv2dOp>(op))
    return conv.getStandardize() ? conv.getFilters() : 0;
  // At most 2^31 layers of at most 2^29 channels.
  int64_t channels =
      op->getNumResults() ? shapes.lookup(op->getResult(0)).channels : 0;
  if (isa<BatchNormOp, LayerNormOp, GroupNormOp>(op))
    return 2 * channels;
  if (isa<LayerScaleOp>(op))
    return channels;
  if (auto prelu = dyn_cast<PReluOp>(op))
    return prelu.getShared() ? 1 : channels;
  return 0;
}

FailureOr<NetworkCost> rootc::computeCost(NetworkOp network) {
  MapShapes shapes;
  if (failed(network.inferShapes(network.getImageShape(), shapes)))
    return failure();
  NetworkCost cost;
  cost.network = network.getSymName().str();
  auto used = usedLayers(network, /*training=*/true);
  for (Operation &op : network.getBody().front()) {
    if (!used.contains(&op))
      continue;
    cost.uncountedParams += countUncounted(&op, shapes);
    std::optional<LayerCost> layer = countLayer(&op, shapes);
    if (!layer)
      continue;
    if (__builtin_add_overflow(cost.params, layer->params, &cost.params) ||
        __builtin_add_overflow(cost.macs, layer->macs, &cost.macs))
      return op.emitOpError() << "with this layer the network's count of "
                                 "multiply-adds exceeds 2^63 - 1; make the "
                                 "network smaller";
    cost.layers.push_back(std::move(*layer));
  }
  return cost;
}

LogicalResult rootc::emitCost(NetworkOp network, CostFormat format,
                              llvm::raw_ostream &out) {
  FailureOr<NetworkCost> cost = computeCost(network);
  if (failed(cost))
    return failure();
  switch (format) {
  case CostFormat::Text:
    emitText(*cost, out);
    break;
  case CostFormat::Json:
    emitJson(*cost, out);
    break;
  case CostFormat::Csv:
    emitCsv(*cost, out);
    break;
  }
  return success();
}
