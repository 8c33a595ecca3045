//===- PrimOps.cpp - Verifiers of the primitive ops -----------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Programs are made by passes, so a failure here is a mistake of a pass: the
// checks keep wrong shapes from reaching kernels, which would read past
// buffers.
//
//===----------------------------------------------------------------------===//

#include "dialect/PrimRules.h"

using namespace mlir;
using namespace rootc::root;

bool rootc::root::isPrim(Operation *op) {
  return op->getName().getStringRef().starts_with("root.prim.");
}

StringRef rootc::root::primName(Operation *op) {
  assert(isPrim(op) && "not a primitive op");
  return op->getName().getStringRef().drop_front(strlen("root.prim."));
}

std::string rootc::root::describeShape(ArrayRef<int64_t> shape) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  llvm::interleaveComma(shape, stream, [&](int64_t size) {
    if (ShapedType::isDynamic(size))
      stream << "?";
    else
      stream << size;
  });
  return "[" + text + "]";
}

LogicalResult rootc::root::expectShape(Operation *op, StringRef what,
                                       Value value,
                                       ArrayRef<int64_t> expected) {
  if (shapeOf(value) == expected)
    return success();
  return op->emitOpError() << "expects " << what << " of shape "
                           << describeShape(expected) << ", got "
                           << describeShape(shapeOf(value));
}

LogicalResult rootc::root::expectPerChannel(Operation *op, Value map,
                                            ValueRange vectors) {
  int64_t channels = shapeOf(map).back();
  for (Value vector : vectors)
    if (failed(expectShape(op, "a vector over the channels", vector, channels)))
      return failure();
  return success();
}

//===----------------------------------------------------------------------===//
// Convolution
//===----------------------------------------------------------------------===//

/// Checks the attributes; then, for those that are given, the input map, the
/// output map and the unpacked filter.
template <typename ConvOp>
static LogicalResult verifyConv(ConvOp op, Value x, Value y, Value filter) {
  ArrayRef<int64_t> kernel = op.getKernel(), stride = op.getStride(),
                    pad = op.getPad(), dilation = op.getDilation(),
                    input = op.getInput();
  if (!llvm::all_of(kernel, isSize) || !llvm::all_of(stride, isSize) ||
      !llvm::all_of(dilation, isSize) || !llvm::all_of(input, isSize) ||
      !llvm::all_of(pad, isPad))
    return op.emitOpError("needs kernel, stride, dilation and input of at "
                          "least 1 and no negative pad, none above ")
           << maxElements;
  int64_t groups = op.getGroups(), filters = op.getFilters();
  if (groups < 1 || filters < 1 || filters % groups != 0)
    return op.emitOpError() << "cannot split " << filters << " filters into "
                            << groups << " groups";
  int64_t inOrder = op.getInOrder().value_or(1),
          outOrder = op.getOutOrder().value_or(1);
  if (inOrder < 1 || outOrder < 1 || filters % outOrder != 0)
    return op.emitOpError()
           << "cannot have channel orders " << inOrder << " and " << outOrder;
  if (groups > 1 &&
      (inOrder != outOrder || (inOrder != 1 && inOrder != groups)))
    return op.emitOpError()
           << "needs both channel orders 1 or both the number of groups, "
           << groups << ", not " << inOrder << " and " << outOrder;
  if (x) {
    ArrayRef<int64_t> shape = shapeOf(x);
    if (shape[3] % inOrder != 0)
      return op.emitOpError()
             << "cannot have " << shape[3] << " channels in order " << inOrder;
    if (failed(expectShape(op, "an input map", x,
                           {shape[0], input[0], input[1], shape[3]})))
      return failure();
    if (shape[3] % groups != 0)
      return op.emitOpError() << "cannot split " << shape[3]
                              << " channels into " << groups << " groups";
    if (filter &&
        failed(expectShape(op, "a filter", filter,
                           {filters, kernel[0], kernel[1], shape[3] / groups})))
      return failure();
  }
  if (auto tile = op->template getAttrOfType<IntegerAttr>("winograd")) {
    // Of Winograd's convolutions, those of six points.
    bool fits = kernel[0] == kernel[1] && (kernel[0] == 3 || kernel[0] == 5) &&
                kernel[0] + tile.getInt() == 7;
    for (int d : {0, 1})
      fits = fits && stride[d] == 1 && dilation[d] == 1;
    if (!fits)
      return op.emitOpError()
             << "cannot be Winograd's convolution with tiles of "
             << tile.getInt()
             << "; it needs stride and dilation 1, and tiles of 4 for a 3x3 "
                "kernel or of 2 for a 5x5 one";
  }
  if (auto pairs = op->template getAttrOfType<IntegerAttr>("pairs");
      pairs && (pairs.getInt() != 1 || op->hasAttr("winograd")))
    return op.emitOpError("needs pairs = 1, and no winograd beside it");
  if (!y)
    return success();
  std::optional<int64_t> sizes[2];
  for (int d : {0, 1})
    sizes[d] = outputSize(
        input[d], {kernel[d], stride[d], dilation[d], pad[d], pad[d + 2]});
  if (sizes[0].value_or(0) < 1 || sizes[1].value_or(0) < 1)
    return op.emitOpError("has a kernel larger than its padded input");
  return expectShape(op, "an output map", y,
                     {shapeOf(x ? x : y)[0], *sizes[0], *sizes[1], filters});
}

