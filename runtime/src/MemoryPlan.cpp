//===- MemoryPlan.cpp - What a run needs of memory ------------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "MemoryPlan.h"
#include "Loader.h"
#include "Support.h"

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sys/resource.h>
#include <unistd.h>

using namespace rootc;

static int64_t workspaceOf(const Model &model, int32_t program, int64_t batch) {
  int64_t bytes = model->workspace_bytes(program, batch);
  if (bytes < 0)
    fail("{}: a batch of {} images is too large; use a smaller --batch",
         model.path(), batch);
  return bytes;
}

static int64_t imageBytes(const Model &model, int64_t batch) {
  return batch * model.imageSize() * int64_t(sizeof(float));
}

/// Parameters, or what is laid out alike.
static int64_t parameterBytes(const Model &model) {
  return model->parameter_count * int64_t(sizeof(float));
}

static int64_t weightBytes(const Model &model) {
  return parameterBytes(model) +
         model->statistic_count * int64_t(sizeof(float));
}

/// Of a training step; 0 where the model does not tell.
static int64_t scratchBytes(const Model &model) {
  auto description = nlohmann::json::parse(model->description, nullptr, false);
  if (!description.is_object())
    return 0;
  auto found = description.find("scratch_bytes");
  return found != description.end() && found->is_number_unsigned()
             ? found->get<int64_t>()
             : 0;
}

int64_t MemoryPlan::total() const {
  return process + parameters + gradients + velocity + prepared + workspace +
         scratch + images;
}

MemoryPlan rootc::planTraining(const Model &model, int64_t batch) {
  model.requireTraining();
  MemoryPlan plan;
  plan.parameters = weightBytes(model);
  plan.gradients = plan.velocity = parameterBytes(model);
  plan.workspace = workspaceOf(model, ROOTC_TRAIN, batch);
  plan.scratch = scratchBytes(model);
  plan.images = imageBytes(model, batch);
  return plan;
}

MemoryPlan rootc::planInference(const Model &model, int64_t batch) {
  MemoryPlan plan;
  plan.parameters = weightBytes(model);
  plan.prepared = model->prepared_bytes;
  plan.workspace = workspaceOf(model, ROOTC_INFER, batch);
  plan.images = imageBytes(model, batch);
  return plan;
}

MemoryPlan rootc::planTrainingRun(const Model &model, int64_t batch,
                                  int64_t evaluated) {
  MemoryPlan plan = planTraining(model, batch);
  plan.gradients = std::max(plan.gradients, model->prepared_bytes);
  plan.workspace =
      std::max(plan.workspace, workspaceOf(model, ROOTC_INFER, evaluated));
  plan.images = LoaderOptions().depth * imageBytes(model, batch + evaluated);
  return plan;
}

int64_t rootc::evaluationBatch(const Model &model, int64_t batch) {
  int64_t most = workspaceOf(model, ROOTC_TRAIN, batch), evaluated = 128;
  auto fits = [&](int64_t images) {
    int64_t bytes = model->workspace_bytes(ROOTC_INFER, images);
    return bytes >= 0 && bytes <= most &&
           LoaderOptions().depth * imageBytes(model, images) <= most / 16;
  };
  while (evaluated > batch && !fits(evaluated))
    evaluated /= 2;
  return evaluated;
}

int64_t rootc::residentBytes() {
  std::ifstream file("/proc/self/statm");
  int64_t pages = 0;
  file >> pages >> pages;
  return pages * sysconf(_SC_PAGESIZE);
}

int64_t rootc::peakResidentBytes() {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return int64_t(usage.ru_maxrss) * 1024;
}

std::string rootc::toString(const MemoryPlan &plan) {
  auto mebibytes = [](int64_t bytes) { return double(bytes) / (1 << 20); };
  std::string text = fmt::format("{:.0f} MiB", mebibytes(plan.total()));
  const char *separator = ": ";
  for (auto [name, bytes] : {std::pair("process", plan.process),
                             {"parameters", plan.parameters},
                             {"gradients", plan.gradients},
                             {"velocity", plan.velocity},
                             {"packed weights", plan.prepared},
                             {"workspace", plan.workspace},
                             {"scratch", plan.scratch},
                             {"images", plan.images}})
    if (bytes > 0) {
      text += fmt::format("{}{} {:.1f}", separator, name, mebibytes(bytes));
      separator = ", ";
    }
  return text;
}
