//===- NarrowStorage.cpp - Maps and packed filters as bf16 ----------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What one kernel writes and others read, and is large: half the bytes, and
// what the matrix unit multiplies. Kernels round where they store, so nothing
// within them changes. Small maps of one value an image or position (pooled
// maps, statistics of groups, losses) stay as they are: they cost nothing, and
// some are sums.
//
//===----------------------------------------------------------------------===//

#include "lib/Transforms/Passes.h"

#include "mlir/IR/Builders.h"
#include "llvm/ADT/StringSet.h"

using namespace mlir;
using namespace rootc;
using namespace rootc::root;

namespace rootc {
#define GEN_PASS_DEF_NARROWSTORAGE
#include "lib/Transforms/Passes.h.inc"
} // namespace rootc

namespace {
struct NarrowStorage : rootc::impl::NarrowStorageBase<NarrowStorage> {
  void runOnOperation() override {
    llvm::StringSet<> prepared; // stored as bf16
    for (auto program : getOperation().getBody().getOps<ProgramOp>())
      for (auto kernel : program.getBody().getOps<KernelOp>())
        for (OpResult result : kernel->getResults())
          if (isNarrow(result))
            narrow(result, prepared);
    for (Operation &op : getOperation().getBody().front())
      if (auto tensor = dyn_cast<ArenaTensorOp>(op))
        if (tensor.getKind() == TensorKind::Prepared &&
            prepared.contains(tensor.getName()))
          tensor.setType(bf16(tensor.getType()));
    for (auto program : getOperation().getBody().getOps<ProgramOp>())
      for (auto read : program.getBody().getOps<PreparedOp>())
        if (prepared.contains(read.getName()))
          read.getResult().setType(bf16(read.getType()));
  }

private:
  static RankedTensorType bf16(Type type) {
    return cast<RankedTensorType>(type).clone(
        BFloat16Type::get(type.getContext()));
  }

  /// Whether a kernel's result is stored as bf16.
  static bool isNarrow(OpResult result) {
    auto type = cast<RankedTensorType>(result.getType());
    if (!type.getElementType().isF32())
      return false;
    for (Operation *user : result.getUsers())
      if (auto store = dyn_cast<StoreOp>(user);
          store && store.getKind() != StoreKind::Prepared)
        return false;
    auto kernel = cast<KernelOp>(result.getOwner());
    Value made = kernel.getYield().getValues()[result.getResultNumber()];
    if (isa_and_nonnull<PrimPackFilterOp>(made.getDefiningOp()))
      return true;
    return type.getRank() == 4 && type.isDynamicDim(0) &&
           type.getDimSize(1) * type.getDimSize(2) > 1 &&
           type.getDimSize(3) > 1;
  }

  void narrow(OpResult result, llvm::StringSet<> &prepared) {
    result.setType(bf16(result.getType()));
    for (Operation *user : result.getUsers())
      if (auto store = dyn_cast<StoreOp>(user))
        prepared.insert(*store.getName());
  }
};
} // namespace
