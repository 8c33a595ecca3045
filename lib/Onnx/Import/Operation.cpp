//===- Operation.cpp - Inputs and results of a node -----------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lib/Onnx/Import/Importer.h"

#include <algorithm>
#include <cmath>

using namespace rootc;
using namespace rootc::importer;

std::vector<int64_t> Map::sizes() const {
  std::vector<int64_t> sizes = sizesOf(view);
  if (padding.any()) {
    sizes[1] += padding.top + padding.bottom;
    sizes[2] += padding.left + padding.right;
  }
  return sizes;
}

Map Map::withoutAffine() const {
  Map map;
  map.layer = layer;
  map.shape = shape;
  map.view = view;
  map.padding = padding;
  map.nonNegative = nonNegative;
  map.scaledImage = scaledImage;
  return map;
}

std::string importer::describe(const Map &map) {
  std::string text = "[N";
  for (int64_t size : map.sizes())
    text += fmt::format(",{}", size);
  return text + "]";
}

std::string importer::pairText(int64_t vertical, int64_t horizontal) {
  return vertical == horizontal ? fmt::format("{}", vertical)
                                : fmt::format("{}x{}", vertical, horizontal);
}

std::string importer::numberText(double value) {
  return fmt::format("{}", float(value));
}

//===----------------------------------------------------------------------===//
// Inputs
//===----------------------------------------------------------------------===//

const Value &Operation::value(int i) const {
  if (!present(i))
    fail("its input {} is missing", i);
  const Value *value = importer.find(input(i));
  if (!value)
    fail("its input {} is made by no node, and no initializer has its name",
         quote(input(i)));
  return *value;
}

const Map &Operation::map(int i) const {
  const Map *found = std::get_if<Map>(&value(i));
  if (!found)
    fail("its input {} is a constant; it must be computed from the image",
         quote(input(i)));
  if (found->flat)
    fail("its input {} has the batch and all of the image in one dimension; "
         "only a Gather that puts them apart is supported",
         quote(input(i)));
  return *found;
}

const Map &Operation::unpadded(int i) {
  // Its other readers share the layer.
  if (map(i).padding.any())
    importer.set(input(i), resolve(map(i)));
  return map(i);
}

/// Whether rounding is all that keeps it from changing nothing: 6 times a
/// float's 1/6.
static bool isIdentity(const Affine &affine) {
  return std::all_of(affine.scale.begin(), affine.scale.end(),
                     [](double x) { return std::abs(x - 1) <= 1e-6; }) &&
         std::all_of(affine.shift.begin(), affine.shift.end(),
                     [](double x) { return x == 0; });
}

Map Operation::emitAffine(Map map, const Affine &affine,
                          const Padding &padding) {
  int64_t channels = map.shape.channels;
  auto perChannel = [&](const std::vector<double> &values) {
    importer.claim(*this, channels);
    std::vector<float> result(static_cast<size_t>(channels));
    for (size_t i = 0; i < result.size(); ++i)
      result[i] = float(values[values.size() == 1 ? 0 : i]);
    return std::make_shared<const std::vector<float>>(std::move(result));
  };
  Windows windows;
  windows.vertical.padBefore = padding.top;
  windows.vertical.padAfter = padding.bottom;
  windows.horizontal.padBefore = padding.left;
  windows.horizontal.padAfter = padding.right;
  Layer layer;
  layer.name = importer.network.uniqueName(affine.name);
  bool shifts = std::any_of(affine.shift.begin(), affine.shift.end(),
                            [](double x) { return x != 0; });
  if (!shifts && !padding.any()) {
    layer.op = "layer_scale";
    layer.inputs = {map.layer};
    layer.shape = map.shape;
    layer.weights.push_back({"scale", {channels}, perChannel(affine.scale)});
    map.scaledImage |= map.layer == Network::image;
    map.layer = emit(std::move(layer));
    map.nonNegative = false;
    return map;
  }
  layer.op = "conv2d";
  layer.inputs = {map.layer};
  // Neither sum can overflow: pads are limited where they are read.
  layer.shape = {map.shape.height + padding.top + padding.bottom,
                 map.shape.width + padding.left + padding.right, channels};
  layer.clauses = fmt::format(" filters({}){} groups({})", channels,
                              windows.clauses(), channels);
  layer.weights.push_back(
      {"filter", {channels, 1, 1, 1}, perChannel(affine.scale)});
  if (shifts)
    layer.weights.push_back({"bias", {channels}, perChannel(affine.shift)});
  map.scaledImage |= map.layer == Network::image;
  map.shape = layer.shape;
  map.layer = emit(std::move(layer));
  map.nonNegative = false;
  return map;
}

