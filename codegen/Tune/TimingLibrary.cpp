//===- TimingLibrary.cpp - Kernels that are called in turns ---------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/Tune/TimingLibrary.h"
#include "codegen/Emit/Emit.h"
#include "codegen/KernelWork.h"
#include "llvm/ADT/STLExtras.h"
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

/// In memory, at multiples of 64.
int64_t bytesOf(const TensorType &type, int64_t batch) {
  return int64_t(alignTo(elementsOf(type, batch) * bytesOf(type.element), 64));
}

std::vector<TensorType> outputsOf(const Kernel &kernel) {
  std::vector<TensorType> types;
  for (int64_t output : kernel.outputs)
    types.push_back(kernel.type(output));
  return types;
}

/// Of one copy.
int64_t bytesOf(const Kernel &kernel, int64_t batch) {
  int64_t bytes = 0;
  for (const TensorType &type : kernel.inputs)
    bytes += bytesOf(type, batch);
  for (const TensorType &type : outputsOf(kernel))
    bytes += bytesOf(type, batch);
  return bytes;
}

/// Lays operands out in an arena, behind what it holds; their offsets.
json::Array lay(const std::vector<TensorType> &types, int64_t batch,
                Arena arena, int64_t &bytes, std::vector<BufferRef> &refs) {
  json::Array offsets;
  for (const TensorType &type : types) {
    offsets.push_back(bytes);
    refs.push_back({arena, bytes, type});
    bytes += bytesOf(type, batch);
  }
  return offsets;
}

json::Array toJson(const std::vector<TensorType> &types, int64_t batch) {
  json::Array operands;
  for (const TensorType &type : types)
    operands.push_back(
        json::Object{{"elements", elementsOf(type, batch)},
                     {"bytes", bytesOf(type.element)},
                     {"float", type.element == ElementType::F32 ||
                                   type.element == ElementType::BF16}});
  return operands;
}

Kernel withSchedule(const Kernel &kernel, const Schedule &schedule) {
  Kernel other = kernel;
  other.schedule = schedule;
  return other;
}

} // namespace

Trial failedTrial(const Schedule &candidate, Error error) {
  std::string text = toString(std::move(error));
  std::replace(text.begin(), text.end(), '\n', ' ');
  return {candidate, TrialState::Failed, 0, 0, text.substr(0, 300)};
}

double toleranceOf(const Kernel &kernel) {
  // A sum in another order may round to the next number of eight bits.
  for (int64_t output : kernel.outputs)
    if (kernel.type(output).element == ElementType::BF16)
      return 0x1p-7;
  for (const Op &op : kernel.ops)
    if (op.attributes.count("winograd"))
      return 5e-5;
  return 1e-5;
}

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
  const Kernel &first = kernels.at(0);
  std::vector<TensorType> outputs = outputsOf(first);
  json::Array inputOffsets, outputOffsets;
  std::vector<std::vector<BufferRef>> inputs(copies);
  std::vector<std::vector<std::vector<BufferRef>>> results(copies);
  for (int64_t copy = 0; copy < copies; ++copy) {
    inputOffsets.push_back(lay(first.inputs, batch, Arena::Prepared,
                               model.preparedBytes, inputs[copy]));
    json::Array ofCopy;
    results[copy].resize(kernels.size());
    for (std::vector<BufferRef> &refs : results[copy])
      ofCopy.push_back(
          lay(outputs, batch, Arena::WorkspaceFixed, infer.fixedBytes, refs));
    outputOffsets.push_back(std::move(ofCopy));
  }
  for (size_t i = 0; i < kernels.size() * copies; ++i) {
    size_t kernel = i % kernels.size(), copy = i % copies;
    std::vector<BufferRef> buffers = inputs[copy];
    append_range(buffers, results[copy][kernel]);
    infer.calls.push_back(
        {int64_t(kernel), std::move(buffers), std::to_string(kernel)});
  }
  json::Value description = json::Object{
      {"timing", json::Object{{"kernels", int64_t(kernels.size())},
                              {"batch", batch},
                              {"inputs", toJson(first.inputs, batch)},
                              {"outputs", toJson(outputs, batch)},
                              {"input_offsets", std::move(inputOffsets)},
                              {"output_offsets", std::move(outputOffsets)}}}};
  model.description = formatv("{0}", description);
  model.programs = {prepare, infer};
  return model;
}

TimingLibraries::TimingLibraries(TargetInfo target,
                                 KernelCompilerOptions compiler)
    : target(std::move(target)), compiler(std::move(compiler)), folder([] {
        auto made = TemporaryFolder::create();
        if (!made)
          throw std::runtime_error(toString(made.takeError()));
        return std::move(*made);
      }()) {
  this->compiler.target = this->target.halide;
  this->compiler.kind = "object";
  // Else every library would compile the rule's kernel again.
  if (this->compiler.cacheDirectory.empty())
    this->compiler.cacheDirectory = folder.path() + "/cache";
}

void TimingLibraries::prepare(const std::vector<TimingRequest> &requests) {
  std::vector<Kernel> kernels;
  for (const TimingRequest &request : requests)
    kernels.push_back(withSchedule(request.task.kernel, request.candidate));
  // What went wrong is said when the kernel has its turn.
  if (auto compiled = compileKernels(kernels, compiler); !compiled)
    consumeError(compiled.takeError());
}

Error TimingLibraries::make(const TuneTask &task,
                            const std::vector<Schedule> &schedules,
                            const std::string &path) {
  std::vector<Kernel> kernels;
  for (const Schedule &schedule : schedules)
    kernels.push_back(withSchedule(task.kernel, schedule));
  EmitOptions emit;
  emit.output = path;
  emit.target = target;
  emit.kernels = compiler;
  int64_t copies = copiesFor(task.kernel, task.batch, int64_t(kernels.size()));
  return emitModel(timingModel(kernels, task.batch, copies), emit);
}

} // namespace rootc::codegen
