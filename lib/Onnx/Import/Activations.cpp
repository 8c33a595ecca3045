//===- Activations.cpp - Functions of one map -----------------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Of a map to which a constant was added and that was multiplied by one, which
// is put off as an `affine` s = scale x + shift, a clip is a hard sigmoid. With
// hi - lo = d: clip(s, lo, hi) = d hard_sigmoid(x, scale / d,
// (shift - lo) / d) + lo.
//
//===----------------------------------------------------------------------===//

#include "lib/Onnx/Import/Importer.h"

#include <cmath>
#include <limits>

using namespace rootc;
using namespace rootc::importer;

namespace {
constexpr double infinity = std::numeric_limits<double>::infinity();
} // namespace

static Map hardSigmoid(Operation &op, const Map &map, double alpha,
                       double beta) {
  if (!std::isfinite(float(alpha)) || !std::isfinite(float(beta)))
    op.fail("alpha {} and beta {} must be finite", alpha, beta);
  Map result = op.elementwise(
      map, "hard_sigmoid",
      fmt::format(" alpha({}) beta({})", numberText(alpha), numberText(beta)),
      /*nonNegative=*/true);
  Layer &layer = op.importer.network[result.layer];
  layer.slope = alpha;
  layer.offset = beta;
  return result;
}

/// max(min(x, high), low); infinite bounds do not bind.
static Map clip(Operation &op, int input, double low, double high) {
  if (std::isnan(low) || std::isnan(high) || low > high)
    op.fail("it clips to {} to {}, which no value lies between", low, high);
  // What exporters write for no bound.
  constexpr double largest = std::numeric_limits<float>::max();
  if (low <= -largest)
    low = -infinity;
  if (high >= largest)
    high = infinity;
  if (low == infinity || high == -infinity)
    op.fail("it clips to infinity");
  const Map &found = op.unpadded(input);
  if (found.affine && found.affine->isUniform() && found.affine->scale[0] > 0 &&
      std::isfinite(high - low) && high > low) {
    Affine affine = *found.affine;
    double extent = high - low;
    Map map = hardSigmoid(op, found.withoutAffine(), affine.scale[0] / extent,
                          (affine.shift[0] - low) / extent);
    affine.scale = {extent};
    affine.shift = {low};
    map.affine = affine;
    return map;
  }
  Map map = op.plain(input);
  if (map.nonNegative && low < 0 && std::isfinite(high) && high >= 0)
    low = 0;
  if (low == -infinity && high == infinity)
    return map;
  if (low == 0 && high == infinity)
    return op.elementwise(map, "relu", "", true);
  std::string clauses;
  if (std::isfinite(low))
    clauses += fmt::format(" min({})", numberText(low));
  if (std::isfinite(high))
    clauses += fmt::format(" max({})", numberText(high));
  return op.elementwise(map, "clip", clauses, low >= 0);
}

void importer::importRelu(Operation &op) {
  op.set(0, clip(op, 0, 0, infinity));
}

void importer::importClip(Operation &op) {
  double low = op.real("min", -infinity), high = op.real("max", infinity);
  if (op.present(0) && !op.isMap(0))
    op.fail("its bounds must be constants, and its input a map");
  op.set(0, clip(op, 0, op.scalar(1, "the lower bound", low),
                 op.scalar(2, "the upper bound", high)));
}

void importer::importSigmoid(Operation &op) {
  op.set(0, op.elementwise(op.plain(0), "sigmoid", "", true));
}

void importer::importHardSigmoid(Operation &op) {
  op.set(0, hardSigmoid(op, op.plain(0), op.real("alpha", 0.2f),
                        op.real("beta", 0.5f)));
}

void importer::importHardSwish(Operation &op) {
  op.set(0, op.elementwise(op.plain(0), "hard_swish", "", false));
}

void importer::importSwish(Operation &op) {
  Map map = op.plain(0);
  Map scaled = map;
  double alpha = op.real("alpha", 1);
  if (alpha == 1) {
    op.set(0, op.elementwise(map, "silu", "", false));
    return;
  }
  scaled.affine = Affine{{alpha}, {0}, op.output(0)};
  scaled.sole = false;
  scaled = op.resolve(scaled);
  op.set(0, combineMaps(op, "multiply", map,
                        op.elementwise(scaled, "sigmoid", "", true)));
}

