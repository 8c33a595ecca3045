//===- VerbsDescribe.cpp - info -------------------------------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "MemoryPlan.h"
#include "VerbSupport.h"
#include "WeightsFile.h"

#include <nlohmann/json.hpp>
#include <optional>

using namespace rootc;
using Json = nlohmann::ordered_json;

static Json toJson(const MemoryPlan &plan) {
  return {{"process", plan.process},     {"parameters", plan.parameters},
          {"gradients", plan.gradients}, {"velocity", plan.velocity},
          {"prepared", plan.prepared},   {"workspace", plan.workspace},
          {"scratch", plan.scratch},     {"images", plan.images},
          {"total", plan.total()}};
}

/// What could run the model: the devices of each kind that it was compiled for.
static Json findDevices(const Model &model) {
  Json found = Json::array();
  for (const rootc_model *table : model.targets()) {
    rootc_context context = {};
    int32_t count = table->device_count(&context);
    if (count <= 0)
      found.push_back({{"kind", table->device_kind},
                       {"problem", count ? context.error : "there is none"}});
    for (int32_t i = 0; i < count; ++i) {
      rootc_device_info info = {};
      bool known = table->device_info(&context, i, &info) == ROOTC_OK;
      found.push_back({{"kind", table->device_kind},
                       {"index", i},
                       {"name", info.name},
                       {"memory_bytes", info.memory_bytes},
                       {"problem", known ? info.problem : context.error}});
    }
  }
  return found;
}

static void printDevice(const Json &device) {
  std::string line = fmt::format("runs on {}", std::string(device["kind"]));
  if (device.contains("index"))
    line += fmt::format(" {}: {}", int32_t(device["index"]),
                        std::string(device["name"]));
  if (int64_t bytes = device.value("memory_bytes", int64_t(0)))
    line += fmt::format(", {} MiB", bytes >> 20);
  std::string problem = device["problem"];
  fmt::print("{}{}\n", line, problem.empty() ? "" : ": cannot: " + problem);
}

void rootc::describeModel(const VerbOptions &options) {
  static const char *const programs[ROOTC_PROGRAM_COUNT] = {
      "prepare", "infer", "train", "grad",
      "update",  "adamw", "clip",  "average"};
  Model model = Model::open(options.model);
  int64_t batch = options.batch ? options.batch : 1;
  Json report = {{"name", model->name},
                 {"target", model->target},
                 {"devices", findDevices(model)},
                 {"abi_version", model->abi_version},
                 {"image", {model->height, model->width, model->channels}},
                 {"classes", model->classes},
                 {"training", model->has_training != 0},
                 {"batch", batch},
                 {"workspace_bytes", Json::object()},
                 {"prepared_bytes", model->prepared_bytes},
                 {"parameters", 0},
                 {"tensors", Json::array()},
                 {"responses", Json::array()}};
  for (int program = 0; program < ROOTC_PROGRAM_COUNT; ++program) {
    int64_t bytes = model->workspace_bytes(program, batch);
    if (bytes >= 0)
      report["workspace_bytes"][programs[program]] = bytes;
  }
  int64_t processBytes = residentBytes();
  std::optional<MemoryPlan> training, inference;
  if (report["workspace_bytes"].contains("train") && model.canTrain())
    training = planTrainingRun(model, batch, evaluationBatch(model, batch));
  if (report["workspace_bytes"].contains("infer"))
    inference = planInference(model, batch);
  for (auto *plan : {&training, &inference})
    if (*plan)
      (*plan)->process = processBytes;
  report["memory_bytes"] = Json::object();
  if (training)
    report["memory_bytes"]["train"] = toJson(*training);
  if (inference)
    report["memory_bytes"]["infer"] = toJson(*inference);
  int64_t parameters = 0, uncounted = 0;
  for (int64_t i = 0; i < model->tensor_count; ++i) {
    const rootc_tensor &tensor = model->tensors[i];
    std::string role = tensor.role;
    // Those of frozen layers count too.
    bool running = role == "mean" || role == "variance";
    int64_t count = running ? 0 : *elementCount(shapeOf(tensor));
    parameters += count;
    if (role == "scale" || role == "offset" || role == "slope" ||
        role == "gain")
      uncounted += count;
    report["tensors"].push_back({{"name", tensor.name},
                                 {"role", tensor.role},
                                 {"shape", shapeOf(tensor)},
                                 {"statistic", tensor.statistic != 0}});
  }
  report["parameters"] = parameters;
  for (int64_t i = 0; i < model->response_count; ++i) {
    const rootc_response &response = model->responses[i];
    report["responses"].push_back(
        {{"name", response.name},
         {"value_of", response.value_of},
         {"shape", {response.shape[0], response.shape[1], response.shape[2]}}});
  }
  Json description = Json::parse(model->description, nullptr, false);
  if (!description.is_discarded())
    report["description"] = description;
  if (options.json) {
    fmt::print("{}\n", report.dump());
    return;
  }
  std::string note = uncounted
                         ? fmt::format(" ({} of them are of normalisations and "
                                       "learnt factors, which rootc "
                                       "--emit=cost does not count)",
                                       uncounted)
                         : "";
  fmt::print("{}: {} x {} x {} images, {} classes, {} parameters{}\n"
             "target {}\nABI version {}, {}\n",
             model->name, model->height, model->width, model->channels,
             model->classes, parameters, note, model->target,
             model->abi_version,
             model->has_training ? "with training" : "inference only");
  for (const Json &device : report["devices"])
    printDevice(device);
  for (const auto &[name, bytes] : report["workspace_bytes"].items())
    fmt::print("workspace of {} at batch {}: {:.1f} MiB\n", name, batch,
               double(bytes.get<int64_t>()) / double(1 << 20));
  if (training)
    fmt::print("memory of training at batch {}: {}\n", batch,
               toString(*training));
  if (inference)
    fmt::print("memory of inference at batch {}: {}\n", batch,
               toString(*inference));
  for (int64_t i = 0; i < model->tensor_count; ++i)
    fmt::print("  {:<32} {}\n", model->tensors[i].name,
               toString(shapeOf(model->tensors[i])));
}
