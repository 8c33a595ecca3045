//===- Elementwise.cpp - Ops that map points to points --------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/Algorithms/Pointwise.h"

#include <stdexcept>

using namespace Halide;

namespace rootc::codegen {

namespace {
using Operands = std::vector<Value>;

/// Value of a [C] operand at the channel of the point.
Expr channel(const Value &value) { return value.func(imageVars(1)[0]); }

Lowered copy(const Op &op, const Operands &in) {
  return pointwise(op, in.at(0), at(in[0]));
}

Lowered zerosLike(const Op &op, const Operands &in) {
  return pointwise(op, in.at(0), 0.0f);
}

Lowered add(const Op &op, const Operands &in) {
  return pointwise(op, in.at(0), at(in[0]) + at(in.at(1)));
}

Lowered runningAverage(const Op &op, const Operands &in) {
  double momentum = realAttribute(op, "momentum");
  return pointwise(op, in.at(0),
                   static_cast<float>(1 - momentum) * at(in[0]) +
                       static_cast<float>(momentum) * at(in.at(1)));
}

Lowered foldMultiplier(const Op &op, const Operands &in) {
  float epsilon = static_cast<float>(realAttribute(op, "epsilon"));
  return pointwise(op, in.at(0), at(in[0]) / sqrt(at(in.at(1)) + epsilon));
}

Lowered foldBias(const Op &op, const Operands &in) {
  Expr bias = in.size() > 3 ? at(in[3]) : Expr(0.0f);
  return pointwise(op, in.at(0),
                   (bias - at(in[0])) * at(in.at(1)) + at(in.at(2)));
}

Lowered scaleFilter(const Op &op, const Operands &in) {
  std::vector<Var> vars = imageVars(in.at(0).type.shape.size());
  return pointwise(op, in[0], at(in[0]) * in.at(1).func(vars.back()));
}

Lowered sliceChannels(const Op &op, const Operands &in) {
  int64_t begin = integerAttribute(op, "begin");
  int64_t end = integerAttribute(op, "end");
  if (begin < 0 || begin >= end || end > in.at(0).channels())
    throw std::invalid_argument("op 'slice_channels': no such channels");
  std::vector<Expr> point = asExprs(imageVars(in[0].type.shape.size()));
  point[0] += static_cast<int>(begin);
  return pointwise(op, in[0], in[0].func(point));
}

/// The channels are a matrix of `groups` rows, transposed.
Lowered channelShuffle(const Op &op, const Operands &in) {
  int64_t groups = integerAttribute(op, "groups");
  int64_t channels = in.at(0).channels();
  if (groups < 1 || channels % groups != 0)
    throw std::invalid_argument("op 'channel_shuffle': groups do not divide "
                                "the channels");
  std::vector<Expr> point = asExprs(imageVars(in[0].type.shape.size()));
  int rows = static_cast<int>(groups);
  point[0] =
      point[0] % rows * static_cast<int>(channels / groups) + point[0] / rows;
  return pointwise(op, in[0], in[0].func(point));
}

Lowered globalAveragePoolBackward(const Op &op, const Operands &in) {
  std::vector<int64_t> input = integersAttribute(op, "input", 2);
  std::vector<Var> v = imageVars(4);
  return pointwise(op, in.at(0),
                   in[0].func(v[0], 0, 0, v[3]) *
                       (1.0f / static_cast<float>(input[0] * input[1])));
}

Lowered weightedSum(const Op &op, const Operands &in) {
  std::vector<double> weights = realsAttribute(op, "weights", in.size());
  Expr sum = at(in.at(0)) * static_cast<float>(weights[0]);
  for (size_t i = 1; i < in.size(); ++i)
    sum += at(in[i]) * static_cast<float>(weights[i]);
  return pointwise(op, in[0], sum);
}

/// A channel's value over its deviation, rounded once: all of its points are
/// off by as much, and in a gradient nothing evens that out.
Expr overDeviation(const Op &op, const Value &value, const Value &variance) {
  return cast<float>(cast<double>(channel(value)) /
                     sqrt(cast<double>(channel(variance)) +
                          Expr(realAttribute(op, "epsilon"))));
}

Lowered batchNormNormalize(const Op &op, const Operands &in) {
  const Value &x = in.at(0);
  Var c = imageVars(1)[0];
  Func multiplier("multiplier");
  multiplier(c) = overDeviation(op, in.at(3), in.at(2));
  // Subtracting the mean first loses nothing where it dwarfs the deviation.
  Lowered lowered =
      pointwise(op, x,
                strict_float(at(x) - channel(in.at(1))) * multiplier(c) +
                    channel(in.at(4)));
  lowered.stages["multiplier"] = multiplier;
  return lowered;
}

Lowered channelAffine(const Op &op, const Operands &in) {
  return pointwise(op, in.at(0),
                   at(in[0]) * channel(in.at(1)) + channel(in.at(2)));
}

Lowered scaleChannels(const Op &op, const Operands &in) {
  return pointwise(op, in.at(0), at(in[0]) * channel(in.at(1)));
}

Lowered channelOffset(const Op &op, const Operands &in) {
  return pointwise(op, in.at(0), at(in[0]) + channel(in.at(1)));
}

/// A channel of every branch: where a point's channel is in the first one, and
/// how far apart they are.
struct Branches {
  int count, apart;

