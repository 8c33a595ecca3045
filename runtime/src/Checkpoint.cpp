//===- Checkpoint.cpp - The state of a training run -----------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Checkpoint.h"
#include "WeightsFile.h"

#include <cmath>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <unistd.h>

using namespace rootc;
using nlohmann::json;
namespace fs = std::filesystem;

namespace {
constexpr const char *stateKey = "rootc.training";
std::string currentOf(const std::string &folder) {
  return folder + "/checkpoint.safetensors";
}
std::string previousOf(const std::string &folder) {
  return folder + "/checkpoint.previous.safetensors";
}
} // namespace

std::string rootc::lastCheckpoint(const std::string &folder) {
  std::error_code error;
  for (const std::string &path : {currentOf(folder), previousOf(folder)})
    if (fs::exists(path, error))
      return path;
  return "";
}

bool rootc::hasCheckpoint(const std::string &folder) {
  return !lastCheckpoint(folder).empty();
}

void rootc::removeCheckpoints(const std::string &folder) {
  // The current one last: while it is there, the other is not looked at.
  for (const std::string &path : {previousOf(folder), currentOf(folder)}) {
    std::error_code error;
    fs::remove(path, error);
    if (error)
      fail("{}: cannot be removed: {}", path, error.message());
  }
}

void rootc::saveCheckpoint(const std::string &folder, const Model &model,
                           const TrainingState &state) {
  SafetensorsWriter writer;
  addWeights(writer, model, state.weights);
  addTensors(writer, model, state.optimizer.velocity.data(), nullptr,
             velocityPrefix);
  if (!state.optimizer.second.empty())
    addTensors(writer, model, state.optimizer.second.data(), nullptr,
               secondPrefix);
  if (!state.averageParameters.empty())
    addTensors(writer, model, state.averageParameters.data(),
               state.averageStatistics.data(), averagePrefix);
  json training = {{"epoch", state.epoch},
                   {"step", state.step},
                   {"loss_sum", state.lossSum},
                   {"images", state.images},
                   {"skipped", state.skipped},
                   {"seconds", state.seconds},
                   {"waited", state.waited},
                   {"metrics_bytes", state.metricsBytes},
                   {"test_accuracy", state.testAccuracy},
                   {"best_accuracy", state.bestAccuracy},
                   {"best_epoch", state.bestEpoch},
                   {"updates", state.optimizer.updates},
                   {"options", state.options}};
  writer.note("rootc.model", model->name);
  writer.note(stateKey,
              training.dump(-1, ' ', false, json::error_handler_t::replace));
  std::string current = currentOf(folder), previous = previousOf(folder);
  writer.write(current, [&] {
    // A second name for the current file, so that it never goes missing.
    std::string aside = partialName(previous, getpid());
    unlink(aside.c_str());
    if (link(current.c_str(), aside.c_str()) == 0)
      rename(aside.c_str(), previous.c_str());
    else if (errno != ENOENT) // a file system without links
      rename(current.c_str(), previous.c_str());
  });
}

/// The state in a file's metadata, without its tensors.
static TrainingState readState(const Safetensors &file, const Model &model) {
  TrainingState state(model);
  auto found = file.metadata().find(stateKey);
  if (found == file.metadata().end() || !file.hashed())
    fail("{}: is not a checkpoint of a training run", file.path());
  try {
    json training = json::parse(found->second);
    training.at("epoch").get_to(state.epoch);
    training.at("step").get_to(state.step);
    training.at("loss_sum").get_to(state.lossSum);
    training.at("images").get_to(state.images);
    training.at("seconds").get_to(state.seconds);
    // Checkpoints of older versions lack these.
    state.skipped = training.value("skipped", int64_t(0));
    state.waited = training.value("waited", 0.0);
    state.bestAccuracy = training.value("best_accuracy", -1.0);
    state.bestEpoch = training.value("best_epoch", int64_t(0));
    state.optimizer.updates = training.value("updates", int64_t(0));
    training.at("metrics_bytes").get_to(state.metricsBytes);
    training.at("test_accuracy").get_to(state.testAccuracy);
    training.at("options").get_to(state.options);
  } catch (const json::exception &error) {
    fail("{}: is a checkpoint of another version: {}", file.path(),
         error.what());
  }
  if (state.epoch < 0 || state.step < 0 || state.images < 0 ||
      state.metricsBytes < 0)
    fail("{}: is a damaged checkpoint", file.path());
  return state;
}

