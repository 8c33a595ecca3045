//===- Reductions.cpp - Sums over positions -------------------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/Algorithms/ChannelSums.h"

#include <limits>
#include <stdexcept>

using namespace Halide;

namespace rootc::codegen {

int64_t rowsPerChunk(const Value &image) {
  const int64_t bytes = 24 * 1024; // half of a first-level cache
  int64_t height = image.height();
  int64_t row = image.width() * image.channels() * 4;
  int64_t rows = 1;
  for (int64_t r = 2; r <= height && r * row <= bytes; ++r)
    if (height % r == 0)
      rows = r;
  return rows;
}

namespace {
using Combine = Expr (*)(const Expr &, const Expr &);

std::vector<Expr> foldChannels(const std::string &name, int64_t channels,
                               const ChannelTerms &terms, float neutral,
                               Combine combine,
                               std::map<std::string, Func> &stages) {
  const int lanes = 16;
  int whole = static_cast<int>(channels) / lanes;
  int rest = static_cast<int>(channels) % lanes;
  std::vector<Var> v = imageVars(4);
  std::vector<Expr> position = {v[1], v[2], v[3]};
  size_t count = terms(0).size();
  // `values` and the terms at a channel.
  auto with = [&](std::vector<Expr> values, const Expr &channel) {
    std::vector<Expr> more = terms(channel);
    for (size_t i = 0; i < count; ++i)
      values[i] = combine(values[i], more[i]);
    return Tuple(values);
  };
  // The values of a Func at a point; one value is no Tuple.
  auto at = [&](Func f, const std::vector<Expr> &point) {
    std::vector<Expr> values;
    for (size_t i = 0; i < count; ++i)
      values.push_back(count == 1 ? Expr(f(point)) : f(point)[i]);
    return values;
  };
  std::vector<Expr> folded(count, Expr(neutral));
  if (whole > 0) {
    Var l("l");
    RDom r(0, whole, "r");
    Func lane("lane");
    std::vector<Expr> point = {l, v[1], v[2], v[3]};
    lane(point) = Tuple(folded);
    lane(point) = with(at(lane, point), r * lanes + l);
    stages["lane " + name] = lane;
    std::vector<std::vector<Expr>> parts;
    for (int i = 0; i < lanes; ++i)
      parts.push_back(at(lane, {i, v[1], v[2], v[3]}));
    // A tree, as each step waits for the one before.
    for (int half = lanes / 2; half > 0; half /= 2)
      for (int i = 0; i < half; ++i)
        for (size_t k = 0; k < count; ++k)
          parts[i][k] = combine(parts[i][k], parts[i + half][k]);
    folded = parts[0];
  }
  Func result("folded");
  result(position) = Tuple(folded);
  if (rest > 0) {
    RDom r(whole * lanes, rest, "r");
    result(position) = with(at(result, position), r);
  }
  stages["position " + name] = result;
  return at(result, position);
}
} // namespace

std::vector<Expr> sumOverChannels(const std::string &name, int64_t channels,
                                  const ChannelTerms &terms,
                                  std::map<std::string, Func> &stages) {
  return foldChannels(
      name, channels, terms, 0.0f,
      [](const Expr &a, const Expr &b) { return a + b; }, stages);
}

Expr largestOfChannels(const Value &x, std::map<std::string, Func> &stages) {
  std::vector<Var> v = imageVars(4);
  auto term = [&](const Expr &c) {
    return std::vector<Expr>{x.func(c, v[1], v[2], v[3])};
  };
  return foldChannels("largest", x.channels(), term,
                      -std::numeric_limits<float>::infinity(), larger,
                      stages)[0];
}

namespace {
using Operands = std::vector<Value>;

Lowered channelSum(const Op &op, const Operands &in) {
  const Value &x = in.at(0);
  int rows = static_cast<int>(rowsPerChunk(x));
  Var c = imageVars(1)[0], b("b"), n("n");
  RDom r(0, static_cast<int>(x.width()), 0, rows, "r");
  Func sum("sum"), chunk("chunk"), total("total"), result(op.name);
  sum(c, b, n) += x.func(c, r.x, b * rows + r.y, n);
  chunk(c, b, n) = sum(c, b, n);
  RDom q(0, static_cast<int>(x.height()) / rows, 0, x.batch(), "q");
  total(c) = cast<double>(0);
  total(c) += cast<double>(chunk(c, q.x, q.y));
  result(c) = cast<float>(total(c));
  return {{result}, {{"registers", sum}, {"chunk", chunk}, {"total0", total}}};
}

/// The sum over each channel's map, (c, n), as stage "sum". Two levels keep the
/// error small on large maps.
std::map<std::string, Func> sumOverMap(const Value &x) {
  Var c("c"), y("y"), n("n");
  RDom r(0, static_cast<int>(x.width()), "r");
  RDom q(0, static_cast<int>(x.height()), "q");
  Func row("row"), sum("sum");
  row(c, y, n) += x.func(c, r, y, n);
  sum(c, n) += row(c, q, n);
  return {{"row", row}, {"sum", sum}};
}

Lowered globalAveragePool(const Op &op, const Operands &in) {
  const Value &x = in.at(0);
  std::vector<Var> v = imageVars(4);
  auto stages = sumOverMap(x);
  Func result(op.name);
  result(v) = stages["sum"](v[0], v[3]) *
              (1.0f / static_cast<float>(x.width() * x.height()));
  return {{result}, std::move(stages)};
}

/// The sum over each position's channels, times a factor.
Lowered channelsSummed(const Op &op, const Value &x, float factor) {
  std::vector<Var> v = imageVars(4);
  std::map<std::string, Func> stages;
  auto term = [&](const Expr &c) {
    return std::vector<Expr>{x.func(c, v[1], v[2], v[3])};
  };
  Func result(op.name);
  result(v) = sumOverChannels("sum", x.channels(), term, stages)[0] * factor;
  return {{result}, std::move(stages)};
}

Lowered channelMean(const Op &op, const Operands &in) {
  return channelsSummed(op, in.at(0),
                        1.0f / static_cast<float>(in[0].channels()));
}

Lowered channelMeanBackward(const Op &op, const Operands &in) {
  std::vector<Var> v = imageVars(4);
  auto channels = static_cast<float>(integerAttribute(op, "channels"));
  Func result(op.name);
  result(v) = in.at(0).func(0, v[1], v[2], v[3]) * (1.0f / channels);
  return {{result}, {}};
}

Lowered channelMax(const Op &op, const Operands &in) {
  std::map<std::string, Func> stages;
  Func result(op.name);
  result(imageVars(4)) = largestOfChannels(in.at(0), stages);
  return {{result}, std::move(stages)};
}

/// Channels that are equally large share the gradient.
Lowered channelMaxBackward(const Op &op, const Operands &in) {
  const Value &dy = in.at(0), &x = in.at(1), &y = in.at(2);
  std::vector<Var> v = imageVars(4);
  auto ofPosition = [&](const Value &value) {
    return value.func(0, v[1], v[2], v[3]);
  };
  auto isLargest = [&](const Expr &c) {
    return strict_float(x.func(c, v[1], v[2], v[3]) == ofPosition(y));
  };
  std::map<std::string, Func> stages;
  Expr count = sumOverChannels(
      "count", x.channels(),
      [&](const Expr &c) {
        return std::vector<Expr>{select(isLargest(c), 1.0f, 0.0f)};
      },
      stages)[0];
  Func share("share"), result(op.name);
  share(v[1], v[2], v[3]) = ofPosition(dy) / count;
  stages["position share"] = share;
  Expr nothing =
      select(strict_float(ofPosition(y) == ofPosition(y)), 0.0f, ofPosition(y));
  result(v) = select(isLargest(v[0]), share(v[1], v[2], v[3]), nothing);
  return {{result}, std::move(stages)};
}

Lowered reduceSum(const Op &op, const Operands &in) {
  const Value &x = in.at(0);
  std::string over = textAttribute(op, "over");
  if (over == "channels")
    return channelsSummed(op, x, 1);
  if (over != "map" && over != "image")
    throw std::invalid_argument("op 'reduce_sum': over '" + over + "'");
  std::vector<Var> v = imageVars(4);
  auto stages = sumOverMap(x);
  Func sum = stages["sum"], result(op.name);
  if (over == "image") {
    Var n("n");
    Func image("image");
    RDom r(0, static_cast<int>(x.channels()), "channels");
    image(n) += sum(r, n);
    stages["image"] = image;
    result(v) = image(v[3]);
  } else {
    result(v) = sum(v[0], v[3]);
  }
  return {{result}, std::move(stages)};
}
} // namespace

void addReductions(OpRegistry &registry) {
  registry["channel_max"] = {channelMax};
  registry["channel_max_backward"] = {channelMaxBackward};
  registry["channel_mean"] = {channelMean};
  registry["channel_mean_backward"] = {channelMeanBackward, true};
  registry["channel_sum"] = {channelSum};
  registry["global_average_pool"] = {globalAveragePool};
  registry["reduce_sum"] = {reduceSum};
}

} // namespace rootc::codegen
