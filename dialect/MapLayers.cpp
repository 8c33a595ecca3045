//===- MapLayers.cpp - Rules of layers that make other sizes --------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialect/Rules.h"

using namespace mlir;
using namespace rootc::root;

//===----------------------------------------------------------------------===//
// Transposed convolution
//===----------------------------------------------------------------------===//

LogicalResult Conv2dTransposeOp::verify() {
  if (failed(verifyName(*this, "CT1", getLayer())) ||
      failed(verifySize(*this, "CT2", "filters", getFilters())) ||
      failed(verifySize(*this, "CT2", "groups", getGroups())) ||
      failed(verifySizes(*this, "CT2", "kernel", getKernel(), 2)) ||
      failed(verifySizes(*this, "CT2", "stride", getStride(), 2)) ||
      failed(verifySizes(*this, "CT2", "dilation", getDilation(), 2)) ||
      failed(verifySizes(*this, "CT2", "pad", getPad(), 4, 0)) ||
      failed(verifySizes(*this, "CT2", "output_pad", getOutputPad(), 2, 0)))
    return failure();
  if (getFilters() % getGroups() != 0)
    return emitOpError() << "(CT3) " << getGroups() << " groups do not divide "
                         << getFilters() << " filters; choose a divisor";
  for (int d : {0, 1})
    if (getOutputPad()[d] >= getStride()[d])
      return emitOpError() << "(CT5) output_pad " << getOutputPad()[d]
                           << " is not smaller than the stride, "
                           << getStride()[d] << "; use less";
  return success();
}

FailureOr<MapShape> Conv2dTransposeOp::inferShape(ArrayRef<MapShape> inputs) {
  MapShape in = inputs[0];
  if (in.channels % getGroups() != 0)
    return emitOpError() << "(CT4) " << getGroups() << " groups do not divide "
                         << in.channels << " input channels; choose a divisor";
  if (failed(verifyCount(*this, "CT7", "the filters",
                         {in.channels, getKernel()[0], getKernel()[1],
                          getFilters() / getGroups()})))
    return failure();
  int64_t sizes[] = {in.height, in.width};
  for (int d : {0, 1}) {
    Window window = {getKernel()[d], getStride()[d], getDilation()[d]};
    int64_t whole = 0;
    std::optional<int64_t> extent = windowExtent(window);
    bool fits = extent &&
                !__builtin_mul_overflow(sizes[d] - 1, getStride()[d], &whole) &&
                !__builtin_add_overflow(whole, *extent, &whole) &&
                !__builtin_add_overflow(whole, getOutputPad()[d], &whole) &&
                whole <= maxSide;
    int64_t size = whole - getPad()[d] - getPad()[d + 2];
    if (!fits || size < 1)
      return emitOpError() << "(CT6) the " << (d ? "width" : "height")
                           << " would be "
                           << (fits ? std::to_string(size)
                                    : "more than " + std::to_string(maxSide))
                           << "; use "
                           << (fits ? "less padding" : "a smaller stride");
    sizes[d] = size;
  }
  if (failed(verifyCount(*this, "CT6", "the results of one image",
                         {sizes[0], sizes[1], getFilters()})))
    return failure();
  return MapShape{sizes[0], sizes[1], getFilters()};
}

//===----------------------------------------------------------------------===//
// Other sizes
//===----------------------------------------------------------------------===//

/// The shape of a map whose places are fractions of both sizes.
static FailureOr<MapShape> resized(Operation *op, StringRef rule, MapShape in,
                                   ArrayRef<int64_t> size) {
  const int64_t from[] = {in.height, in.width};
  for (int d : {0, 1})
    if (!elementCount({2, from[d], size[d]}))
      return op->emitOpError()
             << "(" << rule << "2) twice the product of the "
             << (d ? "widths" : "heights") << " " << from[d] << " and "
             << size[d] << " exceeds " << maxElements << "; resize in steps";
  MapShape shape = {size[0], size[1], in.channels};
  if (failed(verifyCount(op, (rule + "3").str(), "the results of one image",
                         {shape.height, shape.width, shape.channels})))
    return failure();
  return shape;
}

LogicalResult ResizeOp::verify() {
  if (failed(verifySizes(*this, "RS1", "size", getSize(), 2)))
    return failure();
  if (!isResizeMode(getMode()) || !isResizeCoordinates(getCoordinates()) ||
      !isResizeRounding(getRound()))
    return emitOpError() << "(RS4) mode, coordinates or round is no word that "
                            "docs/language.md lists";
  return success();
}

FailureOr<MapShape> ResizeOp::inferShape(ArrayRef<MapShape> inputs) {
  return resized(*this, "RS", inputs[0], getSize());
}

LogicalResult AdaptiveAveragePoolOp::verify() {
  return verifySizes(*this, "AP1", "size", getSize(), 2);
}

FailureOr<MapShape>
AdaptiveAveragePoolOp::inferShape(ArrayRef<MapShape> inputs) {
  return resized(*this, "AP", inputs[0], getSize());
}

//===----------------------------------------------------------------------===//
// Channels
//===----------------------------------------------------------------------===//

FailureOr<MapShape> ChannelMeanOp::inferShape(ArrayRef<MapShape> inputs) {
  return MapShape{inputs[0].height, inputs[0].width, 1};
}

FailureOr<MapShape> ChannelMaxOp::inferShape(ArrayRef<MapShape> inputs) {
  return MapShape{inputs[0].height, inputs[0].width, 1};
}

LogicalResult BranchSoftmaxOp::verify() {
  return verifySize(*this, "SB1", "branches", getBranches());
}

FailureOr<MapShape> BranchSoftmaxOp::inferShape(ArrayRef<MapShape> inputs) {
  if (inputs[0].channels % getBranches() != 0)
    return emitOpError() << "(SB2) " << getBranches()
                         << " branches do not divide " << inputs[0].channels
                         << " channels; choose a divisor";
  return inputs[0];
}
