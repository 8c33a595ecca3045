//===- EmbedWeights.h - Weights for a library to hold -----------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_DRIVER_EMBEDWEIGHTS_H
#define ROOTC_DRIVER_EMBEDWEIGHTS_H

#include "codegen/Emit/KernelCompiler.h"
#include "codegen/Program.h"
#include "llvm/Support/Error.h"

#include <functional>
#include <string>

namespace rootc {

struct EmbedOptions {
  std::string file; ///< safetensors
  bool slice = false;
  codegen::KernelCompilerOptions kernels;
  std::function<void(const std::string &)> message; ///< about `slice`
};

/// Folds and packs the file's weights by the model's own prepare program, whose
/// kernels are compiled for this machine and run here, whatever the model's
/// target.
llvm::Expected<codegen::ModelWeights>
weightsToEmbed(const codegen::Model &model, const EmbedOptions &options);

} // namespace rootc

#endif // ROOTC_DRIVER_EMBEDWEIGHTS_H
