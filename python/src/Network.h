//===- Network.h - A model with its weights and training state --*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What a rootc.Model of Python's is, without Python. All functions may be
// called by several threads; those that compute wait for each other.
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_PYTHON_NETWORK_H
#define ROOTC_PYTHON_NETWORK_H

#include "runtime/src/Evaluate.h"
#include "runtime/src/Optimizer.h"
#include "runtime/src/WeightsFile.h"

#include <mutex>

namespace rootc::python {

struct TrainingOptions {
  OptimizerOptions optimizer;
  double average = 0; ///< decay of the weights' moving average; 0: none
  int64_t seed = 0;   ///< key of dropout
};

class Network {
public:
  /// Begins with the weights that the library holds, else with those of
  /// `rootrun init --seed`.
  Network(const std::string &path, const std::string &device, int threads,
          uint64_t seed);

  const Model model;

  /// logits[batch * classes] from image[batch * imageSize()].
  void infer(int64_t batch, const float *image, float *logits);

  /// What train() does from now on, beginning with weights(); velocities are 0.
  void beginTraining(const TrainingOptions &options);
  /// One step; the batch's loss, of before it. `batch.samples` may be null: the
  /// images are numbered on then. Throws if the loss is not finite, before the
  /// parameters are changed.
  float train(rootc_batch batch, double rate);

  Evaluation evaluate(const ImageSource &images, int64_t batch,
                      int loaderThreads);

  /// What inference uses and files hold: the moving average, if one is kept.
  /// The arenas keep their addresses and change as training goes on.
  std::shared_ptr<const Weights> weights() const;
  /// The same; throws if the library holds packed weights alone.
  std::shared_ptr<const Weights> readableWeights() const;
  /// Messages say what was cut or passed over. Where it throws, nothing has
  /// changed. A moving average and the velocity go on from what they were.
  void read(const Safetensors &file, bool slice, bool skip,
            const std::function<void(const std::string &)> &message);
  void save(const std::string &path) const;

  /// How images are normalised, unless the weights say so already; and the
  /// classes' names, if they are as many as the network's classes.
  void describeData(const Normalisation &measured,
                    const std::vector<std::string> &classNames);

private:
  struct Training {
    Training(const Model &model, const TrainingOptions &options)
        : options(options), optimizer(model, options.optimizer),
          state(optimizer.makeState()),
          gradients(size_t(model->parameter_count)) {}

    TrainingOptions options;
    Optimizer optimizer;
    OptimizerState state;
    FloatArray gradients;
    int64_t images = 0; ///< trained on so far
  };

  [[noreturn]] void diverged(float loss) const;
  const Prepared &prepare();
  std::shared_ptr<Weights> result() const { return average ? average : last; }

  mutable std::mutex mutex; ///< guards what follows
  Session session;
  std::shared_ptr<Weights> last;    ///< of the last step
  std::shared_ptr<Weights> average; ///< null: none is kept
  bool own; ///< the weights are those that the library holds
  std::optional<Prepared> prepared; ///< of result()
  std::optional<Training> training;
};

} // namespace rootc::python

#endif // ROOTC_PYTHON_NETWORK_H
