//===- Evaluate.cpp - Ops and kernels by name -----------------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lib/Reference/Support.h"

#include <bit>
#include <cmath>
#include <numeric>
#include <set>
#include <stdexcept>

namespace rootc::reference {

using codegen::ElementType;
using codegen::Kernel;
using codegen::Op;
using codegen::TensorType;

namespace {

int64_t sizeOf(const std::vector<int64_t> &shape) {
  return std::accumulate(shape.begin(), shape.end(), int64_t(1),
                         std::multiplies<>());
}

const FunctionTable &table() {
  static const FunctionTable functions = [] {
    FunctionTable all;
    addActivations(all);
    addArrangements(all);
    addConvolutions(all);
    addElementwise(all);
    addUpdates(all);
    addLayerNorms(all);
    addMaps(all);
    addNormalizations(all);
    addPools(all);
    addLosses(all);
    return all;
  }();
  return functions;
}

/// Whether `tensor` may stand where `type`, perhaps dynamic, is declared.
bool agrees(const Tensor &tensor, const TensorType &type) {
  if (tensor.type.element != type.element ||
      tensor.shape().size() != type.shape.size())
    return false;
  for (size_t i = 0; i < type.shape.size(); ++i)
    if (tensor.dim(i) != type.shape[i] && !(i == 0 && type.shape[0] == -1))
      return false;
  return true;
}

/// The ops below read `reals` or `integers` by position: make sure of them.
void checkElements(const Op &op, const Operands &operands) {
  static const std::map<std::string, std::set<size_t>> integral = {
      {"dropout", {1, 2}},
      {"sample_mask", {0, 1}},
      {"softmax_cross_entropy", {1}},
      {"softmax_cross_entropy_backward", {1}},
      {"max_pool_backward", {1}}};
  auto it = integral.find(op.name);
  for (size_t i = 0; i < operands.size() && op.name != "copy"; ++i) {
    bool expected = it != integral.end() && it->second.contains(i);
    if ((operands[i].type.element != ElementType::F32) != expected)
      fail(op, "operand " + std::to_string(i) + " has the wrong element type");
  }
}

} // namespace

Tensor::Tensor(TensorType type) : type(std::move(type)) {
  if (isReal(this->type.element))
    reals.resize(size());
  else
    integers.resize(size());
}

Tensor::Tensor(std::vector<int64_t> shape, std::vector<double> values)
    : type{ElementType::F32, std::move(shape)}, reals(std::move(values)) {
  if (int64_t(reals.size()) != size())
    throw std::invalid_argument("tensor of shape " + toString(this->shape()) +
                                " given " + std::to_string(reals.size()) +
                                " values");
}

Tensor Tensor::fromFloats(std::vector<int64_t> shape,
                          const std::vector<float> &values) {
  return Tensor(std::move(shape),
                std::vector<double>(values.begin(), values.end()));
}

Tensor Tensor::fromIntegers(ElementType element, std::vector<int64_t> shape,
                            std::vector<int64_t> values) {
  Tensor tensor;
  tensor.type = {element, std::move(shape)};
  if (int64_t(values.size()) != tensor.size())
    throw std::invalid_argument("tensor of shape " + toString(tensor.shape()) +
                                " given " + std::to_string(values.size()) +
                                " values");
  tensor.integers = std::move(values);
  return tensor;
}

uint16_t toBfloat(double value) {
  auto bits = std::bit_cast<uint32_t>(static_cast<float>(value));
  if (std::isnan(value))
    return static_cast<uint16_t>(bits >> 16 | 0x40);
  return static_cast<uint16_t>((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

double fromBfloat(uint16_t bits) {
  return std::bit_cast<float>(uint32_t(bits) << 16);
}

int64_t Tensor::size() const { return sizeOf(type.shape); }

std::vector<float> Tensor::floats() const {
  return std::vector<float>(reals.begin(), reals.end());
}

std::string toString(const std::vector<int64_t> &shape) {
  std::string text = "[";
  for (size_t i = 0; i < shape.size(); ++i)
    text += (i ? "," : "") + std::to_string(shape[i]);
  return text + "]";
}

bool isElementwise(const Op &op) {
  auto it = table().find(op.name);
  return it != table().end() && it->second.elementwise;
}

void fail(const Op &op, const std::string &what) {
  throw std::invalid_argument("reference of '" + op.name + "': " + what);
}

namespace {
template <typename T> const T &attribute(const Op &op, const std::string &key) {
  auto it = op.attributes.find(key);
  if (it == op.attributes.end())
    fail(op, "attribute '" + key + "' is missing");
  if (auto *value = std::get_if<T>(&it->second))
    return *value;
  fail(op, "attribute '" + key + "' has another type");
}
} // namespace

int64_t integer(const Op &op, const std::string &key) {
  return attribute<int64_t>(op, key);
}

double real(const Op &op, const std::string &key) {
  return attribute<double>(op, key);
}

std::string text(const Op &op, const std::string &key) {
  return attribute<std::string>(op, key);
}

std::vector<int64_t> integers(const Op &op, const std::string &key,
                              size_t count) {
  auto &values = attribute<std::vector<int64_t>>(op, key);
  if (values.size() != count)
    fail(op, "attribute '" + key + "' has " + std::to_string(values.size()) +
                 " elements, not " + std::to_string(count));
  return values;
}

void expectCount(const Op &op, const Operands &operands, size_t least,
                 size_t most) {
  if (operands.size() < least || operands.size() > most)
    fail(op, "got " + std::to_string(operands.size()) + " operands");
}

void expectRank(const Op &op, const Tensor &tensor, size_t rank) {
  if (tensor.shape().size() != rank)
    fail(op, "operand of shape " + toString(tensor.shape()) + " where rank " +
                 std::to_string(rank) + " is due");
}

void expectShape(const Op &op, const Tensor &tensor,
                 const std::vector<int64_t> &shape) {
  if (tensor.shape() != shape)
    fail(op, "operand of shape " + toString(tensor.shape()) + " where " +
                 toString(shape) + " is due");
}

Tensor sliceChannels(const Tensor &tensor, int64_t begin, int64_t end) {
  TensorType type = tensor.type;
  int64_t channels = type.shape.back();
  type.shape.back() = end - begin;
  Tensor slice(type);
  for (int64_t i = 0; i < slice.size(); ++i)
    slice.reals[i] =
        tensor.reals[i / (end - begin) * channels + begin + i % (end - begin)];
  return slice;
}

Tensor concatChannels(const std::vector<Tensor> &parts) {
  TensorType type = parts.front().type;
  type.shape.back() = 0;
  for (const Tensor &part : parts)
    type.shape.back() += part.shape().back();
  Tensor whole(type);
  int64_t channels = type.shape.back(), begin = 0;
  for (const Tensor &part : parts) {
    int64_t width = part.shape().back();
    for (int64_t i = 0; i < part.size(); ++i)
      whole.reals[i / width * channels + begin + i % width] = part.reals[i];
    begin += width;
  }
  return whole;
}

std::vector<Tensor> evaluate(const Op &op,
                             const std::vector<Tensor> &operands) {
  auto it = table().find(op.name);
  if (it == table().end())
    fail(op, "no such op");
  checkElements(op, operands);
  Results results = it->second.function(op, operands);
  if (!op.results.empty() && op.results.size() != results.size())
    fail(op, "declares " + std::to_string(op.results.size()) + " results of " +
                 std::to_string(results.size()));
  for (size_t i = 0; i < op.results.size(); ++i)
    if (!agrees(results[i], op.results[i]))
      fail(op, "declares result " + std::to_string(i) + " as " +
                   toString(op.results[i].shape) + "; it is " +
                   toString(results[i].shape()));
  return results;
}

std::vector<Tensor> evaluate(const Kernel &kernel,
                             const std::vector<Tensor> &inputs) {
  std::string where = "reference of kernel '" + kernel.name + "': ";
  if (inputs.size() != kernel.inputs.size())
    throw std::invalid_argument(
        where + "takes " + std::to_string(kernel.inputs.size()) +
        " inputs, not " + std::to_string(inputs.size()));
  for (size_t i = 0; i < inputs.size(); ++i)
    if (!agrees(inputs[i], kernel.inputs[i]))
      throw std::invalid_argument(where + "input " + std::to_string(i) +
                                  " is declared as " +
                                  toString(kernel.inputs[i].shape) + ", not " +
                                  toString(inputs[i].shape()));

  // Between memory and memory all is computed in full.
  std::vector<Tensor> values = inputs;
  for (Tensor &input : values)
    if (input.type.element == ElementType::BF16)
      input.type.element = ElementType::F32;
  auto value = [&](int64_t id) -> const Tensor & {
    if (id < 0 || id >= int64_t(values.size()))
      throw std::invalid_argument(where + "no value " + std::to_string(id));
    return values[id];
  };
  for (const Op &op : kernel.ops) {
    Operands operands;
    for (int64_t id : op.operands)
      operands.push_back(value(id));
    Op computed = op;
    for (TensorType &type : computed.results)
      if (type.element == ElementType::BF16)
        type.element = ElementType::F32;
    for (Tensor &result : evaluate(computed, operands))
      values.push_back(std::move(result));
  }
  std::vector<Tensor> outputs;
  for (int64_t id : kernel.outputs) {
    outputs.push_back(value(id));
    outputs.back().type.element = kernel.type(id).element;
    if (kernel.type(id).element == ElementType::BF16)
      for (double &real : outputs.back().reals)
        real = fromBfloat(toBfloat(real));
  }
  return outputs;
}

} // namespace rootc::reference
