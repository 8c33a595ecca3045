//===- ResponseNorm.cpp - Local response normalisation --------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// PyTorch has no operator for it, and writes x / (k + alpha mean(x^2))^beta:
// the squares get a dimension of one before the channels, zeros beside these,
// and an average pool along them. Each step is a layer that no network has,
// until the division makes one of them all.
//
//===----------------------------------------------------------------------===//

#include "lib/Onnx/Import/Importer.h"

#include <algorithm>
#include <cmath>

using namespace rootc;
using namespace rootc::importer;

namespace {
constexpr const char *paddedChannels = "padded_channels";
constexpr const char *neighbourMean = "neighbour_mean";
constexpr const char *response = "response";
} // namespace

/// The clauses of the layer, checked.
static std::string responseClauses(Operation &op, int64_t size, double alpha,
                                   double beta, double bias) {
  if (size < 1 || size > root::maxElements || size % 2 == 0)
    op.fail("its size is {}; it must be odd and positive", size);
  if (!(alpha >= 0) || !(beta >= 0) || !(bias > 0) || !std::isfinite(alpha) ||
      !std::isfinite(beta) || !std::isfinite(bias))
    op.fail("alpha {} and beta {} must not be negative, bias {} positive",
            alpha, beta, bias);
  return fmt::format(" size({}) alpha({}) beta({}) k({})", size,
                     numberText(alpha), numberText(beta), numberText(bias));
}

void importer::importLRN(Operation &op) {
  Map map = op.standard(0);
  std::string clauses =
      responseClauses(op, op.integer("size", 0), op.real("alpha", 1e-4f),
                      op.real("beta", 0.75f), op.real("bias", 1));
  op.set(0,
         op.elementwise(map, "local_response_norm", clauses, map.nonNegative));
}

//===----------------------------------------------------------------------===//
// In steps
//===----------------------------------------------------------------------===//

static const Layer *layerOf(Operation &op, const Map &map) {
  return map.layer == Network::image ? nullptr
                                     : &op.importer.network[map.layer];
}

/// A step, whose channels are dimension `axis` of the map's view.
static Map emitStep(Operation &op, const Map &map, size_t axis, Layer layer) {
  layer.unfinished =
      fmt::format("{}: {}: {} is supported only as a step of local response "
                  "normalisation, x / (k + alpha mean(x^2))^beta",
                  op.importer.file.path(), op.describe(), layer.unfinished);
  Map result = map;
  result.shape = layer.shape;
  result.view[axis] = wholeAxis(Axis::Channels, layer.shape.channels);
  result.layer = op.emit(std::move(layer));
  return result;
}

std::optional<Map> importer::padChannels(Operation &op, const Map &map,
                                         size_t axis, int64_t before,
                                         int64_t behind) {
  int64_t channels = map.shape.channels;
  if (channels == 1 || map.view[axis] != wholeAxis(Axis::Channels, channels) ||
      before < 0 || behind < 0 || before > root::maxElements ||
      behind > root::maxElements)
    return std::nullopt;
  Layer layer;
  layer.op = paddedChannels;
  layer.inputs = {map.layer};
  layer.shape = map.shape;
  layer.shape.channels += before + behind;
  layer.begin = before;
  layer.unfinished = "zeros beside the channels";
  return emitStep(op, map, axis, std::move(layer));
}

