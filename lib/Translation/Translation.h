//===- Translation.h - From MLIR to codegen's plain structs -----*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_TRANSLATION_TRANSLATION_H
#define ROOTC_TRANSLATION_TRANSLATION_H

#include "codegen/Program.h"
#include "dialect/RootDialect.h"
#include "mlir/IR/BuiltinOps.h"

namespace rootc {

/// A kernel's ops, types and schedule (empty where the op has none yet); the
/// name is empty.
codegen::Kernel translateKernel(root::KernelOp kernel);

/// The op that a kernel is about: its anchor, else the first that is more than
/// a simple map (relu, add, ...) of another's result.
mlir::Operation *mainOp(root::KernelOp kernel);

/// What a call of the kernel is called in profiles: the layer and the direction
/// of its main op, "conv2a backward filter"; of several anchors all layers,
/// "conv1 + pool1 forward".
std::string kernelLabel(root::KernelOp kernel);

struct TranslatedModel {
  codegen::Model model;
  /// Where each kernel was first needed: `locations[i]` is of
  /// `model.kernels[i]`.
  llvm::SmallVector<mlir::Location> locations;
};

/// The module's only `root.model`, planned by `root-plan-memory`. Equal kernels
/// become one. Fails with a diagnostic where the module has no such model.
mlir::FailureOr<TranslatedModel> translateToModel(mlir::ModuleOp module);

} // namespace rootc

#endif // ROOTC_TRANSLATION_TRANSLATION_H
