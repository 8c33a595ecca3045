//===- LayerNorms.cpp - Layer norm and group norm -------------------------===//
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

Tensor perChannel(const Tensor &x) {
  return Tensor({ElementType::F32, {x.dim(3)}});
}

/// One value for each image and channel.
Tensor perImage(const Tensor &x) {
  return Tensor({ElementType::F32, {x.dim(0), 1, 1, x.dim(3)}});
}

//===----------------------------------------------------------------------===//
// Layer norm
//===----------------------------------------------------------------------===//

/// A position's mean, and 1 / sqrt(variance + epsilon).
struct Normal {
  double mean = 0, inverse = 0;

  Normal(const double *x, int64_t channels, double epsilon) {
    for (int64_t c = 0; c < channels; ++c)
      mean += x[c] / channels;
    double variance = 0;
    for (int64_t c = 0; c < channels; ++c)
      variance += (x[c] - mean) * (x[c] - mean) / channels;
    inverse = 1 / std::sqrt(variance + epsilon);
  }
};

Results layerNorm(const Op &op, const Operands &operands) {
  expectCount(op, operands, 3, 3);
  const Tensor &x = operands[0];
  expectRank(op, x, 4);
  int64_t channels = x.dim(3);
  for (int i : {1, 2})
    expectShape(op, operands[i], {channels});
  Tensor y(x.type);
  for (int64_t at = 0; at < x.size(); at += channels) {
    Normal normal(&x.reals[at], channels, real(op, "epsilon"));
    for (int64_t c = 0; c < channels; ++c)
      y.reals[at + c] = (x.reals[at + c] - normal.mean) * normal.inverse *
                            operands[1].reals[c] +
                        operands[2].reals[c];
  }
  return {y};
}

Results layerNormBackwardData(const Op &op, const Operands &operands) {
  expectCount(op, operands, 3, 3);
  const Tensor &dy = operands[0], &x = operands[1], &scale = operands[2];
  expectRank(op, x, 4);
  expectShape(op, dy, x.shape());
  int64_t channels = x.dim(3);
  expectShape(op, scale, {channels});
  Tensor dx(x.type);
  for (int64_t at = 0; at < x.size(); at += channels) {
    Normal normal(&x.reals[at], channels, real(op, "epsilon"));
    auto value = [&](int64_t c) {
      return (x.reals[at + c] - normal.mean) * normal.inverse;
    };
    double sum = 0, product = 0;
    for (int64_t c = 0; c < channels; ++c) {
      sum += dy.reals[at + c] * scale.reals[c];
      product += dy.reals[at + c] * scale.reals[c] * value(c);
    }
    for (int64_t c = 0; c < channels; ++c)
      dx.reals[at + c] =
          normal.inverse * (dy.reals[at + c] * scale.reals[c] - sum / channels -
                            value(c) * product / channels);
  }
  return {dx};
}

Results layerNormBackwardReduce(const Op &op, const Operands &operands) {
  expectCount(op, operands, 2, 2);
  const Tensor &dy = operands[0], &x = operands[1];
  expectRank(op, x, 4);
  expectShape(op, dy, x.shape());
  int64_t channels = x.dim(3);
  Tensor dscale = perChannel(x), doffset = perChannel(x);
  for (int64_t at = 0; at < x.size(); at += channels) {
    Normal normal(&x.reals[at], channels, real(op, "epsilon"));
    for (int64_t c = 0; c < channels; ++c) {
      dscale.reals[c] +=
          dy.reals[at + c] * (x.reals[at + c] - normal.mean) * normal.inverse;
      doffset.reals[c] += dy.reals[at + c];
    }
  }
  return {dscale, doffset};
}

//===----------------------------------------------------------------------===//
// Group norm
//===----------------------------------------------------------------------===//

/// The shape of what is normalised, and where its elements belong.
struct Groups {
  int64_t channels, each, image; ///< each: channels of a group

  Groups(const Op &op, const Tensor &x, int64_t groups)
      : channels(x.dim(3)), each(groups < 1 ? 0 : channels / groups),
        image(x.size() / x.dim(0)) {
    if (groups < 1 || channels % groups != 0)
      fail(op, "groups do not divide the channels");
  }
  /// Where a value for each image and channel is, of element i.
  int64_t own(int64_t i) const { return i / image * channels + i % channels; }
  /// Where that of the first channel of its group is.
  int64_t first(int64_t i) const {
    int64_t c = own(i) % channels;
    return own(i) - c + c / each * each;
  }
  double count() const { return double(image / channels * each); }
  /// Hands what the first channel of each group has to the others.
  void spread(Tensor &values) const {
    for (int64_t i = 0; i < values.size(); ++i) {
      int64_t c = i % channels;
      values.reals[i] = values.reals[i - c + c / each * each];
    }
  }
};

