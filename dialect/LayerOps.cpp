//===- LayerOps.cpp - Rules and shapes of layers  -------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Rules that an op's attributes must keep are in its `verify`, those that need
// shapes in its `inferShape`; both carry the numbers of RootNetworkOps.td.
//
//===----------------------------------------------------------------------===//

#include "dialect/Rules.h"

#include "llvm/ADT/StringExtras.h"

#include <cmath>

using namespace mlir;
using namespace rootc::root;

#include "dialect/RootInterfaces.cpp.inc"

LogicalResult rootc::root::verifyName(Operation *op, StringRef rule,
                                      StringRef name) {
  auto allowed = [](char c) {
    return llvm::isAlnum(c) || StringRef("_.-/").contains(c);
  };
  if (!name.empty() && name.size() <= maxNameLength &&
      llvm::all_of(name, allowed))
    return success();
  return op->emitOpError() << "(" << rule << ") a layer's name has 1 to "
                           << maxNameLength
                           << " letters, digits or _ . - /; rename this one";
}

namespace {

FailureOr<MapShape> verifiedResult(Operation *op, StringRef rule,
                                   MapShape shape) {
  if (failed(verifyCount(op, rule, "the results of one image",
                         {shape.height, shape.width, shape.channels})))
    return failure();
  return shape;
}

/// Kernels compute in 32 bits.
LogicalResult verifyFloat(Operation *op, StringRef rule, StringRef name,
                          const APFloat &value) {
  if (std::isfinite(static_cast<float>(value.convertToDouble())))
    return success();
  return op->emitOpError() << "(" << rule << ") " << name
                           << " is not finite in 32-bit floating point";
}

/// The rules of a convolution's or a pool's windows: the kernel fits into the
/// input, the result is not too large, nor is the padded input.
struct WindowRules {
  StringRef fits, result, padded;
};

/// Output size of a convolution or a pool along both dimensions.
FailureOr<MapShape> slide(Operation *op, const WindowRules &rules, MapShape in,
                          int64_t channels, ArrayRef<int64_t> kernel,
                          ArrayRef<int64_t> stride, ArrayRef<int64_t> pad,
                          ArrayRef<int64_t> dilation, bool ceil) {
  const int64_t sizes[] = {in.height, in.width};
  int64_t out[2];
  for (int d : {0, 1}) {
    Window window = {kernel[d], stride[d], dilation[d], pad[d], pad[d + 2]};
    std::optional<int64_t> count = outputSize(sizes[d], window, ceil);
    if (!count || *count < 1)
      return op->emitOpError()
             << "(" << rules.fits << ") the " << (d ? "width" : "height")
             << " of the " << (dilation[d] > 1 ? "dilated " : "")
             << "kernel exceeds the padded input's, " << sizes[d] << " + "
             << pad[d] << " + " << pad[d + 2]
             << "; use a smaller kernel or more padding";
    out[d] = *count;
  }
  FailureOr<MapShape> shape =
      verifiedResult(op, rules.result, {out[0], out[1], channels});
  int64_t height = in.height + pad[0] + pad[2];
  int64_t width = in.width + pad[1] + pad[3];
  if (failed(shape) ||
      failed(verifyCount(op, rules.padded, "the padded input of one image",
                         {height, width, in.channels})))
    return failure();
  if (std::max(height, width) > maxSide)
    return op->emitOpError()
           << "(" << rules.padded << ") the padded input, " << height << "x"
           << width << ", has a side longer than " << maxSide
           << "; use less padding";
  return shape;
}

} // namespace

//===----------------------------------------------------------------------===//
// Convolution, linear
//===----------------------------------------------------------------------===//

LogicalResult Conv2dOp::verify() {
  if (failed(verifyName(*this, "C1", getLayer())) ||
      failed(verifySize(*this, "C2", "filters", getFilters())) ||
      failed(verifySize(*this, "C2", "groups", getGroups())) ||
      failed(verifySizes(*this, "C2", "kernel", getKernel(), 2)) ||
      failed(verifySizes(*this, "C2", "stride", getStride(), 2)) ||
      failed(verifySizes(*this, "C2", "dilation", getDilation(), 2)) ||
      failed(verifySizes(*this, "C2", "pad", getPad(), 4, 0)))
    return failure();
  if (getFilters() % getGroups() != 0)
    return emitOpError() << "(C3) " << getGroups() << " groups do not divide "
                         << getFilters() << " filters; choose a divisor";
  if (std::optional<APFloat> epsilon = getStandardize();
      epsilon && !(epsilon->convertToDouble() > 0 &&
                   std::isfinite(float(epsilon->convertToDouble()))))
    return emitOpError() << "(C10) the epsilon of 'standardize' must be "
                            "positive and finite";
  if (getStage() && (*getStage() < 0 || *getStage() > 62))
    return emitOpError() << "(C7) stage is " << *getStage()
                         << "; it must be from 0 to 62";
  return success();
}

