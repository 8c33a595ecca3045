//===- LibraryTimer.cpp - Times of kernels, compiled and run --------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/Tune/LibraryTimer.h"
#include "codegen/Emit/WorkerPool.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/JSON.h"

#include <algorithm>

using namespace llvm;

namespace rootc::codegen {

LibraryTimer::LibraryTimer(LibraryTimerOptions from)
    : options(std::move(from)), libraries(options.target, options.compiler) {}

Trial LibraryTimer::time(const TimingRequest &request) {
  const TuneTask &task = request.task;
  const Schedule rule = task.rule();
  auto failed = [&](Error error) {
    return failedTrial(request.candidate, std::move(error));
  };
  const Effort look{40, 7}, certain{200, 31};
  if (request.candidate == rule) {
    auto times = measure(task, {rule}, certain);
    if (!times)
      return failed(times.takeError());
    return judge(rule, times->milliseconds[0], times->milliseconds[0], 0, 0);
  }
  auto times = measure(task, {rule, request.candidate}, look);
  if (!times)
    return failed(times.takeError());
  Trial trial =
      judge(request.candidate, times->milliseconds[1], times->milliseconds[0],
            times->difference[1], toleranceOf(task.kernel, request.candidate));
  if (trial.state == TrialState::Wrong)
    return trial;
  const double promising = 0.99;
  if (trial.relative >= promising * request.bestRelative)
    return trial;
  std::vector<Schedule> turns = {rule, request.candidate};
  if (request.best != rule)
    turns.push_back(request.best);
  // By the rule's itself and by the best one's, whichever says less; and so
  // again in another process, whose memory lies elsewhere: the best of hundreds
  // that were looked at once is a lucky one.
  trial.relative = 0;
  for (int round = 0; round < 2 && trial.relative < request.bestRelative;
       ++round) {
    times = measure(task, turns, certain);
    if (!times)
      return failed(times.takeError());
    trial.milliseconds = times->milliseconds[1];
    trial.relative =
        std::max({trial.relative, trial.milliseconds / times->milliseconds[0],
                  trial.milliseconds / times->milliseconds.back() *
                      (request.best != rule ? request.bestRelative : 0)});
  }
  return trial;
}

Expected<std::string> LibraryTimer::machine(const TuneTask &task) {
  auto times = measure(task, {task.rule()}, {0, 1});
  if (!times)
    return times.takeError();
  return times->machine;
}

Expected<LibraryTimer::Times>
LibraryTimer::measure(const TuneTask &task, const std::vector<Schedule> &points,
                      Effort effort) {
  std::string library = libraries.folderPath() + "/timed.so";
  if (Error error = libraries.make(task, points, library))
    return error;
  auto times = run(library, effort);
  (void)sys::fs::remove(library);
  return times;
}

Expected<LibraryTimer::Times> LibraryTimer::run(const std::string &library,
                                                Effort effort) {
  json::Value job = json::Object{{"library", library},
                                 {"threads", options.threads},
                                 {"milliseconds", effort.milliseconds},
                                 {"samples", effort.samples}};
  WorkerPoolOptions pool;
  pool.program = options.timingProgram;
  pool.timeoutSeconds = 60;
  WorkerAnswer answer;
  std::string problem = runJob(pool, formatv("{0}", job), answer);
  if (!problem.empty())
    return createStringError(pool.program + " cannot be started: " + problem);
  if (!answer.answered)
    return createStringError("running it: " + answer.text);
  Expected<json::Value> value = json::parse(answer.text);
  if (!value)
    return value.takeError();
  json::Path::Root root;
  json::ObjectMapper map(*value, root);
  std::string error;
  Times times;
  if (map && map.mapOptional("error", error) && !error.empty())
    return createStringError(error);
  if (!map || !map.map("milliseconds", times.milliseconds) ||
      !map.map("difference", times.difference) ||
      !map.map("machine", times.machine) || times.milliseconds.empty())
    return createStringError(pool.program + " answered '" + answer.text + "'");
  return times;
}

} // namespace rootc::codegen
