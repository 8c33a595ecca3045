//===- ForwardBuilder.cpp - Layers to primitive ops -----------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lib/Transforms/ForwardBuilder.h"
#include "dialect/Frozen.h"
#include "dialect/LossAttributes.h"
#include "dialect/MaxPoolIndex.h"
#include "lib/Analysis/LayerGraph.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace rootc;
using namespace rootc::root;

//===----------------------------------------------------------------------===//
// NetworkLayers
//===----------------------------------------------------------------------===//

NetworkLayers::NetworkLayers(NetworkOp network) : network(network) {
  usedInTraining = usedLayers(network, /*training=*/true);
  usedInInference = usedLayers(network, /*training=*/false);

  labels = labelLayers(network);
  for (Operation &op : network.getBody().front())
    if (isa<DropoutOp, DropPathOp>(op))
      ordinals.insert({&op, ordinals.size()});
}

//===----------------------------------------------------------------------===//
// ForwardBuilder
//===----------------------------------------------------------------------===//

RankedTensorType rootc::tensorOf(Value value) {
  SmallVector<int64_t> shape = {ShapedType::kDynamic};
  llvm::append_range(shape, imageOf(value).getShape());
  return RankedTensorType::get(shape, Float32Type::get(value.getContext()));
}

ForwardBuilder::ForwardBuilder(const NetworkLayers &layers, ProgramOp program,
                               bool training, OpBuilder *arena)
    : layers(layers), training(training), arena(arena),
      builder(OpBuilder::atBlockEnd(&program.getBody().front())) {}

Value ForwardBuilder::argument(ArgumentKind kind, ArrayRef<int64_t> shape,
                               Type element) {
  NetworkOp network = layers.network;
  return ArgumentOp::create(builder, network.getLoc(),
                            RankedTensorType::get(shape, element), kind);
}

void ForwardBuilder::build() {
  NetworkOp network = layers.network;
  Value image = network.getImageArgument();
  values[image] = argument(ArgumentKind::Image, tensorOf(image).getShape(),
                           builder.getF32Type());
  for (Operation &op : network.getBody().front()) {
    if (!layers.isUsed(&op, training) || op.getNumResults() == 0)
      continue;
    values[op.getResult(0)] =
        llvm::TypeSwitch<Operation *, Value>(&op)
            .Case<Conv2dOp, Conv2dTransposeOp, ResizeOp, AdaptiveAveragePoolOp,
                  ChannelMeanOp, ChannelMaxOp, BranchSoftmaxOp, LinearOp,
                  BatchNormOp, LayerNormOp, GroupNormOp, ReluOp, ClipOp,
                  SigmoidOp, HardSigmoidOp, HardSwishOp, MaxPoolOp,
                  AveragePoolOp, GlobalAveragePoolOp, AddOp, MultiplyOp,
                  ConcatOp, SliceChannelsOp, ChannelShuffleOp, DropoutOp,
                  LocalResponseNormOp, LeakyReluOp, PReluOp, EluOp, GeluOp,
                  SiluOp, SoftplusOp, MishOp, LayerScaleOp, DropPathOp, PadOp,
                  SpaceToDepthOp, DepthToSpaceOp>(
                [&](auto layer) { return emit(layer); });
  }
  if (training) {
    emitLosses();
    return;
  }
  OutputOp output = network.getOutput();
  StoreOp::create(builder, output.getLoc(), StoreKind::Logits, "",
                  at(output.getLogits()));
}

