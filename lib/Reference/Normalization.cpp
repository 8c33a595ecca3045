//===- Normalization.cpp - Batch norm and local response norm ---------===//
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
  return Tensor({ElementType::F32, {x.shape().back()}});
}

/// Checks that operand 0 is an image and those from `first` on have one value
/// a channel of it; operands between have its shape.
void expectChannels(const Op &op, const Operands &operands, size_t first) {
  expectRank(op, operands[0], 4);
  for (size_t i = 1; i < operands.size(); ++i)
    if (i < first)
      expectShape(op, operands[i], operands[0].shape());
    else
      expectShape(op, operands[i], {operands[0].dim(3)});
}

Results statistics(const Op &op, const Operands &operands) {
  expectCount(op, operands, 1, 1);
  const Tensor &x = operands[0];
  expectRank(op, x, 4);
  int64_t channels = x.dim(3), count = x.size() / channels;
  Tensor mean = perChannel(x), variance = perChannel(x),
         unbiased = perChannel(x);
  for (int64_t i = 0; i < x.size(); ++i)
    mean.reals[i % channels] += x.reals[i] / count;
  for (int64_t i = 0; i < x.size(); ++i) {
    double distance = x.reals[i] - mean.reals[i % channels];
    variance.reals[i % channels] += distance * distance / count;
  }
  for (int64_t c = 0; c < channels; ++c)
    unbiased.reals[c] =
        count > 1 ? variance.reals[c] * count / (count - 1) : variance.reals[c];
  return {mean, variance, unbiased};
}

/// Mean and squared deviations of every image: [N, 2, C].
Results partialStatistics(const Op &op, const Operands &operands) {
  expectCount(op, operands, 1, 1);
  const Tensor &x = operands[0];
  expectRank(op, x, 4);
  int64_t channels = x.dim(3), positions = x.dim(1) * x.dim(2);
  Tensor partials({ElementType::F32, {x.dim(0), 2, channels}});
  for (int64_t n = 0; n < x.dim(0); ++n)
    for (int64_t c = 0; c < channels; ++c) {
      const double *first = &x.reals[n * positions * channels + c];
      double mean = 0, squares = 0;
      for (int64_t i = 0; i < positions; ++i)
        mean += first[i * channels] / positions;
      for (int64_t i = 0; i < positions; ++i)
        squares += (first[i * channels] - mean) * (first[i * channels] - mean);
      partials.reals[2 * n * channels + c] = mean;
      partials.reals[(2 * n + 1) * channels + c] = squares;
    }
  return {partials};
}

Results combineStatistics(const Op &op, const Operands &operands) {
  expectCount(op, operands, 1, 1);
  const Tensor &partials = operands[0];
  expectRank(op, partials, 3);
  int64_t images = partials.dim(0), channels = partials.dim(2);
  int64_t positions = integer(op, "count"), count = images * positions;
  Tensor mean = perChannel(partials), variance = mean, unbiased = mean;
  for (int64_t c = 0; c < channels; ++c) {
    auto at = [&](int64_t n, int64_t i) {
      return partials.reals[(2 * n + i) * channels + c];
    };
    for (int64_t n = 0; n < images; ++n)
      mean.reals[c] += at(n, 0) / images;
    for (int64_t n = 0; n < images; ++n) {
      double shift = at(n, 0) - mean.reals[c];
      variance.reals[c] += (at(n, 1) + positions * shift * shift) / count;
    }
    unbiased.reals[c] =
        count > 1 ? variance.reals[c] * count / (count - 1) : variance.reals[c];
  }
  return {mean, variance, unbiased};
}

Results runningAverage(const Op &op, const Operands &operands) {
  expectCount(op, operands, 2, 2);
  expectShape(op, operands[1], operands[0].shape());
  double momentum = real(op, "momentum");
  Tensor result = operands[0];
  for (int64_t i = 0; i < result.size(); ++i)
    result.reals[i] =
        (1 - momentum) * operands[0].reals[i] + momentum * operands[1].reals[i];
  return {result};
}

Results normalize(const Op &op, const Operands &operands) {
  expectCount(op, operands, 5, 5);
  expectChannels(op, operands, 1);
  const Tensor &x = operands[0], &mean = operands[1], &variance = operands[2],
               &scale = operands[3], &offset = operands[4];
  double epsilon = real(op, "epsilon");
  Tensor y(x.type);
  for (int64_t i = 0; i < x.size(); ++i) {
    int64_t c = i % x.dim(3);
    y.reals[i] = (x.reals[i] - mean.reals[c]) /
                     std::sqrt(variance.reals[c] + epsilon) * scale.reals[c] +
                 offset.reals[c];
  }
  return {y};
}

