//===- Winograd.cpp - Winograd's convolution of stride 1 ------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The stages, tile (tx, ty) being the m by m pixels from (m tx, m ty) on:
//
//   strip        the map that is read, zero around it, to the last tile's end
//   columns      its columns transformed: (channel, a, tx, y, n)
//   transformed  and its rows: (channel, a, b, tx, ty, n)
//   accumulator  products with the filter: (lane, a, b, tx, ty, n, block)
//   products     the same, as they lie in memory
//   rows         transformed back: (lane, x in tile, b, tx, ty, n, block)
//   tiles        the pixels: (lane, x in tile, y in tile, tx, ty, n, block)
//
//===----------------------------------------------------------------------===//

#include "codegen/Algorithms/Convolution.h"

#include <stdexcept>

using namespace Halide;

namespace rootc::codegen {

using Matrix = Winograd::Matrix;

/// The sum of row `row` of the matrix times value(column).
static Expr product(const std::vector<double> &row,
                    const std::function<Expr(int)> &value) {
  Expr sum;
  for (size_t column = 0; column < row.size(); ++column) {
    double factor = row[column];
    if (factor == 0)
      continue;
    Expr term = value(static_cast<int>(column));
    if (factor == -1 && sum.defined()) {
      sum = sum - term;
      continue;
    }
    if (factor != 1)
      term = term * static_cast<float>(factor);
    sum = sum.defined() ? sum + term : term;
  }
  return sum;
}

/// Row `row` of the product of a matrix and a vector of Exprs.
static Expr transform(const Matrix &matrix, const Expr &row,
                      const std::function<Expr(int)> &value) {
  std::vector<Expr> rows;
  for (const std::vector<double> &coefficients : matrix)
    rows.push_back(product(coefficients, value));
  return mux(row, rows);
}

Expr transformFilter(const Winograd &winograd, const Expr &a, const Expr &b,
                     const std::function<Expr(int, int)> &value) {
  Matrix g = winograd.filter();
  return transform(g, b, [&](int ky) {
    return transform(g, a, [&](int kx) { return value(kx, ky); });
  });
}

Lowered convolveWinograd(const Op &op, const Gather &gather, const Value &input,
                         const Value &packed, const Value *bias) {
  const FilterLayout &layout = gather.layout;
  Winograd winograd = winogradOf(gather);
  Expr tile = constant(winograd.tile);
  Var l("l"), a("a"), b("b"), tx("tx"), ty("ty"), n("n"), block("block"),
      c("c"), y("y"), p("p"), q("q");
  Lowered lowered;
  auto stage = [&](const char *name) {
    return lowered.stages[name] = Func(name);
  };
  // The last tiles may read beyond what the map's pixels do.
  auto [tileRows, tileColumns] = winogradTiles(gather);
  bool beyond = tileRows * winograd.tile != gather.height ||
                tileColumns * winograd.tile != gather.width;
  Func strip = lowered.stages["strip"] = stripOf(gather, input, beyond);
  Func columns = stage("columns"), transformed = stage("transformed"),
       accumulator = stage("accumulator"), products = stage("products"),
       rows = stage("rows"), tiles = stage("tiles");
  Matrix in = winograd.input(), out = winograd.output();
  columns(c, a, tx, y, n) = transform(
      in, a, [&](int i) { return Expr(strip(c, tx * tile + i, y, n)); });
  transformed(c, a, b, tx, ty, n) = transform(
      in, b, [&](int i) { return Expr(columns(c, a, tx, ty * tile + i, n)); });
  RDom r(0, constant(layout.inPerGroup), "r");
  Expr first =
      block / constant(layout.blocksPerGroup) * constant(layout.inPerGroup);
  accumulator(l, a, b, tx, ty, n, block) = 0.0f;
  accumulator(l, a, b, tx, ty, n, block) +=
      packed.func(l, r, a, b, block) * transformed(first + r, a, b, tx, ty, n);
  products(l, a, b, tx, ty, n, block) = accumulator(l, a, b, tx, ty, n, block);
  rows(l, p, b, tx, ty, n, block) = transform(
      out, p, [&](int i) { return Expr(products(l, i, b, tx, ty, n, block)); });
  tiles(l, p, q, tx, ty, n, block) = transform(
      out, q, [&](int i) { return Expr(rows(l, p, i, tx, ty, n, block)); });

  std::vector<Var> image = imageVars(4);
  auto [blockOfC, lane] = blockAndLane(layout, image[0]);
  Expr x = image[1], row = image[2];
  Expr sum = tiles(lane, x % tile, row % tile, x / tile, row / tile, image[3],
                   blockOfC);
  Func result(op.name);
  result(image) = bias ? sum + bias->func(image[0]) : sum;
  lowered.results = {result};
  return lowered;
}

} // namespace rootc::codegen
