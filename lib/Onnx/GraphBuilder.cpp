//===- GraphBuilder.cpp - Makes the nodes of an ONNX graph ----------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lib/Onnx/GraphBuilder.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/Twine.h"

using namespace rootc;
using llvm::ArrayRef;
using llvm::StringRef;

//===----------------------------------------------------------------------===//
// NodeAttributes
//===----------------------------------------------------------------------===//

onnx::AttributeProto &
NodeAttributes::add(StringRef name, onnx::AttributeProto::AttributeType type) {
  onnx::AttributeProto *attribute = node.add_attribute();
  attribute->set_name(name.str());
  attribute->set_type(type);
  return *attribute;
}

NodeAttributes &NodeAttributes::integer(StringRef name, int64_t value) {
  add(name, onnx::AttributeProto::INT).set_i(value);
  return *this;
}

NodeAttributes &NodeAttributes::integers(StringRef name,
                                         ArrayRef<int64_t> values) {
  onnx::AttributeProto &attribute = add(name, onnx::AttributeProto::INTS);
  for (int64_t value : values)
    attribute.add_ints(value);
  return *this;
}

NodeAttributes &NodeAttributes::real(StringRef name, double value) {
  add(name, onnx::AttributeProto::FLOAT).set_f(static_cast<float>(value));
  return *this;
}

NodeAttributes &NodeAttributes::text(StringRef name, StringRef value) {
  add(name, onnx::AttributeProto::STRING).set_s(value.str());
  return *this;
}

//===----------------------------------------------------------------------===//
// GraphBuilder
//===----------------------------------------------------------------------===//

static void describe(onnx::ValueInfoProto &info, StringRef name,
                     const OnnxShape &shape) {
  info.set_name(name.str());
  onnx::TypeProto::Tensor &type = *info.mutable_type()->mutable_tensor_type();
  type.set_elem_type(onnx::TensorProto::FLOAT);
  type.mutable_shape()->add_dim()->set_dim_param("N");
  for (int64_t size : shape)
    type.mutable_shape()->add_dim()->set_dim_value(size);
}

GraphBuilder::GraphBuilder(onnx::GraphProto &graph,
                           ArrayRef<std::string> reserved)
    : graph(graph) {
  for (const std::string &name : reserved)
    values.insert(name);
}

std::string GraphBuilder::unique(llvm::StringSet<> &taken, StringRef wish) {
  std::string name = wish.str();
  for (int64_t number = 2; !taken.insert(name).second; ++number)
    name = (llvm::Twine(wish) + "_" + llvm::Twine(number)).str();
  return name;
}

NodeAttributes GraphBuilder::node(StringRef type, StringRef name,
                                  ArrayRef<std::string> inputs,
                                  const OnnxShape &shape) {
  onnx::NodeProto &node = *graph.add_node();
  node.set_name(unique(nodes, name));
  node.set_op_type(type.str());
  for (const std::string &input : inputs)
    node.add_input(input);
  node.add_output(unique(values, name));
  describe(*graph.add_value_info(), node.output(0), shape);
  return NodeAttributes(node);
}

static onnx::TensorProto &addTensor(onnx::GraphProto &graph, StringRef name,
                                    onnx::TensorProto::DataType type,
                                    ArrayRef<int64_t> shape) {
  onnx::TensorProto &tensor = *graph.add_initializer();
  tensor.set_name(name.str());
  tensor.set_data_type(type);
  for (int64_t size : shape)
    tensor.add_dims(size);
  return tensor;
}

std::string GraphBuilder::floats(StringRef name, ArrayRef<int64_t> shape,
                                 llvm::function_ref<void(float *)> fill) {
  onnx::TensorProto &tensor =
      addTensor(graph, name, onnx::TensorProto::FLOAT, shape);
  size_t count = 1;
  for (int64_t size : shape)
    count *= static_cast<size_t>(size);
  tensor.mutable_raw_data()->resize(count * sizeof(float));
  fill(reinterpret_cast<float *>(tensor.mutable_raw_data()->data()));
  return tensor.name();
}

std::string GraphBuilder::constant(StringRef name, ArrayRef<int64_t> data) {
  onnx::TensorProto &tensor =
      addTensor(graph, unique(values, name), onnx::TensorProto::INT64,
                static_cast<int64_t>(data.size()));
  tensor.set_raw_data(data.data(), data.size() * sizeof(int64_t));
  return tensor.name();
}

std::string GraphBuilder::constant(StringRef name, ArrayRef<int64_t> shape,
                                   ArrayRef<float> data) {
  return floats(unique(values, name), shape,
                [&](float *to) { llvm::copy(data, to); });
}

void GraphBuilder::addInput(StringRef name, const OnnxShape &shape) {
  describe(*graph.add_input(), name, shape);
}

void GraphBuilder::makeOutput(const std::string &value,
                              const std::string &name) {
  for (onnx::NodeProto &node : *graph.mutable_node()) {
    for (std::string &input : *node.mutable_input())
      if (input == value)
        input = name;
    if (node.output(0) == value)
      node.set_output(0, name);
  }
  auto &infos = *graph.mutable_value_info();
  auto info = llvm::find_if(infos, [&](const onnx::ValueInfoProto &candidate) {
    return candidate.name() == value;
  });
  onnx::ValueInfoProto &output = *graph.add_output();
  output.Swap(&*info);
  output.set_name(name);
  infos.erase(info);
}