bool importer::poolChannels(Operation &op) {
  const Map &found = op.map(0);
  std::vector<int64_t> kernel = op.integers("kernel_shape");
  size_t rank = kernel.size();
  const View &view = found.view;
  bool fits = rank >= 2 && view.size() == rank + 1 && !found.padding.any() &&
              found.shape.channels > 1 && sizeOf(view[0]) == 1 &&
              view[1] == wholeAxis(Axis::Channels, found.shape.channels) &&
              kernel[0] >= 1 && op.text("auto_pad", "NOTSET") == "NOTSET";
  std::vector<int64_t> ones(rank, 1), pads(2 * rank);
  fits = fits && std::equal(kernel.begin() + 1, kernel.end(), ones.begin()) &&
         op.integers("strides", ones) == ones &&
         op.integers("dilations", ones) == ones;
  pads = op.integers("pads", pads);
  if (!fits || pads.size() != 2 * rank || pads[0] < 0 || pads[rank] < 0)
    return false;
  for (size_t i = 0; i < pads.size(); ++i)
    if (i % rank && pads[i])
      return false;
  bool counted = op.integer("count_include_pad", 0) != 0;
  op.ignore({"ceil_mode"});

  Map map = op.plain(0);
  int64_t before = pads[0], behind = pads[rank];
  if ((before || behind) && !counted)
    return false;
  const Layer *layer = layerOf(op, map);
  if (layer && layer->op == paddedChannels) {
    int64_t input = layer->inputs[0];
    before += layer->begin;
    behind += layer->shape.channels - layer->begin;
    map.layer = int(input);
    layer = layerOf(op, map);
    if (!layer)
      return false;
    behind -= layer->shape.channels;
  }
  if (!layer || layer->op != "multiply" ||
      layer->inputs[0] != layer->inputs[1] || before != behind ||
      before != kernel[0] / 2 || kernel[0] % 2 == 0)
    op.fail("it takes means over {} channels, padded by {} and {}; supported "
            "is only local response normalisation: an odd number of squares, "
            "the same to both sides",
            kernel[0], before, behind);
  Layer mean;
  mean.op = neighbourMean;
  mean.inputs = {map.layer};
  mean.shape = layer->shape;
  mean.begin = kernel[0];
  mean.unfinished = "a mean over neighbouring channels";
  op.set(0, emitStep(op, map, 1, std::move(mean)));
  return true;
}

void importer::importPow(Operation &op) {
  if (!op.isMap(0))
    op.fail("its exponent is computed from the image");
  double exponent = op.scalar(1, "the exponent", 0);
  const Map &found = op.unpadded(0);
  const Layer *layer = layerOf(op, found);
  if (layer && layer->op == neighbourMean) {
    Affine affine = found.affine.value_or(Affine{});
    auto channels = std::find(found.view.begin(), found.view.end(),
                              wholeAxis(Axis::Channels, found.shape.channels));
    if (!affine.isUniform() || channels == found.view.end())
      op.fail("its input is no mean of squares, multiplied and shifted by one "
              "number each");
    Layer next;
    next.op = response;
    next.clauses = responseClauses(op, layer->begin, affine.scale[0], exponent,
                                   affine.shift[0]);
    next.inputs = {op.importer.network[layer->inputs[0]].inputs[0]};
    next.shape = found.shape;
    next.unfinished = "a power of such a mean";
    op.set(0, emitStep(op, found.withoutAffine(),
                       size_t(channels - found.view.begin()), std::move(next)));
    return;
  }
  if (exponent == 1) {
    op.set(0, found);
    return;
  }
  if (std::abs(exponent) == 0.5)
    if (auto root = rootOfVariance(op, found, exponent < 0)) {
      op.set(0, *root);
      return;
    }
  if (exponent != 2 && exponent != 3)
    op.fail("it raises a map to the power of {}; supported are 1, 2, 3, and "
            "what layer and local response normalisation need",
            exponent);
  Map map = op.plain(0);
  Map square = combineMaps(op, "multiply", map, map);
  op.set(0, exponent == 2 ? square : combineMaps(op, "multiply", square, map));
}

std::optional<Map> importer::divideByResponse(Operation &op, const Map &map,
                                              const Map &divisor) {
  const Layer *layer = layerOf(op, divisor);
  if (!layer || layer->op != response || divisor.affine ||
      layer->inputs[0] != map.layer || divisor.view != map.view)
    return std::nullopt;
  return op.elementwise(map, "local_response_norm", layer->clauses,
                        map.nonNegative);
}

std::optional<Map> importer::inverseOf(Operation &op, int input) {
  // Its square and the fourth power are numbers of 32 bits.
  constexpr double least = 1e-8;
  const Map &found = op.unpadded(input);
  if (!found.nonNegative || !found.affine || !found.affine->isUniform() ||
      !(found.affine->scale[0] > 0) || !(found.affine->shift[0] >= least))
    return std::nullopt;
  // x / (k + x^2)
  return op.elementwise(op.plain(input), "local_response_norm",
                        " size(1) alpha(1) beta(1) k(1e-30)",
                        /*nonNegative=*/true);
}
