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
#include "Optimizer.h"

namespace rootc {

struct TrainOptions {
  std::string model, data, output;
  std::string device;  ///< "cpu" or a number; empty: the model's
  std::string weights; ///< begin with these instead of He initialisation
  bool sliceWeights = false;
  bool skipMismatched = false; ///< layers that do not fit begin anew
  int64_t epochs = 15;
  int64_t batch = 64;
  LearningRate rate;
  OptimizerOptions optimizer;
  std::string rateFactors; ///< as parseRateFactors takes them
  double average = 0;      ///< decay of the weights' moving average; 0: none
  bool keepBest = false;   ///< best.safetensors beside the last weights
  int64_t patience = 0;    ///< epochs without a better one; 0: go on
  double maxLoss = 0;      ///< a batch's, that ends the run; 0: 100 log classes
  double valFraction = 0.2; ///< tested of a folder without train/ and val/
  std::optional<Augment> augment; ///< none: what suits the data
  double mixup = 0; ///< alpha of mixBatch; 0: images are not mixed
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
