//===- Maps.cpp - Maps in another size, and one value a position ----------===//
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

//===----------------------------------------------------------------------===//
// Resampling
//===----------------------------------------------------------------------===//

/// What row i of `input` has in row o of `output`, [output][input].
using Weights = std::vector<std::vector<double>>;

Weights weightsOf(const Op &op, int64_t input, int64_t output) {
  std::string mode = text(op, "mode"), coordinates = text(op, "coordinates"),
              round = text(op, "round");
  double n = double(input), m = double(output);
  Weights weights(output, std::vector<double>(input));
  for (int64_t o = 0; o < output; ++o) {
    if (mode == "average") {
      auto begin = int64_t(std::floor(o * n / m)),
           end = int64_t(std::ceil((o + 1) * n / m));
      for (int64_t i = begin; i < end; ++i)
        weights[o][i] = 1.0 / double(end - begin);
      continue;
    }
    double place = (o + 0.5) * n / m - 0.5;
    if (coordinates == "align_corners")
      place = output == 1 ? 0 : o * (n - 1) / (m - 1);
    else if (coordinates == "asymmetric")
      place = o * n / m;
    else if (coordinates == "pytorch_half_pixel" && output == 1)
      place = 0;
    if (mode == "nearest") {
      // A hair towards where a tie goes: places are fractions of small numbers.
      const double hair = 1e-9;
      double row = round == "floor"  ? std::floor(place + hair)
                   : round == "ceil" ? std::ceil(place - hair)
                   : round == "round_prefer_floor"
                       ? std::ceil(place - 0.5 - hair)
                       : std::floor(place + 0.5 + hair);
      weights[o][int64_t(std::clamp(row, 0.0, n - 1))] = 1;
      continue;
    }
    place = std::clamp(place, 0.0, n - 1);
    auto row = int64_t(std::floor(place));
    weights[o][row] += 1 - (place - double(row));
    if (row + 1 < input)
      weights[o][row + 1] += place - double(row);
  }
  return weights;
}

Results resample(const Op &op, const Operands &operands, bool backward) {
  expectCount(op, operands, 1, 1);
  const Tensor &from = operands[0];
  expectRank(op, from, 4);
  auto input = integers(op, "input", 2), output = integers(op, "output", 2);
  const auto &own = backward ? output : input,
             &other = backward ? input : output;
  expectShape(op, from, {from.dim(0), own[0], own[1], from.dim(3)});
  Weights rows = weightsOf(op, input[0], output[0]),
          columns = weightsOf(op, input[1], output[1]);
  Tensor to({ElementType::F32, {from.dim(0), other[0], other[1], from.dim(3)}});
  for (int64_t n = 0; n < from.dim(0); ++n)
    for (int64_t oy = 0; oy < output[0]; ++oy)
      for (int64_t iy = 0; iy < input[0]; ++iy)
        for (int64_t ox = 0; rows[oy][iy] != 0 && ox < output[1]; ++ox)
          for (int64_t ix = 0; ix < input[1]; ++ix)
            for (int64_t c = 0; columns[ox][ix] != 0 && c < from.dim(3); ++c) {
              double weight = rows[oy][iy] * columns[ox][ix];
              if (backward)
                to.at(n, iy, ix, c) += weight * from.at(n, oy, ox, c);
              else
                to.at(n, oy, ox, c) += weight * from.at(n, iy, ix, c);
            }
  return {to};
}

Results resampleForward(const Op &op, const Operands &operands) {
  return resample(op, operands, /*backward=*/false);
}

Results resampleBackward(const Op &op, const Operands &operands) {
  return resample(op, operands, /*backward=*/true);
}

//===----------------------------------------------------------------------===//
// One value a position
//===----------------------------------------------------------------------===//

Tensor perPosition(const Tensor &x) {
  return Tensor({ElementType::F32, {x.dim(0), x.dim(1), x.dim(2), 1}});
}

Results channelMean(const Op &op, const Operands &operands) {
  expectCount(op, operands, 1, 1);
  const Tensor &x = operands[0];
  expectRank(op, x, 4);
  Tensor y = perPosition(x);
  for (int64_t i = 0; i < x.size(); ++i)
    y.reals[i / x.dim(3)] += x.reals[i] / double(x.dim(3));
  return {y};
}

Results channelMeanBackward(const Op &op, const Operands &operands) {
  expectCount(op, operands, 1, 1);
  const Tensor &dy = operands[0];
  expectRank(op, dy, 4);
  int64_t channels = integer(op, "channels");
  Tensor dx({ElementType::F32, {dy.dim(0), dy.dim(1), dy.dim(2), channels}});
  for (int64_t i = 0; i < dx.size(); ++i)
    dx.reals[i] = dy.reals[i / channels] / double(channels);
  return {dx};
}

