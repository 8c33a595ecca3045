//===- FoldingLogic.cpp - Comparisons and choices among constants ---------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Exporters reckon with sizes before an Expand or a Reshape: a size of -1 is
// replaced by the one that is there.
//
//===----------------------------------------------------------------------===//

#include "lib/Onnx/Import/Broadcast.h"

#include <algorithm>
#include <cmath>

using namespace rootc;
using namespace rootc::importer;
using Proto = ::onnx::TensorProto;

template <typename Number>
static bool compare(const std::string &name, Number a, Number b) {
  if (name == "Equal")
    return a == b;
  if (name == "Greater")
    return a > b;
  if (name == "GreaterOrEqual")
    return a >= b;
  return name == "Less" ? a < b : a <= b;
}

/// A batch, whatever it is, is larger than 0.
static Size compareSizes(Operation &op, Size a, Size b) {
  if (a.image || b.image)
    op.fail("its result depends on the batch");
  if (a.batch != b.batch) {
    const Size &known = a.batch ? b : a, &batch = a.batch ? a : b;
    if (batch.value < 1 || known.value > 0)
      op.fail("its result depends on the batch");
  }
  return {compare(op.op(), a.value, b.value)};
}

/// The two inputs, of one type.
static std::pair<const Constant &, const Constant &> twoAlike(Operation &op,
                                                              int first) {
  const Constant &a = op.constant(first, "its input");
  const Constant &b = op.constant(first + 1, "its input");
  if (a.isReal() != b.isReal() || (!a.isReal() && a.wholeType != b.wholeType))
    op.fail("its inputs have two types");
  return {a, b};
}

void importer::foldComparison(Operation &op) {
  auto [a, b] = twoAlike(op, 0);
  std::vector<int64_t> shape = broadcast(op, a.shape, b.shape);
  auto reals = [&](float x, float y) { return Size{compare(op.op(), x, y)}; };
  auto sizes = [&](Size x, Size y) { return compareSizes(op, x, y); };
  op.set(0, Constant::of(shape,
                         a.isReal()
                             ? combineElements(op, *a.reals, a.shape, *b.reals,
                                               b.shape, shape, reals)
                             : combineElements(op, *a.sizes, a.shape, *b.sizes,
                                               b.shape, shape, sizes),
                         Proto::BOOL));
}

/// An input that is true or false.
static const Constant &condition(Operation &op, int i) {
  const Constant &found = op.constant(i, "its input");
  if (found.isReal() || found.wholeType != Proto::BOOL)
    op.fail("its input {} must be of bool", quote(op.input(i)));
  return found;
}

void importer::foldLogic(Operation &op) {
  const Constant &a = condition(op, 0), &b = condition(op, 1);
  std::vector<int64_t> shape = broadcast(op, a.shape, b.shape);
  auto function = [&](Size x, Size y) {
    bool left = x.value != 0, right = y.value != 0;
    return Size{op.op() == "And"  ? left && right
                : op.op() == "Or" ? left || right
                                  : left != right};
  };
  op.set(0, Constant::of(shape,
                         combineElements(op, *a.sizes, a.shape, *b.sizes,
                                         b.shape, shape, function),
                         Proto::BOOL));
}

void importer::foldNot(Operation &op) {
  const Constant &source = condition(op, 0);
  op.claim(source.count());
  std::vector<Size> result = *source.sizes;
  for (Size &value : result)
    value.value = !value.value;
  op.set(0, Constant::of(source.shape, std::move(result), Proto::BOOL));
}

/// A branch that the graph's shapes choose, as of PyTorch's squeeze.
void importer::foldIf(Operation &op) {
  const Constant &chosen = condition(op, 0);
  op.ignore({"then_branch", "else_branch"});
  if (chosen.count() != 1)
    op.fail("its condition has shape {}; it must be one value",
            toString(chosen.shape));
  const char *name = (*chosen.sizes)[0].value ? "then_branch" : "else_branch";
  const auto *branch = op.attribute(name);
  if (!branch || !branch->has_g())
    op.fail("it has no {}", name);
  const ::onnx::GraphProto &graph = branch->g();
  op.importer.importBranch(op, graph);
  for (int i = 0; i < std::min(graph.output_size(), op.outputs()); ++i) {
    const std::string &output = graph.output(i).name();
    const Value *value = op.importer.find(output);
    if (!value)
      op.fail("its branch makes no {}", quote(output));
    op.set(i, *value);
  }
}

void importer::foldWhere(Operation &op) {
  const Constant &chosen = condition(op, 0);
  auto [a, b] = twoAlike(op, 1);
  std::vector<int64_t> shape =
      broadcast(op, broadcast(op, a.shape, b.shape), chosen.shape);
  int64_t count = claimElements(op, shape);
  BroadcastIndex which(chosen.shape, shape), fromA(a.shape, shape),
      fromB(b.shape, shape);
  auto choose = [&](const auto &x, const auto &y) {
    std::decay_t<decltype(x)> result;
    for (int64_t i = 0; i < count; ++i)
      result.push_back((*chosen.sizes)[which(i)].value ? x[fromA(i)]
                                                       : y[fromB(i)]);
    return result;
  };
  op.set(0, a.isReal()
                ? Constant::of(shape, choose(*a.reals, *b.reals))
                : Constant::of(shape, choose(*a.sizes, *b.sizes), a.wholeType));
}

void importer::foldExpand(Operation &op) {
  const Constant &source = op.constant(0, "its input");
  std::vector<int64_t> target = op.wholes(1, "the shape");
  if (target.size() > size_t(highestRank) || !elementCount(target))
    op.fail("its shape {} is negative or too large", toString(target));
  std::vector<int64_t> shape = broadcast(op, source.shape, target);
  int64_t count = claimElements(op, shape);
  BroadcastIndex from(source.shape, shape);
  auto spread = [&](const auto &values) {
    std::decay_t<decltype(values)> result;
    for (int64_t i = 0; i < count; ++i)
      result.push_back(values[from(i)]);
    return result;
  };
  op.set(0, source.isReal()
                ? Constant::of(shape, spread(*source.reals))
                : Constant::of(shape, spread(*source.sizes), source.wholeType));
}

void importer::foldSize(Operation &op) {
  op.set(0, Constant::of(
                {}, std::vector<Size>{{op.constant(0, "its input").count()}}));
}
