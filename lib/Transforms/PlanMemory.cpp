//===- PlanMemory.cpp - Place every tensor in an arena --------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Named tensors first, in flat arenas that callers see; then the results of
// each program's kernels: what is stored goes straight to its argument, the
// rest to the workspace, where buffers that are not needed at the same time
// share bytes.
//
//===----------------------------------------------------------------------===//

#include "lib/Transforms/Passes.h"
#include "lib/Transforms/WorkspaceBuffers.h"

#include "mlir/IR/Builders.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace rootc;
using namespace rootc::root;

namespace rootc {
#define GEN_PASS_DEF_PLANMEMORY
#include "lib/Transforms/Passes.h.inc"
} // namespace rootc

static bool isDecayed(ArenaTensorOp tensor) {
  return tensor.getKind() == TensorKind::Parameter &&
         (tensor.getRole() == "filter" || tensor.getRole() == "weight");
}

/// The arena that a store writes.
static SlotArena arenaOf(StoreKind kind) {
  switch (kind) {
  case StoreKind::Logits:
    return SlotArena::Logits;
  case StoreKind::Loss:
    return SlotArena::Loss;
  case StoreKind::InputGradient:
    return SlotArena::InputGradient;
  case StoreKind::Gradient:
    return SlotArena::Gradients;
  case StoreKind::Statistic:
    return SlotArena::Statistics;
  case StoreKind::Prepared:
    return SlotArena::Prepared;
  case StoreKind::Parameters:
    return SlotArena::Parameters;
  case StoreKind::Velocity:
    return SlotArena::Velocity;
  case StoreKind::Gradients:
    return SlotArena::Gradients;
  case StoreKind::Square:
    return SlotArena::Square;
  case StoreKind::Average:
    return SlotArena::Average;
  }
  llvm_unreachable("unknown store");
}

namespace {
struct PlanMemory : rootc::impl::PlanMemoryBase<PlanMemory> {
  using PlanMemoryBase::PlanMemoryBase;

  void runOnOperation() override {
    for (auto &named : tensors)
      named.clear();
    if (failed(declarePrepared()) || failed(placeNamedTensors()))
      return signalPassFailure();
    for (auto program : getOperation().getBody().getOps<ProgramOp>())
      if (failed(checkGradients(program)) || failed(placeResults(program)))
        return signalPassFailure();
  }

private:
  /// A root.arena_tensor for each tensor that @prepare stores.
  LogicalResult declarePrepared() {
    Block &body = getOperation().getBody().front();
    for (auto tensor : llvm::make_early_inc_range(body.getOps<ArenaTensorOp>()))
      if (tensor.getKind() == TensorKind::Prepared)
        tensor.erase();
    OpBuilder builder(&getContext());
    builder.setInsertionPointToStart(&body);
    for (auto tensor : body.getOps<ArenaTensorOp>())
      builder.setInsertionPointAfter(tensor);
    for (auto program : body.getOps<ProgramOp>())
      for (auto store : program.getBody().getOps<StoreOp>()) {
        if (store.getKind() != StoreKind::Prepared)
          continue;
        if (!cast<RankedTensorType>(store.getValue().getType())
                 .hasStaticShape())
          return store.emitOpError("prepares a tensor that depends on a batch");
        ArenaTensorOp::create(builder, store.getLoc(), TensorKind::Prepared,
                              *store.getName(), "packed", /*fan_in=*/0,
                              store.getValue().getType(),
                              /*offset=*/IntegerAttr());
      }
    return success();
  }

  LogicalResult placeNamedTensors() {
    ModelOp model = getOperation();
    int64_t ends[3] = {0, 0, 0}; // floats, by TensorKind
    auto place = [&](ArenaTensorOp tensor) -> LogicalResult {
      if (!ofKind(tensor.getKind())
               .try_emplace(tensor.getName(), tensor)
               .second)
        return tensor.emitOpError()
               << "defines '" << tensor.getName() << "' again";
      FailureOr<int64_t> bytes = bytesOf(tensor, tensor.getType());
      if (failed(bytes))
        return failure();
      int64_t &end = ends[static_cast<int>(tensor.getKind())];
      tensor.setOffset(end);
      int64_t floats =
          llvm::alignTo(*bytes / sizeof(float), slotAlignmentFloats);
      if (llvm::AddOverflow(end, floats, end) || end > int64_t(1) << 60)
        return tensor.emitOpError("makes its arena too large to address");
      return success();
    };
    // Weight decay applies to a prefix of the parameters.
    for (bool decayed : {true, false}) {
      for (auto tensor : model.getBody().getOps<ArenaTensorOp>())
        if (isDecayed(tensor) == decayed && failed(place(tensor)))
          return failure();
      if (decayed)
        model.setDecayedCount(ends[0]);
    }
    model.setParameterCount(ends[static_cast<int>(TensorKind::Parameter)]);
    model.setStatisticCount(ends[static_cast<int>(TensorKind::Statistic)]);
    model.setPreparedBytes(ends[static_cast<int>(TensorKind::Prepared)] *
                           sizeof(float));
    return success();
  }

