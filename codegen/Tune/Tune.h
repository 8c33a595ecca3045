//===- Tune.h - Tunes the kernels of a network ------------------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_CODEGEN_TUNE_TUNE_H
#define ROOTC_CODEGEN_TUNE_TUNE_H

#include "codegen/Emit/KernelCompiler.h"
#include "codegen/Program.h"
#include "codegen/Tune/Timer.h"

#include <chrono>

namespace rootc::codegen {

struct TuneOptions {
  std::string database; ///< path
  std::string replay;   ///< another one, whose times are used; empty: none
  std::string bundle;   ///< a folder to fill instead of measuring; empty: none
  TargetInfo target;
  std::string cpu; ///< the model of this one; of a device "" if not known
  int64_t threads = 1, batch = 1;
  uint64_t seed = 0;
  bool random = false; ///< as of SearchOptions
  int64_t trials = INT64_MAX;
  std::chrono::seconds budget{600};
  KernelCompilerOptions compiler;
  std::string timingProgram; ///< path of rootc-time
};

/// The kernels that inference and training steps call.
std::vector<TuneTask> tasksOf(const Model &model, int64_t batch);

/// Searches until the budget is spent; a table of what was found, for people.
/// For a bundle: what to do with it.
llvm::Expected<std::string> tuneModel(const Model &model,
                                      const TuneOptions &options);

} // namespace rootc::codegen

#endif // ROOTC_CODEGEN_TUNE_TUNE_H
