//===- Elementwise.cpp - Sums and products --------------------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A constant of each channel becomes part of the layer that makes the map,
// where that can be. Otherwise it is put off, as an `affine`, because older
// files spell hard sigmoid and hard swish with one number for all channels: x *
// clip(x + 3, 0, 6) / 6 (Activations.cpp).
//
//===----------------------------------------------------------------------===//

#include "lib/Onnx/Import/Broadcast.h"

#include <algorithm>
#include <cmath>

using namespace rootc;
using namespace rootc::importer;

//===----------------------------------------------------------------------===//
// With a constant
//===----------------------------------------------------------------------===//

/// Whether a constant that broadcasts to the map is one number, or one a
/// channel.
static bool isPerChannel(const Map &map, const Constant &constant) {
  size_t rank = map.view.size() + 1;
  if (constant.shape.size() > rank || constant.count() == 0)
    return false;
  size_t missing = rank - constant.shape.size();
  for (size_t i = 0; i < constant.shape.size(); ++i) {
    size_t dimension = missing + i;
    if (constant.shape[i] != 1 &&
        (dimension == 0 || constant.shape[i] != map.shape.channels ||
         map.view[dimension - 1] !=
             wholeAxis(Axis::Channels, map.shape.channels)))
      return false;
  }
  return true;
}

/// The constant's values, one or one a channel, as it broadcasts to the map.
static std::vector<double> perChannel(Operation &op, const Map &map, int input,
                                      const Constant &constant) {
  if (!constant.isReal())
    op.fail("the constant {} is of whole numbers; it must be real",
            quote(op.input(input)));
  if (!isPerChannel(map, constant))
    op.fail("the constant {} has shape {}, and its other input is {}; only one "
            "number, or one for each channel, is supported, and a mean image "
            "that is subtracted from the model's input, if nothing else reads "
            "that",
            quote(op.input(input)), toString(constant.shape), describe(map));
  op.claim(constant.count());
  return {constant.reals->begin(), constant.reals->end()};
}

/// Both as long as the longer one.
static void combine(std::vector<double> &values,
                    const std::vector<double> &others,
                    double (*function)(double, double)) {
  if (values.size() < others.size())
    values.resize(others.size(), values[0]);
  for (size_t i = 0; i < values.size(); ++i)
    values[i] = function(values[i], others[others.size() == 1 ? 0 : i]);
}

static Affine affineOf(Operation &op, const Map &map) {
  Affine affine = map.affine.value_or(Affine{});
  affine.name = op.label();
  return affine;
}

static Map scaled(Operation &op, Map map, const std::vector<double> &factors) {
  Affine affine = affineOf(op, map);
  combine(affine.scale, factors, [](double a, double b) { return a * b; });
  combine(affine.shift, factors, [](double a, double b) { return a * b; });
  map.affine = std::move(affine);
  // As a 2 that a 1 / 2 takes back.
  if (map.affine->isUniform() && map.affine->shift[0] == 0 &&
      std::abs(map.affine->scale[0] - 1) <= 1e-6)
    map.affine.reset();
  return map;
}

Map importer::scaledBy(Operation &op, Map map, double factor) {
  return factor == 1 ? map : scaled(op, std::move(map), {factor});
}

static Map shifted(Operation &op, Map map, const std::vector<double> &terms) {
  Affine affine = affineOf(op, map);
  combine(affine.shift, terms, [](double a, double b) { return a + b; });
  map.affine = std::move(affine);
  return map;
}

