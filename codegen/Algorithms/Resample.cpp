//===- Resample.cpp - Maps in another size --------------------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// Both directions gather: a row of the result reads the few rows that it is
// made of, a row of the input's gradient those that it is part of. Places are
// fractions of whole numbers of 64 bits, computed once a position.
//
//===----------------------------------------------------------------------===//

#include "codegen/Geometry/Resample.h"
#include "codegen/Algorithms/Algorithms.h"

using namespace Halide;

namespace rootc::codegen {

namespace {
using Operands = std::vector<Value>;
using Mode = ResampleAxis::Mode;

Expr wide(int64_t value) { return Expr(value); }
Expr narrow(const Expr &value, int64_t size) {
  return clamp(cast<int>(value), 0, static_cast<int>(size - 1));
}

/// One dimension in Exprs.
struct Axis : ResampleAxis {
  explicit Axis(const ResampleAxis &axis) : ResampleAxis(axis) {}

  /// A row's place times the divisor, within the map.
  Expr place(const Expr &o) const {
    Expr at = cast<int64_t>(o) * wide(factor) + wide(term);
    return clamp(at, wide(0), wide((input - 1) * divisor + divisor - 1));
  }
  Expr begin(const Expr &o) const {
    return cast<int64_t>(o) * wide(input) / wide(output);
  }
  Expr end(const Expr &o) const {
    return ((cast<int64_t>(o) + 1) * wide(input) + wide(output - 1)) /
           wide(output);
  }
  /// What row i has in row o.
  Expr weight(const Expr &i, const Expr &o) const {
    Expr row = cast<int64_t>(i);
    switch (mode) {
    case Mode::Nearest:
      return select(place(o) / wide(divisor) == row, 1.0f, 0.0f);
    case Mode::Bilinear: {
      // Between the last row and the border nothing changes.
      Expr at = min(place(o), wide((input - 1) * divisor));
      Expr left = wide(divisor) - abs(at - row * wide(divisor));
      return cast<float>(max(left, wide(0))) *
             (1.0f / static_cast<float>(divisor));
    }
    case Mode::Average:
      break;
    }
    Expr first = begin(o), last = end(o);
    return select(row >= first && row < last, 1.0f / cast<float>(last - first),
                  0.0f);
  }
  /// The t-th row that row o is made of; may be beyond the last one.
  Expr tap(const Expr &o, const Expr &t) const {
    Expr first = mode == Mode::Average ? begin(o) : place(o) / wide(divisor);
    return cast<int>(first) + t;
  }
  /// The k-th row that row i may be part of; may be beyond the last one.
  Expr reader(const Expr &i, const Expr &k) const {
    if (mode != Mode::Average && factor == 0)
      return k;
    Expr first =
        max(cast<int64_t>(i) * wide(slope()) + wide(shift()), wide(0)) /
        wide(per());
    return select(i == 0, 0, narrow(first, output)) + k;
  }
};

/// The index, and the weight or 0 where it is beyond the map.
struct Term {
  Expr index, weight;
};

Term inside(const Expr &index, int64_t size, const Expr &weight) {
  return {clamp(index, 0, static_cast<int>(size - 1)),
          select(index < static_cast<int>(size), weight, 0.0f)};
}

/// Sums over `counts` columns and rows, of which `term` says the t-th that a
/// position reads.
template <typename TermOf>
Lowered gather(const Op &op, const Value &map, const Axis &x, const Axis &y,
               std::array<int64_t, 2> counts, TermOf term) {
  std::vector<Var> v = imageVars(4);
  RDom r(0, static_cast<int>(counts[0]), 0, static_cast<int>(counts[1]), "r");
  Term column = term(x, v[1], r.x), row = term(y, v[2], r.y);
  Func sum("sum"), result(op.name);
  sum(v) = 0.0f;
  sum(v) += map.func(v[0], column.index, row.index, v[3]) *
            (column.weight * row.weight);
  result(v) = Expr(sum(v));
  return {{result}, {{"accumulator", sum}}};
}

Lowered forward(const Op &op, const Operands &in) {
  auto axes = resampleAxes(op);
  Axis y(axes[0]), x(axes[1]);
  return gather(op, in.at(0), x, y, {x.taps(), y.taps()},
                [](const Axis &axis, const Expr &o, const Expr &t) {
                  Expr row = axis.tap(o, t);
                  return inside(row, axis.input, axis.weight(row, o));
                });
}

Lowered backward(const Op &op, const Operands &in) {
  auto axes = resampleAxes(op);
  Axis y(axes[0]), x(axes[1]);
  return gather(op, in.at(0), x, y, {x.outputs(), y.outputs()},
                [](const Axis &axis, const Expr &i, const Expr &k) {
                  Expr row = axis.reader(i, k);
                  return inside(row, axis.output, axis.weight(i, row));
                });
}
} // namespace

void addResample(OpRegistry &registry) {
  registry["resample"] = {forward};
  registry["resample_backward"] = {backward};
}

} // namespace rootc::codegen