FailureOr<MapShape> Conv2dOp::inferShape(ArrayRef<MapShape> inputs) {
  MapShape in = inputs[0];
  if (in.channels % getGroups() != 0)
    return emitOpError() << "(C4) " << getGroups() << " groups do not divide "
                         << in.channels << " input channels; choose a divisor";
  if (failed(verifyCount(*this, "C6", "the filters",
                         {getFilters(), getKernel()[0], getKernel()[1],
                          in.channels / getGroups()})))
    return failure();
  return slide(*this, {"C5", "C8", "C9"}, in, getFilters(), getKernel(),
               getStride(), getPad(), getDilation(), /*ceil=*/false);
}

LogicalResult LinearOp::verify() {
  if (failed(verifyName(*this, "L1", getLayer())))
    return failure();
  return verifySize(*this, "L2", "outputs", getOutputs());
}

FailureOr<MapShape> LinearOp::inferShape(ArrayRef<MapShape> inputs) {
  MapShape in = inputs[0];
  if (failed(verifyCount(*this, "L3", "the weights",
                         {getOutputs(), in.height, in.width, in.channels})))
    return failure();
  return MapShape{1, 1, getOutputs()};
}

//===----------------------------------------------------------------------===//
// Pools
//===----------------------------------------------------------------------===//

template <typename PoolOp> static LogicalResult verifyPool(PoolOp op) {
  if (failed(verifySizes(op, "P1", "kernel", op.getKernel(), 2)) ||
      failed(verifySizes(op, "P1", "stride", op.getStride(), 2)) ||
      failed(verifySizes(op, "P1", "pad", op.getPad(), 4, 0)))
    return failure();
  for (int side = 0; side < 4; ++side)
    if (op.getPad()[side] >= op.getKernel()[side % 2])
      return op.emitOpError()
             << "(P2) pad " << op.getPad()[side]
             << " is not smaller than the kernel's " << op.getKernel()[side % 2]
             << ", so some window would lie outside the map; use less padding";
  return success();
}

template <typename PoolOp>
static FailureOr<MapShape> inferPool(PoolOp op, MapShape in) {
  return slide(op, {"P3", "P4", "P6"}, in, in.channels, op.getKernel(),
               op.getStride(), op.getPad(), {1, 1}, op.getCeil());
}

LogicalResult MaxPoolOp::verify() {
  if (failed(verifyPool(*this)))
    return failure();
  if (!elementCount({getKernel()[0], getKernel()[1]}))
    return emitOpError() << "(P5) the kernel has more than " << maxElements
                         << " elements; pool in two steps";
  return success();
}

FailureOr<MapShape> MaxPoolOp::inferShape(ArrayRef<MapShape> inputs) {
  return inferPool(*this, inputs[0]);
}

LogicalResult AveragePoolOp::verify() { return verifyPool(*this); }

FailureOr<MapShape> AveragePoolOp::inferShape(ArrayRef<MapShape> inputs) {
  return inferPool(*this, inputs[0]);
}

FailureOr<MapShape> GlobalAveragePoolOp::inferShape(ArrayRef<MapShape> inputs) {
  return MapShape{1, 1, inputs[0].channels};
}

//===----------------------------------------------------------------------===//
// Elementwise layers and joins
//===----------------------------------------------------------------------===//

FailureOr<MapShape> ReluOp::inferShape(ArrayRef<MapShape> inputs) {
  return inputs[0];
}

LogicalResult ClipOp::verify() {
  std::optional<APFloat> min = getMin(), max = getMax();
  if ((min && failed(verifyFloat(*this, "T1", "min", *min))) ||
      (max && failed(verifyFloat(*this, "T1", "max", *max))))
    return failure();
  if (min && max && *min > *max)
    return emitOpError() << "(T2) min is larger than max; swap them";
  return success();
}

FailureOr<MapShape> ClipOp::inferShape(ArrayRef<MapShape> inputs) {
  return inputs[0];
}

FailureOr<MapShape> SigmoidOp::inferShape(ArrayRef<MapShape> inputs) {
  return inputs[0];
}

LogicalResult HardSigmoidOp::verify() {
  if (failed(verifyFloat(*this, "H1", "alpha", getAlpha())))
    return failure();
  return verifyFloat(*this, "H1", "beta", getBeta());
}

FailureOr<MapShape> HardSigmoidOp::inferShape(ArrayRef<MapShape> inputs) {
  return inputs[0];
}