/// Whether `sign` times a constant of each position, which is added to the
/// image, has become a mean image.
static bool addMeanImage(Operation &op, Map &map, const Constant &constant,
                         double sign) {
  if (map.layer != Network::image || !map.sole || !constant.isReal() ||
      isPerChannel(map, constant))
    return false;
  std::vector<int64_t> sizes = map.sizes();
  sizes.insert(sizes.begin(), 1);
  Affine affine = map.affine.value_or(Affine{});
  if (broadcast(op, constant.shape, sizes) != sizes ||
      std::count(affine.scale.begin(), affine.scale.end(), 0.))
    return false;
  size_t channels = size_t(map.shape.channels);
  int64_t count = claimElements(op, sizes);
  std::optional<MeanImage> &image = op.importer.meanImage;
  if (!image)
    image = {std::vector<double>(size_t(count)),
             std::vector<double>(channels, 1)};
  // Where ONNX's elements lie in the map.
  std::vector<int64_t> places = {0};
  for (const Dimension &dimension : map.view) {
    std::vector<int64_t> outer = std::move(places);
    places.clear();
    for (int64_t base : outer)
      for (int64_t place : importer::places(dimension, map.shape))
        places.push_back(base + place);
  }
  // a x + b + t = a (x - mean) with mean = -(b + t) / a
  auto of = [](const std::vector<double> &values, size_t channel) {
    return values[values.size() == 1 ? 0 : channel];
  };
  BroadcastIndex from(constant.shape, sizes);
  for (int64_t i = 0; i < count; ++i) {
    size_t place = size_t(places[size_t(i)]), channel = place % channels;
    image->mean[place] -=
        (of(affine.shift, channel) + sign * (*constant.reals)[from(i)]) /
        of(affine.scale, channel);
  }
  affine.shift = {0};
  affine.name = op.label();
  map.affine = std::move(affine);
  return true;
}

static Map addConstant(Operation &op, int input, int constantInput,
                       double sign) {
  Map map = op.unpadded(input);
  if (addMeanImage(op, map, op.constant(constantInput, "a term"), sign))
    return map;
  std::vector<double> terms =
      perChannel(op, map, constantInput, op.constant(constantInput, "a term"));
  for (double &term : terms)
    term *= sign;
  if (terms.size() > 1 && op.absorb(map, {1}, terms))
    return map;
  return shifted(op, map, terms);
}

static Map multiplyConstant(Operation &op, int input, int constantInput,
                            bool reciprocal) {
  Map map = op.unpadded(input);
  std::vector<double> factors = perChannel(
      op, map, constantInput, op.constant(constantInput, "a factor"));
  for (double &factor : factors)
    factor = reciprocal ? 1 / factor : factor;
  if (factors.size() > 1 && op.absorb(map, factors, {0}))
    return map;
  return scaled(op, map, factors);
}

//===----------------------------------------------------------------------===//
// Of two maps
//===----------------------------------------------------------------------===//

Map importer::combineMaps(Operation &op, const char *name, const Map &map,
                          const Map &other) {
  Layer layer;
  layer.op = name;
  layer.inputs = {map.layer, other.layer};
  layer.shape = map.shape;
  Map result = map;
  result.layer = op.emit(std::move(layer));
  result.nonNegative = map.nonNegative && other.nonNegative;
  return result;
}

static bool isOneValueAChannel(const Map &map) {
  return map.shape.height == 1 && map.shape.width == 1 && map.isStandard();
}

static bool isShuffled(const Map &map) {
  return map.view.size() == 3 && !map.isStandard() &&
         shuffleGroups(map.view[0], map.shape.channels);
}

/// Where maps are laid out differently, channel shuffles, which are put off
/// else, become layers.
static void alignLayouts(Operation &op) {
  std::vector<int> maps;
  for (int i = 0; i < op.inputs(); ++i)
    if (op.isMap(i))
      maps.push_back(i);
  bool alike = std::all_of(maps.begin(), maps.end(), [&](int i) {
    return op.map(i).view == op.map(maps[0]).view;
  });
  for (int i : maps)
    if (!alike && isShuffled(op.map(i)))
      op.importer.set(op.input(i), op.standard(i));
}

static Map add(Operation &op, Map left, Map right) {
  bool maps = left.isStandard() && right.isStandard() &&
              left.shape.channels == right.shape.channels;
  if (maps && isOneValueAChannel(right))
    right = expandMap(op, right, left.shape.height, left.shape.width);
  else if (maps && isOneValueAChannel(left))
    left = expandMap(op, left, right.shape.height, right.shape.width);
  if (left.shape != right.shape || left.view != right.view)
    op.fail("it adds {} and {}; two maps must have one shape and one layout",
            describe(left), describe(right));
  return combineMaps(op, "add", left, right);
}