/// The output's loss plus the auxiliary classifiers', weighted.
void ForwardBuilder::emitLosses() {
  NetworkOp network = layers.network;
  Type scalar = RankedTensorType::get(1, builder.getF32Type());
  Value labels = argument(ArgumentKind::Labels, ShapedType::kDynamic,
                          builder.getI64Type());
  auto lossOf = [&](Operation *op, Value logits) -> Value {
    PrimBuilder b = prims(op);
    return b.make<PrimSoftmaxCrossEntropyOp>(
        scalar, {at(logits), labels},
        b.attributes().copy(network.getOutput(), lossAttributeNames));
  };
  OutputOp output = network.getOutput();
  SmallVector<Value> losses = {lossOf(output, output.getLogits())};
  SmallVector<double> weights = {1.0};
  for (auto auxiliary : network.getBody().getOps<AuxiliaryOp>()) {
    losses.push_back(lossOf(auxiliary, auxiliary.getLogits()));
    weights.push_back(auxiliary.getWeight().convertToDouble());
  }
  Value loss = losses[0];
  if (losses.size() > 1) {
    PrimBuilder b = prims(output);
    Attributes attributes = b.attributes();
    attributes.list.set("weights", builder.getDenseF64ArrayAttr(weights));
    loss = b.make<PrimWeightedSumOp>(scalar, losses, attributes);
  }
  StoreOp::create(builder, output.getLoc(), StoreKind::Loss, "", loss);
}

//===----------------------------------------------------------------------===//
// Parameters
//===----------------------------------------------------------------------===//

void ForwardBuilder::declare(Operation *op, TensorKind kind, StringRef name,
                             StringRef role, ArrayRef<int64_t> shape,
                             int64_t fanIn) {
  if (arena)
    ArenaTensorOp::create(*arena, op->getLoc(), kind, name, role, fanIn,
                          RankedTensorType::get(shape, builder.getF32Type()),
                          IntegerAttr());
}

Value ForwardBuilder::parameter(Operation *op, StringRef layer, StringRef role,
                                ArrayRef<int64_t> shape, int64_t fanIn,
                                ArrayRef<int64_t> declared) {
  std::string name = tensorName(layer, role);
  auto type = RankedTensorType::get(shape, builder.getF32Type());
  if (isFrozen(op)) {
    declare(op, TensorKind::Statistic, name, role, declared, fanIn);
    return StatisticOp::create(builder, op->getLoc(), type, name);
  }
  declare(op, TensorKind::Parameter, name, role, declared, fanIn);
  return ParameterOp::create(builder, op->getLoc(), type, name);
}

Value ForwardBuilder::vector(Operation *op, StringRef layer, StringRef role,
                             int64_t channels) {
  return parameter(op, layer, role, channels, /*fanIn=*/0, channels);
}

Value ForwardBuilder::statistic(Operation *op, StringRef layer, StringRef role,
                                int64_t channels) {
  std::string name = tensorName(layer, role);
  declare(op, TensorKind::Statistic, name, role, channels, /*fanIn=*/0);
  return StatisticOp::create(
      builder, op->getLoc(),
      RankedTensorType::get(channels, builder.getF32Type()), name);
}

//===----------------------------------------------------------------------===//
// Layers
//===----------------------------------------------------------------------===//

Value ForwardBuilder::emit(Conv2dOp op) {
  ImageType input = imageOf(op.getInput());
  int64_t filters = op.getFilters(), groups = op.getGroups();
  ArrayRef<int64_t> kernel = op.getKernel();
  int64_t inGroup = input.getChannels() / groups;
  SmallVector<int64_t> shape = {filters, kernel[0], kernel[1], inGroup};
  SmallVector<Value> operands = {
      at(op.getInput()), parameter(op, op.getLayer(), "filter", shape,
                                   kernel[0] * kernel[1] * inGroup, shape)};
  PrimBuilder b = prims(op);
  if (std::optional<APFloat> epsilon = op.getStandardize())
    operands[1] = b.make<PrimStandardizeFilterOp>(
        operands[1].getType(),
        {operands[1], vector(op, op.getLayer(), "gain", filters)},
        b.attributes().real("epsilon", epsilon->convertToDouble()));
  if (op.getBias())
    operands.push_back(vector(op, op.getLayer(), "bias", filters));
  return b.make<PrimConv2dOp>(
      tensorOf(op.getResult()), operands,
      b.attributes()
          .ints("kernel", kernel)
          .ints("stride", op.getStride())
          .ints("pad", op.getPad())
          .ints("dilation", op.getDilation())
          .integer("groups", groups)
          .integer("filters", filters)
          .ints("input", {input.getHeight(), input.getWidth()})
          .integer("block", 0));
}

