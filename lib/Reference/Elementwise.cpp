//===- Elementwise.cpp - Sums, channels, dropout, parameters --------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/Philox.h"
#include "lib/Reference/Support.h"

namespace rootc::reference {

using codegen::ElementType;
using codegen::Op;

namespace {

Results copy(const Op &op, const Operands &operands) {
  expectCount(op, operands, 1, 1);
  return {operands[0]};
}

Results zerosLike(const Op &op, const Operands &operands) {
  expectCount(op, operands, 1, 1);
  return {Tensor(operands[0].type)};
}

Results add(const Op &op, const Operands &operands) {
  expectCount(op, operands, 2, 2);
  expectShape(op, operands[1], operands[0].shape());
  Tensor sum = operands[0];
  for (int64_t i = 0; i < sum.size(); ++i)
    sum.reals[i] += operands[1].reals[i];
  return {sum};
}

Results channelSum(const Op &op, const Operands &operands) {
  expectCount(op, operands, 1, 1);
  expectRank(op, operands[0], 4);
  int64_t channels = operands[0].dim(3);
  Tensor sum({ElementType::F32, {channels}});
  for (int64_t i = 0; i < operands[0].size(); ++i)
    sum.reals[i % channels] += operands[0].reals[i];
  return {sum};
}

Results concat(const Op &op, const Operands &operands) {
  expectCount(op, operands, 1, SIZE_MAX);
  for (const Tensor &part : operands) {
    expectRank(op, part, 4);
    auto shape = operands[0].shape();
    shape[3] = part.dim(3);
    expectShape(op, part, shape);
  }
  return {concatChannels(operands)};
}

Results sliceChannelsOp(const Op &op, const Operands &operands) {
  expectCount(op, operands, 1, 1);
  expectRank(op, operands[0], 4);
  int64_t begin = integer(op, "begin"), end = integer(op, "end");
  if (begin < 0 || begin >= end || end > operands[0].dim(3))
    fail(op, "no channels [" + std::to_string(begin) + ", " +
                 std::to_string(end) + ")");
  return {sliceChannels(operands[0], begin, end)};
}

Results padChannels(const Op &op, const Operands &operands) {
  expectCount(op, operands, 1, SIZE_MAX);
  if (op.results.size() != 1)
    fail(op, "needs its result's type");
  auto begins = integers(op, "begins", operands.size());
  auto shape = operands[0].shape();
  shape.back() = op.results[0].shape.back();
  Tensor whole({ElementType::F32, shape});
  int64_t channels = shape.back(), end = 0;
  for (size_t p = 0; p < operands.size(); ++p) {
    const Tensor &part = operands[p];
    int64_t width = part.shape().back();
    shape.back() = width;
    expectShape(op, part, shape);
    if (begins[p] < end || begins[p] > channels - width)
      fail(op, "no room at channel " + std::to_string(begins[p]));
    end = begins[p] + width;
    for (int64_t i = 0; i < part.size(); ++i)
      whole.reals[i / width * channels + begins[p] + i % width] = part.reals[i];
  }
  return {whole};
}

Results channelShuffle(const Op &op, const Operands &operands) {
  expectCount(op, operands, 1, 1);
  const Tensor &x = operands[0];
  if (x.shape().size() != 1)
    expectRank(op, x, 4);
  int64_t groups = integer(op, "groups"), channels = x.shape().back();
  if (groups < 1 || channels % groups)
    fail(op, "groups must divide the channels");
  Tensor y(x.type);
  for (int64_t i = 0; i < x.size(); ++i) {
    int64_t c = i % channels, row = c / (channels / groups),
            column = c % (channels / groups);
    y.reals[i - c + column * groups + row] = x.reals[i];
  }
  return {y};
}

/// See docs/architecture.md for the key and the counter of each element.
Results dropout(const Op &op, const Operands &operands) {
  expectCount(op, operands, 3, 3);
  const Tensor &x = operands[0], &random = operands[1], &samples = operands[2];
  double rate = real(op, "rate");
  uint32_t ordinal = integer(op, "ordinal");
  expectShape(op, random, {2});
  expectShape(op, samples, {x.dim(0)});
  uint64_t seed = random.integers.at(0), epoch = random.integers.at(1);
  int64_t perSample = x.size() / x.dim(0);
  Tensor y(x.type);
  for (int64_t i = 0; i < x.size(); ++i) {
    uint32_t element = i % perSample;
    auto words = codegen::philox({element / 4,
                                  uint32_t(samples.integers.at(i / perSample)),
                                  uint32_t(epoch), ordinal},
                                 {uint32_t(seed), uint32_t(seed >> 32)});
    bool kept = words[element % 4] * 0x1p-32 >= rate;
    // A product, so that NaN is not dropped.
    y.reals[i] = x.reals[i] * (kept ? 1 / (1 - rate) : 0);
  }
  return {y};
}

/// The first word of dropout's counter for element 0.
Results sampleMask(const Op &op, const Operands &operands) {
  expectCount(op, operands, 2, 2);
  const Tensor &random = operands[0], &samples = operands[1];
  double rate = real(op, "rate");
  uint32_t ordinal = integer(op, "ordinal");
  expectShape(op, random, {2});
  expectRank(op, samples, 1);
  uint64_t seed = random.integers.at(0), epoch = random.integers.at(1);
  Tensor mask({ElementType::F32, {samples.dim(0), 1, 1, 1}});
  for (int64_t i = 0; i < mask.size(); ++i) {
    auto words = codegen::philox(
        {0, uint32_t(samples.integers.at(i)), uint32_t(epoch), ordinal},
        {uint32_t(seed), uint32_t(seed >> 32)});
    mask.reals[i] = words[0] * 0x1p-32 >= rate ? 1 / (1 - rate) : 0;
  }
  return {mask};
}

Results scaleChannels(const Op &op, const Operands &operands) {
  expectCount(op, operands, 2, 2);
  expectRank(op, operands[0], 4);
  expectShape(op, operands[1], {operands[0].dim(3)});
  Tensor y = operands[0];
  for (int64_t i = 0; i < y.size(); ++i)
    y.reals[i] *= operands[1].reals[i % y.dim(3)];
  return {y};
}

Results weightedSum(const Op &op, const Operands &operands) {
  auto it = op.attributes.find("weights");
  auto *weights = it == op.attributes.end()
                      ? nullptr
                      : std::get_if<std::vector<double>>(&it->second);
  if (!weights || weights->size() != operands.size())
    fail(op, "needs one weight for each operand");
  Tensor sum({ElementType::F32, {1}});
  for (size_t i = 0; i < operands.size(); ++i) {
    expectShape(op, operands[i], {1});
    sum.reals[0] += (*weights)[i] * operands[i].reals[0];
  }
  return {sum};
}

} // namespace

void addElementwise(FunctionTable &table) {
  table["copy"] = {copy, true};
  table["add"] = {add, true};
  table["channel_sum"] = channelSum;
  table["concat"] = concat;
  table["slice_channels"] = sliceChannelsOp;
  table["pad_channels"] = padChannels;
  table["channel_shuffle"] = channelShuffle;
  table["dropout"] = {dropout, true};
  table["sample_mask"] = sampleMask;
  table["scale_channels"] = {scaleChannels, true};
  table["weighted_sum"] = weightedSum;
  table["zeros_like"] = zerosLike;
}

} // namespace rootc::reference
