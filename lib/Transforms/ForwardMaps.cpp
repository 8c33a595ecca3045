//===- ForwardMaps.cpp - Layers of two map sizes as primitive ops ---------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lib/Transforms/ForwardBuilder.h"

using namespace mlir;
using namespace rootc;
using namespace rootc::root;

/// The gradient of a convolution that makes a map as large as the input of one
/// as large as the result.
Value ForwardBuilder::emit(Conv2dTransposeOp op) {
  ImageType input = imageOf(op.getInput()), result = imageOf(op.getResult());
  ArrayRef<int64_t> kernel = op.getKernel();
  int64_t channels = input.getChannels(), filters = op.getFilters();
  int64_t outGroup = filters / op.getGroups();
  SmallVector<int64_t> shape = {channels, kernel[0], kernel[1], outGroup};
  Value filter =
      parameter(op, op.getLayer(), "filter", shape,
                kernel[0] * kernel[1] * (channels / op.getGroups()), shape);
  PrimBuilder b = prims(op);
  RankedTensorType type = tensorOf(op.getResult());
  Value y = b.make<PrimConv2dBackwardDataOp>(
      type, {at(op.getInput()), filter},
      b.attributes()
          .ints("kernel", kernel)
          .ints("stride", op.getStride())
          .ints("pad", op.getPad())
          .ints("dilation", op.getDilation())
          .integer("groups", op.getGroups())
          .integer("filters", channels)
          .ints("input", {result.getHeight(), result.getWidth()})
          .integer("block", 0));
  if (!op.getBias())
    return y;
  return b.make<PrimChannelOffsetOp>(
      type, {y, vector(op, op.getLayer(), "bias", filters)});
}

template <typename LayerOp>
static Attributes resampleAttributes(PrimBuilder &b, LayerOp op, StringRef mode,
                                     StringRef coordinates, StringRef round) {
  return b.attributes()
      .ints("input", imageOf(op.getInput()).getShape().take_front(2))
      .ints("output", op.getSize())
      .text("mode", mode)
      .text("coordinates", coordinates)
      .text("round", round);
}

Value ForwardBuilder::emit(ResizeOp op) {
  PrimBuilder b = prims(op);
  return b.make<PrimResampleOp>(tensorOf(op.getResult()), at(op.getInput()),
                                resampleAttributes(b, op, op.getMode(),
                                                   op.getCoordinates(),
                                                   op.getRound()));
}

/// Windows that are all alike are an average pool's.
Value ForwardBuilder::emit(AdaptiveAveragePoolOp op) {
  PrimBuilder b = prims(op);
  ArrayRef<int64_t> from = imageOf(op.getInput()).getShape().take_front(2),
                    to = op.getSize();
  RankedTensorType type = tensorOf(op.getResult());
  if (from[0] % to[0] == 0 && from[1] % to[1] == 0) {
    int64_t window[] = {from[0] / to[0], from[1] / to[1]};
    return b.make<PrimAveragePoolOp>(type, at(op.getInput()),
                                     b.attributes()
                                         .ints("kernel", window)
                                         .ints("stride", window)
                                         .ints("pad", {0, 0, 0, 0})
                                         .ints("output", to)
                                         .integer("exclude_pad", 0)
                                         .ints("input", from));
  }
  return b.make<PrimResampleOp>(
      type, at(op.getInput()),
      resampleAttributes(b, op, "average", "half_pixel", "floor"));
}

Value ForwardBuilder::emit(ChannelMeanOp op) {
  return prims(op).make<PrimChannelMeanOp>(tensorOf(op.getResult()),
                                           at(op.getInput()));
}

Value ForwardBuilder::emit(ChannelMaxOp op) {
  return prims(op).make<PrimChannelMaxOp>(tensorOf(op.getResult()),
                                          at(op.getInput()));
}

Value ForwardBuilder::emit(BranchSoftmaxOp op) {
  Value x = at(op.getInput());
  PrimBuilder b = prims(op);
  return b.make<PrimBranchSoftmaxOp>(
      x.getType(), x, b.attributes().integer("branches", op.getBranches()));
}