FailureOr<MapShape> HardSwishOp::inferShape(ArrayRef<MapShape> inputs) {
  return inputs[0];
}

LogicalResult LeakyReluOp::verify() {
  if (failed(verifyFloat(*this, "LR1", "alpha", getAlpha())))
    return failure();
  if (getAlpha().isNegative() && !getAlpha().isZero())
    return emitOpError() << "(LR1) alpha is negative; the gradient is made "
                            "from the result, which must tell the input's sign";
  return success();
}

FailureOr<MapShape> LeakyReluOp::inferShape(ArrayRef<MapShape> inputs) {
  return inputs[0];
}

LogicalResult PReluOp::verify() { return verifyName(*this, "PR1", getLayer()); }

FailureOr<MapShape> PReluOp::inferShape(ArrayRef<MapShape> inputs) {
  return inputs[0];
}

LogicalResult EluOp::verify() {
  if (failed(verifyFloat(*this, "EL1", "alpha", getAlpha())) ||
      failed(verifyFloat(*this, "EL1", "scale", getScale())) ||
      failed(verifyFloat(*this, "EL1", "input_scale", getInputScale())))
    return failure();
  if (getAlpha().convertToDouble() < 0 || getScale().convertToDouble() <= 0 ||
      getInputScale().convertToDouble() <= 0)
    return emitOpError() << "(EL2) alpha must not be negative, scale and "
                            "input_scale must be positive";
  return success();
}

FailureOr<MapShape> EluOp::inferShape(ArrayRef<MapShape> inputs) {
  return inputs[0];
}

FailureOr<MapShape> GeluOp::inferShape(ArrayRef<MapShape> inputs) {
  return inputs[0];
}

FailureOr<MapShape> SiluOp::inferShape(ArrayRef<MapShape> inputs) {
  return inputs[0];
}

FailureOr<MapShape> SoftplusOp::inferShape(ArrayRef<MapShape> inputs) {
  return inputs[0];
}

FailureOr<MapShape> MishOp::inferShape(ArrayRef<MapShape> inputs) {
  return inputs[0];
}

LogicalResult LayerScaleOp::verify() {
  return verifyName(*this, "LS1", getLayer());
}

FailureOr<MapShape> LayerScaleOp::inferShape(ArrayRef<MapShape> inputs) {
  return inputs[0];
}

FailureOr<MapShape> AddOp::inferShape(ArrayRef<MapShape> inputs) {
  if (inputs[0] != inputs[1])
    return emitOpError() << "(A1) the maps differ in shape: "
                         << describe(inputs[0]) << " and "
                         << describe(inputs[1]);
  return inputs[0];
}

FailureOr<MapShape> MultiplyOp::inferShape(ArrayRef<MapShape> inputs) {
  MapShape map = inputs[0], factor = inputs[1];
  bool sameMap = factor.height == map.height && factor.width == map.width;
  bool onePosition = factor.height == 1 && factor.width == 1;
  if ((!sameMap && !onePosition) ||
      (factor.channels != map.channels && factor.channels != 1))
    return emitOpError() << "(M1) the second map is " << describe(factor)
                         << "; beside " << describe(map)
                         << " it must be that, 1x1x" << map.channels << ", "
                         << map.height << "x" << map.width
                         << "x1 or 1x1x1, and the larger map comes first";
  return map;
}

LogicalResult ConcatOp::verify() {
  if (getInputs().empty())
    return emitOpError() << "(K1) there is no map to concatenate";
  return success();
}

FailureOr<MapShape> ConcatOp::inferShape(ArrayRef<MapShape> inputs) {
  MapShape out = inputs[0];
  for (MapShape in : inputs.drop_front()) {
    if (in.height != out.height || in.width != out.width)
      return emitOpError() << "(K2) the maps differ in height or width: "
                           << describe(inputs[0]) << " and " << describe(in);
    // No overflow: operands have at most 2^31 channels, and ops as many
    // operands.
    out.channels += in.channels;
  }
  return verifiedResult(*this, "K3", out);
}

LogicalResult SliceChannelsOp::verify() {
  if (failed(verifySize(*this, "S1", "begin", getBegin(), 0)) ||
      failed(verifySize(*this, "S1", "end", getEnd())))
    return failure();
  if (getBegin() >= getEnd())
    return emitOpError() << "(S1) begin " << getBegin() << " is not less than "
                         << "end " << getEnd() << "; take a channel or more";
  return success();
}

FailureOr<MapShape> SliceChannelsOp::inferShape(ArrayRef<MapShape> inputs) {
  MapShape in = inputs[0];
  if (getEnd() > in.channels)
    return emitOpError() << "(S2) end is " << getEnd() << ", but there are "
                         << in.channels << " channels; choose a smaller end";
  return MapShape{in.height, in.width, getEnd() - getBegin()};
}

