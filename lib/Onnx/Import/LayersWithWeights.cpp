//===- LayersWithWeights.cpp - Convolutions, linear layers, batch norm ----===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lib/Onnx/Import/Importer.h"

#include <cmath>

using namespace rootc;
using namespace rootc::importer;

static std::shared_ptr<const Values> share(Values values) {
  return std::make_shared<const Values>(std::move(values));
}

/// `count` values a layer needs of a constant that holds just as many.
static std::shared_ptr<const Values> vectorOf(Operation &op, int input,
                                              const char *what, int64_t count) {
  const Constant &constant = op.reals(input, what);
  if (constant.shape != std::vector<int64_t>{count})
    op.fail("{} ({}) have shape {}; they must have {}", what,
            quote(op.input(input)), toString(constant.shape),
            toString({count}));
  op.claim(count);
  return constant.reals;
}

//===----------------------------------------------------------------------===//
// Convolutions
//===----------------------------------------------------------------------===//

/// [out, in / groups, kh, kw] to [out, kh, kw, in / groups].
Values importer::channelsLast(const Values &values,
                              const std::vector<int64_t> &shape) {
  size_t filters = size_t(shape[0]), channels = size_t(shape[1]);
  size_t taps = size_t(shape[2] * shape[3]);
  Values result(values.size());
  for (size_t filter = 0; filter < filters; ++filter)
    for (size_t channel = 0; channel < channels; ++channel)
      for (size_t tap = 0; tap < taps; ++tap)
        result[(filter * taps + tap) * channels + channel] =
            values[(filter * channels + channel) * taps + tap];
  return result;
}

void importer::importConv(Operation &op) {
  if (op.reals(1, "the filters").shape.size() == 3) {
    importChannelConv(op);
    return;
  }
  Map input = op.standard(0, /*withPadding=*/true);
  if (input.padding.value != 0)
    input = op.standard(0);
  const Constant &filters = op.reals(1, "the filters");
  const std::vector<int64_t> &shape = filters.shape;
  if (shape.size() != 4 || filters.count() == 0)
    op.fail("the filters ({}) have shape {}; they must have four dimensions, "
            "filters x channels / groups x height x width, none of them 0",
            quote(op.input(1)), toString(shape));
  int64_t groups = op.integer("group", 1);
  if (groups < 1 || groups > root::maxElements || shape[0] % groups)
    op.fail("'group' is {}; it must divide the {} filters", groups, shape[0]);
  if (multiply(shape[1], groups) != input.shape.channels)
    op.fail("its filters {} in {} groups read {} channels, and its input {} "
            "has {}",
            toString(shape), groups, multiply(shape[1], groups).value_or(-1),
            describe(input), input.shape.channels);
  if (!root::elementCount({shape[0], shape[1], shape[2], shape[3]}))
    op.fail("the filters have more than {} elements", root::maxElements);
  if (op.integers("kernel_shape", {shape[2], shape[3]}) !=
      std::vector<int64_t>{shape[2], shape[3]})
    op.fail("'kernel_shape' is not that of the filters, {}", toString(shape));
  Windows windows = readWindows(op, input, shape[2], shape[3]);
  auto height = root::outputSize(input.shape.height, windows.vertical);
  auto width = root::outputSize(input.shape.width, windows.horizontal);
  if (!height || !width || *height < 1 || *width < 1)
    op.fail("its kernel is larger than its padded input, {}", describe(input));
  checkPadded(op, input, windows);

  Layer layer;
  layer.op = "conv2d";
  layer.name = op.layerName(1);
  layer.inputs = {input.layer};
  layer.shape = {*height, *width, shape[0]};
  layer.clauses = fmt::format(" filters({})", shape[0]) + windows.clauses();
  if (groups != 1)
    layer.clauses += fmt::format(" groups({})", groups);
  // To a root topology this is the convolution at the image, although the
  // image's normalisation, a convolution too, stands before it.
  if (input.scaledImage && shape[2] * shape[3] > 1)
    layer.clauses += " ungrouped";
  ++op.importer.convolutions;
  op.importer.biasedConvolutions += op.present(2);
  op.importer.noteWeights(op, 1, layer.name);
  op.claim(filters.count());
  layer.weights.push_back({"filter",
                           {shape[0], shape[2], shape[3], shape[1]},
                           share(channelsLast(*filters.reals, shape))});
  if (op.present(2))
    layer.weights.push_back(
        {"bias", {shape[0]}, vectorOf(op, 2, "the biases", shape[0])});
  op.set(0, op.result(op.emit(std::move(layer))));
}

