//===- Session.cpp - Run a model ------------------------------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Support.h"

#include <algorithm>
#include <exception>

using namespace rootc;

DeviceCopy::DeviceCopy(Model given, void *values, size_t bytes)
    : model(std::move(given)), values(values), bytes(bytes) {
  rootc_context context = {};
  context.device = model.device();
  if (model->device_keep(&context, values, bytes) != ROOTC_OK)
    fail("{}: {}", model.path(), context.error);
}

DeviceCopy::~DeviceCopy() { model->device_drop(model.device(), values); }

void DeviceCopy::fetch() const {
  rootc_context context = {};
  context.device = model.device();
  if (model->device_download(&context, values, bytes) != ROOTC_OK)
    fail("{}: {}", model.path(), context.error);
}

ImagesAhead::ImagesAhead(Model model) : model(std::move(model)) {}

ImagesAhead::~ImagesAhead() {
  for (const auto &[host, bytes] : pinned)
    model->device_unpin(model.device(), host);
}

void ImagesAhead::begin(const FloatArray &images) {
  if (!model.hasDevice() || images.empty())
    return;
  rootc_context context = {};
  context.device = model.device();
  auto *host = const_cast<float *>(images.data());
  // The whole of it: there may be more of them another time.
  size_t bytes = images.capacity() * sizeof(float);
  int status = ROOTC_OK;
  if (pinned.try_emplace(host, bytes).second)
    status = model->device_pin(&context, host, bytes);
  if (status == ROOTC_OK)
    status = model->device_ahead(&context, host, images.size() * sizeof(float));
  if (status != ROOTC_OK)
    fail("{}: {}", model.path(), context.error);
}

Prepared::Prepared(const Model &model, const Weights &weights)
    : bytes(std::make_shared<ByteArray>(size_t(model->prepared_bytes))),
      copy(std::make_shared<DeviceCopy>(model, *bytes)) {
  Session session(model);
  int64_t needed =
      model.hasDevice() ? 0 : model->workspace_bytes(ROOTC_PREPARE, 1);
  ByteArray workspace(needed > 0 ? size_t(needed) : 0);
  rootc_context &context = session.context();
  context.workspace = workspace.data();
  context.workspace_bytes = workspace.size();
  if (model->prepare(&context, weights.parameters.data(),
                     weights.statistics.data(), bytes->data()) != ROOTC_OK)
    fail("{}: {}", model.path(), context.error);
}

static const rootc_weights &ownWeights(const Model &model) {
  if (!model->weights)
    fail("{}: holds no weights of its own; give --weights, or compile the "
         "network with 'rootc --mode=infer --weights=FILE'",
         model.path());
  return *model->weights;
}

Prepared::Prepared(Model model)
    : library(std::move(model)), own(ownWeights(library).prepared) {}

Weights Weights::describeOwn(const Model &model) {
  const rootc_weights &own = ownWeights(model);
  Weights weights(model);
  for (int64_t i = 0; i < model.imageSize(); ++i)
    weights.inputMean.push_back(own.mean[i % own.mean_count]);
  weights.inputScale.assign(own.scale, own.scale + model->channels);
  if (own.class_names)
    weights.classNames.assign(own.class_names,
                              own.class_names + model->classes);
  return weights;
}

Session::Session(Model model, std::shared_ptr<ThreadPool> given)
    : model(std::move(model)), pool(std::move(given)) {
  // A pool of one runs on the caller, and keeps the scratch blocks of kernels
  // from one call to the next.
  if (!pool)
    pool = std::make_shared<ThreadPool>(this->model, 1);
  ctx.parallel_for = pool->runner();
  ctx.pool = pool->handle();
  ctx.device = this->model.device();
}

void Session::reserve(int32_t program, int64_t batch, bool shown) {
  int64_t needed = model->workspace_bytes(program, batch);
  if (needed < 0)
    fail("{}: a batch of {} images is too large; use a smaller --batch",
         model.path(), batch);
  if (model.hasDevice() && !shown) { // which has its own
    ctx.workspace = nullptr;
    ctx.workspace_bytes = 0;
    return;
  }
  if (size_t(needed) > workspace.size()) {
    try {
      workspace = ByteArray();
      workspace = ByteArray(size_t(needed));
    } catch (const std::bad_alloc &) {
      fail("{}: a batch of {} images needs {} MiB of memory, which cannot be "
           "had; use a smaller --batch",
           model.path(), batch, needed >> 20);
    }
  }
  ctx.workspace = workspace.data();
  ctx.workspace_bytes = workspace.size();
}

void Session::check(int status) const {
  if (status != ROOTC_OK)
    fail("{}: {}", model.path(),
         ctx.error[0] ? ctx.error : "a kernel failed without a message");
}

void Session::infer(const Prepared &prepared, int64_t batch, const float *image,
                    float *logits) {
  reserve(ROOTC_INFER, batch);
  check(model->infer(&ctx, batch, image, prepared.data(), logits));
}

