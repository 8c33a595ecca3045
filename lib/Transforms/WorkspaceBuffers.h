//===- WorkspaceBuffers.h - Sizes and lifetimes of results ------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What planning a program's memory and checking a plan have in common.
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_TRANSFORMS_WORKSPACEBUFFERS_H
#define ROOTC_TRANSFORMS_WORKSPACEBUFFERS_H

#include "dialect/RootDialect.h"
#include "lib/Analysis/SlotAssignment.h"

namespace rootc {

/// Every buffer starts on a cache line, which is also the widest vector.
inline constexpr int64_t slotAlignment = 64;
inline constexpr int64_t slotAlignmentFloats = slotAlignment / sizeof(float);

/// Bytes of a dense tensor, of one image where the batch is dynamic; fails,
/// with a diagnostic at `op`, where it has more than `maxElements`.
mlir::FailureOr<int64_t> bytesOf(mlir::Operation *op, mlir::Type type);

inline bool isBatched(mlir::Type type) {
  return llvm::cast<mlir::RankedTensorType>(type).isDynamicDim(0);
}

/// The store that takes a value, if any.
root::StoreOp storeOf(mlir::Value value);

/// The results of kernels that live in the workspace.
struct WorkspaceBuffers {
  llvm::SmallVector<mlir::OpResult> values;
  std::vector<LiveBuffer> live; ///< calls are counted in program order
};

/// Those whose size grows with the batch, or the others.
mlir::FailureOr<WorkspaceBuffers> workspaceBuffers(root::ProgramOp program,
                                                   bool batched);

} // namespace rootc

#endif // ROOTC_TRANSFORMS_WORKSPACEBUFFERS_H