//===----------------------------------------------------------------------===//
// Linear layers
//===----------------------------------------------------------------------===//

/// A linear layer of `input`, whose last ONNX dimension is all of it. Element
/// (i, o) of the weights is weights[i * inputStep + o * outputStep].
static Layer linearLayer(Operation &op, const Map &input,
                         const Constant &weights, int64_t outputs,
                         size_t inputStep, size_t outputStep, double factor) {
  const Dimension &last = input.view.back();
  size_t inputs = size_t(sizeOf(last));
  if (outputs < 1 || !root::elementCount({outputs, sizeOf(last)}))
    op.fail("its weights ({}), {}, are none, or more than {} elements",
            quote(op.input(1)), toString(weights.shape), root::maxElements);
  op.claim(weights.count() + sizeOf(last));
  std::vector<int64_t> places = importer::places(last, input.shape);
  Values permuted(inputs * size_t(outputs));
  for (size_t o = 0; o < size_t(outputs); ++o)
    for (size_t i = 0; i < inputs; ++i)
      permuted[o * inputs + size_t(places[i])] =
          float(factor * (*weights.reals)[i * inputStep + o * outputStep]);
  Layer layer;
  layer.op = "linear";
  layer.name = op.layerName(1);
  layer.inputs = {input.layer};
  layer.shape = {1, 1, outputs};
  layer.clauses = fmt::format(" outputs({})", outputs);
  op.importer.noteWeights(op, 1, layer.name);
  layer.weights.push_back(
      {"weight", {outputs, int64_t(inputs)}, share(std::move(permuted))});
  return layer;
}

/// The input of a linear layer: its last dimension is all of the map.
static Map linearInput(Operation &op, bool exactlyTwo) {
  Map input = op.plain(0);
  int64_t all = input.shape.height * input.shape.width * input.shape.channels;
  if (input.view.empty() || sizeOf(input.view.back()) != all ||
      (exactlyTwo && input.view.size() != 1))
    op.fail("its input {} is {}; it must be flattened before, to [N,{}]",
            quote(op.input(0)), describe(input), all);
  return input;
}

/// The weights, whose dimension `inputs` must fit the map.
static const Constant &linearWeights(Operation &op, const Map &input,
                                     size_t inputsDimension) {
  const Constant &weights = op.reals(1, "the weights");
  if (weights.shape.size() != 2 ||
      weights.shape[inputsDimension] != sizeOf(input.view.back()))
    op.fail("the weights ({}) have shape {}, and its input is {}",
            quote(op.input(1)), toString(weights.shape), describe(input));
  return weights;
}

void importer::importGemm(Operation &op) {
  Map input = linearInput(op, /*exactlyTwo=*/true);
  if (op.integer("transA", 0))
    op.fail("'transA' would transpose the batch");
  bool transposed = op.integer("transB", 0) != 0;
  const Constant &weights = linearWeights(op, input, transposed ? 1 : 0);
  int64_t outputs = weights.shape[transposed ? 0 : 1];
  size_t inputs = size_t(weights.shape[transposed ? 1 : 0]);
  double beta = op.real("beta", 1);
  Layer layer =
      linearLayer(op, input, weights, outputs, transposed ? 1 : size_t(outputs),
                  transposed ? inputs : 1, op.real("alpha", 1));
  if (op.present(2)) {
    const Constant &bias = op.reals(2, "the biases");
    bool one = bias.count() == 1;
    bool row = bias.count() == outputs && !bias.shape.empty() &&
               bias.shape.back() == outputs;
    if (bias.shape.size() > 2 || (!one && !row))
      op.fail("the biases ({}) have shape {}; they must be one for each of the "
              "{} outputs",
              quote(op.input(2)), toString(bias.shape), outputs);
    op.claim(outputs);
    Values values(static_cast<size_t>(outputs));
    for (size_t i = 0; i < values.size(); ++i)
      values[i] = float(beta * (*bias.reals)[one ? 0 : i]);
    layer.weights.push_back({"bias", {outputs}, share(std::move(values))});
  }
  Map result = op.result(op.emit(std::move(layer)));
  result.view = {wholeAxis(Axis::Channels, outputs)};
  op.set(0, result);
}

