//===- GraphBuilder.h - Makes the nodes of an ONNX graph --------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_ONNX_GRAPHBUILDER_H
#define ROOTC_ONNX_GRAPHBUILDER_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/StringSet.h"

#include <onnx/onnx.pb.h>
#include <string>
#include <vector>

namespace rootc {

/// Sets a node's attributes.
class NodeAttributes {
public:
  explicit NodeAttributes(onnx::NodeProto &node) : node(node) {}
  NodeAttributes &integer(llvm::StringRef name, int64_t value);
  NodeAttributes &integers(llvm::StringRef name,
                           llvm::ArrayRef<int64_t> values);
  NodeAttributes &real(llvm::StringRef name, double value);
  NodeAttributes &text(llvm::StringRef name, llvm::StringRef value);
  /// The name of the node's output.
  const std::string &output() const { return node.output(0); }

private:
  onnx::AttributeProto &add(llvm::StringRef name,
                            onnx::AttributeProto::AttributeType type);
  onnx::NodeProto &node;
};

/// Sizes behind the batch, which is the symbolic dimension "N".
using OnnxShape = std::vector<int64_t>;

/// Adds to a graph. Values and initialisers share one space of names, nodes
/// have another; a name that is taken gets a number.
class GraphBuilder {
public:
  /// No node's output takes one of the names in `reserved`.
  GraphBuilder(onnx::GraphProto &graph, llvm::ArrayRef<std::string> reserved);

  /// A node with one output of this shape; node and output are called `name`.
  NodeAttributes node(llvm::StringRef type, llvm::StringRef name,
                      llvm::ArrayRef<std::string> inputs,
                      const OnnxShape &shape);
  /// An initialiser of a reserved name; `fill` writes its floats.
  std::string floats(llvm::StringRef name, llvm::ArrayRef<int64_t> shape,
                     llvm::function_ref<void(float *)> fill);
  /// One under a name that is free, like `name`.
  std::string constant(llvm::StringRef name, llvm::ArrayRef<int64_t> values);
  std::string constant(llvm::StringRef name, llvm::ArrayRef<int64_t> shape,
                       llvm::ArrayRef<float> values);

  void addInput(llvm::StringRef name, const OnnxShape &shape);
  /// Makes a node's output the graph's, under the reserved name `name`.
  void makeOutput(const std::string &value, const std::string &name);

private:
  static std::string unique(llvm::StringSet<> &taken, llvm::StringRef wish);

  onnx::GraphProto &graph;
  llvm::StringSet<> values, nodes;
};

} // namespace rootc

#endif // ROOTC_ONNX_GRAPHBUILDER_H
