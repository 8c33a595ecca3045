//===- Standardize.cpp - Filters of mean 0 and deviation 1 ----------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// Of the n weights w of an out channel: s = gain xhat / sqrt(n), with
// xhat = (w - mean) / sqrt(variance + epsilon).
//
//===----------------------------------------------------------------------===//

#include "codegen/Algorithms/Algorithms.h"

#include <cmath>
#include <functional>

using namespace Halide;

namespace rootc::codegen {

namespace {
using Operands = std::vector<Value>;
using Point = std::vector<Expr>;

/// The sums over an out channel's weights that an op needs. Each is of every
/// 16th in channel first, whatever a vector's width.
class Sums {
public:
  explicit Sums(const Value &filter) : filter(filter) {}

  /// The sum of `term` as a Func of the out channel.
  Func operator()(const std::string &name,
                  const std::function<Expr(const Point &)> &term) {
    const int lanes = 16;
    int ins = static_cast<int>(filter.staticExtent(0));
    int width = static_cast<int>(filter.staticExtent(1));
    int height = static_cast<int>(filter.staticExtent(2));
    int whole = ins / lanes, rest = ins % lanes;
    Var o("o"), l("l");
    Func sum(name);
    sum(o) = 0.0f;
    if (whole > 0) {
      RDom r(0, whole, 0, width, 0, height, "r"), q(0, lanes, "q");
      Func lane(name + "_lane");
      lane(l, o) = 0.0f;
      lane(l, o) += term({r.x * lanes + l, r.y, r.z, o});
      sum(o) += lane(q, o);
      stages[lane.name()] = lane;
    }
    if (rest > 0) {
      RDom r(whole * lanes, rest, 0, width, 0, height, "r");
      sum(o) += term({r.x, r.y, r.z, o});
    }
    stages[sum.name()] = sum;
    return sum;
  }

  float count() const {
    return static_cast<float>(filter.staticExtent(0) * filter.staticExtent(1) *
                              filter.staticExtent(2));
  }

  std::map<std::string, Func> stages;

private:
  Value filter;
};

/// Deviations from the mean, and their usual size's inverse.
struct Standard {
  Standard(const Op &op, const Value &filter, Sums &sums)
      : weights(filter.func), count(sums.count()),
        epsilon(static_cast<float>(realAttribute(op, "epsilon"))) {
    sum = sums("sum", [&](const Point &at) { return weights(at); });
    squares = sums("squares", [&](const Point &at) {
      return deviation(at) * deviation(at);
    });
  }
  Expr deviation(const Point &at) const {
    return strict_float(weights(at) - sum(at[3]) * (1.0f / count));
  }
  Expr inverse(const Expr &o) const {
    return 1.0f / sqrt(squares(o) * (1.0f / count) + epsilon);
  }
  /// What the gain is multiplied with.
  Expr value(const Point &at) const {
    return deviation(at) * (inverse(at[3]) * (1.0f / std::sqrt(count)));
  }
  Func weights, sum, squares;
  float count, epsilon;
};

Lowered standardizeFilter(const Op &op, const Operands &in) {
  Sums sums(in.at(0));
  Standard standard(op, in[0], sums);
  std::vector<Var> v = imageVars(4);
  Func result(op.name);
  result(v) = standard.value(asExprs(v)) * in.at(1).func(v[3]);
  return {{result}, sums.stages};
}

/// gain / sqrt(n) / deviation (ds - mean(ds) - xhat mean(ds xhat)).
Lowered standardizeFilterBackward(const Op &op, const Operands &in) {
  Func ds = in.at(0).func;
  Sums sums(in.at(1));
  Standard standard(op, in[1], sums);
  Func all = sums("all", [&](const Point &at) { return ds(at); });
  Func along = sums("along", [&](const Point &at) {
    return ds(at) * standard.deviation(at);
  });
  std::vector<Var> v = imageVars(4);
  Expr o = v[3], inverse = standard.inverse(o);
  float share = 1.0f / standard.count;
  Func result(op.name);
  result(v) =
      in.at(2).func(o) * (inverse * std::sqrt(share)) *
      (ds(v) - all(o) * share -
       standard.deviation(asExprs(v)) * (inverse * inverse * along(o) * share));
  return {{result}, sums.stages};
}

Lowered standardizeGainBackward(const Op &op, const Operands &in) {
  Func ds = in.at(0).func;
  Sums sums(in.at(1));
  Standard standard(op, in[1], sums);
  Func along = sums("along", [&](const Point &at) {
    return ds(at) * standard.deviation(at);
  });
  Var c = imageVars(1)[0];
  Func result(op.name);
  result(c) =
      along(c) * (standard.inverse(c) * (1.0f / std::sqrt(standard.count)));
  return {{result}, sums.stages};
}
} // namespace

void addStandardize(OpRegistry &registry) {
  registry["standardize_filter"] = {standardizeFilter};
  registry["standardize_filter_backward"] = {standardizeFilterBackward};
  registry["standardize_gain_backward"] = {standardizeGainBackward};
}

} // namespace rootc::codegen
