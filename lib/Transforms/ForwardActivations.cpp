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
