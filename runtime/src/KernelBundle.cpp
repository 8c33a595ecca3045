//===- KernelBundle.cpp - Kernels timed on another machine ----------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "KernelBundle.h"
#include "KernelTimes.h"
#include "Support.h"

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <fcntl.h>
#include <nlohmann/json.hpp>
#include <poll.h>
#include <set>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace rootc;
using nlohmann::json;

namespace {

/// Milliseconds that a job may say nothing.
constexpr int patience = 120'000;
/// What is faster than this by the rule's time is measured again.
constexpr double promising = 0.99;

json failure(const std::string &text) { return {{"error", text}}; }

/// Reads what a child writes until it ends; false if it takes too long.
bool readAll(int descriptor, std::string &text) {
  for (;;) {
    pollfd wait = {descriptor, POLLIN, 0};
    int ready = poll(&wait, 1, patience);
    if (ready < 0 && errno == EINTR)
      continue;
    if (ready <= 0)
      return false;
    char buffer[4096];
    ssize_t count = read(descriptor, buffer, sizeof buffer);
    if (count < 0 && errno == EINTR)
      continue;
    if (count <= 0)
      return true;
    text.append(buffer, size_t(count));
  }
}

json timeInChild(const std::string &job) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC))
    fail("no pipe: {}", systemError());
  pid_t child = fork();
  if (child < 0)
    fail("no process: {}", systemError());
  if (child == 0) {
    // Nobody is left to answer to.
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    std::FILE *end = fdopen(ends[1], "w");
    std::string answer = timeKernels(job);
    _exit(end && std::fputs(answer.c_str(), end) >= 0 && !std::fclose(end) ? 0
                                                                           : 1);
  }
  close(ends[1]);
  std::string text;
  bool ended = readAll(ends[0], text);
  close(ends[0]);
  if (!ended)
    kill(child, SIGKILL);
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR)
    continue;
  if (!ended)
    return failure("said nothing for 120 s");
  if (WIFSIGNALED(status))
    return failure(fmt::format("died of signal {}", WTERMSIG(status)));
  json answer = json::parse(text, nullptr, /*allow_exceptions=*/false);
  return answer.is_object() ? answer : failure("ended without an answer");
}

/// Of the candidate by the rule's time; 1 where there is none.
double ratioOf(const json &answer) {
  auto times = answer.find("milliseconds");
  return times == answer.end() || times->size() < 2
             ? 1
             : times->at(1).get<double>() / times->at(0).get<double>();
}

json timeTwice(const std::string &job) {
  json answer = timeInChild(job);
  if (!(ratioOf(answer) < promising))
    return answer;
  json again = timeInChild(job);
  return again.contains("error") || ratioOf(again) > ratioOf(answer) ? again
                                                                     : answer;
}

std::vector<json> linesOf(const std::string &path, bool isComplete) {
  std::vector<char> bytes = readFile(path);
  std::string_view text(bytes.data(), bytes.size());
  std::vector<json> lines;
  while (!text.empty()) {
    size_t end = std::min(text.find('\n'), text.size());
    json line = json::parse(text.substr(0, end), nullptr, false);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.is_object())
      lines.push_back(std::move(line));
    else if (isComplete)
      fail("{}: line {} is no JSON object; was it copied whole?", path,
           lines.size() + 1);
  }
  return lines;
}

/// Jobs that have answers. A process that was killed may have left part of a
/// line, which is none.
std::set<size_t> answered(const std::string &path) {
  std::set<size_t> jobs;
  if (access(path.c_str(), F_OK) == 0)
    for (const json &line : linesOf(path, false))
      if (line.contains("job") && line["job"].is_number_unsigned())
        jobs.insert(line["job"].get<size_t>());
  return jobs;
}

} // namespace

void rootc::timeBundle(const BundleOptions &options) {
  std::vector<json> jobs = linesOf(options.folder + "/jobs.jsonl", true);
  std::string path = options.folder + "/times.jsonl";
  std::set<size_t> done = answered(path);
  int file =
      open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  if (file < 0)
    fail("{}: cannot be written: {}", path, writeError());
  int threads = options.threads ? options.threads : defaultThreads();
  std::string before = done.empty() ? "" : "\n"; // behind part of a line
  for (size_t i = 0; i < jobs.size(); ++i) {
    if (done.count(i))
      continue;
    std::string library =
        options.folder + "/" + jobs[i].value("library", std::string());
    json answer = timeTwice(json{{"library", library},
                                 {"threads", threads},
                                 {"milliseconds", 200},
                                 {"samples", 31}}
                                .dump());
    answer["job"] = i;
    if (!appendWhole(file, before + answer.dump() + "\n"))
      fail("{}: cannot be written: {}", path, writeError());
    before.clear();
    done.insert(i);
    if (options.progress)
      options.progress(done.size(), jobs.size());
  }
  close(file);
}
