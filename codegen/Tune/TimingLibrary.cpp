//===- TimingLibrary.cpp - Kernels that are called in turns ---------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/Tune/TimingLibrary.h"
#include "codegen/Emit/Emit.h"
#include "codegen/KernelWork.h"
#include "codegen/Schedules/Point.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/JSON.h"

#include <algorithm>
#include <map>
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

/// Puts an operand behind what an arena holds.
BufferRef place(const TensorType &type, int64_t batch, Arena arena,
                int64_t &bytes) {
  BufferRef ref{arena, bytes, type};
  bytes += bytesOf(type, batch);
  return ref;
}

json::Array offsetsOf(const std::vector<BufferRef> &refs) {
  json::Array offsets;
  for (const BufferRef &ref : refs)
    offsets.push_back(ref.offset);
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

/// The operand that is packed otherwise in some of the kernels; -1: none.
int64_t packedOperand(const std::vector<Kernel> &kernels) {
  const Kernel &first = kernels.at(0);
  auto isAlike = [&](const Kernel &kernel) {
    return kernel.inputs == first.inputs;
  };
  if (std::all_of(kernels.begin(), kernels.end(), isAlike))
    return -1;
  return first.ops.at(packedConvolution(first).value()).operands.at(1);
}

} // namespace

Trial failedTrial(const Schedule &candidate, Error error) {
  std::string text = toString(std::move(error));
  std::replace(text.begin(), text.end(), '\n', ' ');
  return {candidate, TrialState::Failed, 0, 0, text.substr(0, 300)};
}

double toleranceOf(const Kernel &kernel, const Schedule &point) {
  // A sum in another order may round to the next number of eight bits.
  for (int64_t output : kernel.outputs)
    if (kernel.type(output).element == ElementType::BF16)
      return 0x1p-7;
  return winogradTile(pointOf(kernel)) || winogradTile(point) ? 5e-5 : 1e-5;
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
  const int64_t packed = packedOperand(kernels);
  std::vector<TensorType> outputs = outputsOf(first), filled = first.inputs;
  // A kernel for each layout, behind those that are timed.
  std::map<TensorType, int64_t> packings;
  if (packed >= 0) {
    filled.erase(filled.begin() + packed);
    for (const Kernel &kernel : kernels)
      if (packings.try_emplace(kernel.inputs[packed], model.kernels.size())
              .second)
        model.kernels.push_back(packingOf(kernel));
    model.parameterCount = elementsOf(model.kernels.back().inputs[0], batch);
  }
  json::Array inputOffsets, outputOffsets;
  std::vector<std::vector<std::vector<BufferRef>>> buffers(copies);
  for (int64_t copy = 0; copy < copies; ++copy) {
    std::vector<BufferRef> inputs;
    for (const TensorType &type : filled)
      inputs.push_back(
          place(type, batch, Arena::Prepared, model.preparedBytes));
    inputOffsets.push_back(offsetsOf(inputs));
    std::map<TensorType, BufferRef> filters;
    for (const auto &[type, packing] : packings) {
      BufferRef ref = place(type, batch, Arena::Prepared, model.preparedBytes);
      filters[type] = ref;
      const TensorType &plain = model.kernels[packing].inputs[0];
      prepare.calls.push_back(
          {packing, {{Arena::Parameters, 0, plain}, ref}, "pack"});
    }
    json::Array ofCopy;
    for (const Kernel &kernel : kernels) {
      std::vector<BufferRef> results, all = inputs;
      for (const TensorType &type : outputs)
        results.push_back(
            place(type, batch, Arena::WorkspaceFixed, infer.fixedBytes));
      ofCopy.push_back(offsetsOf(results));
      if (packed >= 0)
        all.insert(all.begin() + packed, filters[kernel.inputs[packed]]);
      append_range(all, results);
      buffers[copy].push_back(std::move(all));
    }
    outputOffsets.push_back(std::move(ofCopy));
  }
  for (size_t i = 0; i < kernels.size() * copies; ++i) {
    size_t kernel = i % kernels.size(), copy = i % copies;
    infer.calls.push_back(
        {int64_t(kernel), buffers[copy][kernel], std::to_string(kernel)});
  }
  json::Value description = json::Object{
      {"timing", json::Object{{"kernels", int64_t(kernels.size())},
                              {"batch", batch},
                              {"inputs", toJson(filled, batch)},
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
  // Under the names that they have in a library, or they are compiled again.
  std::map<std::string, Kernel> kernels;
  auto add = [&](Kernel kernel) {
    kernel.name = kernelSymbol(kernel);
    kernels.try_emplace(kernel.name, kernel);
  };
  for (const TimingRequest &request : requests) {
    const Kernel &rule = request.task.kernel;
    Kernel candidate = atPoint(rule, request.candidate);
    if (candidate.inputs != rule.inputs)
      for (const Kernel &kernel : {rule, candidate})
        add(packingOf(kernel));
    add(std::move(candidate));
  }
  std::vector<Kernel> all;
  for (auto &[name, kernel] : kernels)
    all.push_back(std::move(kernel));
  // What went wrong is said when the kernel has its turn.
  if (auto compiled = compileKernels(all, compiler); !compiled)
    consumeError(compiled.takeError());
}

Error TimingLibraries::make(const TuneTask &task,
                            const std::vector<Schedule> &points,
                            const std::string &path) {
  std::vector<Kernel> kernels;
  for (const Schedule &point : points)
    kernels.push_back(atPoint(task.kernel, point));
  EmitOptions emit;
  emit.output = path;
  emit.target = target;
  emit.kernels = compiler;
  int64_t copies = copiesFor(task.kernel, task.batch, int64_t(kernels.size()));
  return emitModel(timingModel(kernels, task.batch, copies), emit);
}

} // namespace rootc::codegen