Results backwardReduce(const Op &op, const Operands &operands) {
  expectCount(op, operands, 4, 4);
  expectChannels(op, operands, 2);
  const Tensor &dy = operands[0], &x = operands[1], &mean = operands[2],
               &variance = operands[3];
  double epsilon = real(op, "epsilon");
  int64_t channels = x.dim(3), count = x.size() / channels;
  Tensor dscale = perChannel(x), doffset = perChannel(x);
  for (int64_t i = 0; i < x.size(); ++i) {
    int64_t c = i % channels;
    dscale.reals[c] += dy.reals[i] * (x.reals[i] - mean.reals[c]) /
                       std::sqrt(variance.reals[c] + epsilon);
    doffset.reals[c] += dy.reals[i];
  }
  Tensor meanScale = dscale, meanOffset = doffset;
  for (int64_t c = 0; c < channels; ++c) {
    meanScale.reals[c] /= count;
    meanOffset.reals[c] /= count;
  }
  return {dscale, doffset, meanScale, meanOffset};
}

Results backwardData(const Op &op, const Operands &operands) {
  expectCount(op, operands, 7, 7);
  expectChannels(op, operands, 2);
  const Tensor &dy = operands[0], &x = operands[1], &mean = operands[2],
               &variance = operands[3], &scale = operands[4],
               &meanScale = operands[5], &meanOffset = operands[6];
  double epsilon = real(op, "epsilon");
  Tensor dx(x.type);
  for (int64_t i = 0; i < x.size(); ++i) {
    int64_t c = i % x.dim(3);
    double deviation = std::sqrt(variance.reals[c] + epsilon);
    double normal = (x.reals[i] - mean.reals[c]) / deviation;
    dx.reals[i] =
        scale.reals[c] / deviation *
        (dy.reals[i] - meanOffset.reals[c] - normal * meanScale.reals[c]);
  }
  return {dx};
}

Results channelAffine(const Op &op, const Operands &operands) {
  expectCount(op, operands, 3, 3);
  expectChannels(op, operands, 1);
  const Tensor &multiplier = operands[1], &offset = operands[2];
  Tensor y = operands[0];
  for (int64_t i = 0; i < y.size(); ++i) {
    int64_t c = i % y.dim(3);
    y.reals[i] = y.reals[i] * multiplier.reals[c] + offset.reals[c];
  }
  return {y};
}

Results foldMultiplier(const Op &op, const Operands &operands) {
  expectCount(op, operands, 2, 2);
  expectShape(op, operands[1], operands[0].shape());
  double epsilon = real(op, "epsilon");
  Tensor result = operands[0];
  for (int64_t c = 0; c < result.size(); ++c)
    result.reals[c] /= std::sqrt(operands[1].reals[c] + epsilon);
  return {result};
}

Results foldBias(const Op &op, const Operands &operands) {
  expectCount(op, operands, 3, 4);
  for (const Tensor &operand : operands)
    expectShape(op, operand, operands[0].shape());
  Tensor result = operands[0];
  for (int64_t c = 0; c < result.size(); ++c) {
    double bias = operands.size() == 4 ? operands[3].reals[c] : 0;
    result.reals[c] = (bias - operands[0].reals[c]) * operands[1].reals[c] +
                      operands[2].reals[c];
  }
  return {result};
}

Results scaleFilter(const Op &op, const Operands &operands) {
  expectCount(op, operands, 2, 2);
  expectRank(op, operands[0], 4);
  expectShape(op, operands[1], {operands[0].dim(0)});
  Tensor result = operands[0];
  int64_t each = result.size() / result.dim(0);
  for (int64_t i = 0; i < result.size(); ++i)
    result.reals[i] *= operands[1].reals[i / each];
  return {result};
}

/// Caffe's normalisation across channels: y = x / s^beta with s = k + alpha /
/// size times the sum of squares over the channels around.
struct ResponseNorm {
  int64_t size, before;
  double alpha, beta, k;

  explicit ResponseNorm(const Op &op)
      : size(integer(op, "size")), before((size - 1) / 2),
        alpha(real(op, "alpha")), beta(real(op, "beta")), k(real(op, "k")) {
    if (size < 1)
      fail(op, "size must be positive");
  }
  /// The channels that channel c's sum runs over: [begin(c), end(c)).
  int64_t begin(int64_t c) const { return std::max<int64_t>(c - before, 0); }
  int64_t end(int64_t c, int64_t channels) const {
    return std::min(c - before + size, channels);
  }
  /// `x` points at channel 0 of a pixel.
  double sum(const double *x, int64_t c, int64_t channels) const {
    double squares = 0;
    for (int64_t i = begin(c); i < end(c, channels); ++i)
      squares += x[i] * x[i];
    return k + alpha / size * squares;
  }
};

Results responseNorm(const Op &op, const Operands &operands) {
  expectCount(op, operands, 1, 1);
  expectRank(op, operands[0], 4);
  ResponseNorm norm(op);
  const Tensor &x = operands[0];
  Tensor y(x.type);
  for (int64_t i = 0; i < x.size(); ++i) {
    int64_t c = i % x.dim(3);
    y.reals[i] = x.reals[i] *
                 std::pow(norm.sum(&x.reals[i - c], c, x.dim(3)), -norm.beta);
  }
  return {y};
}

