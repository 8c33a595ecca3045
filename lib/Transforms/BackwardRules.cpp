//===- BackwardRules.cpp - One backward rule an op ------------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// To make an op differentiable, add a function `backward` for it and name it in
// the list at the end. A rule adds to the gradient of each operand that is
// wanted, and makes no op for the others.
//
//===----------------------------------------------------------------------===//

#include "lib/Transforms/Autodiff.h"

using namespace mlir;
using namespace rootc;
using namespace rootc::root;

static bool isZero(ArrayRef<int64_t> pad) {
  return llvm::all_of(pad, [](int64_t size) { return size == 0; });
}

/// Whether adding a constant to a channel of the map changes nothing beyond it,
/// as every reader passes it on to a batch norm, which takes the mean out.
static bool isShiftInvariant(Value map) {
  return llvm::all_of(map.getUsers(), [&](Operation *user) {
    if (isa<PrimAddOp, PrimConcatOp, PrimMaxPoolOp, PrimMaxPoolWithIndexOp,
            PrimGlobalAveragePoolOp>(user))
      return isShiftInvariant(user->getResult(0));
    // These pass a constant on as a constant, but for the zeros of a border.
    if (auto conv = dyn_cast<PrimConv2dOp>(user))
      return isZero(conv.getPad()) && isShiftInvariant(conv.getY());
    if (auto pool = dyn_cast<PrimAveragePoolOp>(user))
      return (isZero(pool.getPad()) || pool.getExcludePad()) &&
             isShiftInvariant(pool.getY());
    if (auto normalize = dyn_cast<PrimBatchNormNormalizeOp>(user)) {
      auto statistics =
          normalize.getMean().getDefiningOp<PrimBatchNormStatisticsOp>();
      return statistics && statistics.getX() == map;
    }
    // Statistics are read by what is seen above, by running averages, and by
    // the backward ops of the normalisation; backward ops are no readers.
    return isa<PrimBatchNormStatisticsOp, PrimBatchNormBackwardReduceOp,
               PrimBatchNormBackwardDataOp, PrimConv2dBackwardFilterOp>(user);
  });
}

static LogicalResult backward(PrimConv2dOp op, PrimBuilder &b,
                              Differentiator &d) {
  Value dy = d.gradient(op.getY());
  Attributes conv = b.attributes().copy(op, convAttributeNames);
  if (d.wants(op.getFilter()))
    d.add(b, op.getFilter(),
          b.make<PrimConv2dBackwardFilterOp>(op.getFilter().getType(),
                                             {op.getX(), dy}, conv));
  if (op.getBias() && d.wants(op.getBias())) {
    // The sum would be rounding errors only.
    Type type = op.getBias().getType();
    if (isShiftInvariant(op.getY()))
      d.add(b, op.getBias(), b.make<PrimZerosLikeOp>(type, op.getBias()));
    else
      d.add(b, op.getBias(), b.make<PrimChannelSumOp>(type, dy));
  }
  if (d.wants(op.getX()))
    d.add(b, op.getX(),
          b.make<PrimConv2dBackwardDataOp>(op.getX().getType(),
                                           {dy, op.getFilter()},
                                           conv.copy(op, {"block"})));
  return success();
}

static LogicalResult backward(PrimAddOp op, PrimBuilder &b, Differentiator &d) {
  Value dy = d.gradient(op.getY());
  for (Value operand : op->getOperands())
    if (d.wants(operand))
      d.add(b, operand, dy);
  return success();
}

static LogicalResult backward(PrimReluOp op, PrimBuilder &b,
                              Differentiator &d) {
  d.add(b, op.getX(),
        b.make<PrimReluBackwardOp>(op.getX().getType(),
                                   {d.gradient(op.getY()), op.getY()}));
  return success();
}

/// The mask does not depend on x, so the op is its own backward op.
static LogicalResult backward(PrimDropoutOp op, PrimBuilder &b,
                              Differentiator &d) {
  d.add(b, op.getX(),
        b.make<PrimDropoutOp>(
            op.getX().getType(),
            {d.gradient(op.getY()), op.getRandom(), op.getSamples()},
            b.attributes().copy(op, {"rate", "ordinal"})));
  return success();
}

