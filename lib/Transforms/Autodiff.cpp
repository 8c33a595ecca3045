//===- Autodiff.cpp - The backward network --------------------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Reverse mode: walk the forward ops from the loss to the image; each op whose
// result has a gradient adds to those of its operands, by its rule in
// BackwardRules.cpp. The gradient of a value that several ops read is complete
// when the walk reaches the op that makes it.
//
//===----------------------------------------------------------------------===//

#include "lib/Transforms/Autodiff.h"
#include "lib/Transforms/Passes.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

using namespace mlir;
using namespace rootc;
using namespace rootc::root;

Differentiator::Differentiator(ProgramOp program, bool imageGradient)
    : program(program), imageGradient(imageGradient),
      builder(OpBuilder::atBlockEnd(&program.getBody().front())) {}

void Differentiator::add(PrimBuilder &b, Value value, Value gradient) {
  Value &sum = gradients[value];
  sum = sum ? b.make<PrimAddOp>(value.getType(), {sum, gradient}).getResult()
            : gradient;
}

/// A gradient is needed where a parameter, or the image, is upstream.
void Differentiator::findWanted() {
  for (Operation &op : program.getBody().front()) {
    auto argument = dyn_cast<ArgumentOp>(op);
    bool source =
        isa<ParameterOp>(op) || (imageGradient && argument &&
                                 argument.getKind() == ArgumentKind::Image);
    if (source || llvm::any_of(op.getOperands(),
                               [&](Value operand) { return wants(operand); }))
      wanted.insert(op.result_begin(), op.result_end());
  }
}

LogicalResult Differentiator::run() {
  StoreOp loss;
  SmallVector<Operation *> forward;
  for (Operation &op : program.getBody().front()) {
    forward.push_back(&op);
    auto store = dyn_cast<StoreOp>(op);
    if (store && store.getKind() == StoreKind::Loss)
      loss = store;
    if (store && store.getKind() == StoreKind::Gradient)
      return store.emitOpError("is a gradient: the program has its backward "
                               "network already");
  }
  if (!loss)
    return program.emitOpError("stores no loss, so it has no gradients");

  findWanted();
  shiftInvariant = findShiftInvariant(program);
  addLossWeight(loss.getValue(), 1.0);
  for (Operation *op : llvm::reverse(forward)) {
    bool reached = llvm::any_of(op->getResults(), [&](Value result) {
      return gradient(result) || lossWeights.contains(result);
    });
    bool needed = llvm::any_of(op->getOperands(),
                               [&](Value operand) { return wants(operand); });
    if (!reached || !needed)
      continue;
    PrimBuilder b(builder, op);
    if (failed(applyBackwardRule(op, b, *this)))
      return op->emitOpError("has no backward rule: it cannot lie between a "
                             "parameter and the loss");
  }
  if (failed(storeResults()))
    return failure();
  eraseUnused();
  return success();
}

/// Gradients that a rule took back, and what only they read; indices of pools
/// that no gradient goes through.
void Differentiator::eraseUnused() {
  for (Operation &op :
       llvm::make_early_inc_range(llvm::reverse(program.getBody().front()))) {
    if (isPrim(&op) && isOpTriviallyDead(&op)) {
      op.erase();
      continue;
    }
    auto pool = dyn_cast<PrimMaxPoolWithIndexOp>(op);
    if (!pool || !pool.getIndex().use_empty())
      continue;
    OpBuilder at(pool);
    PrimBuilder b(at, pool);
    pool.getY().replaceAllUsesWith(
        b.make<PrimMaxPoolOp>(pool.getY().getType(), pool.getX(),
                              b.attributes().copy(pool, windowAttributeNames)));
    pool.erase();
  }
}

LogicalResult Differentiator::storeResults() {
  for (auto parameter :
       llvm::make_early_inc_range(program.getBody().getOps<ParameterOp>())) {
    Value value = gradient(parameter);
    if (!value)
      return parameter.emitOpError("has no gradient: the loss does not depend "
                                   "on it");
    StoreOp::create(builder, parameter.getLoc(), StoreKind::Gradient,
                    parameter.getName(), value);
  }
  if (!imageGradient)
    return success();
  for (auto argument : program.getBody().getOps<ArgumentOp>())
    if (argument.getKind() == ArgumentKind::Image) {
      Value value = gradient(argument);
      if (!value)
        return argument.emitOpError("has no gradient: the loss does not depend "
                                    "on the image");
      StoreOp::create(builder, argument.getLoc(), StoreKind::InputGradient, "",
                      value);
      return success();
    }
  return program.emitOpError("has no image to differentiate by");
}

namespace rootc {
#define GEN_PASS_DEF_AUTODIFF
#include "lib/Transforms/Passes.h.inc"
} // namespace rootc

namespace {
struct Autodiff : rootc::impl::AutodiffBase<Autodiff> {
  void runOnOperation() override {
    ModelOp model = getOperation();
    ProgramOp train = findProgram(model, ProgramKind::Train);
    if (!train)
      return;
    if (ProgramOp grad = findProgram(model, ProgramKind::Grad)) {
      grad.emitOpError("exists already: root-autodiff makes it");
      return signalPassFailure();
    }
    OpBuilder builder(train);
    builder.setInsertionPointAfter(train);
    auto grad = cast<ProgramOp>(builder.clone(*train));
    grad.setSymName("grad");
    grad.setKind(ProgramKind::Grad);
    if (failed(Differentiator(train, /*imageGradient=*/false).run()) ||
        failed(Differentiator(grad, /*imageGradient=*/true).run()))
      signalPassFailure();
  }
};
} // namespace