/// A map whose `affine` is a factor alone, which comes apart from it.
static Map takeFactor(Operation &op, int input, double &factor) {
  const Map &map = op.unpadded(input);
  if (!map.affine || !map.affine->isUniform() || map.affine->shift[0] != 0)
    return op.plain(input);
  factor *= map.affine->scale[0];
  return map.withoutAffine();
}

/// Whether `gate` is hard_sigmoid(map, 1/6, 1/2).
static bool makesHardSwish(Operation &op, const Map &map, const Map &gate) {
  if (gate.layer == Network::image || map.view != gate.view)
    return false;
  const Layer &layer = op.importer.network[gate.layer];
  return layer.op == "hard_sigmoid" && layer.inputs[0] == map.layer &&
         std::abs(layer.slope - 1. / 6) < 1e-6 &&
         std::abs(layer.offset - 0.5) < 1e-6;
}

/// Whether `gate` broadcasts over `map`: one value a channel, a position or an
/// image.
static bool isGate(const Map &map, const Map &gate) {
  // Of each channel, however the channels are laid out.
  View view = map.view;
  for (Dimension &dimension : view)
    std::erase_if(dimension,
                  [](const Atom &atom) { return atom.axis != Axis::Channels; });
  if (gate.shape.height == 1 && gate.shape.width == 1 &&
      gate.shape.channels == map.shape.channels && gate.view == view)
    return true;
  if (!map.isStandard() || !gate.isStandard())
    return false;
  bool everywhere = gate.shape.height == 1 && gate.shape.width == 1;
  bool alike = gate.shape.height == map.shape.height &&
               gate.shape.width == map.shape.width;
  return (everywhere && (gate.shape.channels == map.shape.channels ||
                         gate.shape.channels == 1)) ||
         (alike && gate.shape.channels == 1);
}

/// A product broadcasts by itself: what was expanded before.
static Map unexpanded(Operation &op, const Map &map) {
  if (map.layer == Network::image || !map.isStandard() ||
      !op.importer.network[map.layer].expands)
    return map;
  Map gate = map;
  gate.layer = op.importer.network[map.layer].inputs[0];
  gate.shape.height = gate.shape.width = 1;
  gate.view = mapView(gate.shape);
  return gate;
}

/// The product of two maps, one of which may broadcast.
static Map multiplyMaps(Operation &op, Map left, Map right) {
  if (left.shape == right.shape) {
    right = unexpanded(op, right);
    if (left.shape == right.shape)
      left = unexpanded(op, left);
  }
  if (makesHardSwish(op, left, right))
    return op.elementwise(left, "hard_swish", "", false);
  if (makesHardSwish(op, right, left))
    return op.elementwise(right, "hard_swish", "", false);
  if ((left.shape == right.shape && left.view == right.view) ||
      isGate(left, right))
    return combineMaps(op, "multiply", left, right);
  if (isGate(right, left))
    return combineMaps(op, "multiply", right, left);
  op.fail("it multiplies {} and {}; supported are two maps of one shape, and "
          "a map and one value for each channel or position",
          describe(left), describe(right));
}

static void multiplyTwo(Operation &op) {
  alignLayouts(op);
  for (int i : {0, 1})
    if (auto normal = normalise(op, op.unpadded(i), op.unpadded(1 - i),
                                /*divides=*/false)) {
      op.set(0, *normal);
      return;
    }
  for (int input : {0, 1})
    if (std::optional<Map> result = multiplyByShare(op, input, 1 - input)) {
      op.set(0, *result);
      return;
    }
  double factor = 1;
  Map left = takeFactor(op, 0, factor), right = takeFactor(op, 1, factor);
  op.set(0, scaledBy(op, multiplyMaps(op, left, right), factor));
}

