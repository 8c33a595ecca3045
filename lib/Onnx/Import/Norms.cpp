//===- Norms.cpp - Layer, group and instance normalisation ----------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Exporters put a Transpose before and behind a layer norm, which the view
// takes in, or write it in steps: (x - mean) / sqrt(mean((x - mean)^2) +
// epsilon). A group norm of PyTorch's is an instance norm of a Reshape. Each
// step is a layer that no network has, until the last one makes a norm of all.
//
//===----------------------------------------------------------------------===//

#include "lib/Onnx/Import/Importer.h"

#include <algorithm>
#include <cmath>

using namespace rootc;
using namespace rootc::importer;

namespace {
constexpr const char *channelMean = "channel_mean";
constexpr const char *centred = "centred";
constexpr const char *deviation = "deviation";
constexpr const char *inverseDeviation = "inverse_deviation";
} // namespace

/// Scale and offset, one a channel. `clauses`: of the norm.
static Map emitNorm(Operation &op, const Map &map, const char *kind,
                    const std::string &name, const std::string &clauses,
                    Values scale, Values offset) {
  ++op.importer.norms;
  Layer layer;
  layer.op = kind;
  layer.name = name;
  layer.inputs = {map.layer};
  layer.shape = map.shape;
  layer.clauses = clauses;
  auto add = [&](const char *role, Values values) {
    layer.weights.push_back(
        {role,
         {map.shape.channels},
         std::make_shared<const Values>(std::move(values))});
  };
  add("scale", std::move(scale));
  add("offset", std::move(offset));
  Map result = op.result(op.emit(std::move(layer)));
  result.view = map.view;
  return result;
}

static std::string epsilonClause(Operation &op, double epsilon) {
  if (!(epsilon > 0) || !std::isfinite(epsilon))
    op.fail("its epsilon is {}; it must be positive and finite", epsilon);
  return fmt::format(" epsilon({})", numberText(epsilon));
}

/// Of each channel that of a constant with `count` values, `each` channels to
/// one; or `fallback`.
static Values perChannel(Operation &op, int input, const char *what,
                         int64_t channels, int64_t count, float fallback) {
  op.claim(channels);
  Values values(static_cast<size_t>(channels), fallback);
  if (!op.present(input))
    return values;
  const Constant &constant = op.reals(input, what);
  if (constant.count() != count)
    op.fail("{} ({}) have shape {}; they must have {} values", what,
            quote(op.input(input)), toString(constant.shape), count);
  for (size_t c = 0; c < values.size(); ++c)
    values[c] = (*constant.reals)[c / size_t(channels / count)];
  return values;
}

//===----------------------------------------------------------------------===//
// Operators of their own
//===----------------------------------------------------------------------===//

/// Of a constant with one value for each element of the dimension that of each
/// channel, which must be the same in all positions.
static Values samePerChannel(Operation &op, int input, const char *what,
                             const Dimension &dimension, const Map &map,
                             float fallback) {
  size_t channels = size_t(map.shape.channels);
  if (!op.present(input))
    return perChannel(op, input, what, map.shape.channels, 1, fallback);
  const Constant &constant = op.reals(input, what);
  if (constant.count() != sizeOf(dimension))
    op.fail("{} ({}) have shape {}; they must have {} values", what,
            quote(op.input(input)), toString(constant.shape),
            sizeOf(dimension));
  op.claim(2 * constant.count());
  std::vector<int64_t> places = importer::places(dimension, map.shape);
  Values values(channels);
  for (bool check : {false, true})
    for (size_t i = 0; i < places.size(); ++i) {
      float &value = values[size_t(places[i]) % channels];
      if (!check)
        value = (*constant.reals)[i];
      else if (value != (*constant.reals)[i])
        op.fail("{} ({}) differ among the positions of a channel; only one "
                "value for each channel is supported",
                what, quote(op.input(input)));
    }
  return values;
}

void importer::importLayerNormalization(Operation &op) {
  op.ignore({"stash_type"});
  Map map = op.plain(0);
  int64_t rank = int64_t(map.view.size()) + 1;
  int64_t axis = op.axisBehindBatch(op.integer("axis", -1), rank);
  std::string epsilon = epsilonClause(op, op.real("epsilon", 1e-5f));
  Dimension normalised;
  for (int64_t i = axis; i < rank; ++i)
    normalised.insert(normalised.end(), map.view[size_t(i - 1)].begin(),
                      map.view[size_t(i - 1)].end());
  int64_t channels = map.shape.channels;
  bool ofChannels = normalised == wholeAxis(Axis::Channels, channels);
  int64_t all = map.shape.height * map.shape.width * channels;
  if (!ofChannels && sizeOf(normalised) != all)
    op.fail("of {} it normalises the dimensions from {} on; they must be the "
            "channels, or all of the image",
            describe(map), axis);
  Values scale = samePerChannel(op, 1, "the scales", normalised, map, 1);
  Values offset = samePerChannel(op, 2, "the offsets", normalised, map, 0);
  op.set(0,
         emitNorm(op, map, ofChannels ? "layer_norm" : "group_norm",
                  op.layerName(1), (ofChannels ? "" : " groups(1)") + epsilon,
                  std::move(scale), std::move(offset)));
}

