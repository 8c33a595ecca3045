//===- Loss.cpp - Softmax cross entropy -------------------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/MixedLabel.h"
#include "lib/Reference/Support.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace rootc::reference {

using codegen::ElementType;
using codegen::MixedLabel;
using codegen::Op;

namespace {

/// log(softmax) of the logits [N,1,1,K]; checks both operands.
Tensor logProbabilities(const Op &op, const Operands &operands) {
  expectCount(op, operands, 2, 2);
  const Tensor &logits = operands[0], &labels = operands[1];
  expectRank(op, logits, 4);
  int64_t batch = logits.dim(0), classes = logits.dim(3);
  expectShape(op, logits, {batch, 1, 1, classes});
  expectShape(op, labels, {batch});
  Tensor result = logits;
  for (int64_t n = 0; n < batch; ++n) {
    int64_t label = labels.integers.at(n);
    if (!MixedLabel(label).isBelow(classes))
      fail(op, "label " + std::to_string(label) + " is not in [0, " +
                   std::to_string(classes) + "), nor mixed of two such");
    double *row = &result.reals[n * classes];
    double largest = *std::max_element(row, row + classes), sum = 0;
    for (int64_t k = 0; k < classes; ++k)
      sum += std::exp(row[k] - largest);
    // In this order: a large logit would swallow the logarithm.
    for (int64_t k = 0; k < classes; ++k)
      row[k] = row[k] - largest - std::log(sum);
  }
  return result;
}

/// How much each class is wanted of each image, all images together the mean:
/// [N,1,1,K].
Tensor targetsOf(const Op &op, const Tensor &logs, const Tensor &labels) {
  int64_t classes = logs.dim(3);
  double smoothing =
      op.attributes.count("smoothing") ? real(op, "smoothing") : 0;
  std::vector<double> weights(classes, 1);
  if (auto it = op.attributes.find("class_weights"); it != op.attributes.end())
    weights = std::get<std::vector<double>>(it->second);
  double sum = 0;
  for (int64_t packed : labels.integers) {
    MixedLabel mixed(packed);
    sum += (1 - mixed.share) * weights[mixed.label] +
           mixed.share * weights[mixed.partner];
  }
  Tensor targets = logs;
  for (int64_t i = 0; i < targets.size(); ++i) {
    MixedLabel mixed(labels.integers[i / classes]);
    double hit = (i % classes == mixed.label) * (1 - mixed.share) +
                 (i % classes == mixed.partner) * mixed.share;
    targets.reals[i] = weights[i % classes] *
                       ((1 - smoothing) * hit + smoothing / double(classes)) /
                       sum;
  }
  return targets;
}

Results crossEntropy(const Op &op, const Operands &operands) {
  Tensor logs = logProbabilities(op, operands);
  Tensor targets = targetsOf(op, logs, operands[1]);
  Tensor loss({ElementType::F32, {1}});
  for (int64_t i = 0; i < logs.size(); ++i)
    if (targets.reals[i] != 0)
      loss.reals[0] -= logs.reals[i] * targets.reals[i];
  return {loss};
}

Results crossEntropyBackward(const Op &op, const Operands &operands) {
  double weight = real(op, "weight");
  Tensor gradient = logProbabilities(op, operands);
  Tensor targets = targetsOf(op, gradient, operands[1]);
  int64_t classes = gradient.dim(3);
  for (int64_t n = 0; n < gradient.dim(0); ++n) {
    double *row = &gradient.reals[n * classes];
    const double *wanted = &targets.reals[n * classes];
    double all = std::accumulate(wanted, wanted + classes, 0.0);
    for (int64_t k = 0; k < classes; ++k)
      row[k] = (std::exp(row[k]) * all - wanted[k]) * weight;
  }
  return {gradient};
}

} // namespace

void addLosses(FunctionTable &table) {
  table["softmax_cross_entropy"] = crossEntropy;
  table["softmax_cross_entropy_backward"] = crossEntropyBackward;
}

} // namespace rootc::reference
