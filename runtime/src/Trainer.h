//===- Trainer.h - One training run -----------------------------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Inside of `rootrun train`: TrainerBegin.cpp is what happens before the first
// step, Train.cpp the rest.
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_RUNTIME_TRAINER_H
#define ROOTC_RUNTIME_TRAINER_H

#include "BatchFeed.h"
#include "Checkpoint.h"
#include "Evaluate.h"
#include "MemoryPlan.h"
#include "Progress.h"
#include "RunFolder.h"
#include "Train.h"

#include <spdlog/spdlog.h>

namespace rootc {

/// One run, from its first or next step to its end.
class Trainer {
public:
  Trainer(const TrainOptions &options, Model model, RunFolder &folder,
          spdlog::logger &log);
  int run();

private:
  void begin();
  bool trainEpoch(BatchFeed &batches, Progress &progress);
  void step(const Batch &batch);
  void checkLoss(float loss, const Batch &batch, double rate);
  void keepBest();
  bool finished() const;
  /// The weights that are tested and written: the average, if there is one.
  Weights result() const;
  Evaluation evaluateTestSet();
  Evaluation evaluateTestSet(const Prepared &prepared);
  bool finishEpoch(Progress &progress);
  std::string bestText() const;
  /// The learning rate of the epoch's last step.
  double rateAtEnd() const;
  void writePage(bool ended);
  [[noreturn]] void diverged(const std::string &what,
                             const std::string &response = "") const;
  void checkWeights() const;
  void keep(const std::function<void()> &write) const;
  void save();
  int64_t largestBatch() const {
    return std::min(options.batch, trainingSet->count);
  }
  int64_t testBatch() const {
    return std::min(evaluationBatch(model, largestBatch()), testSet->count);
  }
  int stopped(Progress &progress);
  void keepOnDevice();
  void fetchFromDevice() const;
  std::map<std::string, std::string> optionsToKeep() const;
  void writeRecord() const;
  void chooseNormalisation(Normalisation measured);
  void beginAfresh(std::map<std::string, std::string> kept);
  void logReports(Progress &progress);

  const TrainOptions &options;
  Model model;
  RunFolder &folder;
  spdlog::logger &log;
  std::unique_ptr<ImageSource> trainingSet, testSet;
  const int64_t processBytes = residentBytes(); ///< before weights
  std::string modelHash;
  int loaderThreads, testThreads;
  int64_t perEpoch;
  Session session;
  Optimizer optimizer;
  FloatArray gradients;
  std::optional<TrainingState> state;
  /// While steps are made: the weights and the velocity, and the gradients.
  std::vector<std::unique_ptr<DeviceCopy>> stateOnDevice;
  std::unique_ptr<DeviceCopy> gradientsOnDevice;
  Normalisation normalisation;
  Augment augment = Augment::None;
};

} // namespace rootc

#endif // ROOTC_RUNTIME_TRAINER_H
