//===- Reductions.cpp - Sums over positions -------------------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/Algorithms/Algorithms.h"

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

Lowered globalAveragePool(const Op &op, const Operands &in) {
  const Value &x = in.at(0);
  int width = static_cast<int>(x.width());
  int height = static_cast<int>(x.height());
  std::vector<Var> v = imageVars(4);
  Var c("c"), y("y"), n("n");
  RDom r(0, width, "r"), q(0, height, "q");
  // Two levels keep the error small on large maps.
  Func row("row"), sum("sum"), result(op.name);
  row(c, y, n) += x.func(c, r, y, n);
  sum(c, n) += row(c, q, n);
  result(v) = sum(v[0], v[3]) * (1.0f / static_cast<float>(width * height));
  return {{result}, {{"row", row}, {"sum", sum}}};
}
} // namespace

void addReductions(OpRegistry &registry) {
  registry["channel_sum"] = {channelSum};
  registry["global_average_pool"] = {globalAveragePool};
}

} // namespace rootc::codegen