/// A convolution whose kernel is the whole map.
Value ForwardBuilder::emit(LinearOp op) {
  ImageType input = imageOf(op.getInput());
  int64_t outputs = op.getOutputs();
  int64_t inputs = input.getHeight() * input.getWidth() * input.getChannels();
  SmallVector<int64_t> shape = {outputs, input.getHeight(), input.getWidth(),
                                input.getChannels()};
  SmallVector<Value> operands = {
      at(op.getInput()),
      parameter(op, op.getLayer(), "weight", shape, inputs, {outputs, inputs})};
  if (op.getBias())
    operands.push_back(vector(op, op.getLayer(), "bias", outputs));
  PrimBuilder b = prims(op);
  ArrayRef<int64_t> map = input.getShape().take_front(2);
  return b.make<PrimConv2dOp>(tensorOf(op.getResult()), operands,
                              b.attributes()
                                  .ints("kernel", map)
                                  .ints("stride", {1, 1})
                                  .ints("pad", {0, 0, 0, 0})
                                  .ints("dilation", {1, 1})
                                  .integer("groups", 1)
                                  .integer("filters", outputs)
                                  .ints("input", map)
                                  .integer("block", 0));
}

template <typename PoolOp>
static Attributes windowAttributes(PrimBuilder &b, PoolOp op) {
  return b.attributes()
      .ints("kernel", op.getKernel())
      .ints("stride", op.getStride())
      .ints("pad", op.getPad())
      .ints("output", imageOf(op.getResult()).getShape().take_front(2));
}

/// Training keeps the place of each maximum.
Value ForwardBuilder::emit(MaxPoolOp op) {
  PrimBuilder b = prims(op);
  RankedTensorType type = tensorOf(op.getResult());
  Attributes attributes = windowAttributes(b, op);
  if (!training)
    return b.make<PrimMaxPoolOp>(type, at(op.getInput()), attributes);
  auto index = RankedTensorType::get(
      type.getShape(), maxPoolIndexType(op.getContext(), op.getKernel()));
  return b
      .make<PrimMaxPoolWithIndexOp>({type, index}, at(op.getInput()),
                                    attributes)
      .getY();
}

Value ForwardBuilder::emit(AveragePoolOp op) {
  PrimBuilder b = prims(op);
  return b.make<PrimAveragePoolOp>(
      tensorOf(op.getResult()), at(op.getInput()),
      windowAttributes(b, op)
          .integer("exclude_pad", op.getExcludePad())
          .ints("input", imageOf(op.getInput()).getShape().take_front(2)));
}

Value ForwardBuilder::emit(GlobalAveragePoolOp op) {
  PrimBuilder b = prims(op);
  return b.make<PrimGlobalAveragePoolOp>(
      tensorOf(op.getResult()), at(op.getInput()),
      b.attributes().ints("input",
                          imageOf(op.getInput()).getShape().take_front(2)));
}

Value ForwardBuilder::emit(AddOp op) {
  return prims(op).make<PrimAddOp>(tensorOf(op.getResult()),
                                   {at(op.getLhs()), at(op.getRhs())});
}

Value ForwardBuilder::emit(MultiplyOp op) {
  return prims(op).make<PrimMultiplyOp>(tensorOf(op.getResult()),
                                        {at(op.getLhs()), at(op.getRhs())});
}

Value ForwardBuilder::emit(ConcatOp op) {
  SmallVector<Value> inputs = llvm::map_to_vector(
      op.getInputs(), [&](Value input) { return at(input); });
  return prims(op).make<PrimConcatOp>(tensorOf(op.getResult()), inputs);
}

/// All channels are no slice.
Value ForwardBuilder::emit(SliceChannelsOp op) {
  Value x = at(op.getInput());
  RankedTensorType type = tensorOf(op.getResult());
  if (type == x.getType())
    return x;
  PrimBuilder b = prims(op);
  return b.make<PrimSliceChannelsOp>(type, x,
                                     b.attributes()
                                         .integer("begin", op.getBegin())
                                         .integer("end", op.getEnd()));
}

