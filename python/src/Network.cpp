//===- Network.cpp - A model with its weights and training state ----------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Network.h"

#include <cmath>
#include <limits>
#include <numeric>

using namespace rootc;
using namespace rootc::python;

using Lock = std::lock_guard<std::mutex>;

Network::Network(const std::string &path, const std::string &device,
                 int threads, uint64_t seed)
    : model(Model::open(path, device)),
      session(model, std::make_shared<ThreadPool>(model, threads)),
      last(std::make_shared<Weights>(model->weights
                                         ? Weights::describeOwn(model)
                                         : Weights::initialise(model, seed))),
      own(model->weights != nullptr) {}

const Prepared &Network::prepare() {
  if (!prepared && own)
    prepared.emplace(model);
  else if (!prepared)
    prepared.emplace(model, *result());
  return *prepared;
}

void Network::infer(int64_t batch, const float *image, float *logits) {
  Lock lock(mutex);
  session.infer(prepare(), batch, image, logits);
}

void Network::beginTraining(const TrainingOptions &options) {
  model.requireTraining();
  Lock lock(mutex);
  training.emplace(model, options);
  if (average)
    *last = *average;
  average = options.average > 0 ? std::make_shared<Weights>(*last) : nullptr;
  prepared.reset();
}

void Network::diverged(float loss) const {
  std::string where =
      firstNotFinite(model, last->parameters.data(), last->statistics.data());
  fail("{}: the loss is {} at step {}{}{}; begin again with a smaller lr",
       model.path(), valueText(loss), training->state.updates + 1,
       where.empty() ? "" : ": ", where);
}

float Network::train(rootc_batch batch, double rate) {
  Lock lock(mutex);
  if (!training)
    fail("{}: call begin_training() before train_step()", model.path());
  // Written so that NaN is refused.
  if (!(rate >= 0 && rate <= double(std::numeric_limits<float>::max())))
    fail("lr is {}; it must be at least 0, and finite as a float",
         valueText(rate));
  std::vector<int64_t> counted;
  if (!batch.samples) {
    counted.resize(size_t(batch.size));
    std::iota(counted.begin(), counted.end(), training->images);
    batch.samples = counted.data();
  }
  batch.seed = training->options.seed;
  prepared.reset();
  float *gradients = training->gradients.data();
  float loss = session.train(batch, *last, gradients);
  if (!std::isfinite(loss))
    diverged(loss);
  training->optimizer.update(session, *last, training->state, gradients, rate);
  training->images += batch.size;
  if (average) {
    auto share = float(1 - training->options.average);
    session.average(model->parameter_count, average->parameters.data(),
                    last->parameters.data(), share);
    session.average(model->statistic_count, average->statistics.data(),
                    last->statistics.data(), share);
  }
  return loss;
}

Evaluation Network::evaluate(const ImageSource &images, int64_t batch,
                             int loaderThreads) {
  Lock lock(mutex);
  return rootc::evaluate(session, model, prepare(), images,
                         Normalisation::of(*result(), model.path()), batch,
                         loaderThreads);
}

std::shared_ptr<const Weights> Network::weights() const {
  Lock lock(mutex);
  return result();
}

std::shared_ptr<const Weights> Network::readableWeights() const {
  Lock lock(mutex);
  if (own)
    fail("{}: holds packed weights of its own, which cannot be read back; "
         "load others, or compile the network without --weights",
         model.path());
  return result();
}

void Network::read(const Safetensors &file, bool slice, bool skip,
                   const std::function<void(const std::string &)> &message) {
  Lock lock(mutex);
  Weights fresh = *last;
  readWeightsInto(fresh, model, file, slice,
                  skip ? Mismatch::Skip : Mismatch::Refuse, message);
  if (fresh.classNames.empty())
    fresh.classNames = last->classNames;
  // Copies of the same size: the arenas stay where they are.
  *last = fresh;
  if (average)
    *average = fresh;
  own = false;
  prepared.reset();
}

void Network::save(const std::string &path) const {
  readableWeights()->save(model, path);
}

void Network::describeData(const Normalisation &measured,
                           const std::vector<std::string> &classNames) {
  Lock lock(mutex);
  for (Weights *weights : {last.get(), average.get()}) {
    if (!weights)
      continue;
    if (weights->inputMean.empty() || weights->inputScale.empty()) {
      weights->inputMean = measured.mean;
      weights->inputScale = measured.scale;
    }
    if (int64_t(classNames.size()) == model->classes)
      weights->classNames = classNames;
  }
}
