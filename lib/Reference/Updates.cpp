//===- Updates.cpp - What gradients do to weights -------------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lib/Reference/Support.h"

#include <cmath>

namespace rootc::reference {

using codegen::Op;

namespace {
/// `flat` operands of one shape, and behind them so many scalars.
const std::vector<double> &expectUpdate(const Op &op, const Operands &operands,
                                        size_t flat, int64_t scalars) {
  expectCount(op, operands, flat + 1, flat + 1);
  for (size_t i = 1; i < flat; ++i)
    expectShape(op, operands[i], operands[0].shape());
  expectShape(op, operands[flat], {scalars});
  return operands[flat].reals;
}

Results sgd(const Op &op, const Operands &operands) {
  const std::vector<double> &scalars = expectUpdate(op, operands, 3, 4);
  Tensor parameters = operands[0], velocity = operands[2];
  double rate = scalars[0], momentum = scalars[1], decay = scalars[2];
  for (int64_t i = 0; i < parameters.size(); ++i) {
    double &w = parameters.reals[i], &v = velocity.reals[i];
    double gradient = operands[1].reals[i] + decay * w;
    v = momentum * v + gradient;
    w -= rate * (scalars[3] != 0 ? gradient + momentum * v : v);
  }
  return {parameters, velocity};
}

Results adamw(const Op &op, const Operands &operands) {
  const std::vector<double> &scalars = expectUpdate(op, operands, 4, 6);
  Tensor parameters = operands[0], mean = operands[2], square = operands[3];
  double shrink = scalars[0], rate = scalars[1], meanGain = scalars[2],
         squareGain = scalars[3], root = scalars[4], epsilon = scalars[5];
  for (int64_t i = 0; i < parameters.size(); ++i) {
    double g = operands[1].reals[i];
    double &w = parameters.reals[i], &m = mean.reals[i], &v = square.reals[i];
    m = (1 - meanGain) * m + meanGain * g;
    v = (1 - squareGain) * v + squareGain * g * g;
    w = shrink * w - rate * m / (root * std::sqrt(v) + epsilon);
  }
  return {parameters, mean, square};
}

Results clipNorm(const Op &op, const Operands &operands) {
  const std::vector<double> &scalars = expectUpdate(op, operands, 1, 1);
  Tensor clipped = operands[0];
  double sum = 0;
  for (double g : clipped.reals)
    sum += g * g;
  double scale = scalars[0] / (std::sqrt(sum) + 1e-6);
  if (scale < 1)
    for (double &g : clipped.reals)
      g *= scale;
  return {clipped};
}

Results movingAverage(const Op &op, const Operands &operands) {
  double share = expectUpdate(op, operands, 2, 1)[0];
  Tensor average = operands[0];
  for (int64_t i = 0; i < average.size(); ++i)
    average.reals[i] += share * (operands[1].reals[i] - average.reals[i]);
  return {average};
}
} // namespace

void addUpdates(FunctionTable &table) {
  table["adamw"] = {adamw, true};
  table["clip_norm"] = {clipNorm, true};
  table["moving_average"] = {movingAverage, true};
  table["sgd"] = {sgd, true};
}

} // namespace rootc::reference
