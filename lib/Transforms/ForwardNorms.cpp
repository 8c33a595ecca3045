//===- ForwardNorms.cpp - Norms as primitive ops --------------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialect/Frozen.h"
#include "lib/Transforms/ForwardBuilder.h"

using namespace mlir;
using namespace rootc;
using namespace rootc::root;

Value ForwardBuilder::emit(BatchNormOp op) {
  int64_t channels = imageOf(op.getInput()).getChannels();
  Value scale = vector(op, op.getLayer(), "scale", channels);
  Value offset = vector(op, op.getLayer(), "offset", channels);
  Value mean = statistic(op, op.getLayer(), "mean", channels);
  Value variance = statistic(op, op.getLayer(), "variance", channels);
  Type type = mean.getType();
  PrimBuilder b = prims(op);
  Value x = at(op.getInput());
  if (training && !isFrozen(op)) {
    auto batch = b.make<PrimBatchNormStatisticsOp>({type, type, type}, x);
    auto update = [&](Value running, Value value, StringRef role) {
      auto updated = b.make<PrimRunningAverageOp>(
          type, {running, value},
          b.attributes().real("momentum", op.getMomentum().convertToDouble()));
      StoreOp::create(builder, op.getLoc(), StoreKind::Statistic,
                      tensorName(op.getLayer(), role), updated);
    };
    update(mean, batch.getMean(), "mean");
    update(variance, batch.getUnbiased(), "variance");
    mean = batch.getMean();
    variance = batch.getVariance();
  }
  return b.make<PrimBatchNormNormalizeOp>(
      x.getType(), {x, mean, variance, scale, offset},
      b.attributes().real("epsilon", op.getEpsilon().convertToDouble()));
}

Value ForwardBuilder::emit(LayerNormOp op) {
  int64_t channels = imageOf(op.getInput()).getChannels();
  Value x = at(op.getInput());
  Value scale = vector(op, op.getLayer(), "scale", channels);
  Value offset = vector(op, op.getLayer(), "offset", channels);
  PrimBuilder b = prims(op);
  return b.make<PrimLayerNormOp>(
      x.getType(), {x, scale, offset},
      b.attributes().real("epsilon", op.getEpsilon().convertToDouble()));
}

/// What is normalised is computed from x as it is read, so the statistics have
/// a kernel of their own.
Value ForwardBuilder::emit(GroupNormOp op) {
  int64_t channels = imageOf(op.getInput()).getChannels();
  Value x = at(op.getInput());
  Value scale = vector(op, op.getLayer(), "scale", channels);
  Value offset = vector(op, op.getLayer(), "offset", channels);
  PrimBuilder b = prims(op);
  auto each = RankedTensorType::get({ShapedType::kDynamic, 1, 1, channels},
                                    builder.getF32Type());
  auto statistics = b.make<PrimGroupNormStatisticsOp>(
      {each, each}, x,
      b.attributes()
          .integer("groups", op.getGroups())
          .real("epsilon", op.getEpsilon().convertToDouble()));
  return b.make<PrimGroupNormNormalizeOp>(
      x.getType(),
      {x, statistics.getMean(), statistics.getInverse(), scale, offset});
}

Value ForwardBuilder::emit(LocalResponseNormOp op) {
  PrimBuilder b = prims(op);
  Value x = at(op.getInput());
  return b.make<PrimLocalResponseNormOp>(
      x.getType(), x,
      b.attributes()
          .integer("size", op.getSize())
          .real("alpha", op.getAlpha().convertToDouble())
          .real("beta", op.getBeta().convertToDouble())
          .real("k", op.getK().convertToDouble()));
}
