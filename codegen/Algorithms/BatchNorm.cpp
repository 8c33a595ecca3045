//===- BatchNorm.cpp - Batch statistics and their gradients ---------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// The variance is gathered in three levels: some rows, which are read once; an
// image; the batch. Partial results combine by count, mean and squared
// deviations. Within the rows, values are taken relative to the first of them:
// it cannot lie further from their mean than sqrt(count) deviations, so the
// squared sum never swallows the sum of squares, however large the mean.
//
//===----------------------------------------------------------------------===//

#include "codegen/Algorithms/Moments.h"

#include <stdexcept>

using namespace Halide;

namespace rootc::codegen {

Moments imageMoments(const Value &x, std::map<std::string, Func> &stages) {
  int rows = static_cast<int>(rowsPerChunk(x));
  int chunks = static_cast<int>(x.height()) / rows;
  double chunkCount = static_cast<double>(rows * x.width());
  Var c("c"), b("b"), n("n");

  RDom r(0, static_cast<int>(x.width()), 0, rows, "r");
  Expr first = x.func(c, 0, b * rows, n);
  Expr distance =
      cast<double>(strict_float(x.func(c, r.x, b * rows + r.y, n) - first));
  Func sums("sums"), chunk("chunk");
  sums(c, b, n) = Tuple(cast<double>(0), cast<double>(0));
  sums(c, b, n) = Tuple(sums(c, b, n)[0] + distance,
                        sums(c, b, n)[1] + distance * distance);
  Expr shiftOfMean = sums(c, b, n)[0] * Expr(1.0 / chunkCount);
  // Mean, and sum of squared deviations from it.
  chunk(c, b, n) = Tuple(
      cast<double>(first) + shiftOfMean,
      strict_float(max(cast<double>(0),
                       sums(c, b, n)[1] - sums(c, b, n)[0] * shiftOfMean)));

  RDom q(0, chunks, "q");
  Func total("imageSum"), mean("imageMean"), squares("imageSquares");
  total(c, n) = cast<double>(0);
  total(c, n) += chunk(c, q, n)[0];
  mean(c, n) = total(c, n) * Expr(1.0 / chunks);
  Expr shift = strict_float(chunk(c, q, n)[0] - mean(c, n));
  squares(c, n) = cast<double>(0);
  squares(c, n) += chunk(c, q, n)[1] + Expr(chunkCount) * shift * shift;

  stages["registers"] = sums;
  stages["chunk"] = chunk;
  stages["image0"] = total;
  stages["image1"] = squares;
  return {mean, squares};
}

namespace {
using Operands = std::vector<Value>;

/// mean, variance, unbiased variance from the moments of `images` images of
/// `count` positions each.
Lowered combine(const Moments &moments, Expr images, int64_t count,
                std::map<std::string, Func> stages) {
  Var c = imageVars(1)[0];
  RDom r(0, images, "images");
  Func sum("sum"), squares("squares"), mean("mean"), variance("variance"),
      unbiased("unbiased");
  Expr each = cast<double>(static_cast<int>(count));
  Expr total = cast<double>(images) * each;
  sum(c) = cast<double>(0);
  sum(c) += cast<double>(moments.mean(c, r));
  Expr center = sum(c) / cast<double>(images);
  Expr shift = strict_float(cast<double>(moments.mean(c, r)) - center);
  squares(c) = cast<double>(0);
  squares(c) += cast<double>(moments.squares(c, r)) + each * shift * shift;
  mean(c) = cast<float>(center);
  variance(c) = cast<float>(squares(c) / total);
  unbiased(c) = cast<float>(squares(c) / max(total - 1, cast<double>(1)));
  stages["total0"] = sum;
  stages["total1"] = squares;
  return {{mean, variance, unbiased}, std::move(stages)};
}

Lowered statistics(const Op &, const Operands &in) {
  std::map<std::string, Func> stages;
  Moments moments = imageMoments(in.at(0), stages);
  return combine(moments, in[0].batch(), in[0].height() * in[0].width(),
                 std::move(stages));
}

Lowered partial(const Op &op, const Operands &in) {
  std::map<std::string, Func> stages;
  Moments moments = imageMoments(in.at(0), stages);
  std::vector<Var> v = imageVars(3);
  Func result(op.name);
  result(v) = cast<float>(
      select(v[1] == 0, moments.mean(v[0], v[2]), moments.squares(v[0], v[2])));
  return {{result}, std::move(stages)};
}

Lowered combinePartial(const Op &op, const Operands &in) {
  Var c("c"), n("n");
  Func mean("imageMean"), squares("imageSquares");
  mean(c, n) = in.at(0).func(c, 0, n);
  squares(c, n) = in[0].func(c, 1, n);
  int64_t count = integerAttribute(op, "count");
  if (count < 1)
    throw std::invalid_argument("op '" + op.name + "': count is below 1");
  return combine({mean, squares}, in[0].extent(2), count, {});
}

Lowered backwardReduce(const Op &op, const Operands &in) {
  const Value &dy = in.at(0), &x = in.at(1), &mean = in.at(2),
              &variance = in.at(3);
  int rows = static_cast<int>(rowsPerChunk(x));
  Var c = imageVars(1)[0], b("b"), n("n");

  RDom r(0, static_cast<int>(x.width()), 0, rows, "r");
  Expr gradient = cast<double>(dy.func(c, r.x, b * rows + r.y, n));
  Expr distance = cast<double>(
      strict_float(x.func(c, r.x, b * rows + r.y, n) - mean.func(c)));
  Func sums("sums"), chunk("chunk"), total("total");
  sums(c, b, n) = Tuple(cast<double>(0), cast<double>(0));
  sums(c, b, n) = Tuple(sums(c, b, n)[0] + gradient * distance,
                        sums(c, b, n)[1] + gradient);
  chunk(c, b, n) = Tuple(sums(c, b, n)[0], sums(c, b, n)[1]);

  RDom q(0, static_cast<int>(x.height()) / rows, 0, x.batch(), "q");
  total(c) = Tuple(cast<double>(0), cast<double>(0));
  total(c) = Tuple(total(c)[0] + chunk(c, q.x, q.y)[0],
                   total(c)[1] + chunk(c, q.x, q.y)[1]);

  Expr count = cast<double>(x.batch()) *
               cast<double>(static_cast<int>(x.height() * x.width()));
  Expr dscale = total(c)[0] / sqrt(cast<double>(variance.func(c)) +
                                   Expr(realAttribute(op, "epsilon")));
  Expr doffset = total(c)[1];
  std::vector<Func> results;
  for (Expr value : {dscale, doffset, dscale / count, doffset / count}) {
    results.emplace_back(op.name);
    results.back()(c) = cast<float>(value);
  }
  return {results, {{"registers", sums}, {"chunk", chunk}, {"total0", total}}};
}
} // namespace

void addBatchNorm(OpRegistry &registry) {
  registry["batch_norm_backward_reduce"] = {backwardReduce};
  registry["batch_norm_combine"] = {combinePartial};
  registry["batch_norm_partial"] = {partial};
  registry["batch_norm_statistics"] = {statistics};
}

} // namespace rootc::codegen
