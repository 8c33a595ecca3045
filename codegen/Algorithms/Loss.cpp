//===- Loss.cpp - Softmax cross entropy -----------------------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/Algorithms/Algorithms.h"
#include "codegen/MixedLabel.h"

#include <algorithm>

using namespace Halide;

namespace rootc::codegen {

namespace {
using Operands = std::vector<Value>;

/// The two labels of an image, forced into range, and what each counts; of an
/// image that is not mixed, exactly 1 and 0.
struct Labels {
  Labels(const Value &labels, const Expr &n, int classes) {
    Expr packed = labels.func(n);
    auto part = [&](int index) {
      return (packed >> cast<int64_t>(index * ROOTC_LABEL_BITS)) &
             cast<int64_t>(Expr(maxLabels - 1));
    };
    first = clamp(cast<int>(part(0)), 0, classes - 1);
    partner = clamp(cast<int>(part(1)), 0, classes - 1);
    share = cast<float>(cast<int>(part(2))) * (1 / float(maxLabels));
    rest = 1.0f - share;
  }
  Expr first, partner;
  Expr rest, share; ///< of the first, of the partner
};

struct Softmax {
  Func largest, exponent, sum; ///< (n), (c, n), (n), the last in double
  Labels labels;               ///< of image n
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
  return {largest, exponent, sum, Labels(labels, n, classes)};
}

/// What each class counts and how much of each label all classes share; as
/// PyTorch's cross entropy has them.
class Targets {
public:
  Targets(const Op &op, const Operands &in)
      : classes(static_cast<int>(in.at(0).channels())), sum(classes) {
    if (op.attributes.count("smoothing"))
      smoothing = realAttribute(op, "smoothing");
    if (!op.attributes.count("class_weights"))
      return;
    sum = 0;
    for (double value :
         realsAttribute(op, "class_weights", static_cast<size_t>(classes))) {
      table.push_back(static_cast<float>(value));
      sum += table.back();
    }
    RDom r(0, in[0].batch(), "weighed");
    norm = Func("norm");
    norm() = cast<double>(0);
    Labels labels(in[1], r, classes);
    norm() += cast<double>(labels.rest * weight(labels.first) +
                           labels.share * weight(labels.partner));
  }

  bool plain() const { return smoothing == 0 && table.empty(); }
  Expr weight(const Expr &k) const {
    return table.empty() ? Expr(1.0f) : chosen(k, 0, classes);
  }
  /// What the losses of a batch are divided by.
  Expr divisor(const Expr &batch) const {
    return table.empty() ? cast<double>(batch) : Expr(norm());
  }
  /// What a label counts itself, and what each class does, times its weight.
  Expr own(const Expr &label) const {
    return static_cast<float>(1 - smoothing) * weight(label);
  }
  float each() const { return static_cast<float>(smoothing / classes); }
  float weights() const { return static_cast<float>(sum); }

  double smoothing = 0;
  Func norm; ///< the sum of the labels' weights; undefined without weights

private:
  /// The weight of class k, which is in [begin, end): a tree of comparisons, as
  /// C++ source has no place for a table.
  Expr chosen(const Expr &k, int begin, int end) const {
    auto from = table.begin() + begin, to = table.begin() + end;
    if (std::all_of(from, to, [&](float value) { return value == *from; }))
      return *from;
    int middle = begin + (end - begin) / 2;
    return select(k < middle, chosen(k, begin, middle), chosen(k, middle, end));
  }

  int classes;
  double sum;               ///< of all weights
  std::vector<float> table; ///< empty: classes count alike
};

Lowered crossEntropy(const Op &op, const Operands &in) {
  Var n("n"), c = imageVars(1)[0];
  Softmax s = softmax(in.at(0), in.at(1), n);
  Targets targets(op, in);
  Lowered lowered{{}, s.stages()};
  Func loss("loss"), total("total"), result(op.name);
  // In this order: a large logit would swallow the logarithm.
  Expr logarithm = log(cast<float>(s.sum(n)));
  auto lossOf = [&](const Expr &label) {
    Expr value =
        strict_float(logarithm - (in[0].func(label, 0, 0, n) - s.largest(n)));
    return targets.plain() ? value : value * targets.own(label);
  };
  const Labels &labels = s.labels;
  // Nothing times an infinite loss would be NaN.
  Expr value =
      labels.rest * lossOf(labels.first) +
      select(labels.share > 0, labels.share * lossOf(labels.partner), 0.0f);
  if (targets.smoothing > 0) {
    // Of all classes: how far they lie below the largest.
    Func below("below");
    RDom k(0, static_cast<int>(in[0].channels()), "k");
    below(n) = cast<double>(0);
    below(n) +=
        cast<double>(strict_float(s.largest(n) - in[0].func(k, 0, 0, n)) *
                     targets.weight(k));
    lowered.stages["below"] = below;
    value += targets.each() *
             (targets.weights() * logarithm + cast<float>(below(n)));
  }
  loss(n) = select(is_nan(s.sum(n)), cast<float>(s.sum(n)), value);
  RDom r(0, in[0].batch(), "images");
  total() = cast<double>(0);
  total() += cast<double>(loss(r));
  result(c) = cast<float>(total() / targets.divisor(in[0].batch()));
  lowered.results = {result};
  lowered.stages["loss"] = loss;
  lowered.stages["total"] = total;
  if (targets.norm.defined())
    lowered.stages["norm"] = targets.norm;
  return lowered;
}

Lowered crossEntropyBackward(const Op &op, const Operands &in) {
  std::vector<Var> v = imageVars(4);
  Softmax s = softmax(in.at(0), in.at(1), v[3]);
  Targets targets(op, in);
  Expr factor = static_cast<float>(realAttribute(op, "weight")) /
                cast<float>(targets.divisor(in[0].batch()));
  Expr share = s.exponent(v[0], v[3]) / cast<float>(s.sum(v[3]));
  const Labels &labels = s.labels;
  Expr own = labels.rest * targets.own(labels.first),
       partner = labels.share * targets.own(labels.partner);
  Expr wanted = select(v[0] == labels.first, own, 0.0f) +
                select(v[0] == labels.partner, partner, 0.0f);
  Func result(op.name);
  if (targets.plain())
    result(v) = (share - wanted) * factor;
  else
    result(v) = (share * (own + partner + targets.each() * targets.weights()) -
                 wanted - targets.each() * targets.weight(v[0])) *
                factor;
  Lowered lowered{{result}, s.stages()};
  if (targets.norm.defined())
    lowered.stages["norm"] = targets.norm;
  return lowered;
}
} // namespace

void addLosses(OpRegistry &registry) {
  registry["softmax_cross_entropy"] = {crossEntropy};
  registry["softmax_cross_entropy_backward"] = {crossEntropyBackward};
}

} // namespace rootc::codegen