Results channelMax(const Op &op, const Operands &operands) {
  expectCount(op, operands, 1, 1);
  const Tensor &x = operands[0];
  expectRank(op, x, 4);
  Tensor y = perPosition(x);
  for (int64_t i = 0; i < x.size(); ++i) {
    double &largest = y.reals[i / x.dim(3)];
    if (i % x.dim(3) == 0 || x.reals[i] > largest || std::isnan(x.reals[i]))
      largest = x.reals[i];
  }
  return {y};
}

Results channelMaxBackward(const Op &op, const Operands &operands) {
  expectCount(op, operands, 3, 3);
  const Tensor &dy = operands[0], &x = operands[1], &y = operands[2];
  expectRank(op, x, 4);
  int64_t channels = x.dim(3);
  for (const Tensor &value : {dy, y})
    expectShape(op, value, {x.dim(0), x.dim(1), x.dim(2), 1});
  Tensor dx(x.type);
  for (int64_t p = 0; p < y.size(); ++p) {
    int64_t count = 0;
    for (int64_t c = 0; c < channels; ++c)
      count += x.reals[p * channels + c] == y.reals[p];
    for (int64_t c = 0; c < channels; ++c)
      dx.reals[p * channels + c] = x.reals[p * channels + c] == y.reals[p]
                                       ? dy.reals[p] / double(count)
                                   : std::isnan(y.reals[p]) ? y.reals[p]
                                                            : 0;
  }
  return {dx};
}

//===----------------------------------------------------------------------===//
// Channels
//===----------------------------------------------------------------------===//

Results channelOffset(const Op &op, const Operands &operands) {
  expectCount(op, operands, 2, 2);
  expectRank(op, operands[0], 4);
  expectShape(op, operands[1], {operands[0].dim(3)});
  Tensor y = operands[0];
  for (int64_t i = 0; i < y.size(); ++i)
    y.reals[i] += operands[1].reals[i % y.dim(3)];
  return {y};
}

/// Calls visit(indices of one softmax).
template <typename Visit>
void forEachSoftmax(const Op &op, const Tensor &x, Visit visit) {
  int64_t branches = integer(op, "branches"), channels = x.dim(3);
  if (branches < 1 || channels % branches != 0)
    fail(op, "branches do not divide the channels");
  int64_t apart = channels / branches;
  for (int64_t i = 0; i < x.size(); ++i) {
    if (i % channels >= apart)
      continue;
    std::vector<int64_t> indices;
    for (int64_t b = 0; b < branches; ++b)
      indices.push_back(i + b * apart);
    visit(indices);
  }
}

Results branchSoftmax(const Op &op, const Operands &operands) {
  expectCount(op, operands, 1, 1);
  expectRank(op, operands[0], 4);
  Tensor y = operands[0];
  forEachSoftmax(op, y, [&](const std::vector<int64_t> &indices) {
    double largest = -INFINITY, sum = 0;
    for (int64_t i : indices)
      largest = std::max(largest, y.reals[i]);
    for (int64_t i : indices)
      sum += y.reals[i] = std::exp(y.reals[i] - largest);
    for (int64_t i : indices)
      y.reals[i] /= sum;
  });
  return {y};
}

Results branchSoftmaxBackward(const Op &op, const Operands &operands) {
  expectCount(op, operands, 2, 2);
  const Tensor &dy = operands[0], &y = operands[1];
  expectRank(op, y, 4);
  expectShape(op, dy, y.shape());
  Tensor dx(y.type);
  forEachSoftmax(op, y, [&](const std::vector<int64_t> &indices) {
    double sum = 0;
    for (int64_t i : indices)
      sum += dy.reals[i] * y.reals[i];
    for (int64_t i : indices)
      dx.reals[i] = y.reals[i] * (dy.reals[i] - sum);
  });
  return {dx};
}

} // namespace

void addMaps(FunctionTable &table) {
  table["resample"] = resampleForward;
  table["resample_backward"] = resampleBackward;
  table["channel_mean"] = channelMean;
  table["channel_mean_backward"] = channelMeanBackward;
  table["channel_max"] = channelMax;
  table["channel_max_backward"] = channelMaxBackward;
  table["channel_offset"] = {channelOffset, true};
  table["branch_softmax"] = branchSoftmax;
  table["branch_softmax_backward"] = branchSoftmaxBackward;
}

} // namespace rootc::reference
