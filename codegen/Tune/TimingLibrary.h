//===- TimingLibrary.h - Kernels that are called in turns -------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The rule's kernel, the best so far and the candidate become one library like
// a network's, whose inference calls them in turns: on the product's thread
// pool or device, on buffers that lie beyond the caches of the cores, as a
// network's do by the time that they are read. rootc-time runs it.
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_CODEGEN_TUNE_TIMINGLIBRARY_H
#define ROOTC_CODEGEN_TUNE_TIMINGLIBRARY_H

#include "codegen/Emit/KernelCompiler.h"
#include "codegen/Emit/TemporaryFolder.h"
#include "codegen/Program.h"
#include "codegen/Tune/Timer.h"

namespace rootc::codegen {

/// A model whose inference calls each kernel `copies` times, in turns, each
/// time on other buffers. The kernels are one kernel at several points; where
/// these differ in how the filter lies, `prepare` packs it for each, from the
/// parameters. Its description says where the buffers lie
/// (runtime/src/KernelTimes.h).
Model timingModel(const std::vector<Kernel> &kernels, int64_t batch,
                  int64_t copies);

/// How many copies of a kernel's buffers lie beyond the caches (large ones do
/// alone, and more would come from farther than in a network); no multiple of
/// the number of kernels that have turns, so that each meets every copy.
int64_t copiesFor(const Kernel &kernel, int64_t batch, int64_t turns);

/// Of a schedule for which there are no times.
Trial failedTrial(const Schedule &candidate, llvm::Error error);

/// How far a point's results may lie from the rule's, by the largest value.
double toleranceOf(const Kernel &kernel, const Schedule &point);

class TimingLibraries {
public:
  /// Of the compiler's options, target and kind are set here. Throws
  /// std::runtime_error if there is no place for intermediate files.
  TimingLibraries(TargetInfo target, KernelCompilerOptions compiler);

  /// Compiles the candidates of what will be made next, side by side.
  void prepare(const std::vector<TimingRequest> &requests);
  /// Writes the library that calls a task's kernel at each of the points.
  llvm::Error make(const TuneTask &task, const std::vector<Schedule> &points,
                   const std::string &path);

  /// For intermediate files.
  const std::string &folderPath() const { return folder.path(); }

private:
  TargetInfo target;
  KernelCompilerOptions compiler;
  TemporaryFolder folder;
};

} // namespace rootc::codegen

#endif // ROOTC_CODEGEN_TUNE_TIMINGLIBRARY_H
