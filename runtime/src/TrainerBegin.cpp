//===- TrainerBegin.cpp - What a training run begins with -----------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Data.h"
#include "RunRecord.h"
#include "Trainer.h"
#include "WeightsFile.h"

#include <filesystem>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

using namespace rootc;

static OptimizerOptions optimizerOf(const TrainOptions &options) {
  OptimizerOptions result = options.optimizer;
  result.factors = parseRateFactors(options.rateFactors);
  return result;
}

/// How an image folder without parts becomes two.
static DataSplit splitOf(const TrainOptions &options) {
  return {options.valFraction, options.seed};
}

Trainer::Trainer(const TrainOptions &options, Model model, RunFolder &folder,
                 spdlog::logger &log)
    : options(options), model(model), folder(folder), log(log),
      trainingSet(openData(options.data, true, model, splitOf(options))),
      testSet(openData(options.data, false, model, splitOf(options))),
      modelHash(hashOfFile(model.path())),
      loaderThreads(options.loaderThreads ? options.loaderThreads
                                          : trainingSet->defaultThreads()),
      testThreads(loaderThreads),
      perEpoch((trainingSet->count + options.batch - 1) / options.batch),
      session(model, std::make_shared<ThreadPool>(model, options.threads)),
      optimizer(model, optimizerOf(options)),
      gradients(size_t(model->parameter_count)) {}

/// Tells networks apart, with what they are trained for, whatever target they
/// were compiled for and how.
static std::string networkHash(const Model &model) {
  auto json = nlohmann::json::parse(model->description, nullptr,
                                    /*allow_exceptions=*/false);
  if (!json.is_object())
    return "";
  for (const char *key : {"compiler", "scratch_bytes"})
    json.erase(key);
  if (auto options = json.find("options");
      options != json.end() && options->is_object())
    for (const char *key :
         {"recompute", "winograd", "precision", "keep_responses"})
      options->erase(key);
  std::string text = json.dump(-1, ' ', /*ensure_ascii=*/true,
                               nlohmann::json::error_handler_t::replace);
  return hashOfBytes({text});
}

std::map<std::string, std::string> Trainer::optionsToKeep() const {
  const LearningRate &rate = options.rate;
  const OptimizerOptions &update = options.optimizer;
  auto onOff = [](bool on) { return on ? "on" : "off"; };
  std::map<std::string, std::string> kept = {
      {"model", fmt::format("{} {}", model->name, modelHash)},
      {"network", networkHash(model)},
      {"data", trainingSet->hash()},
      {"--epochs", fmt::format("{}", options.epochs)},
      {"--batch", fmt::format("{}", options.batch)},
      {"--lr", fmt::format("{}", rate.lr)},
      {"--lr-policy", rate.policy},
      {"--lr-every", fmt::format("{}", rate.every)},
      {"--lr-milestones", fmt::format("{}", fmt::join(rate.milestones, ","))},
      {"--lr-gamma", fmt::format("{}", rate.gamma)},
      {"--lr-power", fmt::format("{}", rate.power)},
      {"--warmup", fmt::format("{}", rate.warmup)},
      {"--lr-factors", options.rateFactors},
      {"--optimizer", update.kind},
      {"--momentum", fmt::format("{}", update.momentum)},
      {"--nesterov", onOff(update.nesterov)},
      {"--beta1", fmt::format("{}", update.beta1)},
      {"--beta2", fmt::format("{}", update.beta2)},
      {"--epsilon", fmt::format("{}", update.epsilon)},
      {"--weight-decay", fmt::format("{}", update.decay)},
      {"--decay-all", onOff(update.decayAll)},
      {"--clip-norm", fmt::format("{}", update.clipNorm)},
      {"--ema", fmt::format("{}", options.average)},
      {"--keep-best", onOff(options.keepBest)},
      {"--patience", fmt::format("{}", options.patience)},
      {"--max-loss", fmt::format("{}", options.maxLoss)},
      {"--val-fraction", fmt::format("{}", options.valFraction)},
      {"--mixup", options.mixup > 0 ? fmt::format("{}", options.mixup) : ""},
      {"--seed", fmt::format("{}", options.seed)}};
  // Where it is not said, a run goes on with what it began with.
  if (options.augment)
    kept["--augment"] = augmentName(*options.augment);
  return kept;
}

