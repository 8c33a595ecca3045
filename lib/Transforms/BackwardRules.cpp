//===- BackwardRules.cpp - One backward rule an op ------------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// To make an op differentiable, add a function `backward` for it and name it in
// the list at the end; activations are in BackwardActivations.cpp. A rule adds
// to the gradient of each operand that is wanted, and makes no op for the
// others. They are in one file, long as it is, since the list chooses among
// them by overloading.
//
//===----------------------------------------------------------------------===//

#include "dialect/LossAttributes.h"
#include "lib/Transforms/Autodiff.h"

using namespace mlir;
using namespace rootc;
using namespace rootc::root;

static bool isZero(ArrayRef<int64_t> pad) {
  return llvm::all_of(pad, [](int64_t size) { return size == 0; });
}

/// Whether `user` passes a constant added to a channel of `map` on to a batch
/// norm, which takes the mean out. `known`: of the maps behind it.
static bool takesShiftOut(Operation *user, Value map,
                          const llvm::DenseSet<Value> &known) {
  if (isa<PrimAddOp, PrimConcatOp, PrimSliceChannelsOp, PrimChannelShuffleOp,
          PrimMaxPoolOp, PrimMaxPoolWithIndexOp, PrimGlobalAveragePoolOp>(user))
    return known.contains(user->getResult(0));
  // These pass a constant on as a constant, but for the zeros of a border.
  if (auto conv = dyn_cast<PrimConv2dOp>(user))
    return isZero(conv.getPad()) && known.contains(conv.getY());
  if (auto pool = dyn_cast<PrimAveragePoolOp>(user))
    return (isZero(pool.getPad()) || pool.getExcludePad()) &&
           known.contains(pool.getY());
  if (auto normalize = dyn_cast<PrimBatchNormNormalizeOp>(user)) {
    auto statistics =
        normalize.getMean().getDefiningOp<PrimBatchNormStatisticsOp>();
    return statistics && statistics.getX() == map;
  }
  if (isa<PrimChannelOffsetOp, PrimScaleChannelsOp, PrimResampleOp>(user))
    return user->getOperand(0) == map && known.contains(user->getResult(0));
  // A group norm of one channel a group takes the mean out of each image.
  if (auto normalize = dyn_cast<PrimGroupNormNormalizeOp>(user))
    return takesShiftOut(normalize.getMean().getDefiningOp(), map, known);
  if (auto statistics = dyn_cast<PrimGroupNormStatisticsOp>(user))
    return statistics.getX() == map &&
           statistics.getGroups() ==
               cast<RankedTensorType>(map.getType()).getShape()[3];
  // Statistics are read by what is seen above, and by running averages.
  return isa<PrimBatchNormStatisticsOp>(user);
}

