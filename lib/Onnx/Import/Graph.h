//===- Graph.h - Which nodes a value needs, in order ------------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_ONNX_IMPORT_GRAPH_H
#define ROOTC_ONNX_IMPORT_GRAPH_H

#include "lib/Onnx/Import/ModelFile.h"

#include <functional>
#include <unordered_map>

namespace rootc::importer {

/// Checks that every value is made once and none depends on itself.
class Graph {
public:
  /// `logits`: the value that is wanted, or empty for the graph's only output.
  /// A Softmax at its end is passed over: the loss contains one; `note` says
  /// so.
  Graph(const ModelFile &file, const std::string &logits,
        const std::function<void(const std::string &)> &note);

  const std::string &logits() const { return wanted; }
  /// The softmax that was passed over; -1 if none.
  int softmax() const { return softmaxNode; }
  /// What the Sigmoid at the end reads; empty if there is none.
  const std::string &sigmoid() const { return sigmoidInput; }
  /// The nodes that the logits need, each behind those it reads.
  const std::vector<int> &order() const { return needed; }
  /// The image.
  const ::onnx::ValueInfoProto &image() const { return *imageInfo; }
  /// How many needed nodes, and nodes and outputs of their branches, read a
  /// value; one that is the logits once more.
  int uses(const std::string &value) const;
  /// The node that makes it; -1 if none does.
  int producer(const std::string &value) const;
  /// Null if there is none of this name.
  const ::onnx::TensorProto *initializer(const std::string &value) const;

private:
  void indexValues();
  void findEnd(const std::function<void(const std::string &)> &note);
  void sort();
  void findImage();

  const ModelFile &file;
  const ::onnx::GraphProto &graph;
  std::string wanted;
  std::string sigmoidInput;
  int softmaxNode = -1;
  std::vector<int> needed;
  const ::onnx::ValueInfoProto *imageInfo = nullptr;
  std::unordered_map<std::string, int> producers;
  std::unordered_map<std::string, const ::onnx::TensorProto *> initializers;
  std::unordered_map<std::string, int> useCounts;
};

} // namespace rootc::importer

#endif // ROOTC_ONNX_IMPORT_GRAPH_H