LogicalResult ChannelShuffleOp::verify() {
  return verifySize(*this, "G1", "groups", getGroups());
}

FailureOr<MapShape> ChannelShuffleOp::inferShape(ArrayRef<MapShape> inputs) {
  if (inputs[0].channels % getGroups() != 0)
    return emitOpError() << "(G2) " << getGroups() << " groups do not divide "
                         << inputs[0].channels << " channels; choose a divisor";
  return inputs[0];
}

static LogicalResult verifyRate(Operation *op, StringRef rule,
                                const APFloat &value) {
  double rate = value.convertToDouble();
  if (!(rate >= 0 && rate < 1))
    return op->emitOpError()
           << "(" << rule << ") rate must be at least 0 and less than 1";
  return success();
}

LogicalResult DropoutOp::verify() { return verifyRate(*this, "D1", getRate()); }

FailureOr<MapShape> DropoutOp::inferShape(ArrayRef<MapShape> inputs) {
  return inputs[0];
}

LogicalResult DropPathOp::verify() {
  return verifyRate(*this, "DP1", getRate());
}

FailureOr<MapShape> DropPathOp::inferShape(ArrayRef<MapShape> inputs) {
  return inputs[0];
}

LogicalResult PadOp::verify() {
  if (failed(verifySizes(*this, "PD1", "pad", getPad(), 4, 0)) ||
      failed(verifySizes(*this, "PD1", "crop", getCrop(), 4, 0)))
    return failure();
  for (auto [pad, crop] : llvm::zip_equal(getPad(), getCrop()))
    if (pad && crop)
      return emitOpError() << "(PD2) one side is padded by " << pad
                           << " and cropped by " << crop
                           << "; use two layers, or their difference";
  return success();
}

FailureOr<MapShape> PadOp::inferShape(ArrayRef<MapShape> inputs) {
  const int64_t sizes[] = {inputs[0].height, inputs[0].width};
  int64_t out[2];
  for (int d : {0, 1}) {
    StringRef name = d ? "width" : "height";
    int64_t left = sizes[d] - getCrop()[d] - getCrop()[d + 2];
    if (left < 1)
      return emitOpError() << "(PD3) nothing is left of the " << name << ", "
                           << sizes[d] << "; crop less";
    for (int side : {d, d + 2})
      if (getReflect() && getPad()[side] >= left)
        return emitOpError()
               << "(PD4) " << getPad()[side] << " of the " << name
               << " cannot be reflected in " << left << "; pad less than that";
    out[d] = left + getPad()[d] + getPad()[d + 2];
    if (out[d] > maxSide)
      return emitOpError() << "(PD5) the " << name << " of the result, "
                           << out[d] << ", is longer than " << maxSide
                           << "; pad less";
  }
  return verifiedResult(*this, "PD5", {out[0], out[1], inputs[0].channels});
}

/// Blocks of 2^15 have 2^30 pixels.
static constexpr int64_t largestBlock = 1 << 15;

static LogicalResult verifyBlock(Operation *op, int64_t block) {
  if (block >= 1 && block <= largestBlock)
    return success();
  return op->emitOpError() << "(SD1) block is " << block
                           << "; it must be from 1 to " << largestBlock;
}

LogicalResult SpaceToDepthOp::verify() {
  return verifyBlock(*this, getBlock());
}

FailureOr<MapShape> SpaceToDepthOp::inferShape(ArrayRef<MapShape> inputs) {
  MapShape in = inputs[0];
  int64_t block = getBlock();
  if (in.height % block != 0 || in.width % block != 0)
    return emitOpError() << "(SD2) block " << block << " does not divide "
                         << in.height << "x" << in.width
                         << "; choose a divisor, or pad the map first";
  return MapShape{in.height / block, in.width / block,
                  in.channels * block * block};
}

LogicalResult DepthToSpaceOp::verify() {
  return verifyBlock(*this, getBlock());
}

FailureOr<MapShape> DepthToSpaceOp::inferShape(ArrayRef<MapShape> inputs) {
  MapShape in = inputs[0];
  int64_t block = getBlock();
  if (in.channels % (block * block) != 0)
    return emitOpError() << "(SD3) the square of block " << block
                         << " does not divide " << in.channels
                         << " channels; choose a smaller block";
  return MapShape{in.height * block, in.width * block,
                  in.channels / (block * block)};
}

LogicalResult AuxiliaryOp::verify() {
  double weight = getWeight().convertToDouble();
  if (!std::isfinite(weight) || weight < 0)
    return emitOpError() << "(X2) weight must be finite and not negative";
  return success();
}
