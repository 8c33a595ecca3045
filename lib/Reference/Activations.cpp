//===- Activations.cpp - Activations and products, both ways --------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lib/Reference/Support.h"

#include <cmath>

namespace rootc::reference {

using codegen::ElementType;
using codegen::Op;

namespace {

template <typename Compute>
Results unary(const Op &op, const Operands &operands, Compute compute) {
  expectCount(op, operands, 1, 1);
  Tensor result = operands[0];
  for (double &value : result.reals)
    value = compute(value);
  return {result};
}

/// compute(dy, value), `value` being the second operand's.
template <typename Compute>
Results backward(const Op &op, const Operands &operands, Compute compute) {
  expectCount(op, operands, 2, 2);
  expectShape(op, operands[1], operands[0].shape());
  Tensor result = operands[0];
  for (int64_t i = 0; i < result.size(); ++i)
    result.reals[i] = compute(result.reals[i], operands[1].reals[i]);
  return {result};
}

Results relu(const Op &op, const Operands &operands) {
  return unary(op, operands, [](double x) { return x < 0 ? 0 : x; });
}

// A gradient is 0 where the function is known to be flat, so NaN is not.

Results reluBackward(const Op &op, const Operands &operands) {
  return backward(op, operands,
                  [](double dy, double y) { return y <= 0 ? 0 : dy; });
}

/// A bound as kernels have it, in single precision. One that is absent is NaN:
/// no number is beyond it.
double bound(const Op &op, const std::string &key) {
  return op.attributes.contains(key) ? float(real(op, key)) : NAN;
}

struct Bounds {
  double min, max;
  explicit Bounds(const Op &op)
      : min(bound(op, "min")), max(bound(op, "max")) {}
  Bounds(double min, double max) : min(min), max(max) {}
  /// NaN stays.
  double clamp(double x) const {
    double upper = x > max ? max : x;
    return upper < min ? min : upper;
  }
};

Results clip(const Op &op, const Operands &operands) {
  Bounds bounds(op);
  return unary(op, operands, [&](double x) { return bounds.clamp(x); });
}

Results clipBackward(const Op &op, const Operands &operands) {
  Bounds bounds(op);
  return backward(op, operands, [&](double dy, double y) {
    return y <= bounds.min || y >= bounds.max ? 0 : dy;
  });
}

double logistic(double x) {
  // Of a number that is not positive, so that nothing overflows.
  double small = std::exp(-std::abs(x));
  return (x < 0 ? small : 1) / (1 + small);
}

Results sigmoid(const Op &op, const Operands &operands) {
  return unary(op, operands, logistic);
}

Results sigmoidBackward(const Op &op, const Operands &operands) {
  return backward(op, operands,
                  [](double dy, double y) { return dy * y * (1 - y); });
}

Results hardSigmoid(const Op &op, const Operands &operands) {
  double alpha = real(op, "alpha"), beta = real(op, "beta");
  return unary(op, operands,
               [&](double x) { return Bounds(0, 1).clamp(alpha * x + beta); });
}

Results hardSigmoidBackward(const Op &op, const Operands &operands) {
  double alpha = real(op, "alpha");
  return backward(op, operands, [&](double dy, double y) {
    return y <= 0 || y >= 1 ? 0 : alpha * dy;
  });
}

Results hardSwish(const Op &op, const Operands &operands) {
  return unary(op, operands,
               [](double x) { return x * Bounds(0, 1).clamp(x / 6 + 0.5); });
}

Results hardSwishBackward(const Op &op, const Operands &operands) {
  return backward(op, operands, [](double dy, double x) {
    return dy * (x <= -3 ? 0 : x >= 3 ? 1 : x / 3 + 0.5);
  });
}

//===----------------------------------------------------------------------===//
// Smooth ones, and learnt slopes
//===----------------------------------------------------------------------===//

Results leakyRelu(const Op &op, const Operands &operands) {
  double alpha = real(op, "alpha");
  return unary(op, operands, [&](double x) { return x <= 0 ? alpha * x : x; });
}

Results leakyReluBackward(const Op &op, const Operands &operands) {
  double alpha = real(op, "alpha");
  return backward(op, operands, [&](double dy, double y) {
    return y <= 0 ? alpha * dy : dy;
  });
}

/// values[i] times the slope of its channel where at[i] <= 0.
Results slope(const Op &op, const Tensor &values, const Tensor &at,
              const Tensor &slopes) {
  expectRank(op, at, 4);
  expectShape(op, values, at.shape());
  if (slopes.size() != 1)
    expectShape(op, slopes, {at.dim(3)});
  Tensor result = values;
  for (int64_t i = 0; i < result.size(); ++i)
    if (at.reals[i] <= 0)
      result.reals[i] *= slopes.reals[i % at.dim(3) % slopes.size()];
  return {result};
}

Results prelu(const Op &op, const Operands &operands) {
  expectCount(op, operands, 2, 2);
  return slope(op, operands[0], operands[0], operands[1]);
}

Results preluBackward(const Op &op, const Operands &operands) {
  expectCount(op, operands, 3, 3);
  return slope(op, operands[0], operands[1], operands[2]);
}

Results elu(const Op &op, const Operands &operands) {
  double alpha = real(op, "alpha"), scale = real(op, "scale"),
         inputScale = real(op, "input_scale");
  return unary(op, operands, [&](double x) {
    return scale * (x <= 0 ? alpha * std::expm1(inputScale * x) : x);
  });
}

Results eluBackward(const Op &op, const Operands &operands) {
  double alpha = real(op, "alpha"), scale = real(op, "scale"),
         inputScale = real(op, "input_scale");
  return backward(op, operands, [&](double dy, double y) {
    return dy * (y <= 0 ? inputScale * (y + scale * alpha) : scale);
  });
}

/// x's share in gelu(x), and the share's derivative.
std::pair<double, double> geluShare(bool tanh, double x) {
  if (tanh) {
    double twice = 2 * std::sqrt(2 / M_PI), cubic = 0.044715;
    double share = logistic(twice * (x + cubic * x * x * x));
    return {share, share * (1 - share) * twice * (1 + 3 * cubic * x * x)};
  }
  return {std::erfc(-x / std::sqrt(2)) / 2,
          std::exp(-x * x / 2) / std::sqrt(2 * M_PI)};
}

bool isTanhForm(const Op &op) {
  std::string form = text(op, "form");
  if (form != "erf" && form != "tanh")
    fail(op, "no form '" + form + "'");
  return form == "tanh";
}

Results gelu(const Op &op, const Operands &operands) {
  bool tanh = isTanhForm(op);
  return unary(op, operands,
               [&](double x) { return x * geluShare(tanh, x).first; });
}

Results geluBackward(const Op &op, const Operands &operands) {
  bool tanh = isTanhForm(op);
  return backward(op, operands, [&](double dy, double x) {
    auto [share, derivative] = geluShare(tanh, x);
    // Far out the derivative is 0, however large x is.
    return dy * (share + (derivative == 0 ? 0 : x * derivative));
  });
}

Results silu(const Op &op, const Operands &operands) {
  return unary(op, operands, [](double x) { return x * logistic(x); });
}

Results siluBackward(const Op &op, const Operands &operands) {
  return backward(op, operands, [](double dy, double x) {
    return dy * logistic(x) * (1 + x * logistic(-x));
  });
}

double softplusOf(double x) {
  return std::log1p(std::exp(-std::abs(x))) + (x < 0 ? 0 : x);
}

Results softplus(const Op &op, const Operands &operands) {
  return unary(op, operands, softplusOf);
}

Results softplusBackward(const Op &op, const Operands &operands) {
  return backward(op, operands,
                  [](double dy, double y) { return dy * -std::expm1(-y); });
}

Results mish(const Op &op, const Operands &operands) {
  return unary(op, operands,
               [](double x) { return x * std::tanh(softplusOf(x)); });
}

Results mishBackward(const Op &op, const Operands &operands) {
  return backward(op, operands, [](double dy, double x) {
    double share = std::tanh(softplusOf(x));
    return dy * (share + x * (1 - share) * (1 + share) * logistic(x));
  });
}

/// Checks that `small` is `whole`, or has one row and column, or one channel.
void expectBroadcast(const Op &op, const Tensor &whole, const Tensor &small) {
  expectRank(op, whole, 4);
  expectRank(op, small, 4);
  bool oneMap = small.dim(1) == 1 && small.dim(2) == 1;
  bool oneChannel = small.dim(3) == 1;
  expectShape(op, small,
              {whole.dim(0), oneMap ? 1 : whole.dim(1),
               oneMap ? 1 : whole.dim(2), oneChannel ? 1 : whole.dim(3)});
}

/// Calls visit(i, j): element i of `whole` belongs to element j of `small`.
template <typename Visit>
void forEachBroadcast(const Tensor &whole, const Tensor &small, Visit visit) {
  int64_t i = 0;
  for (int64_t n = 0; n < whole.dim(0); ++n)
    for (int64_t y = 0; y < whole.dim(1); ++y)
      for (int64_t x = 0; x < whole.dim(2); ++x)
        for (int64_t c = 0; c < whole.dim(3); ++c)
          visit(i++, ((n * small.dim(1) + y % small.dim(1)) * small.dim(2) +
                      x % small.dim(2)) *
                             small.dim(3) +
                         c % small.dim(3));
}

Results multiply(const Op &op, const Operands &operands) {
  expectCount(op, operands, 2, 2);
  expectBroadcast(op, operands[0], operands[1]);
  Tensor result = operands[0];
  forEachBroadcast(operands[0], operands[1], [&](int64_t i, int64_t j) {
    result.reals[i] *= operands[1].reals[j];
  });
  return {result};
}

Results reduceSum(const Op &op, const Operands &operands) {
  expectCount(op, operands, 1, 1);
  const Tensor &x = operands[0];
  expectRank(op, x, 4);
  std::string over = text(op, "over");
  if (over != "map" && over != "channels" && over != "image")
    fail(op, "no sum over '" + over + "'");
  bool map = over != "channels", channels = over != "map";
  Tensor sum({ElementType::F32,
              {x.dim(0), map ? 1 : x.dim(1), map ? 1 : x.dim(2),
               channels ? 1 : x.dim(3)}});
  forEachBroadcast(x, sum,
                   [&](int64_t i, int64_t j) { sum.reals[j] += x.reals[i]; });
  return {sum};
}

} // namespace

void addActivations(FunctionTable &table) {
  table["relu"] = {relu, true};
  table["relu_backward"] = {reluBackward, true};
  table["clip"] = {clip, true};
  table["clip_backward"] = {clipBackward, true};
  table["sigmoid"] = {sigmoid, true};
  table["sigmoid_backward"] = {sigmoidBackward, true};
  table["hard_sigmoid"] = {hardSigmoid, true};
  table["hard_sigmoid_backward"] = {hardSigmoidBackward, true};
  table["hard_swish"] = {hardSwish, true};
  table["hard_swish_backward"] = {hardSwishBackward, true};
  table["leaky_relu"] = {leakyRelu, true};
  table["leaky_relu_backward"] = {leakyReluBackward, true};
  table["prelu"] = {prelu, true};
  table["prelu_backward"] = {preluBackward, true};
  table["elu"] = {elu, true};
  table["elu_backward"] = {eluBackward, true};
  table["gelu"] = {gelu, true};
  table["gelu_backward"] = {geluBackward, true};
  table["silu"] = {silu, true};
  table["silu_backward"] = {siluBackward, true};
  table["softplus"] = {softplus, true};
  table["softplus_backward"] = {softplusBackward, true};
  table["mish"] = {mish, true};
  table["mish_backward"] = {mishBackward, true};
  table["multiply"] = multiply;
  table["reduce_sum"] = reduceSum;
}

} // namespace rootc::reference
