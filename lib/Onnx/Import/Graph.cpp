//===- Graph.cpp - Which nodes a value needs, in order --------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lib/Onnx/Import/Graph.h"
#include "lib/Onnx/Import/Node.h"

#include <unordered_set>

using namespace rootc;
using namespace rootc::importer;

template <typename Map>
static typename Map::mapped_type find(const Map &map, const std::string &key,
                                      typename Map::mapped_type missing) {
  auto found = map.find(key);
  return found == map.end() ? missing : found->second;
}

Graph::Graph(const ModelFile &file, const std::string &logits,
             const std::function<void(const std::string &)> &note)
    : file(file), graph(file.graph()), wanted(logits) {
  indexValues();
  if (wanted.empty()) {
    if (graph.output_size() == 0)
      fail("{}: the graph has no output", file.path());
    if (graph.output_size() > 1) {
      std::string names;
      for (int i = 0; i < std::min(graph.output_size(), 10); ++i)
        names += (i ? ", " : "") + quote(graph.output(i).name());
      fail("{}: the graph has {} outputs, and a network one, its logits; "
           "choose with --logits: {}",
           file.path(), graph.output_size(), names);
    }
    wanted = graph.output(0).name();
  } else if (producer(wanted) < 0) {
    fail("{}: --logits: no node makes {}", file.path(), quote(wanted));
  }
  findEnd(note);
  sort();
  findImage();
}

int Graph::uses(const std::string &value) const {
  return find(useCounts, value, 0);
}

int Graph::producer(const std::string &value) const {
  return find(producers, value, -1);
}

const ::onnx::TensorProto *Graph::initializer(const std::string &value) const {
  return find(initializers, value, nullptr);
}

void Graph::indexValues() {
  std::unordered_set<std::string> inputs;
  for (const auto &tensor : graph.initializer()) {
    if (tensor.name().empty())
      fail("{}: an initializer has no name", file.path());
    if (!initializers.try_emplace(tensor.name(), &tensor).second)
      fail("{}: two initializers are called {}", file.path(),
           quote(tensor.name()));
  }
  for (const auto &input : graph.input())
    if (!inputs.insert(input.name()).second)
      fail("{}: two inputs are called {}", file.path(), quote(input.name()));
  for (int i = 0; i < graph.node_size(); ++i) {
    for (const std::string &output : graph.node(i).output()) {
      if (output.empty())
        continue;
      if (!producers.try_emplace(output, i).second ||
          initializers.count(output) || inputs.count(output))
        Node(file, graph.node(i), i)
            .fail("it makes {}, which something else makes too", quote(output));
    }
  }
}

void Graph::findEnd(const std::function<void(const std::string &)> &note) {
  // What changes no value may stand behind; a chain of those may be a ring.
  static const std::unordered_set<std::string> passed = {
      "Cast", "Flatten", "Identity", "Reshape", "Squeeze"};
  std::string value = wanted;
  for (int steps = 0; steps <= graph.node_size(); ++steps) {
    int index = producer(value);
    if (index < 0 || graph.node(index).input_size() < 1)
      return;
    const std::string &op = graph.node(index).op_type();
    value = graph.node(index).input(0);
    if (op == "Softmax" || op == "LogSoftmax") {
      wanted = value;
      softmaxNode = index;
      note(fmt::format("the {} at the end is left out: a network gives logits, "
                       "and its loss contains the softmax",
                       op));
      return;
    }
    if (op == "Sigmoid")
      sigmoidInput = value;
    if (!passed.count(op))
      return;
  }
}

/// Calls visit(value) for what a node reads, and what its branches read and
/// hand out, values of their own included.
template <typename Visit>
static void forEachRead(const ::onnx::NodeProto &node, Visit visit) {
  for (const std::string &input : node.input())
    visit(input);
  for (const auto &attribute : node.attribute()) {
    if (!attribute.has_g())
      continue;
    for (const auto &inner : attribute.g().node())
      forEachRead(inner, visit);
    for (const auto &output : attribute.g().output())
      visit(output.name());
  }
}

void Graph::sort() {
  enum State : char { Unseen, Open, Done };
  std::vector<State> states(size_t(graph.node_size()), Unseen);
  struct Step {
    int node;
    std::vector<const std::string *> reads;
    size_t next = 0;
  };
  std::vector<Step> stack;
  auto enter = [&](const std::string &value) {
    int index = find(producers, value, -1);
    if (index < 0 || states[size_t(index)] == Done)
      return;
    if (states[size_t(index)] == Open)
      Node(file, graph.node(index), index)
          .fail("it depends on its own output {}: the graph has a cycle",
                quote(value));
    states[size_t(index)] = Open;
    Step step{index, {}};
    forEachRead(graph.node(index),
                [&](const std::string &read) { step.reads.push_back(&read); });
    stack.push_back(std::move(step));
  };
  enter(wanted);
  while (!stack.empty()) {
    Step &step = stack.back();
    if (step.next < step.reads.size()) {
      enter(*step.reads[step.next++]);
      continue;
    }
    states[size_t(step.node)] = Done;
    needed.push_back(step.node);
    stack.pop_back();
  }
  for (int index : needed)
    forEachRead(graph.node(index),
                [&](const std::string &read) { ++useCounts[read]; });
  ++useCounts[wanted];
}

void Graph::findImage() {
  for (const auto &input : graph.input()) {
    // Old files list their initializers among the inputs.
    if (initializers.count(input.name()))
      continue;
    if (!imageInfo) {
      imageInfo = &input;
      continue;
    }
    if (uses(input.name()))
      fail("{}: the graph has the inputs {} and {}, and a network has one, the "
           "image",
           file.path(), quote(imageInfo->name()), quote(input.name()));
  }
  if (!imageInfo)
    fail("{}: the graph has no input that is not a constant; the first one is "
         "the image",
         file.path());
  if (!uses(imageInfo->name()))
    fail("{}: nothing that leads to {} reads the image, the input {}",
         file.path(), quote(wanted), quote(imageInfo->name()));
}
