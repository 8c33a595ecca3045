//===- BackwardActivations.cpp - Backward rules of activations ------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lib/Transforms/Autodiff.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace rootc;
using namespace rootc::root;

/// Of an activation whose gradient follows from its result.
template <typename BackwardOp, typename ForwardOp>
static LogicalResult backwardFromResult(ForwardOp op, PrimBuilder &b,
                                        Differentiator &d,
                                        ArrayRef<StringRef> attributes = {}) {
  d.add(b, op.getX(),
        b.make<BackwardOp>(op.getX().getType(),
                           {d.gradient(op.getY()), op.getY()},
                           b.attributes().copy(op, attributes)));
  return success();
}

/// Of one whose gradient follows from its input.
template <typename BackwardOp, typename ForwardOp>
static LogicalResult backwardFromInput(ForwardOp op, PrimBuilder &b,
                                       Differentiator &d,
                                       ArrayRef<StringRef> attributes = {}) {
  d.add(b, op.getX(),
        b.make<BackwardOp>(op.getX().getType(),
                           {d.gradient(op.getY()), op.getX()},
                           b.attributes().copy(op, attributes)));
  return success();
}

static LogicalResult backward(PrimReluOp op, PrimBuilder &b,
                              Differentiator &d) {
  return backwardFromResult<PrimReluBackwardOp>(op, b, d);
}

static LogicalResult backward(PrimClipOp op, PrimBuilder &b,
                              Differentiator &d) {
  return backwardFromResult<PrimClipBackwardOp>(op, b, d, {"min", "max"});
}

static LogicalResult backward(PrimSigmoidOp op, PrimBuilder &b,
                              Differentiator &d) {
  return backwardFromResult<PrimSigmoidBackwardOp>(op, b, d);
}

static LogicalResult backward(PrimHardSigmoidOp op, PrimBuilder &b,
                              Differentiator &d) {
  return backwardFromResult<PrimHardSigmoidBackwardOp>(op, b, d,
                                                       {"alpha", "beta"});
}

static LogicalResult backward(PrimHardSwishOp op, PrimBuilder &b,
                              Differentiator &d) {
  return backwardFromInput<PrimHardSwishBackwardOp>(op, b, d);
}

static LogicalResult backward(PrimLeakyReluOp op, PrimBuilder &b,
                              Differentiator &d) {
  return backwardFromResult<PrimLeakyReluBackwardOp>(op, b, d, {"alpha"});
}

static LogicalResult backward(PrimEluOp op, PrimBuilder &b, Differentiator &d) {
  return backwardFromResult<PrimEluBackwardOp>(
      op, b, d, {"alpha", "scale", "input_scale"});
}

static LogicalResult backward(PrimGeluOp op, PrimBuilder &b,
                              Differentiator &d) {
  return backwardFromInput<PrimGeluBackwardOp>(op, b, d, {"form"});
}

static LogicalResult backward(PrimSiluOp op, PrimBuilder &b,
                              Differentiator &d) {
  return backwardFromInput<PrimSiluBackwardOp>(op, b, d);
}

static LogicalResult backward(PrimSoftplusOp op, PrimBuilder &b,
                              Differentiator &d) {
  return backwardFromResult<PrimSoftplusBackwardOp>(op, b, d);
}

static LogicalResult backward(PrimMishOp op, PrimBuilder &b,
                              Differentiator &d) {
  return backwardFromInput<PrimMishBackwardOp>(op, b, d);
}

static LogicalResult backward(PrimBranchSoftmaxOp op, PrimBuilder &b,
                              Differentiator &d) {
  return backwardFromResult<PrimBranchSoftmaxBackwardOp>(op, b, d,
                                                         {"branches"});
}

/// A vector over the channels, or one for all, gets the sums of dy times what
/// it was multiplied with.
static void addSums(PrimBuilder &b, Differentiator &d, Value vector, Value dy,
                    Value factor) {
  auto type = cast<RankedTensorType>(dy.getType());
  Value product = b.make<PrimMultiplyOp>(type, {dy, factor});
  auto own = cast<RankedTensorType>(vector.getType());
  if (own.getShape()[0] != type.getShape()[3])
    product =
        b.make<PrimReduceSumOp>(type.clone({type.getShape()[0], 1, 1, 1}),
                                product, b.attributes().text("over", "image"));
  d.add(b, vector, b.make<PrimChannelSumOp>(own, product));
}

static LogicalResult backward(PrimPReluOp op, PrimBuilder &b,
                              Differentiator &d) {
  Value dy = d.gradient(op.getY()), x = op.getX();
  if (d.wants(op.getSlope()))
    addSums(b, d, op.getSlope(), dy,
            b.make<PrimClipOp>(x.getType(), x, b.attributes().real("max", 0)));
  if (d.wants(x))
    d.add(b, x,
          b.make<PrimPReluBackwardOp>(x.getType(), {dy, x, op.getSlope()}));
  return success();
}

static LogicalResult backward(PrimScaleChannelsOp op, PrimBuilder &b,
                              Differentiator &d) {
  Value dy = d.gradient(op.getY()), x = op.getX();
  if (d.wants(op.getMultiplier()))
    addSums(b, d, op.getMultiplier(), dy, x);
  if (d.wants(x))
    d.add(b, x,
          b.make<PrimScaleChannelsOp>(x.getType(), {dy, op.getMultiplier()}));
  return success();
}

LogicalResult rootc::applyActivationRule(Operation *op, PrimBuilder &b,
                                         Differentiator &d) {
  return llvm::TypeSwitch<Operation *, LogicalResult>(op)
      .Case<PrimReluOp, PrimClipOp, PrimSigmoidOp, PrimHardSigmoidOp,
            PrimHardSwishOp, PrimLeakyReluOp, PrimPReluOp, PrimEluOp,
            PrimGeluOp, PrimSiluOp, PrimSoftplusOp, PrimMishOp,
            PrimBranchSoftmaxOp, PrimScaleChannelsOp>(
          [&](auto own) { return backward(own, b, d); })
      .Default([](Operation *) { return failure(); });
}