LogicalResult PrimPackFilterOp::verify() {
  if (getBlock() < 1)
    return emitOpError("needs a block of at least 1");
  if (getDirection() != "forward" && getDirection() != "backward_data")
    return emitOpError("needs direction \"forward\" or \"backward_data\"");
  if (failed(verifyConv(*this, Value(), Value(), Value())))
    return failure();
  int64_t inPerGroup = shapeOf(getFilter())[3],
          inOrder = getInOrder().value_or(1);
  if (inPerGroup * getGroups() % inOrder != 0)
    return emitOpError() << "cannot have " << inPerGroup
                         << " channels in order " << inOrder;
  return expectShape(
      *this, "a filter", getFilter(),
      {getFilters(), getKernel()[0], getKernel()[1], inPerGroup});
}

LogicalResult PrimConv2dOp::verify() {
  if (getBias() && failed(expectPerChannel(*this, getY(), getBias())))
    return failure();
  return verifyConv(*this, getX(), getY(), Value());
}

LogicalResult PrimConv2dBackwardDataOp::verify() {
  return verifyConv(*this, getDx(), getDy(), Value());
}

LogicalResult PrimConv2dBackwardFilterOp::verify() {
  if (getChunks().value_or(1) < 1)
    return emitOpError("needs chunks of at least 1");
  return verifyConv(*this, getX(), getDy(), getDfilter());
}

LogicalResult PrimChannelSumOp::verify() {
  return expectPerChannel(*this, getX(), getSum());
}

//===----------------------------------------------------------------------===//
// Elementwise
//===----------------------------------------------------------------------===//

LogicalResult PrimDropoutOp::verify() {
  double rate = getRate().convertToDouble();
  if (!(rate >= 0 && rate < 1))
    return emitOpError("needs a rate in [0, 1)");
  if (failed(expectShape(*this, "a random key", getRandom(), 2)))
    return failure();
  return expectShape(*this, "sample keys", getSamples(), shapeOf(getX())[0]);
}

/// Checks that `factor` is `map` with one row and column if `overMap`, with one
/// channel if `overChannels`.
static LogicalResult expectReduced(Operation *op, StringRef what, Value factor,
                                   Value map, bool overMap, bool overChannels) {
  ArrayRef<int64_t> from = shapeOf(map);
  return expectShape(op, what, factor,
                     {from[0], overMap ? 1 : from[1], overMap ? 1 : from[2],
                      overChannels ? 1 : from[3]});
}

LogicalResult PrimMultiplyOp::verify() {
  ArrayRef<int64_t> a = shapeOf(getA()), b = shapeOf(getB());
  return expectReduced(*this, "a factor", getB(), getA(),
                       b[1] != a[1] || b[2] != a[2], b[3] != a[3]);
}

LogicalResult PrimReduceSumOp::verify() {
  StringRef over = getOver();
  if (over != "map" && over != "channels" && over != "image")
    return emitOpError("needs over \"map\", \"channels\" or \"image\"");
  return expectReduced(*this, "a sum", getY(), getX(), over != "channels",
                       over != "map");
}

/// One slope a channel, or one for all.
static LogicalResult verifySlope(Operation *op, Value map, Value slope) {
  if (shapeOf(slope) == ArrayRef<int64_t>(1))
    return success();
  return expectPerChannel(op, map, slope);
}

LogicalResult PrimPReluOp::verify() {
  return verifySlope(*this, getX(), getSlope());
}

LogicalResult PrimPReluBackwardOp::verify() {
  return verifySlope(*this, getX(), getSlope());
}

template <typename GeluOp> static LogicalResult verifyForm(GeluOp op) {
  if (op.getForm() == "erf" || op.getForm() == "tanh")
    return success();
  return op.emitOpError("needs form \"erf\" or \"tanh\"");
}

