//===- Loss.cpp - Softmax cross entropy -----------------------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/Algorithms/Algorithms.h"

using namespace Halide;

namespace rootc::codegen {

namespace {
using Operands = std::vector<Value>;

struct Softmax {
  Func largest, exponent, sum; ///< (n), (c, n), (n), the last in double
  Expr label;                  ///< of image n, forced into range
  std::map<std::string, Func> stages() const {
    return {{"largest", largest}, {"exponent", exponent}, {"sum", sum}};
  }
};

/// The softmax of image n is exponent(c, n) / sum(n). Exponents are taken of
/// the distance from the largest logit, so that none overflows. Where a logit
/// is NaN or infinity, largest and sum are not finite numbers.
Softmax softmax(const Value &logits, const Value &labels, Var n) {
  int classes = static_cast<int>(logits.channels());
  Var c("c");
  RDom r(0, classes, "r");
  Func largest("largest"), exponent("exponent"), sum("sum");
  largest(n) = logits.func(0, 0, 0, n);
  largest(n) = larger(largest(n), logits.func(r, 0, 0, n));
  exponent(c, n) = exp(strict_float(logits.func(c, 0, 0, n) - largest(n)));
  // Halide's exp of NaN is a number: the difference, 0 or NaN, says so.
  sum(n) = cast<double>(strict_float(largest(n) - largest(n)));
  sum(n) += cast<double>(exponent(r, n));
  return {largest, exponent, sum,
          clamp(cast<int>(labels.func(n)), 0, classes - 1)};
}

Lowered crossEntropy(const Op &op, const Operands &in) {
  Var n("n"), c = imageVars(1)[0];
  Softmax s = softmax(in.at(0), in.at(1), n);
  Func loss("loss"), total("total"), result(op.name);
  // In this order: a large logit would swallow the logarithm.
  loss(n) = select(is_nan(s.sum(n)), cast<float>(s.sum(n)),
                   strict_float(log(cast<float>(s.sum(n))) -
                                (in[0].func(s.label, 0, 0, n) - s.largest(n))));
  RDom r(0, in[0].batch(), "images");
  total() = cast<double>(0);
  total() += cast<double>(loss(r));
  result(c) = cast<float>(total() / cast<double>(in[0].batch()));
  Lowered lowered{{result}, s.stages()};
  lowered.stages["loss"] = loss;
  lowered.stages["total"] = total;
  return lowered;
}

Lowered crossEntropyBackward(const Op &op, const Operands &in) {
  std::vector<Var> v = imageVars(4);
  Softmax s = softmax(in.at(0), in.at(1), v[3]);
  Expr factor = static_cast<float>(realAttribute(op, "weight")) /
                cast<float>(in[0].batch());
  Func result(op.name);
  result(v) = (s.exponent(v[0], v[3]) / cast<float>(s.sum(v[3])) -
               select(v[0] == s.label, 1.0f, 0.0f)) *
              factor;
  return {{result}, s.stages()};
}
} // namespace

void addLosses(OpRegistry &registry) {
  registry["softmax_cross_entropy"] = {crossEntropy};
  registry["softmax_cross_entropy_backward"] = {crossEntropyBackward};
}

} // namespace rootc::codegen
