//===- Autodiff.h - What the backward rules work with -----------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_TRANSFORMS_AUTODIFF_H
#define ROOTC_TRANSFORMS_AUTODIFF_H

#include "lib/Transforms/PrimBuilder.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/DenseSet.h"

namespace rootc {

/// Appends the backward network to a program that stores a loss.
class Differentiator {
public:
  /// `imageGradient`: also make and store the gradient of the image.
  Differentiator(root::ProgramOp program, bool imageGradient);

  /// Fails after an error at the op at fault.
  mlir::LogicalResult run();

  // What a rule sees.

  /// The gradient of `value` so far; null if the loss does not depend on it.
  mlir::Value gradient(mlir::Value value) const {
    return gradients.lookup(value);
  }
  /// Whether somebody needs the gradient of `value`.
  bool wants(mlir::Value value) const { return wanted.contains(value); }
  /// See findShiftInvariant.
  bool isShiftInvariant(mlir::Value map) const {
    return shiftInvariant.contains(map);
  }
  /// Adds to the gradient of `value`.
  void add(PrimBuilder &b, mlir::Value value, mlir::Value gradient);
  /// Forgets the gradient of `value` so far, which the caller adds anew.
  void take(mlir::Value value) { gradients.erase(value); }
  /// How much a loss [1] counts: a scalar's gradient, known when compiling.
  double lossWeight(mlir::Value loss) const { return lossWeights.lookup(loss); }
  void addLossWeight(mlir::Value loss, double weight) {
    lossWeights[loss] += weight;
  }

private:
  void findWanted();
  mlir::LogicalResult storeResults();
  void eraseUnused();

  root::ProgramOp program;
  bool imageGradient;
  mlir::OpBuilder builder;
  llvm::DenseSet<mlir::Value> wanted;
  llvm::DenseSet<mlir::Value> shiftInvariant;
  llvm::DenseMap<mlir::Value, mlir::Value> gradients;
  llvm::DenseMap<mlir::Value, double> lossWeights;
};

/// The values to a channel of which adding a constant changes nothing beyond
/// them, as every reader passes it on to a batch norm, which takes the mean
/// out. `program` has no backward network yet.
llvm::DenseSet<mlir::Value> findShiftInvariant(root::ProgramOp program);

/// Applies the backward rule of `op`: adds to the gradients of its operands.
/// Fails, silently, if there is none.
mlir::LogicalResult applyBackwardRule(mlir::Operation *op, PrimBuilder &b,
                                      Differentiator &d);

/// The part of it for activations; fails, silently, for other ops.
mlir::LogicalResult applyActivationRule(mlir::Operation *op, PrimBuilder &b,
                                        Differentiator &d);

} // namespace rootc

#endif // ROOTC_TRANSFORMS_AUTODIFF_H