void importer::importTanh(Operation &op) {
  // tanh(x) = 2 sigmoid(2 x) - 1
  Map map = op.unpadded(0);
  Affine affine = map.affine.value_or(Affine{});
  affine.name = op.label();
  for (std::vector<double> *values : {&affine.scale, &affine.shift})
    for (double &value : *values)
      value *= 2;
  map.affine = affine;
  Map result = op.elementwise(op.resolve(map), "sigmoid", "", true);
  result.affine = Affine{{2}, {-1}, affine.name};
  if (affine.isUniform() && affine.shift[0] == 0) {
    Layer &layer = op.importer.network[result.layer];
    layer.tanhOf = map.layer;
    layer.tanhFactor = affine.scale[0] / 2;
  }
  op.set(0, result);
}

void importer::importLeakyRelu(Operation &op) {
  double alpha = op.real("alpha", 0.01f);
  if (!(alpha >= 0) || !std::isfinite(alpha))
    op.fail("its alpha is {}; it must not be negative", alpha);
  op.set(0,
         op.elementwise(op.plain(0), "leaky_relu",
                        fmt::format(" alpha({})", numberText(alpha)), false));
}

static void importEluOf(Operation &op, double alpha, double scale,
                        double inputScale) {
  if (!(alpha >= 0) || !(scale > 0) || !(inputScale > 0) ||
      !std::isfinite(float(alpha)) || !std::isfinite(float(scale)) ||
      !std::isfinite(float(inputScale)))
    op.fail("its alpha must not be negative, and its factors positive");
  std::string clauses;
  for (auto [name, value] :
       {std::pair{"alpha", alpha}, std::pair{"scale", scale},
        std::pair{"input_scale", inputScale}})
    if (value != 1)
      clauses += fmt::format(" {}({})", name, numberText(value));
  op.set(0, op.elementwise(op.plain(0), "elu", clauses, false));
}

void importer::importElu(Operation &op) {
  importEluOf(op, op.real("alpha", 1), 1, 1);
}

void importer::importSelu(Operation &op) {
  importEluOf(op, op.real("alpha", 1.67326319217681884765625f),
              op.real("gamma", 1.05070102214813232421875f), 1);
}

void importer::importCelu(Operation &op) {
  double alpha = op.real("alpha", 1);
  importEluOf(op, alpha, 1, 1 / alpha);
}

void importer::importGelu(Operation &op) {
  std::string form = op.text("approximate", "none");
  if (form != "none" && form != "tanh")
    op.fail("its 'approximate' is {}; it must be none or tanh", quote(form));
  op.set(0, op.elementwise(op.plain(0), "gelu", form == "tanh" ? " tanh" : "",
                           false));
}

void importer::importSoftplus(Operation &op) {
  op.set(0, op.elementwise(op.plain(0), "softplus", "", true));
}

void importer::importMish(Operation &op) {
  op.set(0, op.elementwise(op.plain(0), "mish", "", false));
}

/// Min or Max of a map and one number.
static void importBound(Operation &op, bool upper) {
  if (op.inputs() == 1) {
    op.set(0, op.plain(0));
    return;
  }
  if (op.inputs() != 2 || (op.isMap(0) && op.isMap(1)))
    op.fail("only a map and one number are supported");
  int map = op.isMap(0) ? 0 : 1;
  double bound = op.scalar(1 - map, "the bound", 0);
  op.set(0, upper ? clip(op, map, -infinity, bound)
                  : clip(op, map, bound, infinity));
}

void importer::importMin(Operation &op) { importBound(op, true); }
void importer::importMax(Operation &op) { importBound(op, false); }

//===----------------------------------------------------------------------===//
// Dropout
//===----------------------------------------------------------------------===//

void importer::importDropout(Operation &op) {
  // Training is the network's own affair, and so is the seed.
  op.ignore({"seed"});
  if (op.scalar(2, "the training mode", 0) != 0)
    op.importer.note(fmt::format("{}: it is in training mode; in inference the "
                                 "network passes its input on",
                                 op.describe()));
  double rate = op.scalar(1, "the ratio", op.real("ratio", 0.5));
  if (!(rate >= 0 && rate < 1))
    op.fail("its ratio is {}; it must be at least 0 and less than 1", rate);
  Map map = op.plain(0);
  op.set(0, rate == 0
                ? map
                : op.elementwise(map, "dropout",
                                 fmt::format(" rate({})", numberText(rate)),
                                 map.nonNegative));
}
