//===- ExportLayers.cpp - Layers as ONNX nodes
//-----------------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lib/Onnx/ExportLayers.h"
#include "lib/Onnx/LayerExporter.h"
#include "llvm/ADT/TypeSwitch.h"

#include <cmath>

using namespace mlir;
using namespace rootc;
using namespace rootc::root;

static constexpr const char *imageName = "image";
static constexpr const char *logitsName = "logits";

LogicalResult LayerExporter::run(bool pixels) {
  Value image = network.getImageArgument();
  graph.addInput(imageName, mapShape(image));
  values[image].map = pixels ? normalise() : imageName;
  for (Operation &op : network.getBody().front()) {
    if (!layers.isUsed(&op, /*training=*/false) || op.getNumResults() == 0)
      continue;
    label = layers.label(&op).str();
    auto names =
        llvm::TypeSwitch<Operation *, FailureOr<Names>>(&op)
            .Case<Conv2dOp, Conv2dTransposeOp, ResizeOp, AdaptiveAveragePoolOp,
                  ChannelMeanOp, ChannelMaxOp, BranchSoftmaxOp, LinearOp,
                  BatchNormOp, LayerNormOp, GroupNormOp, ReluOp, ClipOp,
                  SigmoidOp, HardSigmoidOp, HardSwishOp, MaxPoolOp,
                  AveragePoolOp, GlobalAveragePoolOp, AddOp, MultiplyOp,
                  ConcatOp, SliceChannelsOp, ChannelShuffleOp, DropoutOp,
                  LocalResponseNormOp, LeakyReluOp, PReluOp, EluOp, GeluOp,
                  SiluOp, SoftplusOp, MishOp, LayerScaleOp, DropPathOp, PadOp,
                  SpaceToDepthOp, DepthToSpaceOp>(
                [&](auto layer) -> FailureOr<Names> { return emit(layer); })
            .Default([](Operation *layer) {
              return layer->emitError("has no form in an ONNX file; leave "
                                      "this layer out");
            });
    if (failed(names))
      return failure();
    values[op.getResult(0)] = *names;
  }
  label = logitsName;
  graph.makeOutput(vectorOf(network.getOutput().getLogits()), logitsName);
  return success();
}

std::vector<std::string>
LayerExporter::reservedNames(const NetworkWeights &weights) {
  std::vector<std::string> names = weights.names();
  names.insert(names.end(), {imageName, logitsName});
  return names;
}

OnnxShape LayerExporter::mapShape(Value value) {
  MapShape shape = shapeOf(value);
  return {shape.channels, shape.height, shape.width};
}

OnnxShape LayerExporter::vectorShape(Value value) {
  MapShape shape = shapeOf(value);
  return {shape.channels * shape.height * shape.width};
}

std::string LayerExporter::normalise() {
  MapShape image = network.getImageShape();
  int64_t pixels = image.height * image.width;
  ArrayRef<float> mean = weights.inputMean();
  std::vector<float> planes(mean.size());
  for (int64_t pixel = 0; pixel < pixels; ++pixel)
    for (int64_t channel = 0; channel < image.channels; ++channel)
      planes[channel * pixels + pixel] = mean[pixel * image.channels + channel];
  std::string means = graph.constant(
      "input.mean", {1, image.channels, image.height, image.width}, planes);
  std::string scales = graph.constant("input.scale", {1, image.channels, 1, 1},
                                      weights.inputScale());
  OnnxShape shape = {image.channels, image.height, image.width};
  std::string centred =
      graph.node("Sub", "image.centred", {imageName, means}, shape).output();
  return graph.node("Div", "image.normalised", {centred, scales}, shape)
      .output();
}

std::string LayerExporter::mapOf(Value value) {
  Names &names = values[value];
  if (names.map.empty()) {
    if (unitAxes.empty())
      unitAxes = graph.constant("unit.axes", ArrayRef<int64_t>{2, 3});
    names.map = graph
                    .node("Unsqueeze", label + ".map", {names.vector, unitAxes},
                          mapShape(value))
                    .output();
  }
  return names.map;
}