  /// The tensor of a store or read of `kind` with as many elements as `type`.
  FailureOr<ArenaTensorOp> resolve(Operation *op, TensorKind kind,
                                   StringRef name, Type type) {
    auto found = ofKind(kind).find(name);
    if (found == ofKind(kind).end())
      return op->emitOpError() << "names no " << stringifyTensorKind(kind)
                               << " of the model: '" << name << "'";
    auto own = cast<RankedTensorType>(found->second.getType());
    auto other = cast<RankedTensorType>(type);
    if (!other.hasStaticShape() ||
        own.getNumElements() != other.getNumElements())
      return op->emitOpError()
             << "has another size than '" << name << "', which is " << own;
    return found->second;
  }

  /// A parameter without a gradient would keep whatever the caller's buffer
  /// held.
  LogicalResult checkGradients(ProgramOp program) {
    if (program.getKind() != ProgramKind::Train &&
        program.getKind() != ProgramKind::Grad)
      return success();
    llvm::StringSet<> stored;
    for (auto store : program.getBody().getOps<StoreOp>())
      if (store.getKind() == StoreKind::Gradient)
        stored.insert(*store.getName());
    for (auto tensor : getOperation().getBody().getOps<ArenaTensorOp>())
      if (tensor.getKind() == TensorKind::Parameter &&
          !stored.contains(tensor.getName()))
        return tensor.emitOpError()
               << "gets no gradient: '" << tensor.getName()
               << "' does not influence the loss; remove its layer";
    return success();
  }

  LogicalResult placeResults(ProgramOp program) {
    for (Operation &op : program.getBody().front())
      if (failed(checkRead(op)))
        return failure();
    llvm::DenseMap<Value, SlotAttr> slots;
    if (failed(placeStored(program, slots)))
      return failure();
    for (bool batched : {true, false}) {
      FailureOr<WorkspaceBuffers> buffers = workspaceBuffers(program, batched);
      if (failed(buffers))
        return failure();
      int64_t bytes = assignOffsets(buffers->live, slotAlignment);
      if (bytes > int64_t(1) << 60)
        return program.emitOpError("needs a workspace too large to address");
      for (auto [value, buffer] : llvm::zip(buffers->values, buffers->live))
        slots[value] =
            slot(batched ? SlotArena::Batch : SlotArena::Fixed, buffer.offset);
      if (batched) {
        program.setBatchBytes(bytes);
        peakBatchBytes.updateMax(bytes);
      } else {
        program.setFixedBytes(bytes);
        peakFixedBytes.updateMax(bytes);
      }
    }
    for (auto kernel : program.getBody().getOps<KernelOp>()) {
      SmallVector<Attribute> own;
      for (Value result : kernel.getResults())
        own.push_back(slots.lookup(result));
      kernel.setSlotsAttr(ArrayAttr::get(&getContext(), own));
    }
    return success();
  }

  LogicalResult checkRead(Operation &op) {
    if (isPrim(&op))
      return op.emitOpError("is in no kernel; run root-fuse-kernels");
    auto check = [&](TensorKind kind, StringRef name) -> LogicalResult {
      return resolve(&op, kind, name, op.getResult(0).getType());
    };
    if (auto read = dyn_cast<ParameterOp>(op))
      return check(TensorKind::Parameter, read.getName());
    if (auto read = dyn_cast<StatisticOp>(op))
      return check(TensorKind::Statistic, read.getName());
    if (auto read = dyn_cast<PreparedOp>(op))
      return check(TensorKind::Prepared, read.getName());
    return success();
  }

  LogicalResult placeStored(ProgramOp program,
                            llvm::DenseMap<Value, SlotAttr> &slots) {
    llvm::DenseSet<Attribute> taken;
    for (auto store : program.getBody().getOps<StoreOp>()) {
      int64_t offset = 0;
      if (auto name = store.getName()) {
        TensorKind kind =
            store.getKind() == StoreKind::Gradient    ? TensorKind::Parameter
            : store.getKind() == StoreKind::Statistic ? TensorKind::Statistic
                                                      : TensorKind::Prepared;
        FailureOr<ArenaTensorOp> tensor =
            resolve(store, kind, *name, store.getValue().getType());
        if (failed(tensor))
          return failure();
        offset = *tensor->getOffset() * sizeof(float);
      }
      SlotAttr target = slot(arenaOf(store.getKind()), offset);
      if (!store.getValue().getDefiningOp<KernelOp>() ||
          !slots.try_emplace(store.getValue(), target).second)
        return store.emitOpError(
            "needs a kernel's result of its own; run root-fuse-kernels");
      if (!taken.insert(target).second)
        return store.emitOpError("overwrites what another store wrote");
    }
    return success();
  }

  SlotAttr slot(SlotArena arena, int64_t offset) {
    return SlotAttr::get(&getContext(), arena, offset);
  }

  llvm::StringMap<ArenaTensorOp> &ofKind(TensorKind kind) {
    return tensors[static_cast<int>(kind)];
  }

  llvm::StringMap<ArenaTensorOp> tensors[3]; // by TensorKind
};
} // namespace
