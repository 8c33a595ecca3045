//===- SmoothPatterns.cpp - GELU, SiLU and Mish in steps ------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Before ONNX had the operators, and where a model spells them, x is multiplied
// with a share of itself:
//
//   SiLU         1 / (1 + exp(-x))
//   Mish         tanh(softplus(x))
//   GELU         1 + erf(x / sqrt(2)), and 1 / 2 somewhere
//   its approximation   1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3)), likewise
//
// Each step but erf is a layer by itself, which the network drops where nothing
// else needs it. Factors are put off (Importer.h), so they may stand anywhere.
//
//===----------------------------------------------------------------------===//

#include "lib/Onnx/Import/Importer.h"

#include <cmath>

using namespace rootc;
using namespace rootc::importer;

static bool isNear(double a, double b) {
  return std::abs(a - b) <= 1e-5 * std::max(1.0, std::abs(b));
}

/// 1 where rounding of constants is all that is in the way.
static double snapped(double factor) {
  return std::abs(factor - 1) <= 1e-6 ? 1 : factor;
}

void importer::importErf(Operation &op) {
  Map map = op.unpadded(0);
  if (map.affine && !map.affine->isUniform())
    map = op.plain(0);
  Affine argument = map.affine.value_or(Affine{});
  Map result = op.elementwise(map.withoutAffine(), "erf", "", false);
  Layer &layer = op.importer.network[result.layer];
  layer.slope = argument.scale[0];
  layer.offset = argument.shift[0];
  layer.unfinished = fmt::format(
      "{}: {}: it is supported only as a step of GELU, x / 2 (1 + erf(x / "
      "sqrt(2)))",
      op.importer.file.path(), op.describe());
  op.set(0, result);
}

/// Of x times a (erf(s u + t) + 1), x being f sqrt(2) (s u + t).
static std::optional<Map> geluByErf(Operation &op, const Map &map,
                                    const Affine &own, const Layer &erf,
                                    const Affine &gate) {
  double slope = std::sqrt(2.0) * erf.slope,
         shift = std::sqrt(2.0) * erf.offset;
  if (!isNear(gate.scale[0], gate.shift[0]) || slope == 0)
    return std::nullopt;
  double factor = own.scale[0] / slope;
  if (!isNear(own.shift[0], factor * shift))
    return std::nullopt;
  Map argument = map.withoutAffine();
  if (!isNear(slope, 1) || shift != 0) {
    argument.affine = Affine{{slope}, {shift}, op.label()};
    argument.sole = false;
    argument = op.resolve(argument);
  }
  return scaledBy(op, op.elementwise(argument, "gelu", "", false),
                  2 * gate.scale[0] * snapped(factor));
}

std::optional<Map> importer::multiplyByShare(Operation &op, int input,
                                             int share) {
  Map map = op.unpadded(input), gate = op.unpadded(share);
  if (gate.layer == Network::image || gate.view != map.view)
    return std::nullopt;
  Affine own = map.affine.value_or(Affine{}),
         affine = gate.affine.value_or(Affine{});
  if (!own.isUniform() || !affine.isUniform())
    return std::nullopt;
  Network &network = op.importer.network;
  const Layer layer = network[gate.layer];
  if (layer.op == "erf" && layer.inputs[0] == map.layer)
    return geluByErf(op, map, own, layer, affine);
  if (layer.op != "sigmoid" || own.shift[0] != 0)
    return std::nullopt;
  Map x = map.withoutAffine();
  double factor = own.scale[0] * affine.scale[0];
  auto made = [&](const char *name, const char *clauses, double times) {
    return scaledBy(op, op.elementwise(x, name, clauses, false), times);
  };
  if (layer.inputs[0] == map.layer && affine.shift[0] == 0)
    return made("silu", "", factor);
  if (layer.tanhOf == Network::image)
    return std::nullopt;
  const Layer &inner = network[layer.tanhOf];
  // a (2 sigmoid - 1), tanh, and a (2 sigmoid), tanh + 1.
  if (inner.op == "softplus" && inner.inputs[0] == map.layer &&
      layer.tanhFactor == 1 && isNear(affine.scale[0], -2 * affine.shift[0]))
    return made("mish", "", factor / 2);
  if (inner.cubic != 0 && inner.inputs[0] == map.layer &&
      isNear(inner.cubic, 0.044715) &&
      isNear(layer.tanhFactor, std::sqrt(2 / M_PI)) && affine.shift[0] == 0)
    return made("gelu", " tanh", factor);
  return std::nullopt;
}

double importer::cubicTerm(Operation &op, int input, int cube) {
  const Map &map = op.unpadded(input), &other = op.unpadded(cube);
  if (map.affine || !other.affine || !other.affine->isUniform() ||
      other.affine->shift[0] != 0 || map.view != other.view)
    return 0;
  auto isProduct = [&](int layer, int factor, int &rest) {
    if (layer == Network::image || op.importer.network[layer].op != "multiply")
      return false;
    const std::vector<int> &inputs = op.importer.network[layer].inputs;
    bool first = inputs[0] == factor;
    rest = inputs[first ? 1 : 0];
    return first || inputs[1] == factor;
  };
  int square, last;
  return isProduct(other.layer, map.layer, square) &&
                 isProduct(square, map.layer, last) && last == map.layer
             ? other.affine->scale[0]
             : 0;
}