Results responseNormBackward(const Op &op, const Operands &operands) {
  expectCount(op, operands, 2, 2);
  expectChannels(op, operands, 2);
  ResponseNorm norm(op);
  const Tensor &dy = operands[0], &x = operands[1];
  int64_t channels = x.dim(3);
  Tensor dx(x.type);
  // Scatters what each output owes to the inputs in its window.
  for (int64_t i = 0; i < x.size(); ++i) {
    int64_t c = i % channels, pixel = i - c;
    double sum = norm.sum(&x.reals[pixel], c, channels);
    dx.reals[i] += dy.reals[i] * std::pow(sum, -norm.beta);
    double shared = -2 * norm.alpha * norm.beta / norm.size * dy.reals[i] *
                    x.reals[i] * std::pow(sum, -norm.beta - 1);
    for (int64_t j = norm.begin(c); j < norm.end(c, channels); ++j)
      dx.reals[pixel + j] += shared * x.reals[pixel + j];
  }
  return {dx};
}

/// The weights of an out channel, w = (w - mean) / deviation in place, and the
/// factor that makes of them what the gain is multiplied with.
struct StandardFilter {
  Tensor standard;
  std::vector<double> deviations;
  int64_t count;
  StandardFilter(const Op &op, const Tensor &filter)
      : standard(filter), deviations(filter.dim(0)),
        count(filter.size() / filter.dim(0)) {
    double epsilon = real(op, "epsilon");
    for (int64_t o = 0; o < filter.dim(0); ++o) {
      double *own = &standard.reals[o * count], mean = 0, variance = 0;
      for (int64_t i = 0; i < count; ++i)
        mean += own[i] / count;
      for (int64_t i = 0; i < count; ++i)
        variance += (own[i] - mean) * (own[i] - mean) / count;
      deviations[o] = std::sqrt(variance + epsilon);
      for (int64_t i = 0; i < count; ++i)
        own[i] = (own[i] - mean) / deviations[o];
    }
  }
};

Results standardizeFilter(const Op &op, const Operands &operands) {
  expectCount(op, operands, 2, 2);
  expectRank(op, operands[0], 4);
  expectShape(op, operands[1], {operands[0].dim(0)});
  StandardFilter filter(op, operands[0]);
  for (int64_t i = 0; i < filter.standard.size(); ++i)
    filter.standard.reals[i] *=
        operands[1].reals[i / filter.count] / std::sqrt(filter.count);
  return {filter.standard};
}

/// Sums over each out channel of what is standardised times its gradient.
std::vector<double> sumsAlong(const StandardFilter &filter, const Tensor &ds) {
  std::vector<double> sums(filter.deviations.size());
  for (int64_t i = 0; i < ds.size(); ++i)
    sums[i / filter.count] += ds.reals[i] * filter.standard.reals[i];
  return sums;
}

Results standardizeFilterBackward(const Op &op, const Operands &operands) {
  expectCount(op, operands, 3, 3);
  expectRank(op, operands[1], 4);
  expectShape(op, operands[0], operands[1].shape());
  expectShape(op, operands[2], {operands[1].dim(0)});
  StandardFilter filter(op, operands[1]);
  const Tensor &ds = operands[0];
  std::vector<double> along = sumsAlong(filter, ds), all(along.size());
  for (int64_t i = 0; i < ds.size(); ++i)
    all[i / filter.count] += ds.reals[i];
  Tensor result(ds.type);
  for (int64_t i = 0; i < ds.size(); ++i) {
    int64_t o = i / filter.count;
    result.reals[i] = operands[2].reals[o] / std::sqrt(filter.count) /
                      filter.deviations[o] *
                      (ds.reals[i] - all[o] / filter.count -
                       filter.standard.reals[i] * along[o] / filter.count);
  }
  return {result};
}

Results standardizeGainBackward(const Op &op, const Operands &operands) {
  expectCount(op, operands, 2, 2);
  expectRank(op, operands[1], 4);
  expectShape(op, operands[0], operands[1].shape());
  StandardFilter filter(op, operands[1]);
  std::vector<double> sums = sumsAlong(filter, operands[0]);
  for (double &sum : sums)
    sum /= std::sqrt(filter.count);
  return {Tensor({operands[1].dim(0)}, sums)};
}

} // namespace

void addNormalizations(FunctionTable &table) {
  table["batch_norm_statistics"] = statistics;
  table["batch_norm_partial"] = partialStatistics;
  table["batch_norm_combine"] = combineStatistics;
  table["running_average"] = {runningAverage, true};
  table["batch_norm_normalize"] = {normalize, true};
  table["batch_norm_backward_reduce"] = backwardReduce;
  table["batch_norm_backward_data"] = {backwardData, true};
  table["channel_affine"] = {channelAffine, true};
  table["fold_multiplier"] = foldMultiplier;
  table["fold_bias"] = foldBias;
  table["scale_filter"] = scaleFilter;
  table["standardize_filter"] = standardizeFilter;
  table["standardize_filter_backward"] = standardizeFilterBackward;
  table["standardize_gain_backward"] = standardizeGainBackward;
  table["local_response_norm"] = responseNorm;
  table["local_response_norm_backward"] = responseNormBackward;
}

} // namespace rootc::reference
