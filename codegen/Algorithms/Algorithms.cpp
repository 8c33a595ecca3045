//===- Algorithms.cpp - The table of primitive ops ------------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/Algorithms/Algorithms.h"

#include <stdexcept>

using namespace Halide;

namespace rootc::codegen {

Expr Value::extent(int dimension) const {
  int64_t extent = type.shape[type.shape.size() - 1 - dimension];
  return extent < 0 ? dynamic : Expr(static_cast<int>(extent));
}

int64_t Value::staticExtent(int dimension) const {
  if (dimension >= static_cast<int>(type.shape.size()))
    throw std::invalid_argument("an operand has too few dimensions");
  int64_t extent = type.shape[type.shape.size() - 1 - dimension];
  if (extent < 0)
    throw std::invalid_argument("only the outermost dimension is dynamic");
  return extent;
}

const OpRegistry &opRegistry() {
  static const OpRegistry registry = [] {
    OpRegistry table;
    addActivations(table);
    addElementwise(table);
    addUpdates(table);
    addBatchNorm(table);
    addGroupNorm(table);
    addLayerNorm(table);
    addResample(table);
    addReductions(table);
    addPools(table);
    addLosses(table);
    addConcat(table);
    addConvolution(table);
    addConvolutionGradient(table);
    addArrangements(table);
    addDropout(table);
    addStandardize(table);
    addLocalResponseNorm(table);
    return table;
  }();
  return registry;
}

const OpInfo &opInfo(const std::string &name) {
  auto entry = opRegistry().find(name);
  if (entry == opRegistry().end())
    throw std::invalid_argument("no algorithm for the op '" + name + "'");
  return entry->second;
}

Expr fromBfloat(const Expr &bits) {
  return reinterpret<float>(cast<uint32_t>(bits) << 16);
}

Expr toBfloat(const Expr &value) {
  Expr bits = reinterpret<uint32_t>(value);
  Expr nearest = (bits + 0x7fff + ((bits >> 16) & 1)) >> 16;
  return cast<uint16_t>(
      select(strict_float(value == value), nearest, (bits >> 16) | 0x40));
}

std::vector<Var> imageVars(size_t rank) {
  static const std::vector<Var> all = {Var("c"), Var("x"), Var("y"), Var("n"),
                                       Var("b")};
  if (rank > all.size())
    throw std::invalid_argument("a tensor has more than five dimensions");
  return {all.begin(), all.begin() + rank};
}

std::vector<Expr> asExprs(const std::vector<Var> &vars) {
  return {vars.begin(), vars.end()};
}

namespace {
[[noreturn]] void fail(const Op &op, const std::string &name,
                       const std::string &what) {
  throw std::invalid_argument("op '" + op.name + "', attribute '" + name +
                              "': " + what);
}

const Attribute &find(const Op &op, const std::string &name) {
  auto entry = op.attributes.find(name);
  if (entry == op.attributes.end())
    fail(op, name, "missing");
  return entry->second;
}

template <typename T>
std::vector<T> list(const Op &op, const std::string &name, size_t count) {
  const Attribute &attribute = find(op, name);
  std::vector<T> values;
  if (auto *integers = std::get_if<std::vector<int64_t>>(&attribute))
    values.assign(integers->begin(), integers->end());
  else if (auto *reals = std::get_if<std::vector<double>>(&attribute);
           reals && std::is_same_v<T, double>)
    values.assign(reals->begin(), reals->end());
  else
    fail(op, name, "not a list of numbers");
  if (values.size() != count)
    fail(op, name, "expected " + std::to_string(count) + " values");
  return values;
}
} // namespace

int64_t integerAttribute(const Op &op, const std::string &name) {
  if (auto *value = std::get_if<int64_t>(&find(op, name)))
    return *value;
  fail(op, name, "not an integer");
}

double realAttribute(const Op &op, const std::string &name) {
  const Attribute &attribute = find(op, name);
  if (auto *value = std::get_if<double>(&attribute))
    return *value;
  if (auto *value = std::get_if<int64_t>(&attribute))
    return static_cast<double>(*value);
  fail(op, name, "not a number");
}

std::string textAttribute(const Op &op, const std::string &name) {
  if (auto *value = std::get_if<std::string>(&find(op, name)))
    return *value;
  fail(op, name, "not a text");
}

std::vector<int64_t> integersAttribute(const Op &op, const std::string &name,
                                       size_t count) {
  return list<int64_t>(op, name, count);
}

std::vector<double> realsAttribute(const Op &op, const std::string &name,
                                   size_t count) {
  return list<double>(op, name, count);
}

} // namespace rootc::codegen
