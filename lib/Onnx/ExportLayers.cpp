//===- ExportLayers.cpp - Layers as ONNX nodes ----------------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// In one class, long as it is: every layer looks at what the others' values are
// called, and adds names to them.
//
//===----------------------------------------------------------------------===//

#include "lib/Onnx/ExportLayers.h"
#include "lib/Onnx/GraphBuilder.h"
#include "lib/Transforms/ForwardBuilder.h"
#include "llvm/ADT/TypeSwitch.h"

#include <cmath>

using namespace mlir;
using namespace rootc;
using namespace rootc::root;

static constexpr const char *imageName = "image";
static constexpr const char *logitsName = "logits";

static MapShape shapeOf(Value value) {
  auto type = cast<ImageType>(value.getType());
  return {type.getHeight(), type.getWidth(), type.getChannels()};
}

namespace {
/// A network's value has the name of a map [N,C,H,W], of a vector [N,C H W], or
/// both: linear layers make and want vectors.
struct Names {
  std::string map, vector;
  bool madeVector = false; ///< was a vector first
};

Names asMap(std::string name) { return {std::move(name), "", false}; }
Names asVector(std::string name) { return {"", std::move(name), true}; }

class LayerExporter {
public:
  LayerExporter(NetworkOp network, const NetworkWeights &weights,
                onnx::GraphProto &graph)
      : network(network), layers(network), weights(weights),
        graph(graph, reservedNames(weights)) {}

