//===- Train.h - Train a model ----------------------------------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_RUNTIME_TRAIN_H
#define ROOTC_RUNTIME_TRAIN_H

#include "ImageSource.h"
#include "LearningRate.h"

namespace rootc {

struct TrainOptions {
  std::string model, data, output;
  std::string weights; ///< begin with these instead of He initialisation
  bool sliceWeights = false;
  bool skipMismatched = false; ///< layers that do not fit begin anew
  int64_t epochs = 15;
  int64_t batch = 64;
  LearningRate rate;
  double momentum = 0.9;
  double weightDecay = 5e-4;
  bool decayAll = false;
  std::optional<Augment> augment; ///< none: what suits the data
  uint64_t seed = 0;
  int threads = 0;             ///< 0: defaultThreads()
  int loaderThreads = 0;       ///< 0: what suits the data
  int64_t checkpointEvery = 0; ///< steps; 0: after each epoch only
  bool resume = false, overwrite = false;
};

/// `rootrun train`. Returns the exit code: 0, or 128 + the signal that stopped
/// the run, after saving.
int train(const TrainOptions &options);

} // namespace rootc

#endif // ROOTC_RUNTIME_TRAIN_H
