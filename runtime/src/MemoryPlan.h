//===- MemoryPlan.h - What a run needs of memory ----------------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Known before anything runs, from the plan that the compiler wrote into the
// model. Not counted: kernels' small scratch, and their code where it is first
// run.
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_RUNTIME_MEMORYPLAN_H
#define ROOTC_RUNTIME_MEMORYPLAN_H

#include "rootc/runtime.h"

namespace rootc {

/// Bytes.
struct MemoryPlan {
  int64_t process = 0;    ///< held before the rest: code, libraries, data sets
  int64_t parameters = 0; ///< and running statistics
  int64_t gradients = 0;
  int64_t velocity = 0;
  int64_t prepared = 0; ///< weights packed for inference
  int64_t workspace = 0;
  int64_t scratch = 0; ///< sums that a kernel holds beside its results
  int64_t images = 0;  ///< of the batches that are held

  int64_t total() const;
};

/// Training steps on batches of `batch` images. Throws if so many do not fit,
/// or the model was compiled without training.
MemoryPlan planTraining(const Model &model, int64_t batch);

/// Inference on batches of `batch` images. Throws if so many do not fit.
MemoryPlan planInference(const Model &model, int64_t batch);

/// What `rootrun train` needs with batches of `batch` images, and of
/// `evaluated` images to test: batches are made ahead; evaluation has its own,
/// and its packed weights where the gradients were.
MemoryPlan planTrainingRun(const Model &model, int64_t batch,
                           int64_t evaluated);

/// What the process holds now, and the most that it has held: resident sets.
int64_t residentBytes();
int64_t peakResidentBytes();

/// How many images at a time a training run evaluates: 128 or, where that would
/// need more memory than training does, a half, a quarter ... of it, while that
/// is more than `batch`.
int64_t evaluationBatch(const Model &model, int64_t batch);

/// "2603 MiB: process 17.3, parameters 247.0, ..."
std::string toString(const MemoryPlan &plan);

} // namespace rootc

#endif // ROOTC_RUNTIME_MEMORYPLAN_H
