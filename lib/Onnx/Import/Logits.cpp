//===- Logits.cpp - The end of the graph, and what training makes of it ---===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lib/Onnx/Import/Importer.h"

#include <algorithm>
#include <fmt/ranges.h>

using namespace rootc;
using namespace rootc::importer;

void Importer::checkSoftmax(const Map &logits) {
  if (graph.softmax() < 0)
    return;
  Operation op(*this, graph.softmax());
  // Before opset 13 the dimensions from the axis on are one.
  bool flattens = file.opset() < 13;
  int64_t rank = int64_t(logits.view.size()) + 1;
  int64_t axis = op.axis(op.integer("axis", flattens ? 1 : -1), rank);
  int64_t extent = 1;
  for (int64_t i = axis; i < (flattens ? rank : axis + 1); ++i)
    extent *= i ? sizeOf(logits.view[size_t(i - 1)]) : 0;
  if (extent != logits.shape.channels)
    op.fail("its axis {} is not the classes of {}", axis,
            importer::describe(logits));
  op.checkAttributes();
}

int Importer::run(int64_t height, int64_t width) {
  set(graph.image().name(), makeImage(height, width));
  importNodes();
  int producer = graph.producer(graph.logits());
  const Value *value = find(graph.logits());
  const Map *logits = value ? std::get_if<Map>(value) : nullptr;
  if (producer < 0 || !logits)
    fail("{}: the output {} is not computed from the image", file.path(),
         quote(graph.logits()));
  // What still waits for a layer becomes one of its own.
  Operation last(*this, producer);
  Map map = last.resolve(*logits);
  Dimension all;
  for (const Dimension &dimension : map.view)
    all.insert(all.end(), dimension.begin(), dimension.end());
  if (map.layer == Network::image || map.shape.height != 1 ||
      map.shape.width != 1 ||
      all != wholeAxis(Axis::Channels, map.shape.channels))
    last.fail("it makes the output {}, {}; the output must be the logits, one "
              "value for each class: [N,classes] (--logits=NAME takes another "
              "value)",
              quote(graph.logits()), describe(map));
  checkSoftmax(map);
  return finishLogits(last, map.layer);
}

//===----------------------------------------------------------------------===//
// Sigmoids and single values
//===----------------------------------------------------------------------===//

/// The first of two classes has the logit 0, the second one that of the layer.
static int makeTwoClasses(Operation &op, int logit) {
  Network &network = op.importer.network;
  Layer &layer = network[logit];
  auto readers = std::count_if(
      network.all().begin(), network.all().end(), [&](const Layer &reader) {
        return std::count(reader.inputs.begin(), reader.inputs.end(), logit) >
               0;
      });
  const std::string one = layer.op == "conv2d" ? " filters(1)" : " outputs(1)";
  if (layer.takesBias() && readers == 1 && layer.clauses.starts_with(one)) {
    layer.clauses.replace(one.size() - 2, 1, "2");
    layer.shape.channels = 2;
    for (Weight &weight : layer.weights) {
      op.claim(2 * int64_t(weight.values->size()));
      std::vector<float> values(weight.values->size());
      values.insert(values.end(), weight.values->begin(), weight.values->end());
      weight.shape[0] = 2;
      weight.values =
          std::make_shared<const std::vector<float>>(std::move(values));
    }
    return logit;
  }
  Layer classes;
  classes.op = "linear";
  classes.name = network.uniqueName("two_classes");
  classes.inputs = {logit};
  classes.shape = {1, 1, 2};
  classes.clauses = " outputs(2)";
  classes.weights.push_back(
      {"weight",
       {2, 1},
       std::make_shared<const std::vector<float>>(std::vector<float>{0, 1})});
  return op.emit(std::move(classes));
}

int Importer::finishLogits(Operation &last, int output) {
  const Layer &layer = network[output];
  bool sigmoid = layer.op == "sigmoid" && layer.inputs[0] != Network::image;
  if (layer.shape.channels == 1 && sigmoid) {
    note("the Sigmoid at the end, of one value, is left out: the network has "
         "the two classes 0 and 1, whose softmax is the sigmoid for class 1");
    return makeTwoClasses(last, layer.inputs[0]);
  }
  if (layer.shape.channels == 1)
    note("the network has one class: it can be run, but not be trained, since "
         "softmax over one class is 1; if its value is the logit of a binary "
         "classifier, export the model with a Sigmoid at its end");
  else if (sigmoid)
    note(fmt::format(
        "the Sigmoid at the end stays, a probability for each of {} classes; "
        "but training, its loss and rootrun predict take one class an image "
        "for right, by a softmax of these values: to train, leave it out{}",
        layer.shape.channels,
        graph.sigmoid().empty()
            ? ""
            : fmt::format(" with --logits={}", quote(graph.sigmoid()))));
  return output;
}

//===----------------------------------------------------------------------===//
// Notes on weights
//===----------------------------------------------------------------------===//

void Importer::noteWeights(const Operation &op, int input,
                           const std::string &layer) {
  const Constant &weights = std::get<Constant>(*find(op.input(input)));
  auto &[alive, names] = weightReaders[weights.reals.get()];
  // Other weights may have lain at the same place before.
  if (alive.lock() != weights.reals)
    names.clear();
  alive = weights.reals;
  names.push_back(layer);
  if (names.size() == 2)
    sharedWeights.push_back(names[0] + " and " + layer);
}

void Importer::noteTraining() const {
  constexpr size_t mostNames = 5;
  if (!sharedWeights.empty()) {
    auto end = sharedWeights.begin() +
               ptrdiff_t(std::min(mostNames, sharedWeights.size()));
    note(fmt::format(
        "layers that share their weights in the model have each their own in "
        "the network, equal until they are trained: {}{}",
        fmt::join(sharedWeights.begin(), end, ", "),
        sharedWeights.size() > mostNames ? ", ..." : ""));
  }
  if (convolutions > 1 && convolutions == biasedConvolutions && !norms)
    note(fmt::format(
        "there is no norm, and each of the {} convolutions has a bias: "
        "if the model was trained with batch norm, its exporter has folded it "
        "into them. To keep it, export with torch.onnx.export(..., "
        "training=torch.onnx.TrainingMode.TRAINING, "
        "do_constant_folding=False), or with dynamo=True, optimize=False",
        convolutions));
}