/// A linear layer of each position, whose channels are the last dimension: a
/// 1x1 convolution.
static void importPositionwise(Operation &op, const Map &input) {
  const Constant &weights = linearWeights(op, input, 0);
  int64_t inputs = input.shape.channels, outputs = weights.shape[1];
  if (outputs < 1 || !root::elementCount({outputs, inputs}))
    op.fail("its weights ({}), {}, are none, or more than {} elements",
            quote(op.input(1)), toString(weights.shape), root::maxElements);
  op.claim(weights.count());
  Values filter(static_cast<size_t>(weights.count()));
  for (size_t o = 0; o < size_t(outputs); ++o)
    for (size_t i = 0; i < size_t(inputs); ++i)
      filter[o * size_t(inputs) + i] =
          (*weights.reals)[i * size_t(outputs) + o];
  Layer layer;
  layer.op = "conv2d";
  layer.name = op.layerName(1);
  layer.inputs = {input.layer};
  layer.shape = {input.shape.height, input.shape.width, outputs};
  layer.clauses = fmt::format(" filters({}) kernel(1)", outputs);
  ++op.importer.convolutions;
  op.importer.noteWeights(op, 1, layer.name);
  layer.weights.push_back(
      {"filter", {outputs, 1, 1, inputs}, share(std::move(filter))});
  Map result = op.result(op.emit(std::move(layer)));
  result.view = input.view;
  result.view.back() = wholeAxis(Axis::Channels, outputs);
  op.set(0, result);
}

void importer::importMatMul(Operation &op) {
  const Map whole = op.plain(0);
  if (whole.shape.height * whole.shape.width > 1 && !whole.view.empty() &&
      whole.view.back() == wholeAxis(Axis::Channels, whole.shape.channels))
    return importPositionwise(op, whole);
  Map input = linearInput(op, /*exactlyTwo=*/false);
  const Constant &weights = linearWeights(op, input, 0);
  int64_t outputs = weights.shape[1];
  Map result = op.result(op.emit(linearLayer(
      op, input, weights, outputs, size_t(outputs), 1, /*factor=*/1)));
  result.view = input.view;
  result.view.back() = wholeAxis(Axis::Channels, outputs);
  op.set(0, result);
}

//===----------------------------------------------------------------------===//
// Batch normalisation
//===----------------------------------------------------------------------===//

void importer::importBatchNormalization(Operation &op) {
  Map input = op.plain(0);
  int64_t channels = input.shape.channels;
  if (!input.view.empty() && shuffleGroups(input.view[0], channels).has_value())
    input = op.standard(0);
  if (input.view.empty() ||
      input.view[0] != wholeAxis(Axis::Channels, channels))
    op.fail("its input {} is {}; its second dimension must be the channels",
            quote(op.input(0)), describe(input));
  double epsilon = op.real("epsilon", 1e-5f);
  double momentum = op.real("momentum", 0.9f);
  if (!(epsilon > 0) || !std::isfinite(epsilon))
    op.fail("'epsilon' is {}; it must be positive", epsilon);
  if (!(momentum >= 0 && momentum <= 1))
    op.fail("'momentum' is {}; it must be from 0 to 1", momentum);
  // Of a model exported to be trained; a network is always trainable.
  if (op.integer("training_mode", 0))
    op.importer.note(fmt::format("{}: it is in training mode; in inference the "
                                 "network uses its running statistics",
                                 op.describe()));
  Layer layer;
  ++op.importer.norms;
  layer.op = "batch_norm";
  layer.name = op.layerName(1);
  layer.inputs = {input.layer};
  layer.shape = input.shape;
  // ONNX: running = momentum running + (1 - momentum) batch.
  layer.clauses = fmt::format(" epsilon({}) momentum({:.6g})",
                              numberText(epsilon), 1 - momentum);
  static constexpr std::pair<const char *, const char *> roles[] = {
      {"scale", "the scales"},
      {"offset", "the offsets"},
      {"mean", "the means"},
      {"variance", "the variances"}};
  for (int i = 0; i < 4; ++i)
    layer.weights.push_back({roles[i].first,
                             {channels},
                             vectorOf(op, i + 1, roles[i].second, channels)});
  Map result = op.result(op.emit(std::move(layer)));
  result.view = input.view;
  result.scaledImage = input.scaledImage;
  op.set(0, result);
}