/// One row, or rows of one channel, stay as they are.
Value ForwardBuilder::emit(ChannelShuffleOp op) {
  Value x = at(op.getInput());
  if (op.getGroups() == 1 ||
      op.getGroups() == imageOf(op.getInput()).getChannels())
    return x;
  PrimBuilder b = prims(op);
  return b.make<PrimChannelShuffleOp>(
      x.getType(), x, b.attributes().integer("groups", op.getGroups()));
}

/// All pads and crops of zeros are one; what is reflected is cropped before.
Value ForwardBuilder::emit(PadOp op) {
  Value x = at(op.getInput());
  RankedTensorType type = tensorOf(op.getResult());
  PrimBuilder b = prims(op);
  auto any = [](ArrayRef<int64_t> sizes) {
    return llvm::any_of(sizes, [](int64_t size) { return size != 0; });
  };
  SmallVector<int64_t> pad(op.getPad());
  if (!op.getReflect() || any(op.getCrop())) {
    SmallVector<int64_t> border, shape(type.getShape());
    for (auto [size, crop] : llvm::zip_equal(pad, op.getCrop()))
      border.push_back((op.getReflect() ? 0 : size) - crop);
    if (op.getReflect())
      for (int d : {0, 1})
        shape[1 + d] -= pad[d] + pad[d + 2];
    if (any(border))
      x = b.make<PrimPadOp>(type.clone(shape), x,
                            b.attributes().ints("pad", border));
  }
  if (op.getReflect() && any(pad))
    x = b.make<PrimReflectPadOp>(type, x, b.attributes().ints("pad", pad));
  return x;
}

template <typename BlockOp>
static Attributes blockAttributes(PrimBuilder &b, BlockOp op) {
  return b.attributes()
      .integer("block", op.getBlock())
      .text("mode", op.getCrd() ? "crd" : "dcr");
}

Value ForwardBuilder::emit(SpaceToDepthOp op) {
  PrimBuilder b = prims(op);
  return b.make<PrimSpaceToDepthOp>(tensorOf(op.getResult()), at(op.getInput()),
                                    blockAttributes(b, op));
}

Value ForwardBuilder::emit(DepthToSpaceOp op) {
  PrimBuilder b = prims(op);
  return b.make<PrimDepthToSpaceOp>(tensorOf(op.getResult()), at(op.getInput()),
                                    blockAttributes(b, op));
}

void ForwardBuilder::readRandom() {
  if (random)
    return;
  random = argument(ArgumentKind::Random, 2, builder.getI64Type());
  samples = argument(ArgumentKind::Samples, ShapedType::kDynamic,
                     builder.getI64Type());
}

/// Only training drops anything, and only at a rate.
Value ForwardBuilder::emit(DropoutOp op) {
  double rate = op.getRate().convertToDouble();
  Value x = at(op.getInput());
  if (!training || rate == 0)
    return x;
  readRandom();
  PrimBuilder b = prims(op);
  return b.make<PrimDropoutOp>(
      x.getType(), {x, random, samples},
      b.attributes().real("rate", rate).integer("ordinal", layers.ordinal(op)));
}

/// A factor for each image, which the backward half reads again.
Value ForwardBuilder::emit(DropPathOp op) {
  double rate = op.getRate().convertToDouble();
  Value x = at(op.getInput());
  if (!training || rate == 0)
    return x;
  readRandom();
  PrimBuilder b = prims(op);
  auto mask = b.make<PrimSampleMaskOp>(
      RankedTensorType::get({ShapedType::kDynamic, 1, 1, 1},
                            builder.getF32Type()),
      {random, samples},
      b.attributes().real("rate", rate).integer("ordinal", layers.ordinal(op)));
  return b.make<PrimMultiplyOp>(x.getType(), {x, mask});
}
