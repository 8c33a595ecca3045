//===- PrimNormOps.cpp - Verifiers of norms -------------------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialect/PrimRules.h"

using namespace mlir;
using namespace rootc::root;

LogicalResult PrimBatchNormStatisticsOp::verify() {
  return expectPerChannel(*this, getX(), getResults());
}

LogicalResult PrimBatchNormNormalizeOp::verify() {
  return expectPerChannel(*this, getX(), getOperands().drop_front(1));
}

LogicalResult PrimBatchNormBackwardReduceOp::verify() {
  if (failed(expectPerChannel(*this, getX(), getOperands().drop_front(2))))
    return failure();
  return expectPerChannel(*this, getX(), getResults());
}

LogicalResult PrimBatchNormBackwardDataOp::verify() {
  return expectPerChannel(*this, getX(), getOperands().drop_front(2));
}

LogicalResult PrimLayerNormOp::verify() {
  return expectPerChannel(*this, getX(), getOperands().drop_front(1));
}

LogicalResult PrimLayerNormBackwardDataOp::verify() {
  return expectPerChannel(*this, getX(), getScale());
}

LogicalResult PrimLayerNormBackwardReduceOp::verify() {
  return expectPerChannel(*this, getX(), getResults());
}

/// Checks that `values` have one value for each image and channel of `map`, and
/// where the op has groups, that these divide the channels.
static LogicalResult verifyGroupNorm(Operation *op, Value map,
                                     ValueRange values, int64_t groups = 1) {
  ArrayRef<int64_t> shape = shapeOf(map);
  if (groups < 1 || shape[3] % groups != 0)
    return op->emitOpError() << "cannot split " << shape[3] << " channels into "
                             << groups << " groups";
  for (Value value : values)
    if (failed(expectShape(op, "a value for each image and channel", value,
                           {shape[0], 1, 1, shape[3]})))
      return failure();
  return success();
}

LogicalResult PrimGroupNormStatisticsOp::verify() {
  return verifyGroupNorm(*this, getX(), getResults(), getGroups());
}

LogicalResult PrimGroupNormNormalizeOp::verify() {
  if (failed(verifyGroupNorm(*this, getX(), {getMean(), getInverse()})))
    return failure();
  return expectPerChannel(*this, getX(), {getScale(), getOffset()});
}

LogicalResult PrimGroupNormBackwardReduceOp::verify() {
  if (failed(verifyGroupNorm(*this, getX(), {getMean(), getInverse()},
                             getGroups())) ||
      failed(verifyGroupNorm(*this, getX(), getResults())))
    return failure();
  return expectPerChannel(*this, getX(), getScale());
}

LogicalResult PrimGroupNormBackwardDataOp::verify() {
  if (failed(verifyGroupNorm(
          *this, getX(),
          {getMean(), getInverse(), getMeanDscale(), getMeanDoffset()})))
    return failure();
  return expectPerChannel(*this, getX(), getScale());
}

LogicalResult PrimScaleFilterOp::verify() {
  return expectShape(*this, "a multiplier", getMultiplier(),
                     shapeOf(getFilter())[0]);
}

LogicalResult PrimStandardizeFilterOp::verify() {
  return expectShape(*this, "a gain", getGain(), shapeOf(getFilter())[0]);
}

LogicalResult PrimStandardizeFilterBackwardOp::verify() {
  return expectShape(*this, "a gain", getGain(), shapeOf(getFilter())[0]);
}

LogicalResult PrimStandardizeGainBackwardOp::verify() {
  return expectShape(*this, "a gain's gradient", getDgain(),
                     shapeOf(getFilter())[0]);
}
