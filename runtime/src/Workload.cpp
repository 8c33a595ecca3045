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
    : model(Model::open(options.model, options.device)),
      weights(options.weights.empty() ? Weights::initialise(model, options.seed)
                                      : loadWeights(model, options)),
      pool(std::make_shared<ThreadPool>(model, options.threads)),
      session(model, pool),
      batch(model, options.batch ? options.batch : 1, options.seed),
      logits(batch.labels.size() * size_t(model->classes)), ahead(model) {
  if (model.hasDevice())
    sameImages = batch.image;
  if (withInference) {
    prepared.emplace(model, weights);
    plan = planInference(model, batchSize());
  }
  if (withTraining) {
    model.requireTraining();
    gradients.resize(weights.parameters.size());
    velocity.resize(weights.parameters.size());
    for (FloatArray *values :
         {&weights.parameters, &weights.statistics, &gradients, &velocity})
      onDevice.push_back(std::make_unique<DeviceCopy>(model, *values));
    MemoryPlan training = planTraining(model, batchSize());
    training.prepared = plan.prepared;
    training.workspace = std::max(training.workspace, plan.workspace);
    plan = training;
  }
  plan.process = processBytes;
}

const float *Workload::nextImages() {
  if (!model.hasDevice())
    return batch.image.data();
  turn = !turn;
  ahead.begin(turn ? sameImages : batch.image);
  return turn ? batch.image.data() : sameImages.data();
}

void Workload::run(bool training) {
  const float *images = nextImages();
  if (!training) {
    session.infer(*prepared, batchSize(), images, logits.data());
    return;
  }
  rootc_batch view = batch.view();
  view.image = images;
  session.train(view, weights, gradients.data());
  // The rate is too small to go astray.
  session.update(weights, gradients.data(), velocity.data(), 1e-6f, 0.9f,
                 5e-4f);
}

double Workload::time(bool training) {
  auto start = Clock::now();
  run(training);
  return milliseconds(Clock::now() - start);
}

CallProfile::CallProfile(Workload &workload, bool training, bool keepsEvents)
    : workload(workload), training(training), keepsEvents(keepsEvents),
      updateBegins(size_t(
          workload.model->call_count[training ? ROOTC_TRAIN : ROOTC_INFER])),
      times(updateBegins +
            (training ? size_t(workload.model->call_count[ROOTC_UPDATE]) : 0)) {
  workload.session.context().call_hook = hook;
  workload.session.context().call_hook_state = this;
}

CallProfile::~CallProfile() { workload.session.context().call_hook = nullptr; }

double CallProfile::microseconds(Clock::time_point time) const {
  return 1e3 * milliseconds(time - *firstRun);
}

void CallProfile::run() {
  auto begin = Clock::now();
  if (!firstRun)
    firstRun = begin;
  workload.run(training);
  if (keepsEvents)
    ranAt.push_back({microseconds(begin), microseconds(Clock::now())});
}

std::pair<int32_t, size_t> CallProfile::place(size_t call) const {
  if (call >= updateBegins)
    return {ROOTC_UPDATE, call - updateBegins};
  return {training ? ROOTC_TRAIN : ROOTC_INFER, call};
}

std::string CallProfile::label(size_t call) const {
  auto [program, index] = place(call);
  return workload.model->call_labels[program][index];
}

CallProfile::Work CallProfile::work(size_t call) const {
  auto [program, index] = place(call);
  const rootc_work &does = workload.model->call_work[program][index];
  double n = program == ROOTC_UPDATE ? double(workload.model->parameter_count)
                                     : double(workload.batchSize());
  return {n * double(does.multiply_adds),
          double(does.read_fixed) + n * double(does.read_per_image),
          double(does.written_fixed) + n * double(does.written_per_image)};
}

void CallProfile::hook(void *state, int32_t program, int32_t call,
                       int32_t phase) {
  auto &profile = *static_cast<CallProfile *>(state);
  size_t index = size_t(call);
  if (profile.training && program == ROOTC_UPDATE)
    index += profile.updateBegins;
  else if (program != (profile.training ? ROOTC_TRAIN : ROOTC_INFER))
    return;
  if (call < 0 || index >= profile.times.size())
    return;
  auto now = Clock::now();
  if (phase == 0) {
    profile.start = now;
    return;
  }
  profile.times[index] += milliseconds(now - profile.start);
  if (profile.keepsEvents)
    profile.calledAt.push_back(
        {index,
         {profile.microseconds(profile.start), profile.microseconds(now)}});
}