/// With the batch's own statistics: their gradients are part of x's.
static LogicalResult backward(PrimBatchNormNormalizeOp op, PrimBuilder &b,
                              Differentiator &d) {
  auto statistics = op.getMean().getDefiningOp<PrimBatchNormStatisticsOp>();
  if (!statistics || statistics.getX() != op.getX() ||
      op.getMean() != statistics.getMean() ||
      op.getVariance() != statistics.getVariance())
    return failure();
  Value dy = d.gradient(op.getY());
  Type vector = op.getScale().getType();
  Attributes epsilon = b.attributes().copy(op, {"epsilon"});
  auto reduced = b.make<PrimBatchNormBackwardReduceOp>(
      {vector, vector, vector, vector},
      {dy, op.getX(), op.getMean(), op.getVariance()}, epsilon);
  if (d.wants(op.getScale()))
    d.add(b, op.getScale(), reduced.getDscale());
  if (d.wants(op.getOffset()))
    d.add(b, op.getOffset(), reduced.getDoffset());
  if (d.wants(op.getX()))
    d.add(b, op.getX(),
          b.make<PrimBatchNormBackwardDataOp>(
              op.getX().getType(),
              {dy, op.getX(), op.getMean(), op.getVariance(), op.getScale(),
               reduced.getMeanDscale(), reduced.getMeanDoffset()},
              epsilon));
  return success();
}

static LogicalResult backward(PrimMaxPoolWithIndexOp op, PrimBuilder &b,
                              Differentiator &d) {
  ArrayRef<int64_t> shape = op.getX().getType().getShape();
  d.add(b, op.getX(),
        b.make<PrimMaxPoolBackwardOp>(op.getX().getType(),
                                      {d.gradient(op.getY()), op.getIndex()},
                                      b.attributes()
                                          .copy(op, windowAttributeNames)
                                          .ints("input", shape.slice(1, 2))));
  return success();
}

static LogicalResult backward(PrimAveragePoolOp op, PrimBuilder &b,
                              Differentiator &d) {
  d.add(b, op.getX(),
        b.make<PrimAveragePoolBackwardOp>(
            op.getX().getType(), d.gradient(op.getY()),
            b.attributes()
                .copy(op, windowAttributeNames)
                .copy(op, {"exclude_pad", "input"})));
  return success();
}

static LogicalResult backward(PrimGlobalAveragePoolOp op, PrimBuilder &b,
                              Differentiator &d) {
  d.add(b, op.getX(),
        b.make<PrimGlobalAveragePoolBackwardOp>(
            op.getX().getType(), d.gradient(op.getY()),
            b.attributes().copy(op, {"input"})));
  return success();
}

static LogicalResult backward(PrimConcatOp op, PrimBuilder &b,
                              Differentiator &d) {
  int64_t begin = 0;
  for (Value input : op.getInputs()) {
    int64_t end = begin + cast<RankedTensorType>(input.getType()).getShape()[3];
    if (d.wants(input))
      d.add(b, input,
            b.make<PrimSliceChannelsOp>(
                input.getType(), d.gradient(op.getY()),
                b.attributes().integer("begin", begin).integer("end", end)));
    begin = end;
  }
  return success();
}

static LogicalResult backward(PrimLocalResponseNormOp op, PrimBuilder &b,
                              Differentiator &d) {
  d.add(b, op.getX(),
        b.make<PrimLocalResponseNormBackwardOp>(
            op.getX().getType(), {d.gradient(op.getY()), op.getX()},
            b.attributes().copy(op, {"size", "alpha", "beta", "k"})));
  return success();
}

static LogicalResult backward(PrimSoftmaxCrossEntropyOp op, PrimBuilder &b,
                              Differentiator &d) {
  d.add(b, op.getLogits(),
        b.make<PrimSoftmaxCrossEntropyBackwardOp>(
            op.getLogits().getType(), {op.getLogits(), op.getLabels()},
            b.attributes().real("weight", d.lossWeight(op.getLoss()))));
  return success();
}

static LogicalResult backward(PrimWeightedSumOp op, PrimBuilder &b,
                              Differentiator &d) {
  for (auto [loss, weight] : llvm::zip_equal(op.getLosses(), op.getWeights()))
    d.addLossWeight(loss, weight * d.lossWeight(op.getSum()));
  return success();
}

template <typename... Ops>
static LogicalResult applyFirst(Operation *op, PrimBuilder &b,
                                Differentiator &d) {
  LogicalResult result = failure();
  ((isa<Ops>(op) && (result = backward(cast<Ops>(op), b, d), true)) || ...);
  return result;
}

LogicalResult rootc::applyBackwardRule(Operation *op, PrimBuilder &b,
                                       Differentiator &d) {
  return applyFirst<PrimConv2dOp, PrimAddOp, PrimReluOp, PrimDropoutOp,
                    PrimBatchNormNormalizeOp, PrimMaxPoolWithIndexOp,
                    PrimAveragePoolOp, PrimGlobalAveragePoolOp, PrimConcatOp,
                    PrimLocalResponseNormOp, PrimSoftmaxCrossEntropyOp,
                    PrimWeightedSumOp>(op, b, d);
}
