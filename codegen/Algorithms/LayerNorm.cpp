//===- LayerNorm.cpp - Normalisation of each position ---------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// The statistics are of a position's channels, relative to the first of them:
// it cannot lie further from their mean than sqrt(channels) deviations, however
// large the mean. They are computed anew for the gradient: x is read anyway,
// and a position's channels are in the first-level cache.
//
//===----------------------------------------------------------------------===//

#include "codegen/Algorithms/ChannelSums.h"

using namespace Halide;

namespace rootc::codegen {

namespace {
using Operands = std::vector<Value>;
using Stages = std::map<std::string, Func>;

/// A copy of an operand, should the schedule want one.
Func copied(const Value &value, const std::string &name, Stages &stages) {
  Func copy("copy");
  copy(imageVars(4)) = value.func(imageVars(4));
  stages[name] = copy;
  return copy;
}

/// x less its position's mean, (c, x, y, n), and 1 / sqrt(variance + epsilon),
/// (x, y, n).
struct Normal {
  Func centred, inverse;
};

Normal normalOf(const Op &op, const Value &x, Func copy, Stages &stages) {
  std::vector<Var> v = imageVars(4);
  Expr share = 1.0f / static_cast<float>(x.channels());
  auto distance = [&](const Expr &c) {
    return strict_float(copy(c, v[1], v[2], v[3]) - copy(0, v[1], v[2], v[3]));
  };
  Expr sum = sumOverChannels(
      "mean", x.channels(),
      [&](const Expr &c) { return std::vector<Expr>{distance(c)}; }, stages)[0];
  Func mean("mean"), centred("centred"), inverse("inverse");
  mean(v[1], v[2], v[3]) = sum * share;
  centred(v) = strict_float(distance(v[0]) - mean(v[1], v[2], v[3]));
  Expr squares = sumOverChannels(
      "variance", x.channels(),
      [&](const Expr &c) {
        Expr value = centred(c, v[1], v[2], v[3]);
        return std::vector<Expr>{value * value};
      },
      stages)[0];
  float epsilon = static_cast<float>(realAttribute(op, "epsilon"));
  inverse(v[1], v[2], v[3]) = 1.0f / sqrt(squares * share + epsilon);
  stages["position centre"] = mean;
  stages["position inverse"] = inverse;
  return {centred, inverse};
}

Lowered forward(const Op &op, const Operands &in) {
  const Value &x = in.at(0);
  std::vector<Var> v = imageVars(4);
  Lowered lowered;
  Normal normal =
      normalOf(op, x, copied(x, "copy 0", lowered.stages), lowered.stages);
  Func result(op.name);
  result(v) = normal.centred(v) *
                  (normal.inverse(v[1], v[2], v[3]) * in.at(1).func(v[0])) +
              in.at(2).func(v[0]);
  lowered.results = {result};
  return lowered;
}

/// With g = scale dy and u the normalised x: (g - mean(g) - u mean(g u)) /
/// deviation.
Lowered backwardData(const Op &op, const Operands &in) {
  const Value &x = in.at(1);
  std::vector<Var> v = imageVars(4);
  Lowered lowered;
  Stages &stages = lowered.stages;
  Func dy = copied(in.at(0), "copy 0", stages);
  Normal normal = normalOf(op, x, copied(x, "copy 1", stages), stages);
  Expr share = 1.0f / static_cast<float>(x.channels());
  auto gradient = [&](const Expr &c) {
    return dy(c, v[1], v[2], v[3]) * in.at(2).func(c);
  };
  std::vector<Expr> sums = sumOverChannels(
      "gradient", x.channels(),
      [&](const Expr &c) {
        Expr g = gradient(c);
        return std::vector<Expr>{g, g * normal.centred(c, v[1], v[2], v[3])};
      },
      stages);
  Expr inverse = normal.inverse(v[1], v[2], v[3]);
  Func means("means"), result(op.name);
  means(v[1], v[2], v[3]) =
      Tuple(sums[0] * share, sums[1] * share * inverse * inverse);
  stages["position means"] = means;
  result(v) = inverse * (gradient(v[0]) - means(v[1], v[2], v[3])[0] -
                         normal.centred(v) * means(v[1], v[2], v[3])[1]);
  lowered.results = {result};
  return lowered;
}

/// Sums over positions, by chunks of rows.
Lowered backwardReduce(const Op &op, const Operands &in) {
  const Value &dy = in.at(0), &x = in.at(1);
  int rows = static_cast<int>(rowsPerChunk(x));
  Lowered lowered;
  Stages &stages = lowered.stages;
  Normal normal = normalOf(op, x, copied(x, "copy 1", stages), stages);
  Var c = imageVars(1)[0], b("b"), n("n");
  RDom r(0, static_cast<int>(x.width()), 0, rows, "r");
  Expr row = b * rows + r.y;
  Expr gradient = cast<double>(dy.func(c, r.x, row, n));
  Expr value = cast<double>(normal.centred(c, r.x, row, n) *
                            normal.inverse(r.x, row, n));
  Func sums("sums"), chunk("chunk"), total("total"), scale("dscale"),
      offset("doffset");
  sums(c, b, n) = Tuple(cast<double>(0), cast<double>(0));
  sums(c, b, n) =
      Tuple(sums(c, b, n)[0] + gradient * value, sums(c, b, n)[1] + gradient);
  chunk(c, b, n) = Tuple(sums(c, b, n)[0], sums(c, b, n)[1]);
  RDom q(0, static_cast<int>(x.height()) / rows, 0, x.batch(), "q");
  total(c) = Tuple(cast<double>(0), cast<double>(0));
  total(c) = Tuple(total(c)[0] + chunk(c, q.x, q.y)[0],
                   total(c)[1] + chunk(c, q.x, q.y)[1]);
  scale(c) = cast<float>(total(c)[0]);
  offset(c) = cast<float>(total(c)[1]);
  stages["registers"] = sums;
  stages["chunk"] = chunk;
  stages["total0"] = total;
  lowered.results = {scale, offset};
  return lowered;
}
} // namespace

void addLayerNorm(OpRegistry &registry) {
  registry["layer_norm"] = {forward};
  registry["layer_norm_backward_data"] = {backwardData};
  registry["layer_norm_backward_reduce"] = {backwardReduce};
}

} // namespace rootc::codegen
