//===- VerbsDescribe.cpp - predict, info ----------------------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Evaluate.h"
#include "MemoryPlan.h"
#include "Npy.h"
#include "VerbSupport.h"
#include "WeightsFile.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <numeric>
#include <optional>

using namespace rootc;
using Json = nlohmann::ordered_json;

/// Pixels 0 to 255 of a .npy or .bin file, normalised.
static FloatArray readPixels(const Model &model, const VerbOptions &options,
                             const Normalisation &normalisation,
                             int64_t &count) {
  FloatArray images;
  if (options.input.ends_with(".bin")) {
    Dataset dataset;
    readCifar(options.input, model->classes, dataset);
    count = dataset.count;
    checkImageShape(model, options.input,
                    {count, dataset.height, dataset.width, dataset.channels});
    images.assign(dataset.pixels.begin(), dataset.pixels.end());
  } else {
    NpyArray array = NpyArray::read(options.input);
    if (array.shape.size() == 3)
      array.shape.insert(array.shape.begin(), 1);
    checkImageShape(model, options.input, array.shape);
    count = array.shape[0];
    images = array.floats(/*bytes=*/true);
  }
  size_t size = normalisation.mean.size();
  size_t channels = normalisation.scale.size();
  for (size_t i = 0; i < images.size(); ++i)
    images[i] = (images[i] - normalisation.mean[i % size]) /
                normalisation.scale[i % channels];
  return images;
}

/// Names of --classes, or of batches.meta.txt beside the input, or numbers.
static std::vector<std::string> classNames(const Model &model,
                                           const VerbOptions &options) {
  namespace fs = std::filesystem;
  std::string folder = options.classes.empty()
                           ? fs::path(options.input).parent_path().string()
                           : options.classes;
  std::vector<std::string> names = readClassNames(folder);
  if (!options.classes.empty() && int64_t(names.size()) != model->classes)
    fail("--classes: {}: has {} class names in batches.meta.txt, and {} has {} "
         "classes",
         folder, names.size(), model.path(), model->classes);
  if (int64_t(names.size()) != model->classes) {
    names.clear();
    for (int64_t i = 0; i < model->classes; ++i)
      names.push_back(fmt::format("{}", i));
  }
  return names;
}

void rootc::predictImages(const VerbOptions &options) {
  Model model = Model::open(options.model);
  Weights weights = loadWeights(model, options);
  Normalisation normalisation = Normalisation::of(weights, options.weights);
  std::vector<std::string> names = classNames(model, options);
  int64_t count = 0;
  FloatArray images = readPixels(model, options, normalisation, count);
  Prepared prepared(model, weights);
  Session session(model, std::make_shared<ThreadPool>(model, options.threads));
  int64_t batch = std::min(options.batch ? options.batch : 128, count);
  int64_t top = std::min(options.top, model->classes);
  FloatArray logits(size_t(batch * model->classes));
  Json report = {{"model", model->name}, {"predictions", Json::array()}};
  for (int64_t first = 0; first < count; first += batch) {
    int64_t size = std::min(batch, count - first);
    session.infer(prepared, size, images.data() + first * model.imageSize(),
                  logits.data());
    for (int64_t i = 0; i < size; ++i) {
      const float *row = logits.data() + i * model->classes;
      double normaliser = logSumExp(row, model->classes);
      std::vector<int64_t> order(static_cast<size_t>(model->classes));
      std::iota(order.begin(), order.end(), int64_t(0));
      std::stable_sort(order.begin(), order.end(),
                       [&](int64_t a, int64_t b) { return row[a] > row[b]; });
      Json best = Json::array();
      std::string line = fmt::format("{}", first + i);
      for (int64_t j = 0; j < top; ++j) {
        int64_t index = order[size_t(j)];
        double probability = std::exp(row[index] - normaliser);
        best.push_back({{"class", index},
                        {"name", names[size_t(index)]},
                        {"probability", probability}});
        line += fmt::format("  {} {:.4f}", names[size_t(index)], probability);
      }
      if (options.json)
        report["predictions"].push_back(best);
      else
        fmt::print("{}\n", line);
    }
  }
  if (options.json)
    fmt::print("{}\n",
               report.dump(-1, ' ', false, Json::error_handler_t::replace));
}

static Json toJson(const MemoryPlan &plan) {
  return {{"process", plan.process},     {"parameters", plan.parameters},
          {"gradients", plan.gradients}, {"velocity", plan.velocity},
          {"prepared", plan.prepared},   {"workspace", plan.workspace},
          {"images", plan.images},       {"total", plan.total()}};
}

void rootc::describeModel(const VerbOptions &options) {
  static const char *const programs[] = {"prepare", "infer", "train", "grad",
                                         "update"};
  Model model = Model::open(options.model);
  int64_t batch = options.batch ? options.batch : 1;
  Json report = {{"name", model->name},
                 {"target", model->target},
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
  if (report["workspace_bytes"].contains("train"))
    training = planTrainingRun(model, batch);
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
  int64_t parameters = 0;
  for (int64_t i = 0; i < model->tensor_count; ++i) {
    const rootc_tensor &tensor = model->tensors[i];
    if (!tensor.statistic)
      parameters += *elementCount(shapeOf(tensor));
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
  fmt::print("{}: {} x {} x {} images, {} classes, {} parameters\n"
             "target {}\nABI version {}, {}\n",
             model->name, model->height, model->width, model->channels,
             model->classes, parameters, model->target, model->abi_version,
             model->has_training ? "with training" : "inference only");
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
