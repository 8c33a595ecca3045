//===- RunData.cpp - What a run's folder holds ----------------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "RunData.h"

#include "../Checkpoint.h"
#include "../Safetensors.h"
#include "JsonFields.h"
#include "Numbers.h"

#include <algorithm>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <sys/file.h>
#include <unistd.h>

using namespace rootc;
using namespace rootc::report;
using Json = nlohmann::ordered_json;
namespace fs = std::filesystem;

static bool exists(const std::string &path) {
  std::error_code error;
  return fs::exists(path, error);
}

static Epoch readEpoch(const Json &line, const std::string &place) {
  if (!line.is_object() || !line.contains("epoch") ||
      !line["epoch"].is_number_integer())
    fail("{}: is not a line of metrics: it has no 'epoch'", place);
  Epoch epoch;
  epoch.epoch = line["epoch"].get<int64_t>();
  epoch.loss = numberOf(line, "loss", -INFINITY, INFINITY, place);
  epoch.testLoss = numberOf(line, "test_loss", -INFINITY, INFINITY, place);
  epoch.diverged = (line.contains("loss") && std::isnan(epoch.loss)) ||
                   (line.contains("test_loss") && std::isnan(epoch.testLoss));
  epoch.accuracy = numberOf(line, "test_accuracy", 0, 1, place);
  epoch.top5 = numberOf(line, "top5", 0, 1, place);
  epoch.imagesPerSecond =
      numberOf(line, "images_per_second", 0, INFINITY, place);
  epoch.seconds = numberOf(line, "seconds", 0, 1e12, place);
  epoch.rate = numberOf(line, "lr", 0, INFINITY, place);
  epoch.peakBytes = numberOf(line, "peak_bytes", 0, INFINITY, place);
  epoch.skipped = numberOf(line, "skipped", 0, INFINITY, place);
  epoch.testSkipped = numberOf(line, "test_skipped", 0, INFINITY, place);
  return epoch;
}

/// Parses a line; NaN and Infinity, which are not JSON but what other programs
/// write for such numbers, count as null.
static Json parseLine(std::string_view line) {
  Json json = Json::parse(line, nullptr, /*allow_exceptions=*/false);
  if (!json.is_discarded())
    return json;
  std::string text;
  for (bool quoted = false; !line.empty();) {
    size_t length = 1;
    for (std::string_view word : {"NaN", "-Infinity", "Infinity"})
      if (!quoted && line.starts_with(word))
        length = word.size();
    if (length > 1)
      text += "null";
    else
      text += line[0];
    if (line[0] == '"')
      quoted = !quoted;
    line.remove_prefix(length);
  }
  return Json::parse(text, nullptr, /*allow_exceptions=*/false);
}

std::vector<Epoch> rootc::report::readMetrics(std::string_view text,
                                              const std::string &path,
                                              std::string &remark) {
  std::vector<Epoch> epochs;
  for (int64_t number = 1; !text.empty(); ++number) {
    size_t end = text.find('\n');
    bool last = end == std::string_view::npos || end + 1 == text.size();
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    std::string place = fmt::format("{}:{}", path, number);
    Json json = parseLine(line);
    if (json.is_discarded()) {
      if (!last)
        fail("{}: is not JSON; put the file back, or leave the run out", place);
      remark = fmt::format("{}: the line is cut short (the run was killed "
                           "while it wrote); it is left out",
                           place);
      break;
    }
    Epoch epoch = readEpoch(json, place);
    int64_t before = epochs.empty() ? 0 : epochs.back().epoch;
    if (epoch.epoch <= before || epoch.epoch > int64_t(1) << 40)
      fail("{}: epoch {} follows epoch {}", place, epoch.epoch, before);
    epochs.push_back(epoch);
  }
  return epochs;
}

const char *rootc::report::statusText(Status status) {
  switch (status) {
  case Status::Running:
    return "running";
  case Status::Finished:
    return "finished";
  case Status::Diverged:
    return "diverged";
  case Status::Stopped:
    return "not finished";
  }
  return "";
}

std::string Run::option(const std::string &name) const {
  auto found = options.find(name);
  return found == options.end() ? "" : found->second;
}

/// What a run of before run.json says of itself: its checkpoint's options.
static void readCheckpoint(const std::string &folder, Run &run) {
  std::string path;
  for (const char *name :
       {"checkpoint.safetensors", "checkpoint.previous.safetensors"}) {
    path = folder + "/" + name;
    if (!exists(path))
      continue;
    try {
      Safetensors file = Safetensors::read(path);
      auto note = file.metadata().find("rootc.training");
      if (note == file.metadata().end())
        fail("{}: is not a checkpoint of a training run", path);
      auto options = Json::parse(note->second)
                         .at("options")
                         .get<std::map<std::string, std::string>>();
      std::string model = options["model"];
      size_t space = model.rfind(' ');
      run.model.name = model.substr(0, space);
      run.model.hash =
          space == std::string::npos ? "" : model.substr(space + 1);
      run.dataHash = options["data"];
      for (const auto &[name, value] : options)
        if (name.starts_with("--"))
          run.options[name] = value;
      return;
    } catch (const Error &error) {
      run.remarks.emplace_back(error.what());
    } catch (const Json::exception &) {
      run.remarks.push_back(path + ": is a checkpoint of another version");
    }
  }
}