/// A group norm of that many groups, with `count` scales and offsets.
static void importGroups(Operation &op, const Map &map, int64_t groups,
                         int64_t count) {
  int64_t channels = map.shape.channels;
  std::string clauses = fmt::format(" groups({})", groups) +
                        epsilonClause(op, op.real("epsilon", 1e-5f));
  Values scale = perChannel(op, 1, "the scales", channels, count, 1);
  Values offset = perChannel(op, 2, "the offsets", channels, count, 0);
  op.set(0, emitNorm(op, map, "group_norm", op.layerName(1), clauses,
                     std::move(scale), std::move(offset)));
}

void importer::importGroupNormalization(Operation &op) {
  op.ignore({"stash_type"});
  Map map = op.standard(0);
  int64_t channels = map.shape.channels, groups = op.integer("num_groups", 0);
  if (groups < 1 || channels % groups != 0)
    op.fail("'num_groups' is {}; it must divide the {} channels", groups,
            channels);
  // Before opset 21 scales and offsets were those of groups.
  importGroups(op, map, groups, op.opset() < 21 ? groups : channels);
}

void importer::importInstanceNormalization(Operation &op) {
  Map map = op.plain(0);
  int64_t channels = map.shape.channels;
  if (map.view.empty())
    op.fail("its input {} is {}, a value for each image", quote(op.input(0)),
            describe(map));
  const Dimension &first = map.view[0];
  int64_t groups = sizeOf(first);
  bool splits =
      groups == 1 || (first.size() == 1 && first[0].axis == Axis::Channels &&
                      first[0].stride == channels / groups);
  if (!splits || channels % groups != 0)
    op.fail("its input {} is {}; its second dimension must be the channels, or "
            "groups of them",
            quote(op.input(0)), describe(map));
  importGroups(op, map, groups, groups);
}

//===----------------------------------------------------------------------===//
// Layer norm in steps
//===----------------------------------------------------------------------===//

static const Layer *layerOf(Operation &op, const Map &map, const char *kind) {
  if (map.layer == Network::image)
    return nullptr;
  const Layer &layer = op.importer.network[map.layer];
  return layer.op == kind ? &layer : nullptr;
}

/// A step, which reads layer `input`.
static Map emitStep(Operation &op, const Map &map, const char *kind, int input,
                    const std::string &what, const std::string &clauses = "") {
  Layer layer;
  layer.op = kind;
  layer.inputs = {input};
  layer.shape = map.shape;
  layer.clauses = clauses;
  layer.unfinished =
      fmt::format("{}: {}: {} is supported only as a step of layer "
                  "normalisation, (x - mean) / sqrt(mean((x - mean)^2) + "
                  "epsilon) with means over the channels",
                  op.importer.file.path(), op.describe(), what);
  Map result = map.withoutAffine();
  result.nonNegative = false;
  result.layer = op.emit(std::move(layer));
  return result;
}

std::optional<Map> importer::subtractMean(Operation &op, const Map &map,
                                          const Map &mean) {
  const Layer *layer = layerOf(op, mean, channelMean);
  View view = map.view;
  std::replace(view.begin(), view.end(),
               wholeAxis(Axis::Channels, map.shape.channels), Dimension());
  if (!layer || layer->inputs[0] != map.layer || map.affine || mean.affine ||
      mean.view != view)
    return std::nullopt;
  return emitStep(op, map, centred, map.layer, "what is left without it");
}

std::optional<Map> importer::rootOfVariance(Operation &op, const Map &map,
                                            bool inverse) {
  const Layer *mean = layerOf(op, map, channelMean);
  if (!mean || mean->inputs[0] == Network::image)
    return std::nullopt;
  const Layer &square = op.importer.network[mean->inputs[0]];
  Affine affine = map.affine.value_or(Affine{});
  if (square.op != "multiply" || square.inputs[0] != square.inputs[1] ||
      square.inputs[0] == Network::image ||
      op.importer.network[square.inputs[0]].op != centred ||
      !affine.isUniform() || affine.scale[0] != 1)
    return std::nullopt;
  return emitStep(op, map, inverse ? inverseDeviation : deviation,
                  square.inputs[0], "a root of such a mean",
                  epsilonClause(op, affine.shift[0]));
}

std::optional<Map> importer::inverseOfDeviation(Operation &op, const Map &map) {
  const Layer *root = layerOf(op, map, deviation);
  if (!root || map.affine)
    return std::nullopt;
  return emitStep(op, map, inverseDeviation, root->inputs[0],
                  "one over such a root", root->clauses);
}

std::optional<Map> importer::normalise(Operation &op, const Map &map,
                                       const Map &root, bool divides) {
  const Layer *last = layerOf(op, root, divides ? deviation : inverseDeviation);
  const Layer *difference = layerOf(op, map, centred);
  if (!last || !difference || last->inputs[0] != map.layer || map.affine ||
      root.affine)
    return std::nullopt;
  Map input = map;
  input.layer = difference->inputs[0];
  op.claim(2 * map.shape.channels);
  size_t channels = size_t(map.shape.channels);
  return emitNorm(op, input, "layer_norm",
                  op.importer.network.uniqueName(op.label()), last->clauses,
                  Values(channels, 1), Values(channels, 0));
}

void importer::importSqrt(Operation &op) {
  auto root = rootOfVariance(op, op.unpadded(0), /*inverse=*/false);
  if (!root)
    op.fail("it takes the root of a map; supported is that of a variance over "
            "the channels, as a step of layer normalisation");
  op.set(0, *root);
}

void importer::importReciprocal(Operation &op) {
  auto inverse = inverseOfDeviation(op, op.unpadded(0));
  if (!inverse)
    op.fail("it divides by a map; supported is a deviation of the channels, as "
            "a step of layer normalisation");
  op.set(0, *inverse);
}
