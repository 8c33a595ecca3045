//===- RunFolder.cpp - The files of a training run ------------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "RunFolder.h"
#include "EventFile.h"
#include "RunRecord.h"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <fmt/ranges.h>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace rootc;
namespace fs = std::filesystem;

namespace {
constexpr int64_t maximumRecordBytes = 1 << 26;

constexpr const char *eventsName = "events.out.tfevents";

/// The files of a run that are written under another name at first.
constexpr const char *writtenAside[] = {"checkpoint.safetensors",
                                        "checkpoint.previous.safetensors",
                                        "run.json",
                                        "weights.safetensors",
                                        "best.safetensors",
                                        "metrics.csv",
                                        eventsName,
                                        "evaluation.json",
                                        "report.html"};
} // namespace

RunFolder::RunFolder(const std::string &path) : folder(path) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error)
    fail("-o {}: cannot be made: {}", folder, error.message());
  std::string name = file("lock");
  lock = open(name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (lock < 0)
    fail("-o {}: cannot be written: {}", folder, writeError());
  if (flock(lock, LOCK_EX | LOCK_NB) != 0) {
    int reason = errno;
    close(lock);
    if (reason == EWOULDBLOCK)
      fail("-o {}: is in use by another run; wait for it, or choose another "
           "folder",
           folder);
    errno = reason;
    fail("-o {}: cannot be locked: {}", folder, systemError());
  }
  removePartialFiles();
}

/// Removes what the process that had the folder before left half written when
/// it was killed: the lock holds its number, and then this one's. A lock that
/// holds anything else stays as it is.
void RunFolder::removePartialFiles() {
  char text[32] = {};
  ssize_t length = pread(lock, text, sizeof(text) - 1, 0);
  if (length < 0)
    return;
  if (length > 0) {
    char *end = text;
    long process = std::strtol(text, &end, 10);
    if (process < 1 || std::string_view(end) != "\n")
      return;
    for (const char *name : writtenAside)
      unlink(partialName(file(name), process).c_str());
  }
  std::string own = fmt::format("{}\n", getpid());
  if (ftruncate(lock, 0) != 0 ||
      pwrite(lock, own.data(), own.size(), 0) != ssize_t(own.size())) {
    std::string reason = writeError();
    close(lock);
    fail("{}: cannot be written: {}", file("lock"), reason);
  }
}

/// Whether a file says of a run what it is.
static bool isRecord(const std::string &path) {
  try {
    std::vector<char> bytes = readFile(path, maximumRecordBytes);
    RunRecord::parse({bytes.data(), bytes.size()}, path);
    return true;
  } catch (const Error &) {
    return false;
  }
}

void RunFolder::requireFree() const {
  // What a run left that was ended before its first checkpoint is no loss; its
  // weights come with its last.
  std::vector<const char *> names = {"weights.safetensors", "best.safetensors"};
  if (!isRecord(file("run.json")))
    names.insert(names.end(), {"run.json", "metrics.jsonl", "metrics.csv",
                               eventsName, "evaluation.json", "report.html"});
  for (const char *name : names) {
    struct stat info;
    if (stat(file(name).c_str(), &info) == 0 && info.st_size > 0)
      fail("-o {}: holds {}, which the run would overwrite; choose another "
           "folder, or pass --overwrite",
           folder, name);
  }
}

RunFolder::~RunFolder() { close(lock); }

void RunFolder::truncateMetrics(int64_t bytes) {
  std::string name = file("metrics.jsonl");
  int descriptor = open(name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (descriptor < 0)
    fail("{}: cannot be opened: {}", name, writeError());
  struct stat info;
  bool known = fstat(descriptor, &info) == 0;
  bool cut =
      known && info.st_size >= bytes && ftruncate(descriptor, bytes) == 0;
  int reason = errno;
  close(descriptor);
  if (known && info.st_size < bytes)
    fail("{}: has {} bytes, and the checkpoint knows of {}; put the file back, "
         "or begin the run again, without --resume",
         name, info.st_size, bytes);
  errno = reason;
  if (!cut)
    fail("{}: cannot be cut: {}", name, systemError());
}

int64_t RunFolder::appendMetrics(const std::string &line) {
  std::string name = file("metrics.jsonl");
  int descriptor =
      open(name.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  bool written = descriptor >= 0 && appendWhole(descriptor, line + "\n") &&
                 fsync(descriptor) == 0;
  int64_t length = written ? int64_t(lseek(descriptor, 0, SEEK_END)) : 0;
  int reason = errno;
  if (descriptor >= 0)
    close(descriptor);
  errno = reason;
  if (!written)
    fail("{}: cannot be written: {}", name, writeError());
  writeTables();
  return length;
}

/// What TensorBoard shows of an epoch, under its usual names.
static ScalarEvent eventOf(const nlohmann::ordered_json &row) {
  static constexpr std::pair<const char *, const char *> tags[] = {
      {"loss", "loss/train"},
      {"test_loss", "loss/test"},
      {"test_accuracy", "accuracy/test"},
      {"top5", "accuracy/test_top5"},
      {"lr", "learning_rate"},
      {"images_per_second", "speed/images_per_second"}};
  ScalarEvent event;
  event.time = row.value("time", 0.0);
  event.step = row.value("epoch", int64_t(0));
  for (auto [key, tag] : tags)
    if (auto found = row.find(key); found != row.end() && found->is_number())
      event.values.emplace_back(tag, found->get<double>());
  return event;
}

/// The lines of metrics.jsonl as a table, in which columns that a line lacks
/// are empty, and as events.
void RunFolder::writeTables() const {
  std::ifstream file(this->file("metrics.jsonl"));
  std::vector<nlohmann::ordered_json> rows;
  std::vector<std::string> columns;
  for (std::string line; std::getline(file, line);) {
    auto row = nlohmann::ordered_json::parse(line, nullptr, false);
    if (!row.is_object())
      continue;
    for (const auto &[name, value] : row.items())
      if (std::find(columns.begin(), columns.end(), name) == columns.end())
        columns.push_back(name);
    rows.push_back(std::move(row));
  }
  std::string text = fmt::format("{}\n", fmt::join(columns, ","));
  for (const auto &row : rows) {
    const char *separator = "";
    for (const std::string &name : columns) {
      text += separator + (row.contains(name) ? row[name].dump() : "");
      separator = ",";
    }
    text += "\n";
  }
  writeFile(this->file("metrics.csv"), {text});
  std::vector<ScalarEvent> events;
  for (const auto &row : rows)
    events.push_back(eventOf(row));
  writeFile(this->file(eventsName), {eventFile(events)});
}

std::string rootc::newRunFolder(const std::string &name) {
  std::error_code error;
  int64_t number = 1;
  while (fs::exists(fmt::format("runs/{}-{}", name, number), error))
    ++number;
  return fmt::format("runs/{}-{}", name, number);
}