static void readRecord(const std::string &path, Run &run) {
  RunRecord record = RunRecord::parse(readText(path, largestText), path);
  run.model.name = record.modelName;
  run.model.hash = record.modelHash;
  run.model.target = record.target;
  run.model.bytes = std::max<int64_t>(0, record.modelBytes);
  run.model.path = record.modelPath;
  if (!record.description.empty() && !run.model.describe(record.description))
    run.remarks.push_back(path + ": its model's description is damaged or of "
                                 "another version; what the network costs is "
                                 "not known");
  run.dataPath = record.dataPath;
  run.dataHash = record.dataHash;
  run.trainingImages = std::max<int64_t>(0, record.trainingImages);
  run.testImages = std::max<int64_t>(0, record.testImages);
  run.options = record.options;
  run.machine = fmt::format("{}, {}", record.machine.cpu,
                            plural(record.machine.cores, "core"));
  run.threads = record.threads;
}

static bool isLocked(const std::string &path) {
  int lock = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (lock < 0)
    return false;
  bool locked = flock(lock, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
  close(lock);
  return locked;
}

static void checkIsRun(const std::string &path) {
  std::error_code error;
  if (!fs::is_directory(path, error))
    fail("{}: {}; pass folders that rootrun train -o made", path,
         fs::exists(path, error) ? "is not a folder" : "does not exist");
  auto holdsRun = [](const std::string &folder) {
    return exists(folder + "/metrics.jsonl") || exists(folder + "/run.json") ||
           hasCheckpoint(folder);
  };
  if (holdsRun(path))
    return;
  for (fs::directory_iterator it(path, error), end; !error && it != end;
       it.increment(error))
    if (holdsRun(it->path().string()))
      fail("{0}: is not a run's folder, but holds some; pass {1}*", path,
           path.ends_with('/') ? path : path + "/");
  fail(
      "{}: is not a run's folder: it holds neither metrics.jsonl nor run.json; "
      "pass folders that rootrun train -o made",
      path);
}

/// What a run of before `seconds` was written took: from its speed.
static void fillSeconds(Run &run) {
  for (Epoch &epoch : run.epochs)
    if (std::isnan(epoch.seconds) && run.trainingImages > 0 &&
        epoch.imagesPerSecond > 0)
      epoch.seconds = double(run.trainingImages) / epoch.imagesPerSecond;
}

/// Whether --patience has ended the run.
static bool endedEarly(const Run &run) {
  int64_t patience =
      std::strtoll(run.option("--patience").c_str(), nullptr, 10);
  if (patience <= 0 || run.epochs.empty())
    return false;
  const Epoch *best = &run.epochs.front();
  for (const Epoch &epoch : run.epochs)
    if (epoch.accuracy > best->accuracy)
      best = &epoch;
  return run.epochs.back().epoch - best->epoch >= patience;
}

Run rootc::report::readRun(const std::string &path) {
  checkIsRun(path);
  Run run;
  run.path = path;
  fs::path plain = fs::path(path).lexically_normal();
  if (plain.filename().empty())
    plain = plain.parent_path();
  run.name = plain.filename().string();
  if (run.name.empty() || run.name == "." || run.name == "..") {
    std::error_code error;
    run.name = fs::canonical(path, error).filename().string();
  }
  auto file = [&](const char *name) { return path + "/" + name; };
  if (exists(file("run.json")))
    readRecord(file("run.json"), run);
  else
    readCheckpoint(path, run);
  if (exists(file("metrics.jsonl"))) {
    std::string remark;
    run.epochs = readMetrics(readText(file("metrics.jsonl"), largestText),
                             file("metrics.jsonl"), remark);
    if (!remark.empty())
      run.remarks.push_back(remark);
  } else if (hasCheckpoint(path)) {
    run.remarks.push_back(file("metrics.jsonl") +
                          ": is missing; what the run reached is not known");
  }
  fillSeconds(run);
  std::string planned = run.option("--epochs");
  run.plannedEpochs = std::strtoll(planned.c_str(), nullptr, 10);
  int64_t done = run.epochs.empty() ? 0 : run.epochs.back().epoch;
  run.status =
      isLocked(file("lock")) && done < run.plannedEpochs && !endedEarly(run)
          ? Status::Running
      : !run.epochs.empty() && run.epochs.back().diverged ? Status::Diverged
      : done >= std::max<int64_t>(1, run.plannedEpochs) || endedEarly(run)
          ? Status::Finished
          : Status::Stopped;
  if (exists(file("measured.json"))) {
    std::string name = file("measured.json");
    run.measured = Measurement::parse(readText(name, largestText), name);
  }
  readCovariances(run);
  readTestResults(run);
  return run;
}
