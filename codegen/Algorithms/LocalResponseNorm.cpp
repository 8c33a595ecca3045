//===- LocalResponseNorm.cpp - Normalisation across neighbouring channels -===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// y = x scale^-beta, scale = k + alpha / size * (sum of x^2 over the window).
// The window of channel c is [c - (size - 1) / 2, c + size / 2], of which no
// more is summed than can lie among the channels.
//
//===----------------------------------------------------------------------===//

#include "codegen/Algorithms/Algorithms.h"

#include <algorithm>
#include <limits>
#include <stdexcept>

using namespace Halide;

namespace rootc::codegen {

namespace {
using Operands = std::vector<Value>;

struct Parameters {
  int before, after; ///< channels of the window beside its own
  float size, alpha, beta, k;

  RDom window() const { return RDom(0, before + 1 + after, "r"); }
  /// Of the scale.
  float least() const { return alpha < 0 ? 0 : k; }
};

Parameters parameters(const Op &op, const Value &x) {
  int64_t size = integerAttribute(op, "size"), others = x.channels() - 1;
  if (size < 1)
    throw std::invalid_argument("op '" + op.name + "': absurd size");
  return {static_cast<int>(std::min((size - 1) / 2, others)),
          static_cast<int>(std::min(size / 2, others)),
          static_cast<float>(size),
          static_cast<float>(realAttribute(op, "alpha")),
          static_cast<float>(realAttribute(op, "beta")),
          static_cast<float>(realAttribute(op, "k"))};
}

/// The operand with zero channels on both sides.
Func padded(const Value &value, const std::string &name) {
  std::vector<Var> v = imageVars(4);
  Func exterior = BoundaryConditions::constant_exterior(
      value.func, 0.0f, {{0, static_cast<int>(value.channels())}});
  Func result(name);
  result(v) = exterior(v);
  return result;
}

/// scale(c, ...), defined beyond the channels too.
Func scaleOf(Func x, const Parameters &p) {
  std::vector<Var> v = imageVars(4);
  RDom r = p.window();
  Expr neighbour = x(v[0] - p.before + r, v[1], v[2], v[3]);
  Func squares("squares"), scale("scale");
  squares(v) += neighbour * neighbour;
  scale(v) = p.k + p.alpha / p.size * squares(v);
  return scale;
}

/// 1 / sqrt(x), x normal: half of the exponent, negative, to within 4%, and
/// three of Newton's iterations. A CPU's own estimate is no C++.
Expr inverseRoot(const Expr &x) {
  Expr root = reinterpret<float>(0x5f375a86 - (reinterpret<int32_t>(x) >> 1));
  for (int i = 0; i < 3; ++i)
    root = root * (1.5f - 0.5f * x * root * root);
  return root;
}

/// scale^-exponent, scale being at least `least`. Halide's pow takes infinity
/// and NaN for numbers.
Expr inversePower(const Expr &scale, float exponent, float least) {
  if (exponent == 0)
    return 1.0f;
  const float infinity = std::numeric_limits<float>::infinity();
  Expr power = pow(scale, -exponent);
  // The usual exponent takes a third of pow's time.
  if (exponent == 0.75f && least > 1e-6f) {
    Expr root = inverseRoot(scale);
    power = root * root * inverseRoot(root);
  }
  return select(strict_float(scale > 0.0f && scale < infinity), power,
                strict_float(1.0f / scale));
}

Lowered normalize(const Op &op, const Operands &in) {
  Parameters p = parameters(op, in.at(0));
  std::vector<Var> v = imageVars(4);
  Func x = padded(in[0], "x");
  Func scale = scaleOf(x, p);
  Func result(op.name);
  result(v) = x(v) * inversePower(scale(v), p.beta, p.least());
  return {{result}, {{"row0", x}, {"row1", scale}}};
}

Lowered backward(const Op &op, const Operands &in) {
  Parameters p = parameters(op, in.at(0));
  std::vector<Var> v = imageVars(4);
  Func dy = padded(in[0], "dy"), x = padded(in.at(1), "x");
  Func scale = scaleOf(x, p);
  // A division takes a fraction of another power's time.
  Func power("power"), ratio("ratio"), sum("sum"), result(op.name);
  power(v) = inversePower(scale(v), p.beta, p.least());
  ratio(v) = dy(v) * x(v) * (power(v) / scale(v));
  // Channels whose window holds c.
  RDom r = p.window();
  sum(v) += ratio(v[0] - p.after + r, v[1], v[2], v[3]);
  float slope = 2 * p.alpha * p.beta / p.size;
  result(v) = dy(v) * power(v) - slope * x(v) * sum(v);
  return {{result},
          {{"row0", x},
           {"row1", dy},
           {"row2", scale},
           {"row3", power},
           {"row4", ratio}}};
}
} // namespace

void addLocalResponseNorm(OpRegistry &registry) {
  registry["local_response_norm"] = {normalize};
  registry["local_response_norm_backward"] = {backward};
}

} // namespace rootc::codegen
