//===- RelayFilter.cpp - Another layout of a packed filter ----------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lib/Transforms/RelayFilter.h"

#include "codegen/Schedules/Point.h"
#include "lib/Transforms/PrimBuilder.h"

using namespace mlir;
using namespace rootc;
using namespace rootc::root;

namespace {

/// From where a kernel reads a filter to where it is packed.
struct Packing {
  PreparedOp prepared; ///< null: packed in the same program
  OpResult packed;     ///< of the kernel that packs it
  PrimPackFilterOp op;
};

/// What is stored in the prepared arena under a name, if that is read once.
OpResult storedOnce(ModelOp model, StringRef name) {
  OpResult stored;
  unsigned reads = 0;
  model.walk([&](Operation *op) {
    if (auto store = dyn_cast<StoreOp>(op);
        store && store.getKind() == StoreKind::Prepared &&
        *store.getName() == name)
      stored = dyn_cast<OpResult>(store.getValue());
    if (auto read = dyn_cast<PreparedOp>(op))
      reads += read.getName() == name;
  });
  return reads == 1 ? stored : OpResult();
}

std::optional<Packing> packingOf(Value filter) {
  if (!filter.hasOneUse())
    return std::nullopt;
  Packing packing;
  packing.packed = dyn_cast<OpResult>(filter);
  packing.prepared = filter.getDefiningOp<PreparedOp>();
  if (packing.prepared)
    packing.packed = storedOnce(packing.prepared->getParentOfType<ModelOp>(),
                                packing.prepared.getName());
  if (!packing.packed || !packing.packed.hasOneUse())
    return std::nullopt;
  auto kernel = dyn_cast<KernelOp>(packing.packed.getOwner());
  if (!kernel)
    return std::nullopt;
  Value made = kernel.getYield().getValues()[packing.packed.getResultNumber()];
  packing.op = made.getDefiningOp<PrimPackFilterOp>();
  if (!packing.op || !made.hasOneUse())
    return std::nullopt;
  return packing;
}

} // namespace

bool rootc::relayFilter(KernelOp kernel, const codegen::Kernel &description) {
  auto number = codegen::packedConvolution(description);
  if (!number)
    return false;
  auto ops = kernel.getBody().front().without_terminator();
  Operation *conv = &*std::next(ops.begin(), *number);
  auto argument = dyn_cast<BlockArgument>(conv->getOperand(1));
  if (!argument)
    return false;
  Value filter = kernel.getInputs()[argument.getArgNumber()];
  auto packing = packingOf(filter);
  if (!packing)
    return false;
  const std::vector<int64_t> &shape =
      description.inputs[argument.getArgNumber()].shape;
  // Each keeps its element type.
  for (Value value : {Value(argument), filter, Value(packing->packed),
                      Value(packing->op.getResult())})
    value.setType(cast<RankedTensorType>(value.getType()).clone(shape));
  Builder builder(kernel.getContext());
  const codegen::AttributeMap &layout = description.ops[*number].attributes;
  for (Operation *op : {conv, packing->op.getOperation()})
    for (const char *key : {"block", "winograd"}) {
      if (auto value = layout.find(key); value != layout.end())
        op->setAttr(
            key, builder.getI64IntegerAttr(std::get<int64_t>(value->second)));
      else
        op->removeAttr(key);
    }
  return true;
}
