//===- NormLayers.cpp - Rules of layers that normalise --------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialect/Rules.h"

#include <cmath>

using namespace mlir;
using namespace rootc::root;

/// A norm's name, which must not be `input`, and its epsilon; `rule` is what
/// its rules begin with, followed by 1 to 3.
static LogicalResult verifyNorm(Operation *op, StringRef rule, StringRef name,
                                const APFloat &epsilon, StringRef tensors) {
  if (failed(verifyName(op, (rule + "1").str(), name)))
    return failure();
  if (name == "input")
    return op->emitOpError()
           << "(" << rule << "3) the name \"input\" would make " << tensors
           << " how images are normalised; rename this layer";
  double value = epsilon.convertToDouble();
  if (!std::isfinite(value) || value <= 0)
    return op->emitOpError()
           << "(" << rule << "2) epsilon must be positive and finite";
  return success();
}

LogicalResult BatchNormOp::verify() {
  if (failed(verifyNorm(*this, "B", getLayer(), getEpsilon(),
                        "the tensors input.mean and input.scale, which hold")))
    return failure();
  double momentum = getMomentum().convertToDouble();
  if (!(momentum >= 0 && momentum <= 1))
    return emitOpError() << "(B2) momentum must be from 0 to 1";
  return success();
}

FailureOr<MapShape> BatchNormOp::inferShape(ArrayRef<MapShape> inputs) {
  return inputs[0];
}

LogicalResult LayerNormOp::verify() {
  return verifyNorm(*this, "LN", getLayer(), getEpsilon(),
                    "the tensor input.scale, which holds");
}

FailureOr<MapShape> LayerNormOp::inferShape(ArrayRef<MapShape> inputs) {
  return inputs[0];
}

LogicalResult GroupNormOp::verify() {
  if (failed(verifyNorm(*this, "GN", getLayer(), getEpsilon(),
                        "the tensor input.scale, which holds")))
    return failure();
  return verifySize(*this, "GN4", "groups", getGroups());
}

FailureOr<MapShape> GroupNormOp::inferShape(ArrayRef<MapShape> inputs) {
  if (inputs[0].channels % getGroups() != 0)
    return emitOpError() << "(GN5) " << getGroups() << " groups do not divide "
                         << inputs[0].channels << " channels; choose a divisor";
  return inputs[0];
}

LogicalResult LocalResponseNormOp::verify() {
  if (failed(verifySize(*this, "R1", "size", getSize())))
    return failure();
  if (getSize() % 2 == 0)
    return emitOpError() << "(R1) size is " << getSize() << "; it must be odd";
  double alpha = getAlpha().convertToDouble();
  double beta = getBeta().convertToDouble();
  double k = getK().convertToDouble();
  if (!std::isfinite(alpha) || !std::isfinite(beta) || !std::isfinite(k) ||
      alpha < 0 || beta < 0 || k <= 0)
    return emitOpError() << "(R2) alpha and beta must be finite and not "
                            "negative, k finite and positive";
  return success();
}

FailureOr<MapShape> LocalResponseNormOp::inferShape(ArrayRef<MapShape> inputs) {
  return inputs[0];
}
