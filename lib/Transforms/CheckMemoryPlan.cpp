//===- CheckMemoryPlan.cpp - Refuse plans that corrupt memory -------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Reads the slots as they are, whoever wrote them, and goes through the calls.
//
//===----------------------------------------------------------------------===//

#include "lib/Transforms/Passes.h"
#include "lib/Transforms/WorkspaceBuffers.h"

using namespace mlir;
using namespace rootc;
using namespace rootc::root;

namespace rootc {
#define GEN_PASS_DEF_CHECKMEMORYPLAN
#include "lib/Transforms/Passes.h.inc"
} // namespace rootc

/// What an in-place store overwrites: a statistic's name, or an argument's
/// kind; null if the store overwrites nothing that the program may read.
static Attribute overwritten(StoreOp store) {
  switch (store.getKind()) {
  case StoreKind::Statistic:
    return store.getNameAttr();
  case StoreKind::Parameters:
    return ArgumentKindAttr::get(store.getContext(), ArgumentKind::Parameters);
  case StoreKind::Velocity:
    return ArgumentKindAttr::get(store.getContext(), ArgumentKind::Velocity);
  case StoreKind::Gradients:
    return ArgumentKindAttr::get(store.getContext(), ArgumentKind::Gradients);
  case StoreKind::Square:
    return ArgumentKindAttr::get(store.getContext(), ArgumentKind::Square);
  case StoreKind::Average:
    return ArgumentKindAttr::get(store.getContext(), ArgumentKind::Average);
  default:
    return {};
  }
}

/// The same of what a value was read from.
static Attribute readFrom(Value value) {
  if (auto statistic = value.getDefiningOp<StatisticOp>())
    return statistic.getNameAttr();
  if (auto argument = value.getDefiningOp<ArgumentOp>())
    return argument.getKindAttr();
  return {};
}

static std::string describe(Attribute overwritten) {
  if (auto name = dyn_cast<StringAttr>(overwritten))
    return ("statistic '" + name.getValue() + "'").str();
  return stringifyArgumentKind(cast<ArgumentKindAttr>(overwritten).getValue())
      .str();
}

/// Kernels that may write over their own input: they read each element just
/// before they write it, or all before they write any.
static bool mayUpdateInPlace(KernelOp kernel) {
  Block &body = kernel.getBody().front();
  return llvm::hasSingleElement(body.without_terminator()) &&
         isa<PrimAdamwOp, PrimClipNormOp, PrimMovingAverageOp,
             PrimRunningAverageOp, PrimSgdOp>(body.front());
}

namespace {
struct CheckMemoryPlan : rootc::impl::CheckMemoryPlanBase<CheckMemoryPlan> {
  using CheckMemoryPlanBase::CheckMemoryPlanBase;

  void runOnOperation() override {
    for (auto program : getOperation().getBody().getOps<ProgramOp>())
      if (failed(checkWorkspace(program, true)) ||
          failed(checkWorkspace(program, false)) ||
          failed(checkInPlace(program)))
        return signalPassFailure();
  }

private:
  LogicalResult checkWorkspace(ProgramOp program, bool batched) {
    FailureOr<WorkspaceBuffers> buffers = workspaceBuffers(program, batched);
    if (failed(buffers))
      return failure();
    SlotArena arena = batched ? SlotArena::Batch : SlotArena::Fixed;
    for (auto [value, buffer] : llvm::zip(buffers->values, buffers->live)) {
      auto kernel = cast<KernelOp>(value.getOwner());
      if (!kernel.getSlots())
        return kernel.emitOpError("has no slots; run root-plan-memory");
      auto slot = cast<SlotAttr>((*kernel.getSlots())[value.getResultNumber()]);
      if (slot.getArena() != arena)
        return kernel.emitOpError() << "keeps a result that nothing stores in "
                                    << stringifySlotArena(slot.getArena())
                                    << ", not in " << stringifySlotArena(arena);
      buffer.offset = slot.getOffset();
    }
    std::optional<uint64_t> bytes =
        batched ? program.getBatchBytes() : program.getFixedBytes();
    std::string problem =
        checkOffsets(buffers->live, bytes.value_or(0), slotAlignment);
    if (!problem.empty())
      return program.emitOpError("has a wrong memory plan for ")
             << stringifySlotArena(arena) << ": " << problem;
    return success();
  }

  /// Once an argument is overwritten, nothing may read what it was.
  LogicalResult checkInPlace(ProgramOp program) {
    llvm::DenseMap<Attribute, KernelOp> writers;
    for (auto kernel : program.getBody().getOps<KernelOp>()) {
      for (Value input : kernel.getInputs()) {
        Attribute from = readFrom(input);
        if (from && writers.contains(from))
          return kernel.emitOpError("reads ")
                 << describe(from)
                 << " after an earlier kernel has overwritten it";
      }
      for (Value result : kernel.getOutputs()) {
        StoreOp store = storeOf(result);
        Attribute target = store ? overwritten(store) : Attribute();
        if (!target)
          continue;
        writers[target] = kernel;
        if (!mayUpdateInPlace(kernel) &&
            llvm::is_contained(llvm::map_range(kernel.getInputs(), readFrom),
                               target))
          return kernel.emitOpError("overwrites ")
                 << describe(target) << ", which it reads in another order";
      }
    }
    return success();
  }
};
} // namespace
