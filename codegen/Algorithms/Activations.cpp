//===- Activations.cpp - Activations and products, both ways --------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/Algorithms/Pointwise.h"

#include <stdexcept>

using namespace Halide;

namespace rootc::codegen {

namespace {
using Operands = std::vector<Value>;

float floatAttribute(const Op &op, const std::string &name) {
  return static_cast<float>(realAttribute(op, name));
}

Lowered relu(const Op &op, const Operands &in) {
  return pointwise(op, in.at(0), atLeast(0.0f, at(in[0])));
}

// A gradient is 0 where the function is known to be flat, so NaN is not.

Lowered reluBackward(const Op &op, const Operands &in) {
  return pointwise(op, in.at(0),
                   select(isAtMost(at(in.at(1)), 0.0f), 0.0f, at(in[0])));
}

Lowered clip(const Op &op, const Operands &in) {
  Expr y = at(in.at(0));
  if (op.attributes.count("max"))
    y = atMost(floatAttribute(op, "max"), y);
  if (op.attributes.count("min"))
    y = atLeast(floatAttribute(op, "min"), y);
  return pointwise(op, in[0], y);
}

Lowered clipBackward(const Op &op, const Operands &in) {
  Expr y = at(in.at(1)), flat = cast<bool>(false);
  if (op.attributes.count("min"))
    flat = flat || isAtMost(y, floatAttribute(op, "min"));
  if (op.attributes.count("max"))
    flat = flat || isAtMost(floatAttribute(op, "max"), y);
  return pointwise(op, in[0], select(flat, 0.0f, at(in[0])));
}

Lowered sigmoid(const Op &op, const Operands &in) {
  // exp() of what is clamped neither overflows nor meets its special cases.
  // Below, the result is 0, not a smallest number that a large x could make
  // large again; of NaN it is NaN.
  const float farthest = 87.0f;
  Expr x = at(in.at(0));
  Expr y = 1.0f / (1.0f + exp(-clamp(x, -farthest, farthest)));
  return pointwise(op, in[0],
                   select(strict_float(x > -farthest), y, atLeast(0.0f, x)));
}

Lowered sigmoidBackward(const Op &op, const Operands &in) {
  Expr y = at(in.at(1));
  return pointwise(op, in.at(0), at(in[0]) * (y * (1.0f - y)));
}

Lowered hardSigmoid(const Op &op, const Operands &in) {
  Expr line =
      floatAttribute(op, "alpha") * at(in.at(0)) + floatAttribute(op, "beta");
  return pointwise(op, in[0], atLeast(0.0f, atMost(1.0f, line)));
}

Lowered hardSigmoidBackward(const Op &op, const Operands &in) {
  Expr y = at(in.at(1));
  return pointwise(op, in.at(0),
                   select(isAtMost(y, 0.0f) || isAtMost(1.0f, y), 0.0f,
                          at(in[0]) * floatAttribute(op, "alpha")));
}

Lowered hardSwish(const Op &op, const Operands &in) {
  Expr x = at(in.at(0));
  Expr line = x * (1.0f / 6.0f) + 0.5f;
  return pointwise(op, in[0], x * atLeast(0.0f, atMost(1.0f, line)));
}

Lowered hardSwishBackward(const Op &op, const Operands &in) {
  Expr x = at(in.at(1));
  Expr slope = select(isAtMost(x, -3.0f), 0.0f, isAtMost(3.0f, x), 1.0f,
                      x * (1.0f / 3.0f) + 0.5f);
  return pointwise(op, in.at(0), at(in[0]) * slope);
}

/// The second factor is read at 0 in dimensions where it has one element.
Lowered multiply(const Op &op, const Operands &in) {
  const Value &a = in.at(0), &b = in.at(1);
  std::vector<Expr> point = asExprs(imageVars(4));
  for (int d = 0; d < 3; ++d) {
    if (b.staticExtent(d) == 1)
      point[d] = 0;
    else if (b.staticExtent(d) != a.staticExtent(d))
      throw std::invalid_argument("op 'multiply': the second factor does not "
                                  "fit the first");
  }
  return pointwise(op, a, at(a) * b.func(point));
}
} // namespace

void addActivations(OpRegistry &registry) {
  registry["clip"] = {clip, true};
  registry["clip_backward"] = {clipBackward, true};
  registry["hard_sigmoid"] = {hardSigmoid, true};
  registry["hard_sigmoid_backward"] = {hardSigmoidBackward, true};
  registry["hard_swish"] = {hardSwish, true};
  registry["hard_swish_backward"] = {hardSwishBackward, true};
  registry["multiply"] = {multiply, true};
  registry["relu"] = {relu, true};
  registry["relu_backward"] = {reluBackward, true};
  registry["sigmoid"] = {sigmoid, true};
  registry["sigmoid_backward"] = {sigmoidBackward, true};
}

} // namespace rootc::codegen
