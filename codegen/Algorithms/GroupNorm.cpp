//===- GroupNorm.cpp - Normalisation by groups of channels ----------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// Statistics are of an image's positions and a group's channels: moments of
// each channel, as batch norm has them, are combined by groups. What is per
// group is written for each of its channels, so that readers have vectors.
//
//===----------------------------------------------------------------------===//

#include "codegen/Algorithms/Moments.h"
#include "codegen/Algorithms/Pointwise.h"

#include <stdexcept>

using namespace Halide;

namespace rootc::codegen {

namespace {
using Operands = std::vector<Value>;

int channelsOfGroup(const Op &op, const Value &x) {
  int64_t groups = integerAttribute(op, "groups");
  if (groups < 1 || x.channels() % groups != 0)
    throw std::invalid_argument("op '" + op.name +
                                "': groups do not divide the channels");
  return static_cast<int>(x.channels() / groups);
}

double countOf(const Value &x, int channels) {
  return static_cast<double>(x.height() * x.width() * channels);
}

/// A [N,1,1,C] operand at the point's image and channel.
Expr ofImage(const Value &value) {
  std::vector<Var> v = imageVars(4);
  return value.func(v[0], 0, 0, v[3]);
}

Expr channel(const Value &value) { return value.func(imageVars(1)[0]); }

Lowered statistics(const Op &op, const Operands &in) {
  const Value &x = in.at(0);
  int each = channelsOfGroup(op, x);
  Lowered lowered;
  Moments moments = imageMoments(x, lowered.stages);
  std::vector<Var> v = imageVars(4);
  Var g("g"), n("n");
  RDom r(0, each, "r");
  Func sum("groupSum"), squares("groupSquares"), group("group"), mean("mean"),
      inverse("inverse");
  sum(g, n) = cast<double>(0);
  sum(g, n) += moments.mean(g * each + r, n);
  Expr center = sum(g, n) * Expr(1.0 / each);
  Expr shift = strict_float(moments.mean(g * each + r, n) - center);
  squares(g, n) = cast<double>(0);
  squares(g, n) +=
      moments.squares(g * each + r, n) + Expr(countOf(x, 1)) * shift * shift;
  Expr variance = squares(g, n) * Expr(1.0 / countOf(x, each));
  group(g, n) =
      Tuple(cast<float>(center),
            cast<float>(Expr(1.0) /
                        sqrt(variance + Expr(realAttribute(op, "epsilon")))));
  mean(v) = group(v[0] / each, v[3])[0];
  inverse(v) = group(v[0] / each, v[3])[1];
  lowered.stages["group0"] = sum;
  lowered.stages["group1"] = squares;
  lowered.stages["group2"] = group;
  lowered.results = {mean, inverse};
  return lowered;
}

Lowered normalize(const Op &op, const Operands &in) {
  // Subtracting the mean first loses nothing where it dwarfs the deviation.
  return pointwise(op, in.at(0),
                   strict_float(at(in[0]) - ofImage(in.at(1))) *
                           (ofImage(in.at(2)) * channel(in.at(3))) +
                       channel(in.at(4)));
}

Lowered backwardReduce(const Op &op, const Operands &in) {
  const Value &dy = in.at(0), &x = in.at(1), &mean = in.at(2),
              &inverse = in.at(3), &scale = in.at(4);
  int each = channelsOfGroup(op, x), rows = static_cast<int>(rowsPerChunk(x));
  std::vector<Var> v = imageVars(4);
  Var c = v[0], b("b"), n("n"), g("g");
  RDom r(0, static_cast<int>(x.width()), 0, rows, "r");
  Expr gradient = cast<double>(dy.func(c, r.x, b * rows + r.y, n));
  Expr distance = cast<double>(
      strict_float(x.func(c, r.x, b * rows + r.y, n) - mean.func(c, 0, 0, n)));
  Func sums("sums"), chunk("chunk"), image("image"), total("groupTotal"),
      group("group");
  sums(c, b, n) = Tuple(cast<double>(0), cast<double>(0));
  sums(c, b, n) = Tuple(sums(c, b, n)[0] + gradient * distance,
                        sums(c, b, n)[1] + gradient);
  chunk(c, b, n) = Tuple(sums(c, b, n)[0], sums(c, b, n)[1]);
  RDom q(0, static_cast<int>(x.height()) / rows, "q");
  image(c, n) = Tuple(cast<double>(0), cast<double>(0));
  image(c, n) = Tuple(image(c, n)[0] + chunk(c, q, n)[0],
                      image(c, n)[1] + chunk(c, q, n)[1]);

  RDom k(0, each, "k");
  Expr member = g * each + k;
  Expr factor = cast<double>(scale.func(member));
  total(g, n) = Tuple(cast<double>(0), cast<double>(0));
  Expr normal = cast<double>(inverse.func(member, 0, 0, n));
  total(g, n) = Tuple(total(g, n)[0] + factor * normal * image(member, n)[0],
                      total(g, n)[1] + factor * image(member, n)[1]);
  Expr share = Expr(1.0 / countOf(x, each));
  group(g, n) = Tuple(cast<float>(total(g, n)[0] * share),
                      cast<float>(total(g, n)[1] * share));

  std::vector<Func> results;
  for (const Expr &value :
       {cast<float>(image(v[0], v[3])[0]) * ofImage(inverse),
        cast<float>(image(v[0], v[3])[1]), Expr(group(v[0] / each, v[3])[0]),
        Expr(group(v[0] / each, v[3])[1])}) {
    results.emplace_back(op.name);
    results.back()(v) = value;
  }
  return {results,
          {{"registers", sums},
           {"chunk", chunk},
           {"image0", image},
           {"group0", total},
           {"group2", group}}};
}

Lowered backwardData(const Op &op, const Operands &in) {
  const Value &dy = in.at(0), &x = in.at(1), &mean = in.at(2),
              &inverse = in.at(3), &scale = in.at(4), &meanScale = in.at(5),
              &meanOffset = in.at(6);
  return pointwise(op, x,
                   ofImage(inverse) *
                       (channel(scale) * at(dy) - ofImage(meanOffset) -
                        strict_float(at(x) - ofImage(mean)) *
                            (ofImage(inverse) * ofImage(meanScale))));
}
} // namespace

void addGroupNorm(OpRegistry &registry) {
  registry["group_norm_backward_data"] = {backwardData, true};
  registry["group_norm_backward_reduce"] = {backwardReduce};
  registry["group_norm_normalize"] = {normalize, true};
  registry["group_norm_statistics"] = {statistics};
}

} // namespace rootc::codegen
