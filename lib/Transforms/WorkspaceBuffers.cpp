//===- WorkspaceBuffers.cpp - Sizes and lifetimes of results --------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lib/Transforms/WorkspaceBuffers.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace rootc;
using namespace rootc::root;

FailureOr<int64_t> rootc::bytesOf(Operation *op, Type type) {
  auto tensor = cast<RankedTensorType>(type);
  int64_t elements = 1;
  for (int64_t size : tensor.getShape())
    if (!ShapedType::isDynamic(size) &&
        (llvm::MulOverflow(elements, size, elements) || elements > maxElements))
      return op->emitOpError("makes a tensor, ")
             << tensor << ", of more than " << maxElements
             << " elements; make this layer smaller";
  return elements * (tensor.getElementTypeBitWidth() / 8);
}

StoreOp rootc::storeOf(Value value) {
  for (Operation *user : value.getUsers())
    if (auto store = dyn_cast<StoreOp>(user))
      return store;
  return {};
}

FailureOr<WorkspaceBuffers> rootc::workspaceBuffers(ProgramOp program,
                                                    bool batched) {
  llvm::DenseMap<Operation *, int64_t> calls;
  for (auto kernel : program.getBody().getOps<KernelOp>())
    calls[kernel] = calls.size();
  WorkspaceBuffers buffers;
  for (auto kernel : program.getBody().getOps<KernelOp>())
    for (OpResult result : kernel->getResults()) {
      if (isBatched(result.getType()) != batched || storeOf(result))
        continue;
      FailureOr<int64_t> bytes = bytesOf(kernel, result.getType());
      if (failed(bytes))
        return failure();
      int64_t first = calls[kernel], last = first;
      for (Operation *user : result.getUsers())
        last = std::max(last, calls.lookup(user));
      buffers.values.push_back(result);
      buffers.live.push_back({first, last, *bytes, -1});
    }
  return buffers;
}