llvm::DenseSet<Value> rootc::findShiftInvariant(ProgramOp program) {
  llvm::DenseSet<Value> known;
  for (Operation &op : llvm::reverse(program.getBody().front()))
    for (Value result : op.getResults())
      if (llvm::all_of(result.getUsers(), [&](Operation *user) {
            return takesShiftOut(user, result, known);
          }))
        known.insert(result);
  return known;
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
    if (d.isShiftInvariant(op.getY()))
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

/// Of a transposed convolution: the gradient's gradient is the convolution.
static LogicalResult backward(PrimConv2dBackwardDataOp op, PrimBuilder &b,
                              Differentiator &d) {
  Value dx = d.gradient(op.getDx());
  Attributes conv = b.attributes().copy(op, convAttributeNames);
  if (d.wants(op.getFilter()))
    d.add(b, op.getFilter(),
          b.make<PrimConv2dBackwardFilterOp>(op.getFilter().getType(),
                                             {dx, op.getDy()}, conv));
  if (d.wants(op.getDy()))
    d.add(b, op.getDy(),
          b.make<PrimConv2dOp>(op.getDy().getType(), {dx, op.getFilter()},
                               conv.copy(op, {"block"})));
  return success();
}

static LogicalResult backward(PrimChannelOffsetOp op, PrimBuilder &b,
                              Differentiator &d) {
  Value dy = d.gradient(op.getY());
  if (d.wants(op.getX()))
    d.add(b, op.getX(), dy);
  if (!d.wants(op.getOffset()))
    return success();
  // See the bias of a convolution.
  Type type = op.getOffset().getType();
  if (d.isShiftInvariant(op.getY()))
    d.add(b, op.getOffset(), b.make<PrimZerosLikeOp>(type, op.getOffset()));
  else
    d.add(b, op.getOffset(), b.make<PrimChannelSumOp>(type, dy));
  return success();
}

static LogicalResult backward(PrimAddOp op, PrimBuilder &b, Differentiator &d) {
  Value dy = d.gradient(op.getY());
  for (Value operand : op->getOperands())
    if (d.wants(operand))
      d.add(b, operand, dy);
  return success();
}

/// Each factor gets dy times the other; the broadcast one sums over what it
/// was broadcast to.
static LogicalResult backward(PrimMultiplyOp op, PrimBuilder &b,
                              Differentiator &d) {
  Value dy = d.gradient(op.getY());
  RankedTensorType whole = op.getA().getType(), own = op.getB().getType();
  if (d.wants(op.getA()))
    d.add(b, op.getA(), b.make<PrimMultiplyOp>(whole, {dy, op.getB()}));
  if (!d.wants(op.getB()))
    return success();
  Value product = b.make<PrimMultiplyOp>(whole, {dy, op.getA()});
  if (own != whole) {
    bool overMap = own.getShape().slice(1, 2) != whole.getShape().slice(1, 2);
    bool overChannels = own.getShape()[3] != whole.getShape()[3];
    StringRef over = !overMap ? "channels" : overChannels ? "image" : "map";
    product = b.make<PrimReduceSumOp>(own, product,
                                      b.attributes().text("over", over));
  }
  d.add(b, op.getB(), product);
  return success();
}

/// A border of zeros is cut off, what was cut off gets zeros.
static LogicalResult backward(PrimPadOp op, PrimBuilder &b, Differentiator &d) {
  SmallVector<int64_t> pad;
  for (int64_t size : op.getPad())
    pad.push_back(-size);
  d.add(b, op.getX(),
        b.make<PrimPadOp>(op.getX().getType(), d.gradient(op.getY()),
                          b.attributes().ints("pad", pad)));
  return success();
}

/// Of an op whose gradient follows from dy alone.
template <typename BackwardOp, typename ForwardOp>
static LogicalResult backwardFromGradient(ForwardOp op, PrimBuilder &b,
                                          Differentiator &d,
                                          ArrayRef<StringRef> attributes) {
  d.add(b, op.getX(),
        b.make<BackwardOp>(op.getX().getType(), d.gradient(op.getY()),
                           b.attributes().copy(op, attributes)));
  return success();
}

static LogicalResult backward(PrimReflectPadOp op, PrimBuilder &b,
                              Differentiator &d) {
  return backwardFromGradient<PrimReflectPadBackwardOp>(op, b, d, {"pad"});
}

/// Each of the two is the other's.
static LogicalResult backward(PrimSpaceToDepthOp op, PrimBuilder &b,
                              Differentiator &d) {
  return backwardFromGradient<PrimDepthToSpaceOp>(op, b, d, {"block", "mode"});
}

static LogicalResult backward(PrimDepthToSpaceOp op, PrimBuilder &b,
                              Differentiator &d) {
  return backwardFromGradient<PrimSpaceToDepthOp>(op, b, d, {"block", "mode"});
}

static LogicalResult backward(PrimStandardizeFilterOp op, PrimBuilder &b,
                              Differentiator &d) {
  Value dy = d.gradient(op.getStandard());
  Attributes epsilon = b.attributes().copy(op, {"epsilon"});
  if (d.wants(op.getFilter()))
    d.add(b, op.getFilter(),
          b.make<PrimStandardizeFilterBackwardOp>(
              op.getFilter().getType(), {dy, op.getFilter(), op.getGain()},
              epsilon));
  if (d.wants(op.getGain()))
    d.add(b, op.getGain(),
          b.make<PrimStandardizeGainBackwardOp>(op.getGain().getType(),
                                                {dy, op.getFilter()}, epsilon));
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

/// A batch norm by running statistics: its vectors are of frozen layers.
static LogicalResult backward(PrimChannelAffineOp op, PrimBuilder &b,
                              Differentiator &d) {
  if (d.wants(op.getMultiplier()) || d.wants(op.getOffset()))
    return failure();
  d.add(b, op.getX(),
        b.make<PrimScaleChannelsOp>(
            op.getX().getType(), {d.gradient(op.getY()), op.getMultiplier()}));
  return success();
}

static LogicalResult backward(PrimLayerNormOp op, PrimBuilder &b,
                              Differentiator &d) {
  Value dy = d.gradient(op.getY());
  Type vector = op.getScale().getType();
  Attributes epsilon = b.attributes().copy(op, {"epsilon"});
  if (d.wants(op.getScale()) || d.wants(op.getOffset())) {
    auto reduced = b.make<PrimLayerNormBackwardReduceOp>(
        {vector, vector}, {dy, op.getX()}, epsilon);
    if (d.wants(op.getScale()))
      d.add(b, op.getScale(), reduced.getDscale());
    if (d.wants(op.getOffset()))
      d.add(b, op.getOffset(), reduced.getDoffset());
  }
  if (d.wants(op.getX()))
    d.add(b, op.getX(),
          b.make<PrimLayerNormBackwardDataOp>(
              op.getX().getType(), {dy, op.getX(), op.getScale()}, epsilon));
  return success();
}

static LogicalResult backward(PrimGroupNormNormalizeOp op, PrimBuilder &b,
                              Differentiator &d) {
  auto statistics = op.getMean().getDefiningOp<PrimGroupNormStatisticsOp>();
  if (!statistics || statistics.getX() != op.getX() ||
      op.getMean() != statistics.getMean() ||
      op.getInverse() != statistics.getInverse())
    return failure();
  Value dy = d.gradient(op.getY());
  Type vector = op.getScale().getType(), each = op.getMean().getType();
  auto reduced = b.make<PrimGroupNormBackwardReduceOp>(
      {each, each, each, each},
      {dy, op.getX(), op.getMean(), op.getInverse(), op.getScale()},
      b.attributes().copy(statistics, {"groups"}));
  if (d.wants(op.getScale()))
    d.add(b, op.getScale(),
          b.make<PrimChannelSumOp>(vector, reduced.getDscale()));
  if (d.wants(op.getOffset()))
    d.add(b, op.getOffset(),
          b.make<PrimChannelSumOp>(vector, reduced.getDoffset()));
  if (d.wants(op.getX()))
    d.add(b, op.getX(),
          b.make<PrimGroupNormBackwardDataOp>(
              op.getX().getType(),
              {dy, op.getX(), op.getMean(), op.getInverse(), op.getScale(),
               reduced.getMeanDscale(), reduced.getMeanDoffset()}));
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
  return backwardFromGradient<PrimGlobalAveragePoolBackwardOp>(op, b, d,
                                                               {"input"});
}

static LogicalResult backward(PrimResampleOp op, PrimBuilder &b,
                              Differentiator &d) {
  return backwardFromGradient<PrimResampleBackwardOp>(
      op, b, d, {"input", "output", "mode", "coordinates", "round"});
}

static LogicalResult backward(PrimChannelMeanOp op, PrimBuilder &b,
                              Differentiator &d) {
  RankedTensorType type = op.getX().getType();
  d.add(b, op.getX(),
        b.make<PrimChannelMeanBackwardOp>(
            type, d.gradient(op.getY()),
            b.attributes().integer("channels", type.getShape()[3])));
  return success();
}

static LogicalResult backward(PrimChannelMaxOp op, PrimBuilder &b,
                              Differentiator &d) {
  d.add(
      b, op.getX(),
      b.make<PrimChannelMaxBackwardOp>(
          op.getX().getType(), {d.gradient(op.getY()), op.getX(), op.getY()}));
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

/// The gradients of slices are put side by side as far as they share no
/// channel, rather than padded and added one by one. What a wider one replaces
/// may be another value's gradient too, so it stays; see eraseUnused().
static LogicalResult backward(PrimSliceChannelsOp op, PrimBuilder &b,
                              Differentiator &d) {
  SmallVector<std::pair<int64_t, Value>> parts = {
      {op.getBegin(), d.gradient(op.getY())}};
  Value sum = d.gradient(op.getX());
  auto others = sum ? sum.getDefiningOp<PrimPadChannelsOp>() : nullptr;
  auto endOf = [](int64_t begin, Value part) {
    return begin + cast<RankedTensorType>(part.getType()).getShape()[3];
  };
  if (others)
    for (auto [begin, part] :
         llvm::zip_equal(others.getBegins(), others.getInputs())) {
      if (begin < op.getEnd() && op.getBegin() < endOf(begin, part)) {
        parts.resize(1);
        break;
      }
      parts.push_back({begin, part});
    }
  if (parts.size() > 1)
    d.take(op.getX());

  llvm::sort(parts, llvm::less_first());
  SmallVector<int64_t> begins;
  SmallVector<Value> inputs;
  int64_t covered = 0;
  for (auto [begin, part] : parts) {
    covered = begin == covered ? endOf(begin, part) : -1;
    begins.push_back(begin);
    inputs.push_back(part);
  }
  RankedTensorType type = op.getX().getType();
  if (covered == type.getShape()[3])
    d.add(b, op.getX(), b.make<PrimConcatOp>(type, inputs));
  else
    d.add(b, op.getX(),
          b.make<PrimPadChannelsOp>(type, inputs,
                                    b.attributes().ints("begins", begins)));
  return success();
}

/// The shuffle that undoes it.
static LogicalResult backward(PrimChannelShuffleOp op, PrimBuilder &b,
                              Differentiator &d) {
  RankedTensorType type = op.getX().getType();
  d.add(b, op.getX(),
        b.make<PrimChannelShuffleOp>(
            type, d.gradient(op.getY()),
            b.attributes().integer("groups",
                                   type.getShape()[3] / op.getGroups())));
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
            b.attributes()
                .real("weight", d.lossWeight(op.getLoss()))
                .copy(op, lossAttributeNames)));
  return success();
}

static LogicalResult backward(PrimWeightedSumOp op, PrimBuilder &,
                              Differentiator &d) {
  for (auto [loss, weight] : llvm::zip_equal(op.getLosses(), op.getWeights()))
    d.addLossWeight(loss, weight * d.lossWeight(op.getSum()));
  return success();
}

template <typename... Ops>
static LogicalResult applyFirst(Operation *op, PrimBuilder &b,
                                Differentiator &d) {
  LogicalResult result = failure();
  (void)((isa<Ops>(op) && (result = backward(cast<Ops>(op), b, d), true)) ||
         ...);
  return result;
}

LogicalResult rootc::applyBackwardRule(Operation *op, PrimBuilder &b,
                                       Differentiator &d) {
  if (succeeded(applyActivationRule(op, b, d)))
    return success();
  return applyFirst<
      PrimConv2dOp, PrimConv2dBackwardDataOp, PrimChannelOffsetOp,
      PrimResampleOp, PrimChannelMeanOp, PrimChannelMaxOp, PrimAddOp,
      PrimMultiplyOp, PrimDropoutOp, PrimBatchNormNormalizeOp,
      PrimChannelAffineOp, PrimLayerNormOp, PrimGroupNormNormalizeOp,
      PrimMaxPoolWithIndexOp, PrimAveragePoolOp, PrimGlobalAveragePoolOp,
      PrimConcatOp, PrimSliceChannelsOp, PrimChannelShuffleOp,
      PrimLocalResponseNormOp, PrimSoftmaxCrossEntropyOp, PrimWeightedSumOp,
      PrimPadOp, PrimReflectPadOp, PrimSpaceToDepthOp, PrimDepthToSpaceOp,
      PrimStandardizeFilterOp>(op, b, d);
}