std::string LayerExporter::vectorOf(Value value) {
  Names &names = values[value];
  if (names.vector.empty())
    names.vector =
        graph
            .node("Flatten", label + ".vector", {names.map}, vectorShape(value))
            .integer("axis", 1)
            .output();
  return names.vector;
}

NodeAttributes LayerExporter::mapNode(StringRef type, Value result,
                                      ArrayRef<std::string> inputs) {
  return graph.node(type, label, inputs, mapShape(result));
}

Names LayerExporter::sameRank(StringRef type, Value result, ValueRange operands,
                              ArrayRef<std::string> others,
                              llvm::function_ref<void(NodeAttributes)> set) {
  bool vectors = llvm::all_of(
      operands, [&](Value value) { return values[value].madeVector; });
  std::vector<std::string> inputs;
  for (Value operand : operands)
    inputs.push_back(vectors ? vectorOf(operand) : mapOf(operand));
  llvm::append_range(inputs, others);
  NodeAttributes node = graph.node(
      type, label, inputs, vectors ? vectorShape(result) : mapShape(result));
  if (set)
    set(node);
  return vectors ? asVector(node.output()) : asMap(node.output());
}

Names LayerExporter::plain(StringRef type, Operation *op) {
  return sameRank(type, op->getResult(0), op->getOperands());
}

std::string
LayerExporter::tensor(StringRef role, ArrayRef<int64_t> shape,
                      llvm::function_ref<void(ArrayRef<float>, float *)> fill) {
  std::string name = label + "." + role.str();
  return graph.floats(name, shape, [&](float *to) { fill(weights[name], to); });
}

std::string LayerExporter::vector(StringRef role, int64_t size) {
  return tensor(role, size,
                [](ArrayRef<float> from, float *to) { llvm::copy(from, to); });
}

std::string LayerExporter::filter(StringRef role, std::array<int64_t, 4> shape,
                                  ArrayRef<int64_t> declared,
                                  std::optional<APFloat> standardize) {
  auto [outputs, height, width, inputs] = shape;
  int64_t taps = height * width;
  return tensor(role, declared, [&](ArrayRef<float> from, float *to) {
    std::vector<float> standard;
    if (standardize)
      from = standard = standardised(standardize->convertToDouble(), from,
                                     weights[label + ".gain"]);
    for (int64_t output = 0; output < outputs; ++output)
      for (int64_t tap = 0; tap < taps; ++tap)
        for (int64_t input = 0; input < inputs; ++input)
          to[(output * inputs + input) * taps + tap] =
              from[(output * taps + tap) * inputs + input];
  });
}

std::vector<float> LayerExporter::standardised(double epsilon,
                                               ArrayRef<float> weights,
                                               ArrayRef<float> gains) {
  std::vector<float> result(weights.size());
  size_t count = weights.size() / gains.size();
  for (auto [output, gain] : llvm::enumerate(gains)) {
    ArrayRef<float> own = weights.slice(output * count, count);
    double mean = 0, variance = 0;
    for (double weight : own)
      mean += weight / count;
    for (double weight : own)
      variance += (weight - mean) * (weight - mean) / count;
    double factor = gain / std::sqrt(count * (variance + epsilon));
    for (size_t i = 0; i < count; ++i)
      result[output * count + i] = static_cast<float>((own[i] - mean) * factor);
  }
  return result;
}

Names LayerExporter::emit(Conv2dOp op) {
  int64_t height = op.getKernel()[0], width = op.getKernel()[1];
  int64_t filters = op.getFilters();
  int64_t inputs = shapeOf(op.getInput()).channels / op.getGroups();
  std::vector<std::string> operands = {
      mapOf(op.getInput()),
      filter("filter", {filters, height, width, inputs},
             {filters, inputs, height, width}, op.getStandardize())};
  if (op.getBias())
    operands.push_back(vector("bias", filters));
  return asMap(mapNode("Conv", op.getResult(), operands)
                   .integers("kernel_shape", op.getKernel())
                   .integers("strides", op.getStride())
                   .integers("pads", op.getPad())
                   .integers("dilations", op.getDilation())
                   .integer("group", op.getGroups())
                   .output());
}