  Branches(const Op &op, const Value &x) {
    int64_t branches = integerAttribute(op, "branches");
    if (branches < 1 || x.channels() % branches != 0)
      throw std::invalid_argument("op '" + op.name +
                                  "': branches do not divide the channels");
    count = static_cast<int>(branches);
    apart = static_cast<int>(x.channels() / branches);
  }
  Expr at(const Value &value, int branch) const {
    std::vector<Expr> point = asExprs(imageVars(value.type.shape.size()));
    point[0] = point[0] % apart + branch * apart;
    return value.func(point);
  }
};

Lowered branchSoftmax(const Op &op, const Operands &in) {
  Branches branches(op, in.at(0));
  Expr largest = branches.at(in[0], 0), sum = 0.0f;
  for (int i = 1; i < branches.count; ++i)
    largest = larger(largest, branches.at(in[0], i));
  auto exponential = [&](const Expr &x) {
    return exp(strict_float(x - largest));
  };
  for (int i = 0; i < branches.count; ++i)
    sum += exponential(branches.at(in[0], i));
  return pointwise(op, in[0], exponential(at(in[0])) / sum);
}

Lowered branchSoftmaxBackward(const Op &op, const Operands &in) {
  const Value &dy = in.at(0), &y = in.at(1);
  Branches branches(op, y);
  Expr sum = 0.0f;
  for (int i = 0; i < branches.count; ++i)
    sum += branches.at(dy, i) * branches.at(y, i);
  return pointwise(op, y, at(y) * strict_float(at(dy) - sum));
}

Lowered batchNormBackwardData(const Op &op, const Operands &in) {
  const Value &dy = in.at(0), &x = in.at(1), &mean = in.at(2),
              &variance = in.at(3), &scale = in.at(4), &meanScale = in.at(5),
              &meanOffset = in.at(6);
  Var c = imageVars(1)[0];
  Func multiplier("multiplier"), slope("slope");
  multiplier(c) = overDeviation(op, scale, variance);
  slope(c) = overDeviation(op, meanScale, variance);
  Lowered lowered = pointwise(
      op, x,
      multiplier(c) * (at(dy) - channel(meanOffset) -
                       strict_float(at(x) - channel(mean)) * slope(c)));
  lowered.stages["multiplier"] = multiplier;
  lowered.stages["slope"] = slope;
  return lowered;
}
} // namespace

void addElementwise(OpRegistry &registry) {
  registry["add"] = {add, true};
  registry["batch_norm_backward_data"] = {batchNormBackwardData, true};
  registry["batch_norm_normalize"] = {batchNormNormalize, true};
  registry["branch_softmax"] = {branchSoftmax, true};
  registry["branch_softmax_backward"] = {branchSoftmaxBackward, true};
  registry["channel_affine"] = {channelAffine, true};
  registry["channel_offset"] = {channelOffset, true};
  registry["channel_shuffle"] = {channelShuffle, true};
  registry["copy"] = {copy, true};
  registry["fold_bias"] = {foldBias, true};
  registry["fold_multiplier"] = {foldMultiplier, true};
  registry["global_average_pool_backward"] = {globalAveragePoolBackward, true};
  registry["running_average"] = {runningAverage, true};
  registry["scale_channels"] = {scaleChannels, true};
  registry["scale_filter"] = {scaleFilter, true};
  registry["slice_channels"] = {sliceChannels, true};
  registry["weighted_sum"] = {weightedSum, true};
  registry["zeros_like"] = {zerosLike, true};
}

} // namespace rootc::codegen