namespace {
/// Hands out responses while a program runs. Code of a model lets no exception
/// through, so one is kept until the end.
struct Reading {
  const rootc_context &context;
  int64_t batch;
  const float *logits;
  const std::vector<const rootc_response *> &responses;
  const ResponseReader &read;
  rootc_call_hook next;
  void *nextState;
  FloatArray turned;
  std::exception_ptr failure;

  static void hook(void *state, int32_t program, int32_t call, int32_t phase) {
    auto &reading = *static_cast<Reading *>(state);
    if (reading.next)
      reading.next(reading.nextState, program, call, phase);
    // A kernel that failed has left its message.
    if (program != ROOTC_INFER || phase != 1 || reading.context.error[0])
      return;
    for (const rootc_response *response : reading.responses)
      if (response->call == call)
        reading.give(*response);
  }

  void give(const rootc_response &response) {
    const void *arena = response.arena == ROOTC_RESPONSE_LOGITS
                            ? static_cast<const void *>(logits)
                            : context.workspace;
    auto *bytes =
        static_cast<const std::byte *>(arena) + batch * response.offset;
    auto *values = reinterpret_cast<const float *>(bytes);
    try {
      if (!failure)
        read(response, response.order == 1 ? values : turn(response, values));
    } catch (...) {
      failure = std::current_exception();
    }
  }

  /// `values` in the standard order of channels.
  const float *turn(const rootc_response &response, const float *values) {
    auto [height, width, channels] = response.shape;
    int64_t positions = batch * height * width;
    turned.resize(size_t(positions * channels));
    int64_t groups = response.order, inGroup = channels / groups;
    float *to = turned.data();
    for (; positions > 0; --positions, values += channels)
      for (int64_t g = 0; g < groups; ++g)
        for (int64_t i = 0; i < inGroup; ++i)
          *to++ = values[i * groups + g];
    return turned.data();
  }
};
} // namespace

void Session::infer(const Prepared &prepared, int64_t batch, const float *image,
                    float *logits,
                    const std::vector<const rootc_response *> &responses,
                    const ResponseReader &read) {
  Reading reading{
      ctx, batch,  logits, responses, read, ctx.call_hook, ctx.call_hook_state,
      {},  nullptr};
  reserve(ROOTC_INFER, batch, true);
  ctx.error[0] = 0;
  ctx.call_hook = Reading::hook;
  ctx.call_hook_state = &reading;
  int status = model->infer(&ctx, batch, image, prepared.data(), logits);
  ctx.call_hook = reading.next;
  ctx.call_hook_state = reading.nextState;
  if (reading.failure)
    std::rethrow_exception(reading.failure);
  check(status);
}

float Session::train(const rootc_batch &batch, Weights &weights,
                     float *gradients) {
  model.requireTraining();
  reserve(ROOTC_TRAIN, batch.size);
  float loss = 0;
  check(model->train(&ctx, &batch, weights.parameters.data(),
                     weights.statistics.data(), gradients, &loss));
  return loss;
}

float Session::grad(const rootc_batch &batch, Weights &weights,
                    float *gradients, float *imageGradient) {
  model.requireTraining();
  reserve(ROOTC_GRAD, batch.size);
  float loss = 0;
  check(model->grad(&ctx, &batch, weights.parameters.data(),
                    weights.statistics.data(), gradients, &loss,
                    imageGradient));
  return loss;
}

void Session::update(Weights &weights, const float *gradients, float *velocity,
                     float rate, float momentum, float decay, bool decayAll) {
  model.requireTraining();
  int64_t decayed = decayAll ? model->parameter_count : model->decayed_count;
  float *parameters = weights.parameters.data();
  update(decayed, parameters, gradients, velocity, rate, momentum, decay,
         false);
  update(model->parameter_count - decayed, parameters + decayed,
         gradients + decayed, velocity + decayed, rate, momentum, 0, false);
}

void Session::update(int64_t count, float *parameters, const float *gradients,
                     float *velocity, float rate, float momentum, float decay,
                     bool nesterov) {
  if (count == 0)
    return;
  reserve(ROOTC_UPDATE, count);
  check(model->update(&ctx, count, parameters, gradients, velocity, rate,
                      momentum, decay, nesterov));
}

void Session::adamw(int64_t count, float *parameters, const float *gradients,
                    float *mean, float *square, const rootc_adamw &step) {
  if (count == 0)
    return;
  reserve(ROOTC_ADAMW, count);
  check(model->adamw(&ctx, count, parameters, gradients, mean, square, &step));
}

void Session::clip(int64_t count, float *gradients, float most) {
  if (count == 0)
    return;
  reserve(ROOTC_CLIP, count);
  check(model->clip(&ctx, count, gradients, most));
}

void Session::average(int64_t count, float *average, const float *values,
                      float share) {
  if (count == 0)
    return;
  reserve(ROOTC_AVERAGE, count);
  check(model->average(&ctx, count, average, values, share));
}
