//===- PrimWindowOps.cpp - Verifiers of borders, blocks, pools ------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialect/MaxPoolIndex.h"
#include "dialect/PrimRules.h"

using namespace mlir;
using namespace rootc::root;

//===----------------------------------------------------------------------===//
// Borders and blocks
//===----------------------------------------------------------------------===//

/// Checks that `whole` is `part` with `pad` around it, reflected or not.
static LogicalResult verifyPad(Operation *op, ArrayRef<int64_t> pad, Value part,
                               Value whole, bool reflect) {
  ArrayRef<int64_t> from = shapeOf(part);
  for (int side = 0; side < 4; ++side)
    if (reflect ? pad[side] < 0 || pad[side] >= from[1 + side % 2]
                : std::abs(pad[side]) > maxElements)
      return op->emitOpError()
             << "cannot pad " << describeShape(from) << " by " << pad[side];
  return expectShape(
      op, "a padded map", whole,
      {from[0], from[1] + pad[0] + pad[2], from[2] + pad[1] + pad[3], from[3]});
}

LogicalResult PrimPadOp::verify() {
  return verifyPad(*this, getPad(), getX(), getY(), /*reflect=*/false);
}

LogicalResult PrimReflectPadOp::verify() {
  return verifyPad(*this, getPad(), getX(), getY(), /*reflect=*/true);
}

LogicalResult PrimReflectPadBackwardOp::verify() {
  return verifyPad(*this, getPad(), getDx(), getDy(), /*reflect=*/true);
}

/// Checks that `deep` has blocks of `flat` as channels.
template <typename BlockOp>
static LogicalResult verifyBlock(BlockOp op, Value flat, Value deep) {
  int64_t block = op.getBlock();
  if (block < 1 || block > (1 << 15) ||
      (op.getMode() != "dcr" && op.getMode() != "crd"))
    return op.emitOpError("needs a block from 1 to 32768, and mode \"dcr\" or "
                          "\"crd\"");
  ArrayRef<int64_t> from = shapeOf(flat);
  if (from[1] % block != 0 || from[2] % block != 0)
    return op.emitOpError() << "cannot cut " << describeShape(from)
                            << " into blocks of " << block;
  return expectShape(
      op, "a map of blocks", deep,
      {from[0], from[1] / block, from[2] / block, from[3] * block * block});
}

LogicalResult PrimSpaceToDepthOp::verify() {
  return verifyBlock(*this, getX(), getY());
}

LogicalResult PrimDepthToSpaceOp::verify() {
  return verifyBlock(*this, getY(), getX());
}

//===----------------------------------------------------------------------===//
// Pools
//===----------------------------------------------------------------------===//

/// Checks a window's attributes and the map it makes of `channels` channels.
template <typename WindowOp>
static LogicalResult verifyWindow(WindowOp op, Value y, ArrayRef<int64_t> input,
                                  Value x) {
  if (!llvm::all_of(op.getKernel(), isSize) ||
      !llvm::all_of(op.getStride(), isSize) ||
      !llvm::all_of(op.getOutput(), isSize) || !llvm::all_of(input, isSize) ||
      !llvm::all_of(op.getPad(), isPad))
    return op.emitOpError("needs kernel, stride, input and output of at least "
                          "1 and no negative pad, none above ")
           << maxElements;
  for (int axis : {0, 1}) {
    int64_t start =
        (op.getOutput()[axis] - 1) * op.getStride()[axis] - op.getPad()[axis];
    if (start >= input[axis] + op.getPad()[axis + 2])
      return op.emitOpError("has a window that starts beyond its padded input");
  }
  ArrayRef<int64_t> from = shapeOf(x);
  if (failed(expectShape(op, "an input map", x,
                         {from[0], input[0], input[1], from[3]})))
    return failure();
  return expectShape(op, "an output map", y,
                     {from[0], op.getOutput()[0], op.getOutput()[1], from[3]});
}

LogicalResult PrimMaxPoolOp::verify() {
  return verifyWindow(*this, getY(), shapeOf(getX()).slice(1, 2), getX());
}

/// An index is as wide as its window needs.
template <typename WindowOp> static LogicalResult verifyIndex(WindowOp op) {
  if (!elementCount({op.getKernel()[0], op.getKernel()[1]}))
    return op.emitOpError() << "has a window of more than " << maxElements
                            << " elements, which a training-mode max pool "
                               "cannot index";
  Type expected = maxPoolIndexType(op.getContext(), op.getKernel());
  Type element = op.getIndex().getType().getElementType();
  if (element != expected)
    return op.emitOpError()
           << "expects an index map of " << expected << ", got " << element;
  return success();
}

LogicalResult PrimMaxPoolWithIndexOp::verify() {
  if (failed(verifyIndex(*this)) ||
      failed(verifyWindow(*this, getY(), shapeOf(getX()).slice(1, 2), getX())))
    return failure();
  return expectShape(*this, "an index map", getIndex(), shapeOf(getY()));
}

LogicalResult PrimMaxPoolBackwardOp::verify() {
  if (failed(verifyIndex(*this)) ||
      failed(verifyWindow(*this, getDy(), getInput(), getDx())))
    return failure();
  return expectShape(*this, "an index map", getIndex(), shapeOf(getDy()));
}

LogicalResult PrimAveragePoolOp::verify() {
  return verifyWindow(*this, getY(), getInput(), getX());
}

LogicalResult PrimAveragePoolBackwardOp::verify() {
  return verifyWindow(*this, getDy(), getInput(), getDx());
}

/// Checks [N,H,W,C] -> [N,1,1,C].
static LogicalResult verifyGlobalPool(Operation *op, Value x, Value y,
                                      ArrayRef<int64_t> input) {
  ArrayRef<int64_t> from = shapeOf(x);
  if (failed(expectShape(op, "an input map", x,
                         {from[0], input[0], input[1], from[3]})))
    return failure();
  return expectShape(op, "an output map", y, {from[0], 1, 1, from[3]});
}

LogicalResult PrimGlobalAveragePoolOp::verify() {
  return verifyGlobalPool(*this, getX(), getY(), getInput());
}

LogicalResult PrimGlobalAveragePoolBackwardOp::verify() {
  return verifyGlobalPool(*this, getDx(), getDy(), getInput());
}