  LogicalResult run(bool pixels) {
    Value image = network.getImageArgument();
    graph.addInput(imageName, mapShape(image));
    values[image].map = pixels ? normalise() : imageName;
    for (Operation &op : network.getBody().front()) {
      if (!layers.isUsed(&op, /*training=*/false) || op.getNumResults() == 0)
        continue;
      label = layers.label(&op).str();
      auto names =
          llvm::TypeSwitch<Operation *, FailureOr<Names>>(&op)
              .Case<Conv2dOp, Conv2dTransposeOp, ResizeOp,
                    AdaptiveAveragePoolOp, ChannelMeanOp, ChannelMaxOp,
                    BranchSoftmaxOp, LinearOp, BatchNormOp, LayerNormOp,
                    GroupNormOp, ReluOp, ClipOp, SigmoidOp, HardSigmoidOp,
                    HardSwishOp, MaxPoolOp, AveragePoolOp, GlobalAveragePoolOp,
                    AddOp, MultiplyOp, ConcatOp, SliceChannelsOp,
                    ChannelShuffleOp, DropoutOp, LocalResponseNormOp,
                    LeakyReluOp, PReluOp, EluOp, GeluOp, SiluOp, SoftplusOp,
                    MishOp, LayerScaleOp, DropPathOp, PadOp, SpaceToDepthOp,
                    DepthToSpaceOp>(
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

private:
  static std::vector<std::string> reservedNames(const NetworkWeights &weights) {
    std::vector<std::string> names = weights.names();
    names.insert(names.end(), {imageName, logitsName});
    return names;
  }

  static OnnxShape mapShape(Value value) {
    MapShape shape = shapeOf(value);
    return {shape.channels, shape.height, shape.width};
  }
  static OnnxShape vectorShape(Value value) {
    MapShape shape = shapeOf(value);
    return {shape.channels * shape.height * shape.width};
  }

  /// (pixel - mean) / scale.
  std::string normalise() {
    MapShape image = network.getImageShape();
    int64_t pixels = image.height * image.width;
    ArrayRef<float> mean = weights.inputMean();
    std::vector<float> planes(mean.size());
    for (int64_t pixel = 0; pixel < pixels; ++pixel)
      for (int64_t channel = 0; channel < image.channels; ++channel)
        planes[channel * pixels + pixel] =
            mean[pixel * image.channels + channel];
    std::string means = graph.constant(
        "input.mean", {1, image.channels, image.height, image.width}, planes);
    std::string scales = graph.constant(
        "input.scale", {1, image.channels, 1, 1}, weights.inputScale());
    OnnxShape shape = {image.channels, image.height, image.width};
    std::string centred =
        graph.node("Sub", "image.centred", {imageName, means}, shape).output();
    return graph.node("Div", "image.normalised", {centred, scales}, shape)
        .output();
  }

  //===--------------------------------------------------------------------===//
  // Values
  //===--------------------------------------------------------------------===//

  std::string mapOf(Value value) {
    Names &names = values[value];
    if (names.map.empty()) {
      if (unitAxes.empty())
        unitAxes = graph.constant("unit.axes", ArrayRef<int64_t>{2, 3});
      names.map = graph
                      .node("Unsqueeze", label + ".map",
                            {names.vector, unitAxes}, mapShape(value))
                      .output();
    }
    return names.map;
  }

  std::string vectorOf(Value value) {
    Names &names = values[value];
    if (names.vector.empty())
      names.vector = graph
                         .node("Flatten", label + ".vector", {names.map},
                               vectorShape(value))
                         .integer("axis", 1)
                         .output();
    return names.vector;
  }

  /// A node that takes maps and makes one.
  NodeAttributes mapNode(StringRef type, Value result,
                         ArrayRef<std::string> inputs) {
    return graph.node(type, label, inputs, mapShape(result));
  }

  /// A node that does the same to maps and vectors: vectors if all are.
  Names sameRank(StringRef type, Value result, ValueRange operands,
                 ArrayRef<std::string> others = {},
                 llvm::function_ref<void(NodeAttributes)> set = nullptr) {
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

  /// One that needs no more than its operands.
  Names plain(StringRef type, Operation *op) {
    return sameRank(type, op->getResult(0), op->getOperands());
  }

  /// Nodes that compute point by point, in steps; the last is the layer's.
  class Steps {
  public:
    Steps(LayerExporter &exporter, Operation *op)
        : x(), exporter(exporter),
          vectors(exporter.values[op->getOperand(0)].madeVector),
          shape(vectors ? vectorShape(op->getResult(0))
                        : mapShape(op->getResult(0))) {
      Value input = op->getOperand(0);
      x = vectors ? exporter.vectorOf(input) : exporter.mapOf(input);
    }
    NodeAttributes node(StringRef type, ArrayRef<std::string> inputs,
                        StringRef suffix = "") {
      return exporter.graph.node(type, exporter.label + suffix.str(), inputs,
                                 shape);
    }
    std::string operator()(StringRef type, StringRef suffix,
                           ArrayRef<std::string> inputs) {
      return node(type, inputs, suffix).output();
    }
    /// One number, called as the layer and `suffix`.
    std::string number(StringRef suffix, double value) {
      return exporter.graph.constant(exporter.label + suffix.str(),
                                     /*shape=*/{}, static_cast<float>(value));
    }
    Names result(std::string name) {
      return vectors ? asVector(std::move(name)) : asMap(std::move(name));
    }
    /// A parameter of one value a channel, or of one value.
    std::string parameter(StringRef role, int64_t size) {
      SmallVector<int64_t> sizes = {size};
      if (!vectors)
        sizes.append({1, 1});
      return exporter.tensor(role, sizes, [](ArrayRef<float> from, float *to) {
        llvm::copy(from, to);
      });
    }

    std::string x; ///< the layer's input

  private:
    LayerExporter &exporter;
    bool vectors;
    OnnxShape shape;
  };

  //===--------------------------------------------------------------------===//
  // Parameters
  //===--------------------------------------------------------------------===//

  std::string tensor(StringRef role, ArrayRef<int64_t> shape,
                     llvm::function_ref<void(ArrayRef<float>, float *)> fill) {
    std::string name = label + "." + role.str();
    return graph.floats(name, shape,
                        [&](float *to) { fill(weights[name], to); });
  }

  std::string vector(StringRef role, int64_t size) {
    return tensor(role, size, [](ArrayRef<float> from, float *to) {
      llvm::copy(from, to);
    });
  }

  /// `shape` [O,H,W,I] of the weights, to [O,I,H,W]; `declared` is how the file
  /// has it.
  std::string filter(StringRef role, std::array<int64_t, 4> shape,
                     ArrayRef<int64_t> declared,
                     std::optional<APFloat> standardize = std::nullopt) {
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

  //===--------------------------------------------------------------------===//
  // Layers
  //===--------------------------------------------------------------------===//

  /// The weights as the convolution has them, standardised.
  std::vector<float> standardised(double epsilon, ArrayRef<float> weights,
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
        result[output * count + i] =
            static_cast<float>((own[i] - mean) * factor);
    }
    return result;
  }

  Names emit(Conv2dOp op) {
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

  Names emit(Conv2dTransposeOp op) {
    int64_t height = op.getKernel()[0], width = op.getKernel()[1];
    int64_t channels = shapeOf(op.getInput()).channels;
    int64_t outputs = op.getFilters() / op.getGroups();
    std::vector<std::string> operands = {
        mapOf(op.getInput()),
        filter("filter", {channels, height, width, outputs},
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

  Names emit(ResizeOp op) {
    MapShape shape = shapeOf(op.getInput());
    // The batch is a factor of one, so sizes cannot be given: they are factors.
    std::vector<float> factors = {1, 1};
    const int64_t from[] = {shape.height, shape.width};
    for (int d : {0, 1})
      factors.push_back(factorOf(from[d], op.getSize()[d]));
    std::string scales = graph.constant(label + ".factors", 4, factors);
    NodeAttributes node =
        mapNode("Resize", op.getResult(), {mapOf(op.getInput()), "", scales});
    node.text("mode", op.getMode() == "nearest" ? "nearest" : "linear")
        .text("coordinate_transformation_mode", op.getCoordinates());
    if (op.getMode() == "nearest")
      node.text("nearest_mode", op.getRound());
    return asMap(node.output());
  }

  /// The float that makes `to` of `from`: their ratio, a step larger where its
  /// rounding would make one less.
  static float factorOf(int64_t from, int64_t to) {
    auto factor = static_cast<float>(static_cast<double>(to) / from);
    while (std::floor(static_cast<double>(factor) * from) < to)
      factor = std::nextafter(factor, std::numeric_limits<float>::infinity());
    return factor;
  }

  FailureOr<Names> emit(AdaptiveAveragePoolOp op) {
    MapShape shape = shapeOf(op.getInput());
    ArrayRef<int64_t> size = op.getSize();
    if (shape.height % size[0] != 0 || shape.width % size[1] != 0)
      return op.emitError("has no form in an ONNX file where its size does not "
                          "divide the map, ")
             << shape.height << "x" << shape.width
             << "; choose a divisor, or another --image";
    const int64_t window[] = {shape.height / size[0], shape.width / size[1]};
    return asMap(mapNode("AveragePool", op.getResult(), mapOf(op.getInput()))
                     .integers("kernel_shape", window)
                     .integers("strides", window)
                     .output());
  }

  Names emit(ChannelMeanOp op) { return overChannels("ReduceMean", op); }
  Names emit(ChannelMaxOp op) { return overChannels("ReduceMax", op); }
  Names overChannels(StringRef type, Operation *op) {
    return asMap(mapNode(type, op->getResult(0), mapOf(op->getOperand(0)))
                     .integers("axes", {1})
                     .integer("keepdims", 1)
                     .output());
  }

  /// The branches as a dimension.
  Names emit(BranchSoftmaxOp op) {
    MapShape shape = shapeOf(op.getInput());
    int64_t branches = op.getBranches();
    int64_t rest = shape.channels / branches * shape.height * shape.width;
    // A size of 0 is the input's: the batch.
    std::string apart =
        graph.constant(label + ".branches.shape", {0, branches, rest});
    std::string together = graph.constant(
        label + ".shape", {0, shape.channels, shape.height, shape.width});
    std::string parts =
        graph
            .node("Reshape", label + ".branches", {mapOf(op.getInput()), apart},
                  {branches, rest})
            .output();
    std::string weights =
        graph.node("Softmax", label + ".weights", {parts}, {branches, rest})
            .integer("axis", 1)
            .output();
    return asMap(
        mapNode("Reshape", op.getResult(), {weights, together}).output());
  }

  Names emit(LinearOp op) {
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

  /// Not folded, so that what reads the file can train it on.
  Names emit(BatchNormOp op) {
    int64_t channels = shapeOf(op.getInput()).channels;
    std::vector<std::string> parameters;
    for (StringRef role : {"scale", "offset", "mean", "variance"})
      parameters.push_back(vector(role, channels));
    return sameRank("BatchNormalization", op.getResult(), op.getInput(),
                    parameters, [&](NodeAttributes node) {
                      // ONNX's is the share of the old value.
                      node.real("epsilon", op.getEpsilon().convertToDouble())
                          .real("momentum",
                                1 - op.getMomentum().convertToDouble());
                    });
  }

  /// A node that sees the channels as the last dimension.
  Names emit(LayerNormOp op) {
    Value input = op.getInput(), result = op.getResult();
    int64_t channels = shapeOf(input).channels;
    std::vector<std::string> operands = {"", vector("scale", channels),
                                         vector("offset", channels)};
    auto normalise = [&](StringRef name, const OnnxShape &shape) {
      return graph.node("LayerNormalization", name, operands, shape)
          .integer("axis", -1)
          .real("epsilon", op.getEpsilon().convertToDouble())
          .output();
    };
    if (values[input].madeVector) {
      operands[0] = vectorOf(input);
      return asVector(normalise(label, vectorShape(result)));
    }
    MapShape map = shapeOf(input);
    OnnxShape last = {map.height, map.width, map.channels};
    operands[0] =
        graph.node("Transpose", label + ".channels_last", {mapOf(input)}, last)
            .integers("perm", {0, 2, 3, 1})
            .output();
    std::string normal = normalise(label + ".normalised", last);
    return asMap(mapNode("Transpose", result, normal)
                     .integers("perm", {0, 3, 1, 2})
                     .output());
  }

  /// As PyTorch writes it, since opset 17 has no other form: an instance norm
  /// of the groups, then scale and offset.
  Names emit(GroupNormOp op) {
    Value input = op.getInput(), result = op.getResult();
    MapShape shape = shapeOf(input);
    int64_t groups = op.getGroups(), channels = shape.channels;
    double epsilon = op.getEpsilon().convertToDouble();
    if (groups == channels)
      return asMap(mapNode("InstanceNormalization", result,
                           {mapOf(input), vector("scale", channels),
                            vector("offset", channels)})
                       .real("epsilon", epsilon)
                       .output());
    int64_t rest = channels / groups * shape.height * shape.width;
    // A size of 0 is the input's: the batch.
    std::string apart =
        graph.constant(label + ".groups.shape", {0, groups, rest});
    std::string together = graph.constant(
        label + ".shape", {0, channels, shape.height, shape.width});
    std::string parts = graph
                            .node("Reshape", label + ".groups",
                                  {mapOf(input), apart}, {groups, rest})
                            .output();
    std::vector<float> ones(size_t(groups), 1), zeros(size_t(groups), 0);
    std::string normal =
        graph
            .node("InstanceNormalization", label + ".normalised",
                  {parts, graph.constant(label + ".ones", groups, ones),
                   graph.constant(label + ".zeros", groups, zeros)},
                  {groups, rest})
            .real("epsilon", epsilon)
            .output();
    std::string joined = graph
                             .node("Reshape", label + ".joined",
                                   {normal, together}, mapShape(result))
                             .output();
    auto perChannel = [&](StringRef role) {
      return tensor(
          role, {channels, 1, 1},
          [](ArrayRef<float> from, float *to) { llvm::copy(from, to); });
    };
    std::string scaled =
        graph
            .node("Mul", label + ".scaled", {joined, perChannel("scale")},
                  mapShape(result))
            .output();
    return asMap(
        mapNode("Add", result, {scaled, perChannel("offset")}).output());
  }

  Names emit(ReluOp op) { return plain("Relu", op); }
  Names emit(SigmoidOp op) { return plain("Sigmoid", op); }
  Names emit(HardSwishOp op) { return plain("HardSwish", op); }
  Names emit(SoftplusOp op) { return plain("Softplus", op); }
  Names emit(AddOp op) { return plain("Add", op); }
  /// Broadcast by ONNX's rules, maps and vectors alike.
  Names emit(MultiplyOp op) { return plain("Mul", op); }

  /// A bound is a tensor, and a bound that is not there has no name.
  Names emit(ClipOp op) {
    if (!op.getMin() && !op.getMax())
      return values[op.getInput()];
    auto bound = [&](StringRef role, std::optional<APFloat> value) {
      if (!value)
        return std::string();
      return graph.constant(label + "." + role.str(), /*shape=*/{},
                            static_cast<float>(value->convertToDouble()));
    };
    SmallVector<std::string> bounds = {bound("min", op.getMin())};
    if (op.getMax())
      bounds.push_back(bound("max", op.getMax()));
    return sameRank("Clip", op.getResult(), op.getInput(), bounds);
  }

  Names emit(HardSigmoidOp op) {
    return sameRank("HardSigmoid", op.getResult(), op.getInput(), {},
                    [&](NodeAttributes node) {
                      node.real("alpha", op.getAlpha().convertToDouble())
                          .real("beta", op.getBeta().convertToDouble());
                    });
  }

  Names emit(LeakyReluOp op) {
    return sameRank("LeakyRelu", op.getResult(), op.getInput(), {},
                    [&](NodeAttributes node) {
                      node.real("alpha", op.getAlpha().convertToDouble());
                    });
  }

  Names emit(PReluOp op) {
    Steps steps(*this, op);
    int64_t slopes = op.getShared() ? 1 : shapeOf(op.getInput()).channels;
    return steps.result(
        steps("PRelu", "", {steps.x, steps.parameter("slope", slopes)}));
  }

  Names emit(LayerScaleOp op) {
    Steps steps(*this, op);
    int64_t channels = shapeOf(op.getInput()).channels;
    return steps.result(
        steps("Mul", "", {steps.x, steps.parameter("scale", channels)}));
  }

  /// In general scale / s elu(s x), of an alpha s times ours.
  Names emit(EluOp op) {
    Steps steps(*this, op);
    double alpha = op.getAlpha().convertToDouble(),
           scale = op.getScale().convertToDouble(),
           inputScale = op.getInputScale().convertToDouble();
    if (inputScale == 1 && scale == 1)
      return steps.result(
          steps.node("Elu", {steps.x}).real("alpha", alpha).output());
    if (inputScale == 1)
      return steps.result(steps.node("Selu", {steps.x})
                              .real("alpha", alpha)
                              .real("gamma", scale)
                              .output());
    std::string inner =
        steps("Mul", ".inner", {steps.x, steps.number(".s", inputScale)});
    std::string unit = steps.node("Elu", {inner}, ".elu")
                           .real("alpha", alpha * inputScale)
                           .output();
    return steps.result(
        steps("Mul", "", {unit, steps.number(".outer", scale / inputScale)}));
  }

  /// As PyTorch's exporters write it: the operator is of opset 20.
  Names emit(GeluOp op) {
    Steps steps(*this, op);
    std::string x = steps.x, inner;
    if (op.getTanh()) {
      std::string square = steps("Mul", ".square", {x, x});
      std::string cube = steps("Mul", ".cube", {square, x});
      std::string term =
          steps("Mul", ".term", {cube, steps.number(".cubic", 0.044715)});
      std::string sum = steps("Add", ".sum", {x, term});
      inner = steps("Tanh", ".tanh",
                    {steps("Mul", ".inner",
                           {sum, steps.number(".beta", std::sqrt(2 / M_PI))})});
    } else {
      inner = steps(
          "Erf", ".erf",
          {steps("Div", ".inner", {x, steps.number(".root", std::sqrt(2))})});
    }
    std::string share =
        steps("Add", ".share", {inner, steps.number(".one", 1)});
    std::string twice = steps("Mul", ".twice", {x, share});
    return steps.result(steps("Mul", "", {twice, steps.number(".half", 0.5)}));
  }

  Names emit(SiluOp op) {
    Steps steps(*this, op);
    std::string gate = steps("Sigmoid", ".sigmoid", {steps.x});
    return steps.result(steps("Mul", "", {steps.x, gate}));
  }

  /// The operator is of opset 18.
  Names emit(MishOp op) {
    Steps steps(*this, op);
    std::string gate =
        steps("Tanh", ".tanh", {steps("Softplus", ".softplus", {steps.x})});
    return steps.result(steps("Mul", "", {steps.x, gate}));
  }

  /// What the last windows reach beyond the input, at least the declared pad.
  /// With these pads the floor of the size formula gives `result`. `ceil_mode`
  /// would do the same, but what it does with windows that start beyond the
  /// map, and with the divisor of averages, varies among versions of ONNX.
  template <typename PoolOp> std::array<int64_t, 4> reach(PoolOp op) {
    MapShape in = shapeOf(op.getInput()), out = shapeOf(op.getResult());
    ArrayRef<int64_t> kernel = op.getKernel(), stride = op.getStride(),
                      pad = op.getPad();
    return {pad[0], pad[1],
            std::max(pad[2], (out.height - 1) * stride[0] + kernel[0] -
                                 in.height - pad[0]),
            std::max(pad[3], (out.width - 1) * stride[1] + kernel[1] -
                                 in.width - pad[1])};
  }

  Names emit(MaxPoolOp op) {
    return asMap(mapNode("MaxPool", op.getResult(), mapOf(op.getInput()))
                     .integers("kernel_shape", op.getKernel())
                     .integers("strides", op.getStride())
                     .integers("pads", reach(op))
                     .output());
  }

  /// Padding that counts but is not in the pads is added by a node of its own;
  /// what the pool pads then never counts.
  Names emit(AveragePoolOp op) {
    ArrayRef<int64_t> pad = op.getPad();
    std::array<int64_t, 4> pads = reach(op);
    std::string input = mapOf(op.getInput());
    bool counts = !op.getExcludePad() &&
                  llvm::any_of(pad, [](int64_t size) { return size > 0; });
    if (counts && ArrayRef<int64_t>(pads) != pad) {
      std::string amounts = graph.constant(
          label + ".pads", {0, 0, pad[0], pad[1], 0, 0, pad[2], pad[3]});
      OnnxShape shape = mapShape(op.getInput());
      shape[1] += pad[0] + pad[2];
      shape[2] += pad[1] + pad[3];
      input =
          graph.node("Pad", label + ".pad", {input, amounts}, shape).output();
      pads = {0, 0, pads[2] - pad[2], pads[3] - pad[3]};
      counts = false;
    }
    return asMap(mapNode("AveragePool", op.getResult(), input)
                     .integers("kernel_shape", op.getKernel())
                     .integers("strides", op.getStride())
                     .integers("pads", pads)
                     .integer("count_include_pad", counts)
                     .output());
  }

  Names emit(GlobalAveragePoolOp op) {
    return asMap(
        mapNode("GlobalAveragePool", op.getResult(), mapOf(op.getInput()))
            .output());
  }

  Names emit(ConcatOp op) {
    return sameRank("Concat", op.getResult(), op.getInputs(), {},
                    [](NodeAttributes node) { node.integer("axis", 1); });
  }

  Names emit(SliceChannelsOp op) {
    if (op.getResult().getType() == op.getInput().getType())
      return values[op.getInput()];
    std::vector<std::string> range = {
        graph.constant(label + ".begin", op.getBegin()),
        graph.constant(label + ".end", op.getEnd()),
        graph.constant(label + ".axis", 1)};
    return sameRank("Slice", op.getResult(), op.getInput(), range);
  }

  /// The channels as a matrix, transposed.
  Names emit(ChannelShuffleOp op) {
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

  Names emit(DropoutOp op) { return values[op.getInput()]; }
  Names emit(DropPathOp op) { return values[op.getInput()]; }

  std::string padNode(StringRef name, const std::string &input,
                      ArrayRef<int64_t> pad, const OnnxShape &shape,
                      bool reflect) {
    std::string amounts = graph.constant(
        name.str() + ".pads", {0, 0, pad[0], pad[1], 0, 0, pad[2], pad[3]});
    return graph.node("Pad", name, {input, amounts}, shape)
        .text("mode", reflect ? "reflect" : "constant")
        .output();
  }

  /// A crop is a negative pad; a reflection comes behind it.
  Names emit(PadOp op) {
    std::string x = mapOf(op.getInput());
    OnnxShape shape = mapShape(op.getResult());
    SmallVector<int64_t> pad(op.getPad());
    if (!op.getReflect()) {
      for (auto [size, crop] : llvm::zip_equal(pad, op.getCrop()))
        size -= crop;
      return asMap(padNode(label, x, pad, shape, /*reflect=*/false));
    }
    if (llvm::any_of(op.getCrop(), [](int64_t size) { return size > 0; })) {
      SmallVector<int64_t> crop;
      for (int64_t size : op.getCrop())
        crop.push_back(-size);
      OnnxShape cropped = {shape[0], shape[1] - pad[0] - pad[2],
                           shape[2] - pad[1] - pad[3]};
      x = padNode(label + ".crop", x, crop, cropped, /*reflect=*/false);
    }
    return asMap(padNode(label, x, pad, shape, /*reflect=*/true));
  }

  /// The operator has but one order of channels.
  Names emit(SpaceToDepthOp op) {
    std::string x = mapOf(op.getInput());
    int64_t block = op.getBlock();
    if (!op.getCrd())
      return asMap(mapNode("SpaceToDepth", op.getResult(), x)
                       .integer("blocksize", block)
                       .output());
    MapShape in = shapeOf(op.getInput()), out = shapeOf(op.getResult());
    // A size of 0 is the input's: the batch.
    std::string apart =
        graph.constant(label + ".blocks.shape",
                       {0, in.channels, out.height, block, out.width, block});
    std::string together = graph.constant(
        label + ".shape", {0, out.channels, out.height, out.width});
    std::string blocks =
        graph
            .node("Reshape", label + ".blocks", {x, apart},
                  {in.channels, out.height, block, out.width, block})
            .output();
    std::string transposed =
        graph
            .node("Transpose", label + ".transposed", {blocks},
                  {in.channels, block, block, out.height, out.width})
            .integers("perm", {0, 1, 3, 5, 2, 4})
            .output();
    return asMap(
        mapNode("Reshape", op.getResult(), {transposed, together}).output());
  }

  Names emit(DepthToSpaceOp op) {
    return asMap(mapNode("DepthToSpace", op.getResult(), mapOf(op.getInput()))
                     .integer("blocksize", op.getBlock())
                     .text("mode", op.getCrd() ? "CRD" : "DCR")
                     .output());
  }

  /// Windows wider than all channels, which an engine might make room for, are
  /// cut to those that matter.
  Names emit(LocalResponseNormOp op) {
    int64_t size = std::min<int64_t>(op.getSize(),
                                     2 * shapeOf(op.getInput()).channels - 1);
    double share = static_cast<double>(size) / op.getSize();
    return asMap(mapNode("LRN", op.getResult(), mapOf(op.getInput()))
                     .integer("size", size)
                     .real("alpha", op.getAlpha().convertToDouble() * share)
                     .real("beta", op.getBeta().convertToDouble())
                     .real("bias", op.getK().convertToDouble())
                     .output());
  }

  NetworkOp network;
  NetworkLayers layers;
  const NetworkWeights &weights;
  GraphBuilder graph;
  llvm::DenseMap<Value, Names> values;
  std::string label; ///< of the layer at hand
  std::string unitAxes;
};
} // namespace

LogicalResult rootc::exportLayers(NetworkOp network,
                                  const NetworkWeights &weights, bool pixels,
                                  onnx::GraphProto &graph) {
  graph.set_name(network.getSymName().str());
  return LayerExporter(network, weights, graph).run(pixels);
}