//===----------------------------------------------------------------------===//
// Operators
//===----------------------------------------------------------------------===//

void importer::importAdd(Operation &op) {
  if (!op.isMap(0))
    op.set(0, addConstant(op, 1, 0, 1));
  else if (!op.isMap(1))
    op.set(0, addConstant(op, 0, 1, 1));
  else {
    alignLayouts(op);
    double cubic = 0;
    for (int input : {0, 1})
      if (cubic == 0 && (cubic = cubicTerm(op, input, 1 - input)) != 0) {
        Map sum = add(op, op.plain(input), op.plain(1 - input));
        op.importer.network[sum.layer].cubic = cubic;
        op.set(0, sum);
      }
    if (cubic == 0)
      op.set(0, add(op, op.plain(0), op.plain(1)));
  }
}

/// A slope of each channel, or one for all.
void importer::importPRelu(Operation &op) {
  Map map = op.plain(0);
  std::vector<double> slopes =
      perChannel(op, map, 1, op.constant(1, "the slopes"));
  Layer layer;
  layer.op = "prelu";
  layer.name = op.layerName(1);
  layer.inputs = {map.layer};
  layer.shape = map.shape;
  if (slopes.size() == 1)
    layer.clauses = " shared";
  layer.weights.push_back({"slope",
                           {int64_t(slopes.size())},
                           std::make_shared<const std::vector<float>>(
                               slopes.begin(), slopes.end())});
  op.importer.noteWeights(op, 1, layer.name);
  map.layer = op.emit(std::move(layer));
  map.nonNegative = false;
  map.sole = true;
  op.set(0, map);
}

void importer::importSub(Operation &op) {
  if (!op.isMap(1)) {
    op.set(0, addConstant(op, 0, 1, -1));
    return;
  }
  alignLayouts(op);
  if (op.isMap(0))
    if (auto centred = subtractMean(op, op.unpadded(0), op.unpadded(1))) {
      op.set(0, *centred);
      return;
    }
  Map negated = scaled(op, op.unpadded(1), {-1});
  if (op.isMap(0)) {
    op.set(0, add(op, op.plain(0), op.resolve(negated)));
    return;
  }
  const Constant &constant = op.constant(0, "a term");
  if (!addMeanImage(op, negated, constant, 1))
    negated = shifted(op, negated, perChannel(op, negated, 0, constant));
  op.set(0, negated);
}

void importer::importNeg(Operation &op) {
  op.set(0, scaled(op, op.unpadded(0), {-1}));
}

void importer::importMul(Operation &op) {
  if (!op.isMap(0))
    op.set(0, multiplyConstant(op, 1, 0, false));
  else if (!op.isMap(1))
    op.set(0, multiplyConstant(op, 0, 1, false));
  else
    multiplyTwo(op);
}

void importer::importDiv(Operation &op) {
  if (!op.isMap(1)) {
    op.set(0, multiplyConstant(op, 0, 1, true));
    return;
  }
  double factor = 1;
  std::optional<Map> result;
  if (op.isMap(0)) {
    result = normalise(op, op.unpadded(0), op.unpadded(1), /*divides=*/true);
    if (!result) {
      Map map = takeFactor(op, 0, factor);
      result = divideByResponse(op, map, op.unpadded(1));
      if (!result)
        if (auto inverse = inverseOf(op, 1))
          result = multiplyMaps(op, map, *inverse);
    }
  } else if (op.scalar(0, "the dividend", 0) == 1) {
    result = inverseOfDeviation(op, op.unpadded(1));
  }
  if (!result)
    op.fail("it divides by a map; supported are a constant divisor, layer "
            "normalisation, local response normalisation, x / (k + alpha "
            "mean(x^2))^beta, and what is not negative with a constant added");
  op.set(0, scaledBy(op, *result, factor));
}

void importer::importSum(Operation &op) {
  alignLayouts(op);
  Map sum = op.plain(0);
  for (int i = 1; i < op.inputs(); ++i)
    sum = add(op, sum, op.plain(i));
  op.set(0, sum);
}
