//===- Loss.cpp - Softmax cross entropy -------------------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lib/Reference/Support.h"

#include <algorithm>
#include <cmath>

namespace rootc::reference {

using codegen::ElementType;
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
    if (label < 0 || label >= classes)
      fail(op, "label " + std::to_string(label) + " is not in [0, " +
                   std::to_string(classes) + ")");
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

Results crossEntropy(const Op &op, const Operands &operands) {
  Tensor logs = logProbabilities(op, operands);
  Tensor loss({ElementType::F32, {1}});
  for (int64_t n = 0; n < logs.dim(0); ++n)
    loss.reals[0] -= logs.at(n, 0, 0, operands[1].integers[n]) / logs.dim(0);
  return {loss};
}

Results crossEntropyBackward(const Op &op, const Operands &operands) {
  double weight = real(op, "weight");
  Tensor gradient = logProbabilities(op, operands);
  int64_t batch = gradient.dim(0), classes = gradient.dim(3);
  for (int64_t i = 0; i < gradient.size(); ++i) {
    bool hit = i % classes == operands[1].integers[i / classes];
    gradient.reals[i] = (std::exp(gradient.reals[i]) - hit) * weight / batch;
  }
  return {gradient};
}

} // namespace

void addLosses(FunctionTable &table) {
  table["softmax_cross_entropy"] = crossEntropy;
  table["softmax_cross_entropy_backward"] = crossEntropyBackward;
}

} // namespace rootc::reference