/// Older versions also saved what had diverged.
static void checkFinite(const Safetensors &file, const Model &model) {
  for (int64_t i = 0; i < model->tensor_count; ++i) {
    const rootc_tensor &tensor = model->tensors[i];
    auto found = file.tensors().find(tensor.name);
    // One that does not fit is reported by who needs it.
    if (found == file.tensors().end() || found->second.dtype != "F32")
      continue;
    const TensorEntry &entry = found->second;
    for (size_t at = 0; at < entry.bytes; at += sizeof(float)) {
      float value;
      std::memcpy(&value, entry.data + at, sizeof(float));
      if (!std::isfinite(value))
        fail("{}: the run diverged before it was written: '{}' holds {}",
             file.path(), tensor.name, valueText(value));
    }
  }
}

/// What runs of older versions did that did not say it.
static std::string before(const std::map<std::string, std::string> &saved,
                          const std::string &name) {
  static const std::map<std::string, std::string> usual = {
      {"--optimizer", "sgd"},    {"--nesterov", "off"},  {"--beta1", "0.9"},
      {"--beta2", "0.999"},      {"--epsilon", "1e-08"}, {"--clip-norm", "0"},
      {"--lr-factors", ""},      {"--warmup", "0"},      {"--ema", "0"},
      {"--keep-best", "off"},    {"--patience", "0"},    {"--max-loss", "0"},
      {"--val-fraction", "0.2"}, {"--mixup", ""}};
  for (const auto *options : {&saved, &usual})
    if (auto found = options->find(name); found != options->end())
      return found->second;
  return "(none)";
}

/// Returns whether the run goes on with another library of its network, as one
/// for another target is.
static bool checkOptions(const std::string &path,
                         const std::map<std::string, std::string> &saved,
                         const std::map<std::string, std::string> &asked) {
  auto network = saved.find("network"), now = asked.find("network");
  bool isSame = network != saved.end() && now != asked.end() &&
                !now->second.empty() && network->second == now->second;
  bool moved = false;
  for (const auto &[name, value] : asked) {
    std::string old = before(saved, name);
    // It is the same where the model is.
    if (old == value || name == "network")
      continue;
    if (name == "model" && isSame) {
      moved = true;
      continue;
    }
    // A run may be extended.
    if (name == "--epochs" && std::atoll(old.c_str()) < std::stoll(value))
      continue;
    if (name.starts_with("--"))
      fail("{}: the run was begun with {} {}, not {}; resume it with the same "
           "options, or begin another one with -o OTHER",
           path, name, old.empty() ? "(none)" : old,
           value.empty() ? "(none)" : value);
    fail("{}: the run was begun with another {} ({}, not {}); resume it with "
         "the same one, or begin another run with -o OTHER",
         path, name, old, value);
  }
  return moved;
}

std::optional<TrainingState>
rootc::loadCheckpoint(const std::string &folder, const Model &model,
                      const std::map<std::string, std::string> &options,
                      const std::function<void(const std::string &)> &message) {
  if (!hasCheckpoint(folder))
    return std::nullopt;
  std::string current = currentOf(folder), previous = previousOf(folder);
  std::optional<Safetensors> file;
  std::optional<TrainingState> state;
  for (const std::string &path : {current, previous}) {
    std::error_code error;
    if (!fs::exists(path, error))
      continue;
    try {
      file = Safetensors::read(path);
      state = readState(*file, model);
      checkFinite(*file, model);
      break;
    } catch (const Error &error) {
      state.reset();
      message(error.what());
      // Moved out of the way: the next checkpoint must not become the
      // predecessor of a damaged one.
      rename(path.c_str(), (path + ".damaged").c_str());
    }
  }
  if (!state)
    fail("{}: none of its checkpoints can be used; begin the run again, "
         "without --resume",
         folder);
  if (file->path() == previous)
    message(fmt::format("going on from the checkpoint before, {}", previous));
  if (checkOptions(file->path(), state->options, options))
    message(fmt::format("going on with {} for {}, another library of the same "
                        "network; its results may differ in their last bits",
                        model.path(), model->target));
  state->weights = readWeights(model, *file);
  OptimizerState &optimizer = state->optimizer;
  if (!readTensors(*file, model, optimizer.velocity.data(), nullptr,
                   velocityPrefix))
    fail("{}: has no velocities", file->path());
  optimizer.second.resize(optimizer.velocity.size());
  if (!readTensors(*file, model, optimizer.second.data(), nullptr,
                   secondPrefix))
    optimizer.second = FloatArray();
  state->averageParameters.resize(state->weights.parameters.size());
  state->averageStatistics.resize(state->weights.statistics.size());
  if (!readTensors(*file, model, state->averageParameters.data(),
                   state->averageStatistics.data(), averagePrefix))
    state->averageParameters = state->averageStatistics = FloatArray();
  return state;
}
