//===- Bundle.cpp - Candidates for another machine ------------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/Tune/Bundle.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/LineIterator.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"

#include <map>
#include <set>
#include <stdexcept>

using namespace llvm;

namespace rootc::codegen {

namespace {

const char jobsName[] = "jobs.jsonl", timesName[] = "times.jsonl";

[[noreturn]] void fail(const Twine &text) {
  throw std::runtime_error(text.str());
}

std::string pathIn(const std::string &folder, StringRef name) {
  SmallString<128> path(folder);
  sys::path::append(path, name);
  return std::string(path);
}

/// What a bundle's list says of a library.
struct Job {
  std::string library, label, kernel, target, generator, schedule;
  bool isRule = false;
  int64_t batch = 1;
  double tolerance = 0;
};

json::Value toJSON(const Job &job) {
  return json::Object{{"library", job.library},     {"label", job.label},
                      {"kernel", job.kernel},       {"target", job.target},
                      {"generator", job.generator}, {"schedule", job.schedule},
                      {"rule", job.isRule},         {"batch", job.batch},
                      {"tolerance", job.tolerance}};
}

bool fromJSON(const json::Value &value, Job &job, json::Path path) {
  json::ObjectMapper map(value, path);
  return map && map.map("library", job.library) &&
         map.map("label", job.label) && map.map("kernel", job.kernel) &&
         map.map("target", job.target) && map.map("generator", job.generator) &&
         map.map("schedule", job.schedule) && map.map("rule", job.isRule) &&
         map.map("batch", job.batch) && map.map("tolerance", job.tolerance);
}

/// What rootc-time says of one.
struct Times {
  int64_t job = -1, threads = 0;
  std::string error, machine;
  std::vector<double> milliseconds, difference;
};

bool fromJSON(const json::Value &value, Times &times, json::Path path) {
  json::ObjectMapper map(value, path);
  return map && map.map("job", times.job) &&
         map.mapOptional("threads", times.threads) &&
         map.mapOptional("error", times.error) &&
         map.mapOptional("machine", times.machine) &&
         map.mapOptional("milliseconds", times.milliseconds) &&
         map.mapOptional("difference", times.difference);
}

/// The lines of a file. The last one of what a killed program wrote may be
/// part of one; `isComplete` forbids it.
template <typename Line>
std::vector<Line> linesOf(const std::string &path, bool isComplete) {
  auto buffer = MemoryBuffer::getFile(path);
  if (!buffer)
    fail(path + ": " + buffer.getError().message());
  std::vector<Line> lines;
  for (line_iterator line(**buffer); !line.is_at_end(); ++line) {
    Expected<json::Value> value = json::parse(*line);
    Line read;
    json::Path::Root root;
    if (value && fromJSON(*value, read, root)) {
      lines.push_back(std::move(read));
      continue;
    }
    if (!value)
      consumeError(value.takeError());
    if (isComplete)
      fail(path + ":" + Twine(line.line_number()) +
           ": not what rootc-tune wrote");
  }
  return lines;
}

Trial trialOf(const Job &job, const Times &times) {
  Schedule schedule = scheduleFromText(job.schedule);
  size_t kernels = job.isRule ? 1 : 2;
  if (times.milliseconds.size() != kernels ||
      times.difference.size() != kernels)
    return {schedule, TrialState::Failed, 0, 0,
            times.error.empty() ? "no times" : times.error};
  return judge(schedule, times.milliseconds.back(), times.milliseconds.front(),
               times.difference.back(), job.tolerance);
}

} // namespace

BundleTimer::BundleTimer(BundleOptions from)
    : options(std::move(from)), libraries(options.target, options.compiler) {
  const std::string &folder = options.folder;
  if (std::error_code error = sys::fs::create_directories(folder))
    fail(folder + ": " + error.message());
  std::error_code error;
  if (sys::fs::directory_iterator(folder, error) !=
      sys::fs::directory_iterator())
    fail(folder + ": is not empty; a bundle has a folder of its own");
  std::string program = pathIn(folder, "rootc-time");
  if (!error)
    error = sys::fs::copy_file(options.timingProgram, program);
  if (!error)
    error = sys::fs::setPermissions(
        program, sys::fs::all_read | sys::fs::owner_write | sys::fs::all_exe);
  if (error)
    fail(program + ": " + error.message());
  std::string jobs = pathIn(folder, jobsName);
  list = std::make_unique<raw_fd_ostream>(jobs, error);
  if (error)
    fail(jobs + ": " + error.message());
}

Trial BundleTimer::time(const TimingRequest &request) {
  const TuneTask &task = request.task;
  const Schedule rule = task.rule();
  Job job;
  job.isRule = request.candidate == rule;
  job.library = std::to_string(count) + ".so";
  std::vector<Schedule> turns = {rule};
  if (!job.isRule)
    turns.push_back(request.candidate);
  if (Error error =
          libraries.make(task, turns, pathIn(options.folder, job.library)))
    return failedTrial(request.candidate, std::move(error));
  job.label = task.label;
  job.kernel = task.problem().kernel;
  job.target = options.target.halide;
  job.generator = task.generator;
  job.schedule = scheduleText(request.candidate);
  job.batch = task.batch;
  job.tolerance = toleranceOf(task.kernel, request.candidate);
  *list << formatv("{0}\n", toJSON(job));
  list->flush();
  if (list->has_error()) {
    std::error_code error = list->error();
    list->clear_error();
    fail(pathIn(options.folder, jobsName) + ": " + error.message());
  }
  ++count;
  return judge(request.candidate, guessedMilliseconds(task),
               guessedMilliseconds(task), 0, 0);
}

std::string takeBundle(const std::string &folder, TuneDatabase &database) {
  auto jobs = linesOf<Job>(pathIn(folder, jobsName), /*isComplete=*/true);
  std::map<int64_t, Times> answers;
  for (Times &times :
       linesOf<Times>(pathIn(folder, timesName), /*isComplete=*/false)) {
    if (times.job < 0 || times.job >= int64_t(jobs.size()))
      fail(pathIn(folder, timesName) + ": has a job " + Twine(times.job) +
           ", which " + jobsName + " has not: they are of different bundles");
    answers[times.job] = std::move(times);
  }
  // A job that failed names no machine.
  std::string machine;
  int64_t threads = 0;
  for (const auto &[job, times] : answers) {
    if (times.machine.empty())
      continue;
    if (machine.empty()) {
      machine = times.machine;
      threads = times.threads;
    }
    if (times.machine != machine || times.threads != threads)
      fail(pathIn(folder, timesName) + ": was measured on two machines, '" +
           machine + "' with " + Twine(threads) + " threads and '" +
           times.machine + "' with " + Twine(times.threads) +
           "; time the bundle again on one");
  }
  if (machine.empty())
    fail(pathIn(folder, timesName) + ": nothing could be timed" +
         (answers.empty() ? "" : ": " + answers.begin()->second.error));
  std::map<int64_t, double> best;
  std::set<int64_t> faster;
  for (const auto &[number, times] : answers) {
    const Job &job = jobs[number];
    int64_t problem =
        database.problem({job.kernel, job.generator},
                         {job.target, machine, threads}, job.batch, job.label);
    Trial trial = trialOf(job, times);
    double &least = best.try_emplace(problem, 1).first->second;
    classify(trial, job.isRule, least);
    if (trial.state == TrialState::Better) {
      least = trial.relative;
      faster.insert(problem);
    }
    database.add(problem, trial);
  }
  return formatv("{0} of {1} schedules timed, on {2}: faster than the rule's "
                 "for {3} of {4} kernels\n",
                 answers.size(), jobs.size(), machine, faster.size(),
                 best.size());
}

} // namespace rootc::codegen
