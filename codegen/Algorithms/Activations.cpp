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

/// exp() of what is clamped to this neither overflows nor meets its special
/// cases.
const float farthest = 87.0f;

/// A share of x that is 0 from `low` down, not a smallest number that a large
/// x could make large again; of NaN it is NaN.
Expr shareAbove(float low, const Expr &x, const Expr &share) {
  return select(strict_float(x > low), share, atLeast(0.0f, x));
}

Expr logistic(const Expr &x) {
  return shareAbove(-farthest, x,
                    1.0f / (1.0f + exp(-clamp(x, -farthest, farthest))));
}

Lowered sigmoid(const Op &op, const Operands &in) {
  return pointwise(op, in.at(0), logistic(at(in[0])));
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

//===----------------------------------------------------------------------===//
// With slopes
//===----------------------------------------------------------------------===//

/// value times the slope where x is at most 0.
Expr bent(const Expr &x, const Expr &value, const Expr &slope) {
  return select(isAtMost(x, 0.0f), value * slope, value);
}

Lowered leakyRelu(const Op &op, const Operands &in) {
  Expr x = at(in.at(0));
  return pointwise(op, in[0], bent(x, x, floatAttribute(op, "alpha")));
}

Lowered leakyReluBackward(const Op &op, const Operands &in) {
  return pointwise(op, in.at(0),
                   bent(at(in.at(1)), at(in[0]), floatAttribute(op, "alpha")));
}

/// Of one slope a channel, or one for all.
Expr slopeOf(const Value &value) {
  return value.staticExtent(0) == 1 ? value.func(0)
                                    : value.func(imageVars(1)[0]);
}

Lowered prelu(const Op &op, const Operands &in) {
  Expr x = at(in.at(0));
  return pointwise(op, in[0], bent(x, x, slopeOf(in.at(1))));
}

Lowered preluBackward(const Op &op, const Operands &in) {
  return pointwise(op, in.at(0),
                   bent(at(in.at(1)), at(in[0]), slopeOf(in.at(2))));
}

//===----------------------------------------------------------------------===//
// Smooth ones
//===----------------------------------------------------------------------===//

Expr polynomial(const Expr &x, const std::vector<float> &coefficients) {
  Expr sum = coefficients.back();
  for (size_t i = coefficients.size() - 1; i-- > 0;)
    sum = sum * x + coefficients[i];
  return sum;
}

/// exp(x) - 1 of an x that is not positive. Where the difference would cancel,
/// a minimax polynomial, whose error is 1e-9 of the result.
Expr expMinusOne(const Expr &x) {
  Expr near = x * polynomial(x, {1.0f, 4.9999982e-1f, 1.6666225e-1f,
                                 4.1629087e-2f, 8.1873853e-3f, 1.1216346e-3f});
  Expr far = exp(max(x, -farthest)) - 1.0f;
  return select(x > -0.5f, near, far);
}

/// log(1 + e) of an e from 0 to 1: 2 artanh(s) by a minimax polynomial of s,
/// whose error is 4e-9 of the result.
Expr logOnePlus(const Expr &e) {
  Expr s = e / (2.0f + e);
  return s * polynomial(s * s, {2.0f, 6.6666317e-1f, 4.0024909e-1f,
                                2.7960604e-1f, 2.8178325e-1f});
}

Lowered elu(const Op &op, const Operands &in) {
  float scale = floatAttribute(op, "scale");
  auto least = static_cast<float>(realAttribute(op, "scale") *
                                  realAttribute(op, "alpha"));
  Expr x = at(in.at(0));
  Expr below =
      least * expMinusOne(min(x, 0.0f) * floatAttribute(op, "input_scale"));
  return pointwise(op, in[0], select(isAtMost(x, 0.0f), below, x * scale));
}

Lowered eluBackward(const Op &op, const Operands &in) {
  auto least = static_cast<float>(realAttribute(op, "scale") *
                                  realAttribute(op, "alpha"));
  Expr dy = at(in.at(0)), y = at(in.at(1));
  return pointwise(op, in[0],
                   dy * select(isAtMost(y, 0.0f),
                               (y + least) * floatAttribute(op, "input_scale"),
                               floatAttribute(op, "scale")));
}

/// What part of x gelu(x) is, and the derivative of gelu.
struct GeluShare {
  Expr share, derivative;
};

/// The share is (1 + erf(x / sqrt(2))) / 2. It and the derivative are 1/2 and x
/// times a rational function of its square, of an error of 4e-7; beyond the
/// clamp they are 1 or 0.
GeluShare geluByErf(const Expr &x) {
  const float end = 5.5f;
  Expr inside = clamp(x, -end, end), square = inside * inside;
  Expr share =
      inside *
      polynomial(square, {3.9894223e-1f, 3.3809885e-2f, 4.6744663e-3f,
                          1.6836314e-4f, 6.3465031e-6f, 2.2768557e-8f}) /
      polynomial(square, {1.0f, 2.5141481e-1f, 2.8620927e-2f, 1.8818631e-3f,
                          7.3485644e-5f, 1.1976429e-6f});
  Expr derivative =
      inside *
      polynomial(square, {7.9788532e-1f, -3.0943895e-2f, 1.4219055e-2f,
                          2.0592870e-5f, 3.5803444e-5f, 1.9087559e-7f}) /
      polynomial(square, {1.0f, 2.9455877e-1f, 4.0988544e-2f, 3.5218292e-3f,
                          1.9206079e-4f, 8.8872238e-6f});
  return {shareAbove(-end, x, share + 0.5f),
          shareAbove(-end, x, derivative + 0.5f)};
}

/// (1 + tanh(v / 2)) / 2 is the logistic function of v.
GeluShare geluByTanh(const Expr &x) {
  const float twice = 1.5957691216f, cubic = 0.044715f;
  // Further out the derivative is 0, and squares might overflow.
  Expr inside = clamp(x, -9.0f, 9.0f), square = inside * inside;
  Expr share =
      shareAbove(-9.0f, x, logistic(twice * inside * (1.0f + cubic * square)));
  return {share, share + inside * share * (1.0f - share) * twice *
                             (1.0f + 3.0f * cubic * square)};
}

GeluShare geluShare(const Op &op, const Expr &x) {
  std::string form = textAttribute(op, "form");
  if (form != "erf" && form != "tanh")
    throw std::invalid_argument("op '" + op.name + "': form '" + form + "'");
  return form == "erf" ? geluByErf(x) : geluByTanh(x);
}

Lowered gelu(const Op &op, const Operands &in) {
  Expr x = at(in.at(0));
  return pointwise(op, in[0], x * geluShare(op, x).share);
}

Lowered geluBackward(const Op &op, const Operands &in) {
  return pointwise(op, in.at(0),
                   at(in[0]) * geluShare(op, at(in.at(1))).derivative);
}

Lowered silu(const Op &op, const Operands &in) {
  Expr x = at(in.at(0));
  return pointwise(op, in[0], x * logistic(x));
}

Lowered siluBackward(const Op &op, const Operands &in) {
  Expr x = at(in.at(1)), share = logistic(x);
  return pointwise(op, in.at(0),
                   at(in[0]) * (share * (1.0f + x * (1.0f - share))));
}

Lowered softplus(const Op &op, const Operands &in) {
  Expr x = at(in.at(0));
  return pointwise(op, in[0],
                   atLeast(0.0f, x) + logOnePlus(exp(-min(abs(x), farthest))));
}

/// y is not negative; of NaN the slope is NaN.
Lowered softplusBackward(const Op &op, const Operands &in) {
  Expr y = at(in.at(1));
  Expr slope =
      select(strict_float(y < farthest), -expMinusOne(-y), atMost(1.0f, y));
  return pointwise(op, in.at(0), at(in[0]) * slope);
}

/// With e = exp(x), tanh(log(1 + e)) is n / (n + 2), n = e (e + 2); from 20 on
/// it is 1.
struct MishShare {
  Expr inside, e, n;
  explicit MishShare(const Expr &x)
      : inside(clamp(x, -farthest, 20.0f)), e(exp(inside)), n(e * (e + 2.0f)) {}
  Expr share(const Expr &x) const {
    return shareAbove(-farthest, x, n / (n + 2.0f));
  }
};

Lowered mish(const Op &op, const Operands &in) {
  Expr x = at(in.at(0));
  return pointwise(op, in[0], x * MishShare(x).share(x));
}

Lowered mishBackward(const Op &op, const Operands &in) {
  Expr x = at(in.at(1));
  MishShare part(x);
  Expr inverse = 1.0f / (part.n + 2.0f);
  Expr slope =
      part.inside * 4.0f * (part.e * inverse) * ((1.0f + part.e) * inverse);
  return pointwise(op, in.at(0), at(in[0]) * (part.share(x) + slope));
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
  registry["leaky_relu"] = {leakyRelu, true};
  registry["leaky_relu_backward"] = {leakyReluBackward, true};
  registry["prelu"] = {prelu, true};
  registry["prelu_backward"] = {preluBackward, true};
  registry["elu"] = {elu, true};
  registry["elu_backward"] = {eluBackward, true};
  registry["gelu"] = {gelu, true};
  registry["gelu_backward"] = {geluBackward, true};
  registry["silu"] = {silu, true};
  registry["silu_backward"] = {siluBackward, true};
  registry["softplus"] = {softplus, true};
  registry["softplus_backward"] = {softplusBackward, true};
  registry["mish"] = {mish, true};
  registry["mish_backward"] = {mishBackward, true};
  registry["multiply"] = {multiply, true};
  registry["relu"] = {relu, true};
  registry["relu_backward"] = {reluBackward, true};
  registry["sigmoid"] = {sigmoid, true};
  registry["sigmoid_backward"] = {sigmoidBackward, true};
}

} // namespace rootc::codegen