Names LayerExporter::emit(Conv2dTransposeOp op) {
  int64_t height = op.getKernel()[0], width = op.getKernel()[1];
  int64_t channels = shapeOf(op.getInput()).channels;
  int64_t outputs = op.getFilters() / op.getGroups();
  std::vector<std::string> operands = {
      mapOf(op.getInput()), filter("filter", {channels, height, width, outputs},
                                   {channels, outputs, height, width})};
  if (op.getBias())
    operands.push_back(vector("bias", op.getFilters()));
  return asMap(mapNode("ConvTranspose", op.getResult(), operands)
                   .integers("kernel_shape", op.getKernel())
                   .integers("strides", op.getStride())
                   .integers("pads", op.getPad())
                   .integers("output_padding", op.getOutputPad())
                   .integers("dilations", op.getDilation())
                   .integer("group", op.getGroups())
                   .output());
}

float LayerExporter::factorOf(int64_t from, int64_t to) {
  auto factor = static_cast<float>(static_cast<double>(to) / from);
  while (std::floor(static_cast<double>(factor) * from) < to)
    factor = std::nextafter(factor, std::numeric_limits<float>::infinity());
  return factor;
}

Names LayerExporter::emit(LinearOp op) {
  MapShape in = shapeOf(op.getInput());
  int64_t inputs = in.height * in.width * in.channels;
  std::vector<std::string> operands = {
      vectorOf(op.getInput()),
      filter("weight", {op.getOutputs(), in.height, in.width, in.channels},
             {op.getOutputs(), inputs})};
  if (op.getBias())
    operands.push_back(vector("bias", op.getOutputs()));
  return asVector(
      graph.node("Gemm", label, operands, vectorShape(op.getResult()))
          .integer("transB", 1)
          .output());
}

Names LayerExporter::emit(AddOp op) { return plain("Add", op); }

/// Broadcast by ONNX's rules, maps and vectors alike.
Names LayerExporter::emit(MultiplyOp op) { return plain("Mul", op); }

Names LayerExporter::emit(ConcatOp op) {
  return sameRank("Concat", op.getResult(), op.getInputs(), {},
                  [](NodeAttributes node) { node.integer("axis", 1); });
}

Names LayerExporter::emit(SliceChannelsOp op) {
  if (op.getResult().getType() == op.getInput().getType())
    return values[op.getInput()];
  std::vector<std::string> range = {
      graph.constant(label + ".begin", op.getBegin()),
      graph.constant(label + ".end", op.getEnd()),
      graph.constant(label + ".axis", 1)};
  return sameRank("Slice", op.getResult(), op.getInput(), range);
}

/// The channels as a matrix, transposed.
Names LayerExporter::emit(ChannelShuffleOp op) {
  MapShape shape = shapeOf(op.getInput());
  int64_t rows = op.getGroups(), columns = shape.channels / rows;
  if (rows == 1 || columns == 1)
    return values[op.getInput()];
  // A size of 0 is the input's: the batch.
  int64_t map = shape.height * shape.width;
  std::string apart =
      graph.constant(label + ".matrix.shape", {0, rows, columns, map});
  std::string together = graph.constant(
      label + ".shape", {0, shape.channels, shape.height, shape.width});
  std::string matrix =
      graph
          .node("Reshape", label + ".matrix", {mapOf(op.getInput()), apart},
                {rows, columns, map})
          .output();
  std::string transposed = graph
                               .node("Transpose", label + ".transposed",
                                     {matrix}, {columns, rows, map})
                               .integers("perm", {0, 2, 1, 3})
                               .output();
  return asMap(
      mapNode("Reshape", op.getResult(), {transposed, together}).output());
}

Names LayerExporter::emit(DropoutOp op) { return values[op.getInput()]; }

Names LayerExporter::emit(DropPathOp op) { return values[op.getInput()]; }

LogicalResult rootc::exportLayers(NetworkOp network,
                                  const NetworkWeights &weights, bool pixels,
                                  onnx::GraphProto &graph) {
  graph.set_name(network.getSymName().str());
  return LayerExporter(network, weights, graph).run(pixels);
}
