//===- ReplaceClassifier.cpp - Another number of classes ------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lib/Transforms/Passes.h"

#include "llvm/ADT/TypeSwitch.h"

namespace rootc {
#define GEN_PASS_DEF_REPLACECLASSIFIER
#include "lib/Transforms/Passes.h.inc"
} // namespace rootc

using namespace mlir;
using namespace rootc::root;

/// Whether each channel of the result is one of the input, or made of one: then
/// the layer goes along with another number of channels.
static bool keepsChannels(Operation *op) {
  return isa<MaxPoolOp, AveragePoolOp, GlobalAveragePoolOp,
             AdaptiveAveragePoolOp, ResizeOp, BatchNormOp, ReluOp, ClipOp,
             SigmoidOp, HardSigmoidOp, HardSwishOp, LeakyReluOp, PReluOp, EluOp,
             GeluOp, SiluOp, SoftplusOp, MishOp, LayerScaleOp, DropoutOp,
             DropPathOp, PadOp>(op);
}

namespace {
struct ReplaceClassifier
    : rootc::impl::ReplaceClassifierBase<ReplaceClassifier> {
  using ReplaceClassifierBase::ReplaceClassifierBase;

  void runOnOperation() override {
    NetworkOp network = getOperation();
    if (static_cast<int64_t>(network.getClasses()) == classes)
      return;
    // Auxiliary classifiers have as many classes.
    for (Operation &op : network.getBody().front())
      if (isa<OutputOp, AuxiliaryOp>(op) && failed(replace(op)))
        return signalPassFailure();
    network.setClasses(classes);
  }

private:
  LogicalResult replace(Operation &logits) {
    Operation *op = logits.getOperand(0).getDefiningOp();
    while (op && keepsChannels(op) && op->hasOneUse())
      op = op->getOperand(0).getDefiningOp();
    if (op && !op->hasOneUse())
      return op->emitError() << "classes '" << classes.getValue()
                             << "': what several layers read cannot be the "
                                "classifier; write the network anew";
    if (auto linear = dyn_cast_or_null<LinearOp>(op)) {
      linear.setOutputs(classes);
      return success();
    }
    auto conv = dyn_cast_or_null<Conv2dOp>(op);
    if (!conv)
      return logits.emitError()
             << "classes '" << classes.getValue()
             << "': the logits come from no linear layer and no convolution, "
                "whose outputs could be replaced; write the network anew";
    if (conv.getGroups() != 1)
      return conv.emitError()
             << "classes '" << classes.getValue() << "': \"" << conv.getLayer()
             << "\" is the classifier and has " << conv.getGroups()
             << " groups, of which the other classes know nothing";
    conv.setFilters(classes);
    return success();
  }
};
} // namespace