void Trainer::begin() {
  auto kept = optionsToKeep();
  auto warn = [&](const std::string &text) { log.warn("{}", text); };
  if (options.resume) {
    state = loadCheckpoint(folder.path(), model, kept, warn);
    if (state)
      for (const char *name : {"--epochs", "model", "network"})
        state->options[name] = kept[name];
    if (state && finished())
      log.info("{} is complete", folder.path());
    else if (state)
      log.info("resuming {} at epoch {}, step {}", folder.path(),
               state->epoch + 1, state->step);
    else
      log.info("{} has no checkpoint: starting afresh", folder.path());
  } else if (hasCheckpoint(folder.path())) {
    if (!options.overwrite)
      fail("-o {}: holds a run already; pass --resume to go on with it, "
           "--overwrite to begin again, or choose another folder",
           folder.path());
    removeCheckpoints(folder.path());
  }
  if (!state) {
    if (!options.overwrite)
      folder.requireFree();
    beginAfresh(std::move(kept));
  }
  auto known = augmentFromName(state->options["--augment"]);
  if (!known || state->weights.inputMean.empty() ||
      state->weights.inputScale.empty())
    fail("{}: its checkpoint does not say how images are normalised; begin the "
         "run again, with --overwrite",
         folder.path());
  augment = *known;
  normalisation = {state->weights.inputMean, state->weights.inputScale};
  folder.truncateMetrics(state->metricsBytes);
  writeRecord();
}

/// Says in the folder what the run is.
void Trainer::writeRecord() const {
  RunRecord record;
  auto absolute = [](const std::string &path) {
    std::error_code error;
    auto result = std::filesystem::absolute(path, error).lexically_normal();
    return error ? path : result.string();
  };
  record.modelName = model->name;
  record.modelPath = absolute(model.path());
  record.modelHash = modelHash;
  record.modelBytes = fileSize(model.path());
  record.target = model->target;
  record.description = model->description;
  record.dataPath = absolute(options.data);
  record.dataHash = state->options.at("data");
  record.trainingImages = trainingSet->count;
  record.testImages = testSet->count;
  for (const auto &[name, value] : state->options)
    if (name.starts_with("--"))
      record.options[name] = value;
  record.options["--weights"] = options.weights;
  record.machine = Machine::current();
  record.threads = options.threads ? options.threads : defaultThreads();
  record.started = timestamp();
  writeFile(folder.file("run.json"), {record.toJson()});
}

/// What --weights were trained with is kept; else the training images decide.
void Trainer::chooseNormalisation(Normalisation measured) {
  Weights &weights = state->weights;
  bool mean = !weights.inputMean.empty(), scale = !weights.inputScale.empty();
  if (mean && scale) {
    log.info("images are normalised by input.mean and input.scale of {}, not "
             "by what the training images have",
             options.weights);
    return;
  }
  if (mean || scale)
    log.warn("{} has input.{} alone; images are normalised by what the "
             "training images have",
             options.weights, mean ? "mean" : "scale");
  weights.inputMean = std::move(measured.mean);
  weights.inputScale = std::move(measured.scale);
}

void Trainer::beginAfresh(std::map<std::string, std::string> kept) {
  // Those of a run that was here before.
  for (const char *name : {"evaluation.json", "report.html"})
    std::remove(folder.file(name).c_str());
  testSet->requireReadable();
  Survey survey = trainingSet->survey(loaderThreads);
  kept["--augment"] = augmentName(options.augment.value_or(survey.augment));
  state.emplace(model);
  auto warn = [&](const std::string &text) { log.warn("{}", text); };
  state->weights = Weights::initialise(model, options.seed);
  if (!options.weights.empty())
    readWeightsInto(
        state->weights, model, Safetensors::read(options.weights),
        options.sliceWeights,
        options.skipMismatched ? Mismatch::Skip : Mismatch::OfferSkip, warn);
  if (std::string text = firstNotFinite(model, state->weights.parameters.data(),
                                        state->weights.statistics.data());
      !text.empty())
    fail("--weights {}: {}; use weights of before they diverged",
         options.weights, text);
  state->optimizer = optimizer.makeState();
  if (options.average > 0) {
    state->averageParameters = state->weights.parameters;
    state->averageStatistics = state->weights.statistics;
  }
  chooseNormalisation(std::move(survey.normalisation));
  state->weights.classNames = readClassNames(options.data);
  if (int64_t(state->weights.classNames.size()) != model->classes)
    state->weights.classNames.clear();
  state->options = std::move(kept);
}
