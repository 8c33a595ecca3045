//===- ForwardActivations.cpp - Activation layers to primitive ops --------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lib/Transforms/ForwardBuilder.h"

using namespace mlir;
using namespace rootc;
using namespace rootc::root;

Value ForwardBuilder::emit(ReluOp op) {
  Value x = at(op.getInput());
  return prims(op).make<PrimReluOp>(x.getType(), x);
}

/// Without bounds it does nothing.
Value ForwardBuilder::emit(ClipOp op) {
  Value x = at(op.getInput());
  if (!op.getMin() && !op.getMax())
    return x;
  PrimBuilder b = prims(op);
  return b.make<PrimClipOp>(x.getType(), x,
                            b.attributes().copy(op, {"min", "max"}));
}

Value ForwardBuilder::emit(SigmoidOp op) {
  Value x = at(op.getInput());
  return prims(op).make<PrimSigmoidOp>(x.getType(), x);
}

Value ForwardBuilder::emit(HardSigmoidOp op) {
  Value x = at(op.getInput());
  PrimBuilder b = prims(op);
  return b.make<PrimHardSigmoidOp>(
      x.getType(), x,
      b.attributes()
          .real("alpha", op.getAlpha().convertToDouble())
          .real("beta", op.getBeta().convertToDouble()));
}

Value ForwardBuilder::emit(HardSwishOp op) {
  Value x = at(op.getInput());
  return prims(op).make<PrimHardSwishOp>(x.getType(), x);
}

Value ForwardBuilder::emit(LeakyReluOp op) {
  Value x = at(op.getInput());
  PrimBuilder b = prims(op);
  return b.make<PrimLeakyReluOp>(
      x.getType(), x,
      b.attributes().real("alpha", op.getAlpha().convertToDouble()));
}

Value ForwardBuilder::emit(PReluOp op) {
  Value x = at(op.getInput());
  int64_t slopes = op.getShared()
                       ? 1
                       : cast<RankedTensorType>(x.getType()).getShape().back();
  Value slope = vector(op, op.getLayer(), "slope", slopes);
  return prims(op).make<PrimPReluOp>(x.getType(), {x, slope});
}

Value ForwardBuilder::emit(EluOp op) {
  Value x = at(op.getInput());
  PrimBuilder b = prims(op);
  return b.make<PrimEluOp>(
      x.getType(), x,
      b.attributes()
          .real("alpha", op.getAlpha().convertToDouble())
          .real("scale", op.getScale().convertToDouble())
          .real("input_scale", op.getInputScale().convertToDouble()));
}

Value ForwardBuilder::emit(GeluOp op) {
  Value x = at(op.getInput());
  PrimBuilder b = prims(op);
  return b.make<PrimGeluOp>(
      x.getType(), x,
      b.attributes().text("form", op.getTanh() ? "tanh" : "erf"));
}

Value ForwardBuilder::emit(SiluOp op) {
  Value x = at(op.getInput());
  return prims(op).make<PrimSiluOp>(x.getType(), x);
}

Value ForwardBuilder::emit(SoftplusOp op) {
  Value x = at(op.getInput());
  return prims(op).make<PrimSoftplusOp>(x.getType(), x);
}

Value ForwardBuilder::emit(MishOp op) {
  Value x = at(op.getInput());
  return prims(op).make<PrimMishOp>(x.getType(), x);
}

Value ForwardBuilder::emit(LayerScaleOp op) {
  Value x = at(op.getInput());
  int64_t channels = cast<RankedTensorType>(x.getType()).getShape().back();
  Value scale = vector(op, op.getLayer(), "scale", channels);
  return prims(op).make<PrimScaleChannelsOp>(x.getType(), {x, scale});
}
