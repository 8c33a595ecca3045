//===- FakeModel.cpp - A model written by hand, for the runtime's tests ---===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Softmax regression on 32 x 32 x 3 images behind rootc/model.h: the runtime
// can be tested without the compiler. Its gradients depend on (seed, epoch,
// sample), as dropout's do, so that wrong keys change the weights.
//
//===----------------------------------------------------------------------===//

#include "FakeModel.h"
#include "codegen/MixedLabel.h"

#include <cmath>
#include <cstdio>
#include <cstring>
#include <system_error>
#include <thread>
#include <vector>

namespace {
constexpr int64_t pixels = 32 * 32 * 3, classes = 10;
constexpr int64_t biasOffset = pixels * classes;
constexpr int64_t parameterCount = biasOffset + 16;

const rootc_tensor tensors[] = {
    {"fc.weight", "weight", 2, 0, {classes, pixels, 0, 0}, 0, pixels},
    {"fc.bias", "bias", 1, 0, {classes, 0, 0, 0}, biasOffset, 0},
    {"fc.mean", "mean", 1, 1, {classes, 0, 0, 0}, 0, 0},
    {"fc.variance", "variance", 1, 1, {classes, 0, 0, 0}, 16, 0}};

// Inference also stores a map of 8 x 8 x 4, behind 64 bytes that it leaves
// alone; the last of its channels is constant.
constexpr int64_t cellsSide = 8, cellsChannels = 4, cellsOffset = 64;
constexpr int64_t cellsBytes =
    cellsSide * cellsSide * cellsChannels * int64_t(sizeof(float));
const rootc_response responses[] = {
    {"cells",
     "cells",
     0,
     ROOTC_RESPONSE_WORKSPACE,
     {cellsSide, cellsSide, cellsChannels},
     cellsOffset,
     1},
    {"fc", "fc", 1, ROOTC_RESPONSE_LOGITS, {1, 1, classes}, 0, 1}};

const char *const inferLabels[] = {"cells forward", "fc forward"};
const char *const trainLabels[] = {"fc forward", "fc backward"};
const rootc_work inferWork[] = {{0, 0, 12288, 0, 1024},
                                {30720, 122880, 12288, 0, 40}};
const rootc_work trainWork[] = {{30720, 122880, 12288, 0, 40},
                                {30720, 0, 12328, 122880, 0}};

int reject(rootc_context *context, const char *message) {
  std::snprintf(context->error, sizeof(context->error), "%s", message);
  return ROOTC_ERROR_ARGUMENT;
}

template <typename Body>
int forEach(rootc_context *context, int64_t count, const Body &body) {
  if (!context->parallel_for) {
    for (int64_t i = 0; i < count; ++i)
      body(i);
    return ROOTC_OK;
  }
  auto task = [](void *state, int64_t i) -> int {
    (*static_cast<const Body *>(state))(i);
    return ROOTC_OK;
  };
  return context->parallel_for(context->pool, task, const_cast<Body *>(&body),
                               count);
}

struct Hook {
  rootc_context *context;
  int32_t program, call;
  Hook(rootc_context *context, int32_t program, int32_t call)
      : context(context), program(program), call(call) {
    if (context->call_hook)
      context->call_hook(context->call_hook_state, program, call, 0);
  }
  ~Hook() {
    if (context->call_hook)
      context->call_hook(context->call_hook_state, program, call, 1);
  }
};

void forward(const float *parameters, const float *image, float *logits) {
  for (int64_t k = 0; k < classes; ++k) {
    float sum = parameters[biasOffset + k];
    for (int64_t i = 0; i < pixels; ++i)
      sum += parameters[k * pixels + i] * image[i];
    logits[k] = sum;
  }
}

const char *unsupported() { return nullptr; }

int64_t workspaceBytes(int32_t program, int64_t batch) {
  int64_t bytes;
  if (program < 0 || program >= ROOTC_PROGRAM_COUNT ||
      __builtin_mul_overflow(batch, classes * int64_t(sizeof(float)), &bytes))
    return -1;
  if (program == ROOTC_INFER)
    return batch * (cellsOffset + cellsBytes);
  return program == ROOTC_TRAIN || program == ROOTC_GRAD ? bytes : 0;
}

int prepare(rootc_context *, const float *parameters, const float *,
            void *prepared) {
  std::memcpy(prepared, parameters, parameterCount * sizeof(float));
  return ROOTC_OK;
}

/// Of each fourth pixel: red, red + green, blue squared, and a constant.
void computeCells(int64_t batch, const float *image, float *cells) {
  for (int64_t n = 0; n < batch; ++n)
    for (int64_t y = 0; y < cellsSide; ++y)
      for (int64_t x = 0; x < cellsSide; ++x, cells += cellsChannels) {
        const float *pixel = image + n * pixels + (4 * y * 32 + 4 * x) * 3;
        cells[0] = pixel[0];
        cells[1] = pixel[0] + pixel[1];
        cells[2] = pixel[2] * pixel[2];
        cells[3] = 0.1f;
      }
}

int infer(rootc_context *context, int64_t batch, const float *image,
          const void *prepared, float *logits) {
  if (batch < 1)
    return reject(context, "infer: the batch size must be at least 1");
  if (context->workspace_bytes < size_t(workspaceBytes(ROOTC_INFER, batch)))
    return reject(context, "infer: the workspace is too small");
  char *cells = static_cast<char *>(context->workspace) + batch * cellsOffset;
  {
    Hook hook(context, ROOTC_INFER, 0);
    computeCells(batch, image, reinterpret_cast<float *>(cells));
  }
  // What comes next may use the memory again.
  std::memset(cells, 0xff, size_t(batch * cellsBytes));
  Hook hook(context, ROOTC_INFER, 1);
  return forEach(context, batch, [&](int64_t n) {
    forward(static_cast<const float *>(prepared), image + n * pixels,
            logits + n * classes);
  });
}

/// What dropout would do: a factor of (seed, epoch, sample).
float factorOf(const rootc_batch &batch, int64_t n) {
  uint64_t key = uint64_t(batch.seed) * 31 + uint64_t(batch.epoch) * 17 +
                 uint64_t(batch.samples[n]);
  return (key * 2654435761u >> 7) % 8 ? 1.f : 0.5f;
}

int gradients(rootc_context *context, int32_t program, const rootc_batch *batch,
              const float *parameters, float *statistics, float *gradients,
              float *loss, float *dImage) {
  if (batch->size < 1 || !batch->samples)
    return reject(context, "train: the batch is empty or has no samples");
  int64_t size = batch->size;
  if (context->workspace_bytes < size_t(workspaceBytes(program, size)))
    return reject(context, "train: the workspace is too small");
  auto *delta = static_cast<float *>(context->workspace);
  std::vector<double> losses(static_cast<size_t>(size));
  {
    Hook hook(context, program, 0);
    forEach(context, size, [&](int64_t n) {
      float *row = delta + n * classes;
      forward(parameters, batch->image + n * pixels, row);
      double sum = 0;
      for (int64_t k = 0; k < classes; ++k)
        sum += std::exp(double(row[k]));
      rootc::codegen::MixedLabel mixed(batch->labels[n]);
      losses[size_t(n)] = std::log(sum) - (1 - mixed.share) * row[mixed.label] -
                          mixed.share * row[mixed.partner];
      for (int64_t k = 0; k < classes; ++k) {
        double wanted = (k == mixed.label) * (1 - mixed.share) +
                        (k == mixed.partner) * mixed.share;
        row[k] =
            float((std::exp(double(row[k])) / sum - wanted) / double(size)) *
            factorOf(*batch, n);
      }
    });
  }
  Hook hook(context, program, 1);
  double total = 0;
  for (double value : losses)
    total += value;
  *loss = float(total / double(size));
  std::memset(gradients, 0, parameterCount * sizeof(float));
  forEach(context, classes, [&](int64_t k) {
    for (int64_t n = 0; n < size; ++n) {
      float d = delta[n * classes + k];
      for (int64_t i = 0; i < pixels; ++i)
        gradients[k * pixels + i] += d * batch->image[n * pixels + i];
      gradients[biasOffset + k] += d;
    }
    statistics[k] = 0.9f * statistics[k] + 0.1f * gradients[biasOffset + k];
  });
  if (dImage)
    forEach(context, size, [&](int64_t n) {
      for (int64_t i = 0; i < pixels; ++i) {
        float sum = 0;
        for (int64_t k = 0; k < classes; ++k)
          sum += delta[n * classes + k] * parameters[k * pixels + i];
        dImage[n * pixels + i] = sum;
      }
    });
  return ROOTC_OK;
}

int train(rootc_context *context, const rootc_batch *batch,
          const float *parameters, float *statistics, float *gradient,
          float *loss) {
  return gradients(context, ROOTC_TRAIN, batch, parameters, statistics,
                   gradient, loss, nullptr);
}

int grad(rootc_context *context, const rootc_batch *batch,
         const float *parameters, float *statistics, float *gradient,
         float *loss, float *dImage) {
  return gradients(context, ROOTC_GRAD, batch, parameters, statistics, gradient,
                   loss, dImage);
}

int update(rootc_context *, int64_t count, float *parameters,
           const float *gradient, float *velocity, float rate, float momentum,
           float decay, int32_t nesterov) {
  for (int64_t i = 0; i < count; ++i) {
    float g = gradient[i] + decay * parameters[i];
    velocity[i] = momentum * velocity[i] + g;
    parameters[i] -=
        rate * (nesterov ? g + momentum * velocity[i] : velocity[i]);
  }
  return ROOTC_OK;
}

int adamw(rootc_context *, int64_t count, float *parameters,
          const float *gradient, float *mean, float *square,
          const rootc_adamw *step) {
  for (int64_t i = 0; i < count; ++i) {
    float g = gradient[i];
    mean[i] += step->mean_gain * (g - mean[i]);
    square[i] += step->square_gain * (g * g - square[i]);
    parameters[i] = parameters[i] * step->shrink -
                    step->learning_rate * mean[i] /
                        (std::sqrt(square[i]) * step->root + step->epsilon);
  }
  return ROOTC_OK;
}

int clip(rootc_context *, int64_t count, float *gradient, float most) {
  double sum = 0;
  for (int64_t i = 0; i < count; ++i)
    sum += double(gradient[i]) * double(gradient[i]);
  double scale = double(most) / (std::sqrt(sum) + 1e-6);
  for (int64_t i = 0; scale < 1 && i < count; ++i)
    gradient[i] *= float(scale);
  return ROOTC_OK;
}

int average(rootc_context *, int64_t count, float *average, const float *values,
            float share) {
  for (int64_t i = 0; i < count; ++i)
    average[i] += share * (values[i] - average[i]);
  return ROOTC_OK;
}

/// A pool is its number of threads; each loop starts its own.
void *poolCreate(int32_t threads) { return new int32_t(threads); }
void poolDestroy(void *pool) { delete static_cast<int32_t *>(pool); }
int parallelFor(void *pool, rootc_task task, void *state, int64_t count) {
  int32_t threads = *static_cast<int32_t *>(pool);
  auto part = [&](int32_t first) {
    for (int64_t i = first; i < count; i += threads)
      task(state, i);
  };
  std::vector<std::thread> others;
  for (int32_t t = 1; t < threads; ++t)
    try {
      others.emplace_back(part, t);
    } catch (const std::system_error &) {
      part(t);
    }
  part(0);
  for (std::thread &other : others)
    other.join();
  return ROOTC_OK;
}

const rootc_model model = {
    ROOTC_ABI_VERSION,
    sizeof(rootc_model),
    "fake",
    "host",
    "cpu",
    R"({"network": "fake", "compiler": "by hand", "params": 30730, "macs": 30730,
        "layers": [{"name": "fc", "op": "linear", "groups": 1, "params": 30730, "macs": 30730}],
        "graph": [{"name": "cells", "op": "relu", "groups": 1, "inputs": []},
                  {"name": "lost", "op": "relu", "groups": 1, "inputs": ["cells"]},
                  {"name": "fc", "op": "linear", "groups": 1, "inputs": ["lost"]}]})",
    32,
    32,
    3,
    classes,
    tensors,
    sizeof(tensors) / sizeof(tensors[0]),
    responses,
    sizeof(responses) / sizeof(responses[0]),
    parameterCount,
    biasOffset,
    32,
    parameterCount *int64_t(sizeof(float)),
    1,
    0,
    {nullptr, inferLabels, trainLabels, trainLabels},
    {nullptr, inferWork, trainWork, trainWork},
    {0, 2, 2, 2},
    unsupported,
    workspaceBytes,
    prepare,
    infer,
    train,
    grad,
    update,
    adamw,
    clip,
    average,
    poolCreate,
    poolDestroy,
    parallelFor,
    nullptr,
    nullptr,
    nullptr,
    [](rootc_context *) -> int32_t { return 1; },
    [](rootc_context *, int32_t, rootc_device_info *info) -> int {
      *info = {};
      return ROOTC_OK;
    },
    [](rootc_context *, int32_t) -> int { return ROOTC_OK; },
    [](rootc_device *) {},
    [](rootc_context *, void *, size_t) -> int { return ROOTC_OK; },
    [](rootc_device *, void *) {},
    [](rootc_context *, void *, uint64_t, size_t) -> int { return ROOTC_OK; },
    [](rootc_context *, void *, size_t) -> int { return ROOTC_OK; },
    [](rootc_device *, void *) {},
    [](rootc_context *, const float *, size_t) -> int { return ROOTC_OK; },
    [](rootc_context *, const void *, size_t) -> int { return ROOTC_OK; },
    [](rootc_context *, void *, size_t) -> int { return ROOTC_OK; }};

struct Note {
  uint32_t ownerSize, descriptorSize, type;
  char owner[8]; // padded to a multiple of 4
  rootc_note note;
};
[[gnu::used, gnu::section(".note.rootc"), gnu::aligned(4)]] const Note note = {
    sizeof(ROOTC_NOTE_OWNER),
    sizeof(rootc_note),
    ROOTC_NOTE_TYPE,
    ROOTC_NOTE_OWNER,
    {ROOTC_ABI_VERSION, "fake_model", {}}};
} // namespace

extern "C" [[gnu::visibility("default")]] const rootc_model *fake_model() {
  return &model;
}