void expectNorm(const Op &op, const Operands &operands, size_t count,
                size_t maps, std::initializer_list<size_t> vectors) {
  expectCount(op, operands, count, count);
  const Tensor &x = operands[0];
  expectRank(op, x, 4);
  for (size_t i = 1; i < count; ++i) {
    bool vector = std::find(vectors.begin(), vectors.end(), i) != vectors.end();
    if (i < maps)
      expectShape(op, operands[i], x.shape());
    else if (vector)
      expectShape(op, operands[i], {x.dim(3)});
    else
      expectShape(op, operands[i], {x.dim(0), 1, 1, x.dim(3)});
  }
}

Results groupStatistics(const Op &op, const Operands &operands) {
  expectNorm(op, operands, 1, 1, {});
  const Tensor &x = operands[0];
  Groups groups(op, x, integer(op, "groups"));
  Tensor mean = perImage(x), inverse = perImage(x);
  for (int64_t i = 0; i < x.size(); ++i)
    mean.reals[groups.first(i)] += x.reals[i] / groups.count();
  groups.spread(mean);
  for (int64_t i = 0; i < x.size(); ++i) {
    double distance = x.reals[i] - mean.reals[groups.own(i)];
    inverse.reals[groups.first(i)] += distance * distance / groups.count();
  }
  groups.spread(inverse);
  for (double &value : inverse.reals)
    value = 1 / std::sqrt(value + real(op, "epsilon"));
  return {mean, inverse};
}

Results groupNormalize(const Op &op, const Operands &operands) {
  expectNorm(op, operands, 5, 1, {3, 4});
  const Tensor &x = operands[0];
  Groups groups(op, x, 1);
  Tensor y(x.type);
  for (int64_t i = 0; i < x.size(); ++i)
    y.reals[i] = (x.reals[i] - operands[1].reals[groups.own(i)]) *
                     operands[2].reals[groups.own(i)] *
                     operands[3].reals[i % x.dim(3)] +
                 operands[4].reals[i % x.dim(3)];
  return {y};
}

Results groupBackwardReduce(const Op &op, const Operands &operands) {
  expectNorm(op, operands, 5, 2, {4});
  const Tensor &dy = operands[0], &x = operands[1], &mean = operands[2],
               &inverse = operands[3], &scale = operands[4];
  Groups groups(op, x, integer(op, "groups"));
  Tensor dscale = perImage(x), doffset = dscale, meanScale = dscale,
         meanOffset = dscale;
  for (int64_t i = 0; i < x.size(); ++i) {
    int64_t own = groups.own(i);
    double product =
        dy.reals[i] * (x.reals[i] - mean.reals[own]) * inverse.reals[own];
    double share = scale.reals[i % x.dim(3)] / groups.count();
    dscale.reals[own] += product;
    doffset.reals[own] += dy.reals[i];
    meanScale.reals[groups.first(i)] += product * share;
    meanOffset.reals[groups.first(i)] += dy.reals[i] * share;
  }
  groups.spread(meanScale);
  groups.spread(meanOffset);
  return {dscale, doffset, meanScale, meanOffset};
}

Results groupBackwardData(const Op &op, const Operands &operands) {
  expectNorm(op, operands, 7, 2, {4});
  const Tensor &dy = operands[0], &x = operands[1], &mean = operands[2],
               &inverse = operands[3], &scale = operands[4],
               &meanScale = operands[5], &meanOffset = operands[6];
  Groups groups(op, x, 1);
  Tensor dx(x.type);
  for (int64_t i = 0; i < x.size(); ++i) {
    int64_t own = groups.own(i);
    double value = (x.reals[i] - mean.reals[own]) * inverse.reals[own];
    dx.reals[i] = inverse.reals[own] *
                  (dy.reals[i] * scale.reals[i % x.dim(3)] -
                   meanOffset.reals[own] - value * meanScale.reals[own]);
  }
  return {dx};
}

} // namespace

void addLayerNorms(FunctionTable &table) {
  table["layer_norm"] = layerNorm;
  table["layer_norm_backward_data"] = layerNormBackwardData;
  table["layer_norm_backward_reduce"] = layerNormBackwardReduce;
  table["group_norm_statistics"] = groupStatistics;
  table["group_norm_normalize"] = {groupNormalize, true};
  table["group_norm_backward_reduce"] = groupBackwardReduce;
  table["group_norm_backward_data"] = {groupBackwardData, true};
}

} // namespace rootc::reference
