//===- LibraryTimer.cpp - Times of kernels, compiled and run --------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/Tune/LibraryTimer.h"
#include "codegen/Emit/Emit.h"
#include "codegen/Emit/WorkerPool.h"
#include "codegen/KernelWork.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/JSON.h"

#include <algorithm>
#include <numeric>
#include <stdexcept>

using namespace llvm;

namespace rootc::codegen {

namespace {

int64_t elementsOf(const TensorType &type, int64_t batch) {
  int64_t count = 1;
  for (int64_t extent : type.shape)
    count *= extent < 0 ? batch : extent;
  return count;
}

std::vector<TensorType> operandsOf(const Kernel &kernel) {
  std::vector<TensorType> types = kernel.inputs;
  for (int64_t output : kernel.outputs)
    types.push_back(kernel.type(output));
  return types;
}

/// Of one copy, each buffer at a multiple of 64.
int64_t bytesOf(const Kernel &kernel, int64_t batch) {
  int64_t bytes = 0;
  for (const TensorType &type : operandsOf(kernel))
    bytes +=
        int64_t(alignTo(elementsOf(type, batch) * bytesOf(type.element), 64));
  return bytes;
}

/// How far results may lie from the rule's, by the largest value.
double toleranceOf(const Kernel &kernel) {
  for (const Op &op : kernel.ops)
    if (op.attributes.count("winograd"))
      return 5e-5;
  return 1e-5;
}

Kernel withSchedule(const Kernel &kernel, const Schedule &schedule) {
  Kernel other = kernel;
  other.schedule = schedule;
  return other;
}

/// On one line, for a database.
std::string brief(Error error) {
  std::string text = toString(std::move(error));
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text.substr(0, 300);
}

} // namespace

int64_t copiesFor(const Kernel &kernel, int64_t batch, int64_t turns) {
  // Two megabytes a core are usual.
  const int64_t beyond = 48 << 20, most = 48;
  int64_t copies =
      std::clamp<int64_t>(beyond / std::max<int64_t>(bytesOf(kernel, batch), 1),
                          0, most) +
      1;
  while (std::gcd(copies, turns) != 1)
    ++copies;
  return copies;
}

Model timingModel(const std::vector<Kernel> &kernels, int64_t batch,
                  int64_t copies) {
  Model model;
  model.name = "timed";
  model.height = model.width = model.channels = model.classes = 1;
  model.kernels = kernels;
  Program prepare, infer;
  prepare.kind = ProgramKind::Prepare;
  infer.kind = ProgramKind::Infer;
  json::Array offsets;
  std::vector<TensorType> types = operandsOf(kernels.at(0));
  std::vector<std::vector<BufferRef>> buffers;
  for (int64_t copy = 0; copy < copies; ++copy) {
    json::Array ofCopy;
    std::vector<BufferRef> &refs = buffers.emplace_back();
    for (const TensorType &type : types) {
      ofCopy.push_back(infer.fixedBytes);
      refs.push_back({Arena::WorkspaceFixed, infer.fixedBytes, type});
      infer.fixedBytes +=
          int64_t(alignTo(elementsOf(type, batch) * bytesOf(type.element), 64));
    }
    offsets.push_back(std::move(ofCopy));
  }
  for (size_t i = 0; i < kernels.size() * copies; ++i)
    infer.calls.push_back({int64_t(i % kernels.size()), buffers[i % copies],
                           std::to_string(i % kernels.size())});
  json::Array operands;
  for (const TensorType &type : types)
    operands.push_back(
        json::Object{{"elements", elementsOf(type, batch)},
                     {"bytes", bytesOf(type.element)},
                     {"float", type.element == ElementType::F32}});
  json::Value description = json::Object{
      {"timing", json::Object{{"kernels", int64_t(kernels.size())},
                              {"inputs", int64_t(kernels[0].inputs.size())},
                              {"batch", batch},
                              {"operands", std::move(operands)},
                              {"offsets", std::move(offsets)}}}};
  model.description = formatv("{0}", description);
  model.programs = {prepare, infer};
  return model;
}

LibraryTimer::LibraryTimer(LibraryTimerOptions from)
    : options(std::move(from)), folder([] {
        auto made = TemporaryFolder::create();
        if (!made)
          throw std::runtime_error(toString(made.takeError()));
        return std::move(*made);
      }()) {
  options.compiler.target = options.target.halide;
  options.compiler.kind = "object";
  // Else every trial would compile the rule's kernel again.
  if (options.compiler.cacheDirectory.empty())
    options.compiler.cacheDirectory = folder.path() + "/cache";
}

void LibraryTimer::prepare(const std::vector<TimingRequest> &requests) {
  std::vector<Kernel> kernels;
  for (const TimingRequest &request : requests)
    kernels.push_back(withSchedule(request.task.kernel, request.candidate));
  // What went wrong is said when the kernel has its turn.
  if (auto compiled = compileKernels(kernels, options.compiler); !compiled)
    consumeError(compiled.takeError());
}

Trial LibraryTimer::time(const TimingRequest &request) {
  const TuneTask &task = request.task;
  const Schedule &rule = task.kernel.schedule;
  Trial trial{request.candidate, TrialState::Slower, 0, 1, ""};
  auto failed = [&](Error error) {
    trial.state = TrialState::Failed;
    trial.note = brief(std::move(error));
    return trial;
  };
  const Effort look{40, 7}, certain{200, 31};
  if (request.candidate == rule) {
    auto times = measure(task, {rule}, certain);
    if (!times)
      return failed(times.takeError());
    trial.milliseconds = times->milliseconds[0];
    return trial;
  }
  auto times = measure(task, {rule, request.candidate}, look);
  if (!times)
    return failed(times.takeError());
  trial.milliseconds = times->milliseconds[1];
  trial.relative = trial.milliseconds / times->milliseconds[0];
  if (!(times->difference[1] <= toleranceOf(task.kernel))) {
    trial.state = TrialState::Wrong;
    trial.note = formatv("differs by {0}", times->difference[1]);
    return trial;
  }
  const double promising = 0.99;
  if (trial.relative >= promising * request.bestRelative)
    return trial;
  std::vector<Schedule> turns = {rule, request.candidate};
  if (request.best != rule)
    turns.push_back(request.best);
  times = measure(task, turns, certain);
  if (!times)
    return failed(times.takeError());
  trial.milliseconds = times->milliseconds[1];
  // By the rule's itself and by the best one's, whichever says less.
  trial.relative =
      std::max(trial.milliseconds / times->milliseconds[0],
               trial.milliseconds / times->milliseconds.back() *
                   (request.best != rule ? request.bestRelative : 0));
  return trial;
}

Expected<LibraryTimer::Times>
LibraryTimer::measure(const TuneTask &task,
                      const std::vector<Schedule> &schedules, Effort effort) {
  std::vector<Kernel> kernels;
  for (const Schedule &schedule : schedules)
    kernels.push_back(withSchedule(task.kernel, schedule));
  EmitOptions emit;
  emit.output = folder.path() + "/timed.so";
  emit.target = options.target;
  emit.kernels = options.compiler;
  int64_t copies = copiesFor(task.kernel, task.batch, int64_t(kernels.size()));
  if (Error error = emitModel(timingModel(kernels, task.batch, copies), emit))
    return error;
  auto times = run(emit.output, effort);
  (void)sys::fs::remove(emit.output);
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
      !map.map("difference", times.difference) || times.milliseconds.empty())
    return createStringError(pool.program + " answered '" + answer.text + "'");
  return times;
}

} // namespace rootc::codegen