bool Operation::absorb(const Map &map, const std::vector<double> &factors,
                       const std::vector<double> &terms) {
  if (map.affine || map.padding.any() || !map.sole ||
      map.layer == Network::image)
    return false;
  Layer &layer = importer.network[map.layer];
  if (!layer.takesBias() && !layer.isNorm())
    return false;
  auto factor = [&](size_t i) { return factors[factors.size() == 1 ? 0 : i]; };
  auto term = [&](size_t i) { return terms[terms.size() == 1 ? 0 : i]; };
  size_t channels = size_t(layer.shape.channels);
  auto replace = [&](Weight &weight, auto value) {
    claim(int64_t(weight.values->size()));
    std::vector<float> values = *weight.values;
    size_t each = values.size() / channels;
    for (size_t i = 0; i < values.size(); ++i)
      values[i] = float(value(double(values[i]), i / each));
    weight.values =
        std::make_shared<const std::vector<float>>(std::move(values));
  };
  bool scales = std::any_of(factors.begin(), factors.end(),
                            [](double x) { return x != 1; });
  bool shifts =
      std::any_of(terms.begin(), terms.end(), [](double x) { return x != 0; });
  if (shifts && layer.takesBias() && !layer.hasBias()) {
    claim(layer.shape.channels);
    layer.weights.push_back({"bias",
                             {layer.shape.channels},
                             std::make_shared<std::vector<float>>(channels)});
  }
  for (Weight &weight : layer.weights) {
    if (weight.role == "bias" || weight.role == "offset")
      replace(weight, [&](double value, size_t channel) {
        return value * factor(channel) + term(channel);
      });
    else if (scales && weight.role != "mean" && weight.role != "variance")
      replace(weight, [&](double value, size_t channel) {
        return value * factor(channel);
      });
  }
  return true;
}

bool Operation::absorbIntoPixels(const Map &map, const Affine &affine) {
  std::optional<MeanImage> &image = importer.meanImage;
  if (!image || map.layer != Network::image || !map.sole ||
      !std::all_of(affine.scale.begin(), affine.scale.end(),
                   [](double x) { return x > 0; }))
    return false;
  auto of = [](const std::vector<double> &values, size_t channel) {
    return values[values.size() == 1 ? 0 : channel];
  };
  // a (x - mean) / scale + b = (x - (mean - b scale / a)) / (scale / a)
  size_t channels = image->scale.size();
  for (size_t c = 0; c < channels; ++c)
    image->scale[c] /= of(affine.scale, c);
  for (size_t i = 0; i < image->mean.size(); ++i)
    image->mean[i] -=
        of(affine.shift, i % channels) * image->scale[i % channels];
  return true;
}

Map Operation::resolve(Map map) {
  Padding padding = std::move(map.padding);
  map.padding = {};
  std::optional<Affine> affine = std::move(map.affine);
  map.affine.reset();
  if (padding.any()) {
    if (!std::isfinite(padding.value))
      fail("its input comes from a Pad of {}, which only a pool of maxima can "
           "take in",
           padding.value);
    // Zeros around the difference to what is padded with, which is then added.
    if (padding.value != 0) {
      if (!affine)
        affine.emplace().name = padding.name;
      for (double &shift : affine->shift)
        shift -= padding.value;
    }
  }
  if (affine && !isIdentity(*affine) && !absorbIntoPixels(map, *affine) &&
      !absorb(map, affine->scale, affine->shift))
    map = emitAffine(std::move(map), *affine, {});
  if (padding.any()) {
    if (padding.value == 0)
      return emitPad(std::move(map),
                     {padding.top, padding.left, padding.bottom, padding.right},
                     /*reflect=*/false);
    map = emitAffine(std::move(map), {{1}, {padding.value}, padding.name},
                     padding);
    map.view = mapView(map.shape);
  }
  return map;
}

