//===- Workload.cpp - A model to be timed ---------------------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Workload.h"

#include <algorithm>

using namespace rootc;
using Clock = std::chrono::steady_clock;

static double milliseconds(Clock::duration time) {
  return std::chrono::duration<double, std::milli>(time).count();
}

Workload::Workload(const VerbOptions &options, bool withTraining,
                   bool withInference)
    : model(Model::open(options.model)),
      weights(options.weights.empty() ? Weights::initialise(model, options.seed)
                                      : loadWeights(model, options)),
      pool(std::make_shared<ThreadPool>(model, options.threads)),
      session(model, pool),
      batch(model, options.batch ? options.batch : 1, options.seed),
      logits(batch.labels.size() * size_t(model->classes)) {
  if (withInference) {
    prepared.emplace(model, weights);
    plan = planInference(model, batchSize());
  }
  if (withTraining) {
    model.requireTraining();
    gradients.resize(weights.parameters.size());
    velocity.resize(weights.parameters.size());
    MemoryPlan training = planTraining(model, batchSize());
    training.prepared = plan.prepared;
    training.workspace = std::max(training.workspace, plan.workspace);
    plan = training;
  }
  plan.process = processBytes;
}

void Workload::run(bool training) {
  if (!training) {
    session.infer(*prepared, batchSize(), batch.image.data(), logits.data());
    return;
  }
  session.train(batch.view(), weights, gradients.data());
  // The rate is too small to go astray.
  session.update(weights, gradients.data(), velocity.data(), 1e-6f, 0.9f,
                 5e-4f);
}

double Workload::time(bool training) {
  auto start = Clock::now();
  run(training);
  return milliseconds(Clock::now() - start);
}

CallProfile::CallProfile(Workload &work, bool training)
    : work(work), program(training ? ROOTC_TRAIN : ROOTC_INFER),
      times(size_t(work.model->call_count[program])) {
  work.session.context().call_hook = hook;
  work.session.context().call_hook_state = this;
}

CallProfile::~CallProfile() { work.session.context().call_hook = nullptr; }

void CallProfile::hook(void *state, int32_t program, int32_t call,
                       int32_t phase) {
  auto &profile = *static_cast<CallProfile *>(state);
  if (program != profile.program || call < 0 ||
      size_t(call) >= profile.times.size())
    return;
  if (phase == 0)
    profile.start = Clock::now();
  else
    profile.times[size_t(call)] += milliseconds(Clock::now() - profile.start);
}
