//===- Checkpoint.h - The state of a training run ---------------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_RUNTIME_CHECKPOINT_H
#define ROOTC_RUNTIME_CHECKPOINT_H

#include "Optimizer.h"

#include <map>

namespace rootc {

/// Everything that decides how a run goes on.
struct TrainingState {
  explicit TrainingState(const Model &model) : weights(model) {
    optimizer.velocity.resize(size_t(model->parameter_count));
  }

  Weights weights;
  OptimizerState optimizer;
  /// Parameters and statistics averaged over the steps; empty: not kept.
  FloatArray averageParameters, averageStatistics;
  int64_t epoch = 0;        ///< epochs that are complete
  int64_t step = 0;         ///< batches of this epoch that are done
  double lossSum = 0;       ///< over this epoch's images so far
  int64_t images = 0;       ///< of this epoch so far
  int64_t skipped = 0;      ///< of this epoch: images that cannot be read
  double seconds = 0;       ///< training time of this epoch so far
  double waited = 0;        ///< seconds of this epoch spent on no images' being
                            ///< ready
  int64_t metricsBytes = 0; ///< length of metrics.jsonl
  double testAccuracy = 0;  ///< after the last complete epoch
  double bestAccuracy = -1; ///< of all epochs; -1: none is complete
  int64_t bestEpoch = 0;    ///< the first that had it, counted from 1
  /// What has to be the same when the run is resumed: flag -> value.
  std::map<std::string, std::string> options;
};

/// Writes FOLDER/checkpoint.safetensors; the one before stays as
/// checkpoint.previous.safetensors. At any moment at least one is complete.
void saveCheckpoint(const std::string &folder, const Model &model,
                    const TrainingState &state);

/// Reads the last checkpoint, or with a message the one before if the last is
/// damaged or holds what is not finite; nothing if the folder has none. Throws
/// if none can be read, and if `options` differ from the run's, but for more
/// --epochs and another library of the same network.
std::optional<TrainingState>
loadCheckpoint(const std::string &folder, const Model &model,
               const std::map<std::string, std::string> &options,
               const std::function<void(const std::string &)> &message);

/// The last checkpoint's path, be it readable or not; "" if there is none.
std::string lastCheckpoint(const std::string &folder);
/// Whether there is one.
bool hasCheckpoint(const std::string &folder);
/// Removes the checkpoints, so that the run starts afresh.
void removeCheckpoints(const std::string &folder);

} // namespace rootc

#endif // ROOTC_RUNTIME_CHECKPOINT_H