Map Operation::emitPad(Map map, std::array<int64_t, 4> pad, bool reflect) {
  Layer layer;
  layer.op = "pad";
  layer.inputs = {map.layer};
  // No sum can overflow: pads are limited where they are read.
  layer.shape = {map.shape.height + pad[0] + pad[2],
                 map.shape.width + pad[1] + pad[3], map.shape.channels};
  if (std::max(layer.shape.height, layer.shape.width) > root::maxSide)
    fail("it makes a map of {}x{}, a side of which is longer than {}",
         layer.shape.height, layer.shape.width, root::maxSide);
  for (int sign : {1, -1}) {
    std::array<int64_t, 4> part;
    for (size_t i = 0; i < 4; ++i)
      part[i] = std::max<int64_t>(sign * pad[i], 0);
    if (part != std::array<int64_t, 4>())
      layer.clauses += fmt::format(" {}({})", sign > 0 ? "pad" : "crop",
                                   fmt::join(part, ","));
  }
  if (reflect)
    layer.clauses += " reflect";
  map.shape = layer.shape;
  map.layer = emit(std::move(layer));
  map.view = mapView(map.shape);
  map.sole = true;
  return map;
}

Map Operation::plain(int i) {
  Map found = unpadded(i);
  if (!found.affine)
    return found;
  found = resolve(std::move(found));
  // Its other readers share the layer.
  importer.set(input(i), found);
  return found;
}

Map Operation::standard(int i, bool withPadding) {
  if (!withPadding)
    plain(i);
  Map found = map(i);
  if (found.affine) {
    Padding padding = std::exchange(found.padding, {});
    found = resolve(std::move(found));
    found.padding = std::move(padding);
    importer.set(input(i), found);
  }
  View expected = mapView(found.shape);
  if (found.view == expected)
    return found;
  if (found.view.size() != 3)
    fail("its input {} is {}; only batch x channels x height x width is "
         "supported",
         quote(input(i)), importer::describe(found));
  if (std::optional<Map> blocks = blocksOfView(*this, found)) {
    importer.set(input(i), *blocks);
    return *blocks;
  }
  auto groups = shuffleGroups(found.view[0], found.shape.channels);
  if (!groups || found.view[1] != expected[1] || found.view[2] != expected[2])
    fail("its input {} was transposed or reshaped to {} in a way that is not a "
         "map of channels, height and width any more, nor a channel shuffle",
         quote(input(i)), importer::describe(found));
  auto [entry, added] = importer.shuffles.try_emplace({found.layer, *groups});
  if (added) {
    Layer layer;
    layer.op = "channel_shuffle";
    layer.inputs = {found.layer};
    layer.shape = found.shape;
    layer.clauses = fmt::format(" groups({})", *groups);
    entry->second = emit(std::move(layer));
  }
  found.layer = entry->second;
  found.view = expected;
  return found;
}

const Constant &Operation::constant(int i, const char *what) const {
  const Constant *found = std::get_if<Constant>(&value(i));
  if (!found)
    fail("{} ({}) must be a constant, and is computed from the image", what,
         quote(input(i)));
  return found->fill ? importer.filled(*this, input(i)) : *found;
}

const Constant &Operation::reals(int i, const char *what) const {
  const Constant &found = constant(i, what);
  if (!found.isReal())
    fail("{} ({}) are whole numbers; they must be real", what, quote(input(i)));
  return found;
}

