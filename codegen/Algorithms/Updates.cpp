//===- Updates.cpp - What gradients do to weights -------------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Results may lie where operands lie. Stages whose names begin with "new" are
// values of a point that are read by more than one result.
//
//===----------------------------------------------------------------------===//

#include "codegen/Algorithms/Pointwise.h"

using namespace Halide;

namespace rootc::codegen {

namespace {
using Operands = std::vector<Value>;

Lowered sgd(const Op &, const Operands &in) {
  const Value &w = in.at(0), &g = in.at(1), &v = in.at(2);
  Func scalars = in.at(3).func;
  Expr rate = scalars(0), momentum = scalars(1), decay = scalars(2);
  Var c = imageVars(1)[0];
  Func velocity("velocity"), parameters("parameters");
  Expr gradient = at(g) + decay * at(w);
  velocity(c) = momentum * at(v) + gradient;
  Expr step = select(scalars(3) != 0.0f, gradient + momentum * velocity(c),
                     velocity(c));
  parameters(c) = at(w) - rate * step;
  return {{parameters, velocity}, {{"new velocity", velocity}}};
}

Lowered adamw(const Op &, const Operands &in) {
  const Value &w = in.at(0), &g = in.at(1), &m = in.at(2), &v = in.at(3);
  Func scalars = in.at(4).func;
  Expr shrink = scalars(0), rate = scalars(1), meanGain = scalars(2),
       squareGain = scalars(3), root = scalars(4), epsilon = scalars(5);
  Var c = imageVars(1)[0];
  Func mean("mean"), square("square"), parameters("parameters");
  mean(c) = at(m) + meanGain * (at(g) - at(m));
  square(c) = at(v) + squareGain * (at(g) * at(g) - at(v));
  parameters(c) =
      at(w) * shrink - rate * (mean(c) / (sqrt(square(c)) * root + epsilon));
  return {{parameters, mean, square},
          {{"new mean", mean}, {"new square", square}}};
}

/// The sum of squares is of rows of lanes, the rows of a chunk one after
/// another, then of lanes, chunks, and what fills no row: the same at any
/// number of threads. Chunks are summed in double. What has one value has a
/// dimension, which a device's loops need.
Lowered clipNorm(const Op &op, const Operands &in) {
  const int lanes = 64, rows = 1024;
  const Value &g = in.at(0);
  Var c = imageVars(1)[0], l("l"), k("k"), one("one");
  Expr count = g.extent(0), whole = count / lanes;
  auto squareAt = [&](const Expr &index) {
    Expr value = g.func(unsafe_promise_clamped(index, 0, count - 1));
    return value * value;
  };
  Func lane("lane"), chunk("chunk"), rest("rest"), sum("sum");
  RDom r(0, rows, "r");
  r.where(k * rows + r < whole);
  lane(l, k) = 0.0f;
  lane(l, k) += squareAt((k * rows + r) * lanes + l);
  RDom s(0, lanes, "s");
  chunk(k) = 0.0f;
  chunk(k) += lane(s, k);
  RDom t(0, lanes, "t");
  t.where(whole * lanes + t < count);
  rest(one) = 0.0f;
  rest(one) += squareAt(whole * lanes + t);
  RDom q(0, max(1, (whole + rows - 1) / rows), "q");
  sum(one) = cast<double>(rest(one));
  sum(one) += cast<double>(chunk(q));
  Expr norm = sqrt(sum(0)) + Expr(1e-6);
  Expr scale = cast<float>(cast<double>(in.at(1).func(0)) / norm);
  Func result(op.name);
  result(c) = select(scale < 1.0f, at(g) * scale, at(g));
  return {{result},
          {{"lane", lane}, {"chunk", chunk}, {"rest", rest}, {"norm", sum}}};
}

Lowered movingAverage(const Op &op, const Operands &in) {
  const Value &average = in.at(0), &value = in.at(1);
  Expr share = in.at(2).func(0);
  Var c = imageVars(1)[0];
  Func result(op.name);
  result(c) = at(average) + share * strict_float(at(value) - at(average));
  return {{result}, {}};
}
} // namespace

void addUpdates(OpRegistry &registry) {
  registry["adamw"] = {adamw};
  registry["clip_norm"] = {clipNorm};
  registry["moving_average"] = {movingAverage};
  registry["sgd"] = {sgd};
}

} // namespace rootc::codegen
