//===- PrimMapOps.cpp - Verifiers of ops on maps of two sizes -------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialect/PrimRules.h"
#include "dialect/Rules.h"

using namespace mlir;
using namespace rootc::root;

template <typename ResampleOp>
static LogicalResult verifyResample(ResampleOp op, Value x, Value y) {
  for (int d : {0, 1})
    if (op.getInput()[d] < 1 || op.getOutput()[d] < 1 ||
        !elementCount({2, op.getInput()[d], op.getOutput()[d]}))
      return op.emitOpError("needs input and output of at least 1, twice the "
                            "product of both at most ")
             << maxElements;
  if ((op.getMode() != "average" && !isResizeMode(op.getMode())) ||
      !isResizeCoordinates(op.getCoordinates()) ||
      !isResizeRounding(op.getRound()))
    return op.emitOpError("has a mode, coordinates or a rounding that is none");
  ArrayRef<int64_t> from = shapeOf(x);
  if (failed(
          expectShape(op, "an input map", x,
                      {from[0], op.getInput()[0], op.getInput()[1], from[3]})))
    return failure();
  return expectShape(op, "an output map", y,
                     {from[0], op.getOutput()[0], op.getOutput()[1], from[3]});
}

LogicalResult PrimResampleOp::verify() {
  return verifyResample(*this, getX(), getY());
}

LogicalResult PrimResampleBackwardOp::verify() {
  return verifyResample(*this, getDx(), getDy());
}

/// Checks that `value` has one value for each position of `map`.
static LogicalResult expectPerPosition(Operation *op, Value map, Value value) {
  ArrayRef<int64_t> shape = shapeOf(map);
  return expectShape(op, "a value for each position", value,
                     {shape[0], shape[1], shape[2], 1});
}

LogicalResult PrimChannelMeanOp::verify() {
  return expectPerPosition(*this, getX(), getY());
}

LogicalResult PrimChannelMeanBackwardOp::verify() {
  if (shapeOf(getDx())[3] != getChannels())
    return emitOpError() << "makes " << shapeOf(getDx())[3] << " channels, not "
                         << getChannels();
  return expectPerPosition(*this, getDx(), getDy());
}

LogicalResult PrimChannelMaxOp::verify() {
  return expectPerPosition(*this, getX(), getY());
}

LogicalResult PrimChannelMaxBackwardOp::verify() {
  if (failed(expectPerPosition(*this, getX(), getDy())) ||
      failed(expectPerPosition(*this, getX(), getY())))
    return failure();
  return expectShape(*this, "a gradient", getDx(), shapeOf(getX()));
}

LogicalResult PrimChannelOffsetOp::verify() {
  return expectShape(*this, "a vector over the channels", getOffset(),
                     shapeOf(getX())[3]);
}

static LogicalResult verifyBranches(Operation *op, Value map,
                                    int64_t branches) {
  int64_t channels = shapeOf(map)[3];
  if (branches < 1 || channels % branches != 0)
    return op->emitOpError() << "cannot split " << channels << " channels into "
                             << branches << " branches";
  return success();
}

LogicalResult PrimBranchSoftmaxOp::verify() {
  return verifyBranches(*this, getX(), getBranches());
}

LogicalResult PrimBranchSoftmaxBackwardOp::verify() {
  return verifyBranches(*this, getY(), getBranches());
}