std::vector<int64_t> Operation::wholes(int i, const char *what) const {
  const Constant &found = constant(i, what);
  if (found.isReal())
    fail("{} ({}) are real numbers; they must be whole", what, quote(input(i)));
  if (found.shape.size() > 1)
    fail("{} ({}) have shape {}; they must be a list", what, quote(input(i)),
         toString(found.shape));
  std::vector<int64_t> result;
  for (const Size &size : *found.sizes) {
    if (size.batch)
      fail("{} ({}) depend on the batch", what, quote(input(i)));
    result.push_back(size.value);
  }
  return result;
}

double Operation::scalar(int i, const char *what, double fallback) const {
  if (!present(i))
    return fallback;
  const Constant &found = constant(i, what);
  if (found.count() != 1 || (!found.isReal() && (*found.sizes)[0].batch))
    fail("{} ({}) must be one number", what, quote(input(i)));
  return found.isReal() ? double((*found.reals)[0])
                        : double((*found.sizes)[0].value);
}

std::optional<std::vector<int64_t>>
Operation::wholesOf(const std::string &attribute, int input, const char *what) {
  if (has(attribute))
    return integers(attribute);
  if (present(input))
    return wholes(input, what);
  return std::nullopt;
}

std::vector<int64_t> Operation::parts(int64_t size) {
  int64_t count = outputs();
  auto sizes = wholesOf("split", 1, "the sizes of the parts");
  if (integer("num_outputs", count) != count)
    fail("'num_outputs' is not the number of its outputs, {}", count);
  if (!sizes) {
    // Equal parts; since opset 18 the last one may be smaller.
    int64_t part = (size + count - 1) / count;
    sizes.emplace();
    for (int64_t left = size; int64_t(sizes->size()) < count; left -= part)
      sizes->push_back(std::max<int64_t>(std::min(part, left), 0));
  }
  int64_t end = 0;
  for (int64_t part : *sizes) {
    if (part < 0 || part > size - end)
      fail("its {} values cannot be cut into parts of [{}]", size,
           fmt::join(*sizes, ","));
    end += part;
  }
  if (end != size || int64_t(sizes->size()) != count)
    fail("its parts [{}] must be one for each of the {} outputs, and be all of "
         "the {} values",
         fmt::join(*sizes, ","), count, size);
  return *sizes;
}

int64_t Operation::axis(int64_t axis, int64_t rank) const {
  if (axis < -rank || axis >= rank)
    fail("its axis {} is none of the {} dimensions", axis, rank);
  return axis < 0 ? axis + rank : axis;
}

int64_t Operation::axisBehindBatch(int64_t axis, int64_t rank) const {
  int64_t found = this->axis(axis, rank);
  if (found == 0)
    fail("its axis 0 is the batch, whose images are apart in a network");
  return found;
}

//===----------------------------------------------------------------------===//
// Results
//===----------------------------------------------------------------------===//

void Operation::set(int output, Value value) {
  std::string name = this->output(output);
  if (name.empty())
    return;
  if (Map *map = std::get_if<Map>(&value))
    map->sole &= importer.graph.uses(name) == 1;
  importer.set(name, std::move(value));
}

int Operation::emit(Layer layer) {
  const root::MapShape &shape = layer.shape;
  if (!root::elementCount({shape.height, shape.width, shape.channels}))
    fail("its result, {}x{}x{}, has more than {} elements an image",
         shape.height, shape.width, shape.channels, root::maxElements);
  return importer.network.add(std::move(layer));
}

Map Operation::result(int layer) const {
  Map map;
  map.layer = layer;
  map.shape = importer.network[layer].shape;
  map.view = mapView(map.shape);
  map.sole = true;
  return map;
}

Map Operation::elementwise(const Map &map, const std::string &op,
                           const std::string &clauses, bool nonNegative) {
  Layer layer;
  layer.op = op;
  layer.inputs = {map.layer};
  layer.shape = map.shape;
  layer.clauses = clauses;
  Map result = map;
  result.layer = emit(std::move(layer));
  result.nonNegative = nonNegative;
  return result;
}
