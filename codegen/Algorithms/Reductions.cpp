//===- Reductions.cpp - Sums over positions -------------------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/Algorithms/Algorithms.h"

#include <stdexcept>

using namespace Halide;

namespace rootc::codegen {

int64_t rowsPerChunk(const Value &image) {
  const int64_t bytes = 24 * 1024; // half of a first-level cache
  int64_t height = image.height();
  int64_t row = image.width() * image.channels() * 4;
  int64_t rows = 1;
  for (int64_t r = 2; r <= height && r * row <= bytes; ++r)
    if (height % r == 0)
      rows = r;
  return rows;
}

namespace {
using Operands = std::vector<Value>;

Lowered channelSum(const Op &op, const Operands &in) {
  const Value &x = in.at(0);
  int rows = static_cast<int>(rowsPerChunk(x));
  Var c = imageVars(1)[0], b("b"), n("n");
  RDom r(0, static_cast<int>(x.width()), 0, rows, "r");
  Func sum("sum"), chunk("chunk"), total("total"), result(op.name);
  sum(c, b, n) += x.func(c, r.x, b * rows + r.y, n);
  chunk(c, b, n) = sum(c, b, n);
  RDom q(0, static_cast<int>(x.height()) / rows, 0, x.batch(), "q");
  total(c) = cast<double>(0);
  total(c) += cast<double>(chunk(c, q.x, q.y));
  result(c) = cast<float>(total(c));
  return {{result}, {{"registers", sum}, {"chunk", chunk}, {"total0", total}}};
}

/// The sum over each channel's map, (c, n), as stage "sum". Two levels keep the
/// error small on large maps.
std::map<std::string, Func> sumOverMap(const Value &x) {
  Var c("c"), y("y"), n("n");
  RDom r(0, static_cast<int>(x.width()), "r");
  RDom q(0, static_cast<int>(x.height()), "q");
  Func row("row"), sum("sum");
  row(c, y, n) += x.func(c, r, y, n);
  sum(c, n) += row(c, q, n);
  return {{"row", row}, {"sum", sum}};
}

Lowered globalAveragePool(const Op &op, const Operands &in) {
  const Value &x = in.at(0);
  std::vector<Var> v = imageVars(4);
  auto stages = sumOverMap(x);
  Func result(op.name);
  result(v) = stages["sum"](v[0], v[3]) *
              (1.0f / static_cast<float>(x.width() * x.height()));
  return {{result}, std::move(stages)};
}

/// The sum over each position's channels, as sums of every 16th channel, so
/// that the bits are the same with vectors of any width.
Lowered sumOverChannels(const Op &op, const Value &x) {
  const int lanes = 16;
  int whole = static_cast<int>(x.channels()) / lanes;
  int rest = static_cast<int>(x.channels()) % lanes;
  std::vector<Var> v = imageVars(4);
  Var l("l");
  Func lane("lane"), sum("sum"), result(op.name);
  sum(v[1], v[2], v[3]) = 0.0f;
  std::map<std::string, Func> stages;
  if (whole > 0) {
    RDom r(0, whole, "r"), q(0, lanes, "q");
    lane(l, v[1], v[2], v[3]) += x.func(r * lanes + l, v[1], v[2], v[3]);
    sum(v[1], v[2], v[3]) += lane(q, v[1], v[2], v[3]);
    stages["lane"] = lane;
  }
  if (rest > 0) {
    RDom r(whole * lanes, rest, "r");
    sum(v[1], v[2], v[3]) += x.func(r, v[1], v[2], v[3]);
  }
  stages["position"] = sum;
  result(v) = sum(v[1], v[2], v[3]);
  return {{result}, std::move(stages)};
}

Lowered reduceSum(const Op &op, const Operands &in) {
  const Value &x = in.at(0);
  std::string over = textAttribute(op, "over");
  if (over == "channels")
    return sumOverChannels(op, x);
  if (over != "map" && over != "image")
    throw std::invalid_argument("op 'reduce_sum': over '" + over + "'");
  std::vector<Var> v = imageVars(4);
  auto stages = sumOverMap(x);
  Func sum = stages["sum"], result(op.name);
  if (over == "image") {
    Var n("n");
    Func image("image");
    RDom r(0, static_cast<int>(x.channels()), "channels");
    image(n) += sum(r, n);
    stages["image"] = image;
    result(v) = image(v[3]);
  } else {
    result(v) = sum(v[0], v[3]);
  }
  return {{result}, std::move(stages)};
}
} // namespace

void addReductions(OpRegistry &registry) {
  registry["channel_sum"] = {channelSum};
  registry["global_average_pool"] = {globalAveragePool};
  registry["reduce_sum"] = {reduceSum};
}

} // namespace rootc::codegen
