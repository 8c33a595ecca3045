//===- FoldBatchNorm.cpp - Batch norm by running statistics ---------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lib/Transforms/Passes.h"
#include "lib/Transforms/PrimBuilder.h"

using namespace mlir;
using namespace rootc;
using namespace rootc::root;

namespace rootc {
#define GEN_PASS_DEF_FOLDBATCHNORM
#include "lib/Transforms/Passes.h.inc"
} // namespace rootc

/// Known before any image: a parameter or a running statistic.
static bool isConstant(Value value) {
  return value.getDefiningOp<ParameterOp>() ||
         value.getDefiningOp<StatisticOp>();
}

/// A filter that is known, or was folded into once already. In training one
/// that learns stays as it is: its gradient is of itself, unscaled.
static bool isFoldableFilter(Value filter, bool training) {
  while (auto scaled = filter.getDefiningOp<PrimScaleFilterOp>())
    filter = scaled.getFilter();
  return training ? filter.getDefiningOp<StatisticOp>() != nullptr
                  : isConstant(filter);
}

static bool isFixed(PrimBatchNormNormalizeOp norm) {
  return isConstant(norm.getMean()) && isConstant(norm.getVariance()) &&
         isConstant(norm.getScale()) && isConstant(norm.getOffset());
}

/// The normalisation of x + bias as x times `multiplier`, plus `offset`.
struct Affine {
  Value multiplier, offset;
};

static Affine affineOf(PrimBatchNormNormalizeOp norm, PrimBuilder &b,
                       Value bias = {}) {
  Type vector = norm.getScale().getType();
  Value multiplier = b.make<PrimFoldMultiplierOp>(
      vector, {norm.getScale(), norm.getVariance()},
      b.attributes().copy(norm, {"epsilon"}));
  SmallVector<Value> operands = {norm.getMean(), multiplier, norm.getOffset()};
  if (bias)
    operands.push_back(bias);
  return {multiplier, b.make<PrimFoldBiasOp>(vector, operands)};
}

/// Where there is no convolution to fold into: two vectors, made once.
static void simplify(PrimBatchNormNormalizeOp norm) {
  OpBuilder builder(norm);
  PrimBuilder b(builder, norm);
  Affine affine = affineOf(norm, b);
  Value y = b.make<PrimChannelAffineOp>(
      norm.getY().getType(), {norm.getX(), affine.multiplier, affine.offset});
  norm.replaceAllUsesWith(y);
  norm.erase();
}

/// scale (conv(x, f) + b - mean) / std + offset is a convolution by f times
/// scale / std with the bias (b - mean) scale / std + offset.
static void fold(PrimBatchNormNormalizeOp norm, bool training) {
  if (!isFixed(norm))
    return;
  auto conv = norm.getX().getDefiningOp<PrimConv2dOp>();
  if (!conv || !conv->hasOneUse() ||
      !isFoldableFilter(conv.getFilter(), training))
    return simplify(norm);

  // At the normalisation, where all its operands are known; the label is the
  // convolution's, as it is what runs.
  OpBuilder builder(norm);
  PrimBuilder b(builder, conv);
  Affine affine = affineOf(norm, b, conv.getBias());
  Value filter = b.make<PrimScaleFilterOp>(
      conv.getFilter().getType(), {conv.getFilter(), affine.multiplier});
  Value folded = b.make<PrimConv2dOp>(
      conv.getY().getType(), {conv.getX(), filter, affine.offset},
      b.attributes().copy(conv, convAttributeNames).copy(conv, {"block"}));
  norm.replaceAllUsesWith(folded);
  norm.erase();
  conv.erase();
}

namespace {
struct FoldBatchNorm : rootc::impl::FoldBatchNormBase<FoldBatchNorm> {
  void runOnOperation() override {
    // In order, so that a normalisation of a folded one finds its convolution.
    for (ProgramKind kind : {ProgramKind::Infer, ProgramKind::Train})
      if (ProgramOp program = findProgram(getOperation(), kind))
        for (auto norm : llvm::make_early_inc_range(
                 program.getBody().getOps<PrimBatchNormNormalizeOp>()))
          fold(norm, kind == ProgramKind::Train);
  }
};
} // namespace
