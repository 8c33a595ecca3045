//===- Tune.cpp - Tunes the kernels of a network --------------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/Tune/Tune.h"
#include "codegen/Emit/KernelGenerator.h"
#include "codegen/Emit/Target.h"
#include "codegen/Schedules/Backend.h"
#include "codegen/Tune/Bundle.h"
#include "codegen/Tune/LibraryTimer.h"
#include "codegen/Tune/Search.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FormatVariadic.h"

#include <algorithm>
#include <cmath>
#include <numeric>

using namespace llvm;

namespace rootc::codegen {

namespace {

/// Of all kernels the gains, of those that take most each its own.
std::string table(const Search &search) {
  const std::vector<TuneTask> &tasks = search.tasks();
  const std::vector<TuneResult> &results = search.results();
  auto time = [&](size_t i) {
    return double(tasks[i].calls) * results[i].ruleMilliseconds;
  };
  std::vector<size_t> order(tasks.size());
  std::iota(order.begin(), order.end(), size_t(0));
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return time(a) > time(b); });
  double logarithms = 0;
  size_t measured = 0, faster = 0;
  for (size_t i : order) {
    if (results[i].ruleMilliseconds == 0)
      continue;
    ++measured;
    faster += results[i].relative < 1;
    logarithms += std::log(results[i].relative);
  }
  std::string text;
  raw_string_ostream stream(text);
  stream << formatv("{0} of {1} kernels measured, {2} trials, {3} faster\n",
                    measured, tasks.size(), search.trialCount(), faster);
  if (measured == 0)
    return text;
  stream << formatv(
      "of a kernel, in geometric mean: {0:F3} of the rule's time\n"
      "of all calls: {1:F2} ms, by the rules {2:F2}\n",
      std::exp(logarithms / double(measured)), search.bestMilliseconds(),
      search.ruleMilliseconds());
  const size_t most = 20;
  stream << "calls  rule ms  tuned ms  ratio  trials\n";
  for (size_t i = 0; i < std::min(most, measured); ++i) {
    const TuneTask &task = tasks[order[i]];
    const TuneResult &result = results[order[i]];
    stream << formatv("{0,5}  {1,7:F3}  {2,8:F3}  {3:F3}  {4,6}  {5}\n",
                      task.calls, result.ruleMilliseconds,
                      result.ruleMilliseconds * result.relative,
                      result.relative, result.trials, task.label);
  }
  return text;
}

} // namespace

std::vector<TuneTask> tasksOf(const Model &model, int64_t batch) {
  std::vector<TuneTask> tasks(model.kernels.size());
  for (TuneTask &task : tasks)
    task.calls = 0;
  for (const Program &program : model.programs) {
    if (program.kind != ProgramKind::Infer &&
        program.kind != ProgramKind::Train)
      continue;
    for (const Call &call : program.calls) {
      TuneTask &task = tasks[call.kernel];
      bool isInference = program.kind == ProgramKind::Infer;
      if (task.calls++ == 0)
        task = {model.kernels[call.kernel], call.label, 1, batch, isInference};
      task.packsOnce &= isInference;
    }
  }
  std::erase_if(tasks, [](const TuneTask &task) { return task.calls == 0; });
  return tasks;
}

/// Goes on from what the database has, in a copy: what a bundle answers is none
/// of its records.
static Expected<std::string> bundleModel(std::vector<TuneTask> tasks,
                                         const TuneOptions &options,
                                         SearchOptions search) {
  Expected<TemporaryFolder> folder = TemporaryFolder::create();
  if (!folder)
    return folder.takeError();
  std::string path = folder->path() + "/searched.db";
  if (sys::fs::exists(options.database))
    if (std::error_code error = sys::fs::copy_file(options.database, path))
      return createStringError(options.database + ": " + error.message());
  TuneDatabase database(path, TuneDatabase::Mode::Write);
  BundleTimer timer({options.bundle, options.target, options.compiler,
                     options.timingProgram, options.trials});
  search.trials = INT64_MAX;
  Search run(std::move(tasks), database, timer, search);
  run.run();
  return formatv("{0} schedules of {1} kernels in {2}; copy it to the machine "
                 "that is meant, and there: {2}/rootc-time {2}; then, with the "
                 "folder back here: rootc-tune --take={2} --db={3}\n",
                 timer.jobs(), run.tasks().size(), options.bundle,
                 options.database)
      .str();
}

Expected<std::string> tuneModel(const Model &model,
                                const TuneOptions &options) {
  Expected<TargetInfo> host = parseTarget("host");
  if (!host)
    return host.takeError();
  bool isLive = options.replay.empty() && options.bundle.empty();
  if (isLive && (cpuFeatures(options.target) & ~cpuFeatures(*host)) != 0)
    return createStringError("this CPU cannot run code for the target " +
                             options.target.halide +
                             "; tune on a machine that can, with --bundle");
  // "x86-64-linux-avx2"
  auto processor = [](const TargetInfo &target) {
    return StringRef(target.halide).split("-linux").first;
  };
  if (!options.bundle.empty() && processor(options.target) != processor(*host))
    return createStringError("a bundle's rootc-time is this machine's program, "
                             "and would not run where code for " +
                             options.target.halide + " does");
  Expected<KernelGenerator> generator =
      KernelGenerator::of(options.compiler.program);
  if (!generator)
    return generator.takeError();
  try {
    SearchOptions search;
    search.target = options.target;
    search.machine = {options.target.halide, options.cpu, options.threads};
    search.seed = options.seed;
    search.random = options.random;
    search.trials = options.trials;
    search.budget = options.budget;
    if (options.compiler.progress)
      search.progress = [&](const std::string &what) {
        options.compiler.progress({what, "", {}});
      };
    std::vector<TuneTask> tasks = tasksOf(model, options.batch);
    for (TuneTask &task : tasks)
      task.generator = generator->version(task.kernel, options.target);
    LibraryTimerOptions live;
    live.target = options.target;
    live.compiler = options.compiler;
    live.compiler.progress = nullptr;
    // A schedule for which the compiler takes longer is none that is wanted.
    live.compiler.timeoutSeconds = 60;
    live.timingProgram = options.timingProgram;
    live.threads = options.threads;
    if (!options.bundle.empty()) {
      TuneOptions of = options;
      of.compiler = live.compiler;
      return bundleModel(std::move(tasks), of, search);
    }
    std::unique_ptr<Timer> timer;
    if (isLive) {
      auto measuring = std::make_unique<LibraryTimer>(live);
      if (backendOf(options.target).device && !tasks.empty()) {
        Expected<std::string> device = measuring->machine(tasks.front());
        if (!device)
          return device.takeError();
        search.machine.cpu = *device;
      }
      timer = std::move(measuring);
    } else {
      timer = std::make_unique<RecordedTimer>(options.replay, search.machine);
    }
    TuneDatabase database(options.database, TuneDatabase::Mode::Write);
    Search run(std::move(tasks), database, *timer, search);
    run.run();
    return table(run);
  } catch (const std::exception &error) {
    return createStringError(error.what());
  }
}

} // namespace rootc::codegen