LogicalResult PrimGeluOp::verify() { return verifyForm(*this); }
LogicalResult PrimGeluBackwardOp::verify() { return verifyForm(*this); }

LogicalResult PrimScaleChannelsOp::verify() {
  return expectPerChannel(*this, getX(), getMultiplier());
}

LogicalResult PrimSampleMaskOp::verify() {
  double rate = getRate().convertToDouble();
  if (!(rate >= 0 && rate < 1))
    return emitOpError("needs a rate in [0, 1)");
  if (failed(expectShape(*this, "a random key", getRandom(), 2)))
    return failure();
  return expectShape(*this, "a mask", getMask(),
                     {shapeOf(getSamples())[0], 1, 1, 1});
}

LogicalResult PrimChannelAffineOp::verify() {
  return expectPerChannel(*this, getX(), getOperands().drop_front(1));
}

//===----------------------------------------------------------------------===//
// Channels, loss, update
//===----------------------------------------------------------------------===//

LogicalResult PrimConcatOp::verify() {
  if (getInputs().empty())
    return emitOpError("needs at least one operand");
  ArrayRef<int64_t> to = shapeOf(getY());
  int64_t channels = 0;
  for (Value input : getInputs()) {
    int64_t own = shapeOf(input).back();
    if (failed(expectShape(*this, "an operand", input,
                           {to[0], to[1], to[2], own})))
      return failure();
    channels += own;
  }
  return expectShape(*this, "a result", getY(),
                     {to[0], to[1], to[2], channels});
}

LogicalResult PrimSliceChannelsOp::verify() {
  ArrayRef<int64_t> from = shapeOf(getX());
  if (getBegin() < 0 || getEnd() <= getBegin() || getEnd() > from[3])
    return emitOpError() << "cannot take channels [" << getBegin() << ", "
                         << getEnd() << ") of " << from[3];
  return expectShape(*this, "a result", getY(),
                     {from[0], from[1], from[2], getEnd() - getBegin()});
}

LogicalResult PrimPadChannelsOp::verify() {
  if (getInputs().empty() || getInputs().size() != getBegins().size())
    return emitOpError("needs one begin for each operand, and an operand");
  ArrayRef<int64_t> to = shapeOf(getY());
  int64_t end = 0;
  for (auto [input, begin] : llvm::zip_equal(getInputs(), getBegins())) {
    int64_t own = shapeOf(input).back();
    if (failed(expectShape(*this, "an operand", input,
                           {to[0], to[1], to[2], own})))
      return failure();
    if (begin < end || begin > to[3] - own)
      return emitOpError() << "cannot place " << own << " channels at " << begin
                           << ", between " << end << " and " << to[3];
    end = begin + own;
  }
  return success();
}

LogicalResult PrimChannelShuffleOp::verify() {
  int64_t channels = shapeOf(getX()).back();
  if (getGroups() < 1 || channels % getGroups() != 0)
    return emitOpError() << "cannot shuffle " << channels << " channels in "
                         << getGroups() << " groups";
  return success();
}

static LogicalResult verifyLabels(Operation *op, Value logits, Value labels) {
  ArrayRef<int64_t> shape = shapeOf(logits);
  if (failed(expectShape(op, "logits", logits, {shape[0], 1, 1, shape[3]})))
    return failure();
  return expectShape(op, "labels", labels, shape[0]);
}

LogicalResult PrimSoftmaxCrossEntropyOp::verify() {
  if (failed(verifyLabels(*this, getLogits(), getLabels())))
    return failure();
  return expectShape(*this, "a loss", getLoss(), 1);
}

LogicalResult PrimSoftmaxCrossEntropyBackwardOp::verify() {
  return verifyLabels(*this, getLogits(), getLabels());
}

LogicalResult PrimWeightedSumOp::verify() {
  if (getLosses().empty() || getLosses().size() != getWeights().size())
    return emitOpError("needs one weight for each loss, and a loss");
  for (Value loss : getOperation()->getOperands())
    if (failed(expectShape(*this, "a loss", loss, 1)))
      return failure();
  return expectShape(*this, "a result", getSum(), 1);
}

LogicalResult PrimSgdOp::verify() {
  return expectShape(*this, "scalars", getScalars(), 4);
}

LogicalResult PrimAdamwOp::verify() {
  return expectShape(*this, "scalars", getScalars(), 6);
}

LogicalResult PrimClipNormOp::verify() {
  return expectShape(*this, "scalars", getScalars(), 1);
}

LogicalResult PrimMovingAverageOp::verify() {
  return expectShape(*this, "scalars", getScalars(), 1);
}
