//===- Run.cpp - Whole programs on their planned buffers ------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/KernelWork.h"
#include "lib/Reference/Support.h"

#include <algorithm>
#include <cstring>
#include <ranges>
#include <stdexcept>

namespace rootc::reference {

using codegen::Arena;
using codegen::BufferRef;
using codegen::Call;
using codegen::ElementType;
using codegen::Kernel;
using codegen::Model;
using codegen::Program;
using codegen::ProgramKind;
using codegen::TensorType;

namespace {

/// A buffer's place: `bytes` bytes at `offset` of `arena`.
struct Place {
  std::vector<std::byte> *arena;
  int64_t offset, bytes;

  bool overlaps(const Place &other) const {
    return arena == other.arena && offset < other.offset + other.bytes &&
           other.offset < offset + bytes;
  }
  bool operator==(const Place &) const = default;
};

/// Whether an output may replace an input.
bool isElementwise(const Kernel &kernel) {
  return std::all_of(
      kernel.ops.begin(), kernel.ops.end(),
      [](const codegen::Op &op) { return reference::isElementwise(op); });
}

class Machine {
public:
  Machine(const Model &model, const Program &program, int64_t batch,
          Arenas &arenas)
      : model(model), program(program), batch(batch), arenas(arenas) {
    // All ones: not a number as f32, far out of range as anything else.
    workspace.assign(batch * program.batchBytes + program.fixedBytes,
                     std::byte(0xff));
  }

  void execute(const Call &call) {
    if (call.kernel < 0 || call.kernel >= int64_t(model.kernels.size()))
      fail(call, "calls no kernel of the model");
    const Kernel &kernel = model.kernels[call.kernel];
    size_t inputs = kernel.inputs.size();
    if (call.buffers.size() != inputs + kernel.outputs.size())
      fail(call, "has " + std::to_string(call.buffers.size()) + " buffers");

    std::vector<Place> places;
    std::vector<Tensor> operands;
    for (const BufferRef &buffer : call.buffers)
      places.push_back(place(call, buffer));
    checkOverlaps(call, kernel, places);
    for (size_t i = 0; i < inputs; ++i)
      operands.push_back(load(call.buffers[i].type, places[i]));
    std::vector<Tensor> results = evaluate(kernel, operands);
    for (size_t i = 0; i < results.size(); ++i) {
      TensorType type = concrete(call.buffers[inputs + i].type);
      if (results[i].type != type)
        fail(call, "output " + std::to_string(i) + " is " +
                       toString(results[i].shape()) + ", its buffer " +
                       toString(type.shape));
      store(results[i], places[inputs + i]);
    }
  }

private:
  [[noreturn]] void fail(const Call &call, const std::string &what) const {
    throw std::invalid_argument("call '" + call.label + "' " + what);
  }

  TensorType concrete(TensorType type) const {
    if (!type.shape.empty() && type.shape[0] == -1)
      type.shape[0] = batch;
    return type;
  }

  Place place(const Call &call, const BufferRef &buffer) {
    Place result;
    result.bytes = codegen::bytesOf(buffer.type.element);
    for (int64_t size : concrete(buffer.type).shape)
      result.bytes *= size;
    result.offset = buffer.offset;
    if (buffer.arena == Arena::WorkspaceBatch) {
      result.arena = &workspace;
      result.offset *= batch;
    } else if (buffer.arena == Arena::WorkspaceFixed) {
      result.arena = &workspace;
      result.offset += batch * program.batchBytes;
    } else {
      auto it = arenas.find(buffer.arena);
      if (it == arenas.end())
        fail(call, "needs an arena that was not given");
      result.arena = &it->second;
    }
    int64_t end = buffer.arena == Arena::WorkspaceBatch
                      ? batch * program.batchBytes
                      : int64_t(result.arena->size());
    if (result.offset < 0 || result.offset + result.bytes > end)
      fail(call, "has a buffer of " + std::to_string(result.bytes) +
                     " bytes at " + std::to_string(result.offset) +
                     ", outside its arena of " + std::to_string(end));
    return result;
  }

  void checkOverlaps(const Call &call, const Kernel &kernel,
                     const std::vector<Place> &places) const {
    size_t inputs = kernel.inputs.size();
    for (size_t out = inputs; out < places.size(); ++out)
      for (size_t other = 0; other < out; ++other) {
        bool inPlace = other < inputs && places[out] == places[other] &&
                       isElementwise(kernel);
        if (places[out].overlaps(places[other]) && !inPlace)
          fail(call, "writes buffer " + std::to_string(out) +
                         " over its buffer " + std::to_string(other));
      }
  }

  template <typename T>
  static void load(std::vector<T> values, auto &into, const Place &place) {
    std::memcpy(values.data(), place.arena->data() + place.offset, place.bytes);
    into.assign(values.begin(), values.end());
  }

  static void loadBfloats(std::vector<double> &reals, const Place &place) {
    std::vector<uint16_t> bits;
    load(std::vector<uint16_t>(reals.size()), bits, place);
    std::transform(bits.begin(), bits.end(), reals.begin(), fromBfloat);
  }

  Tensor load(const TensorType &type, const Place &place) const {
    Tensor tensor(concrete(type));
    size_t count = tensor.size();
    if (type.element == ElementType::F32)
      load(std::vector<float>(count), tensor.reals, place);
    else if (type.element == ElementType::BF16)
      loadBfloats(tensor.reals, place);
    else if (type.element == ElementType::I64)
      load(std::vector<int64_t>(count), tensor.integers, place);
    else if (type.element == ElementType::I32)
      load(std::vector<int32_t>(count), tensor.integers, place);
    else
      load(std::vector<uint8_t>(count), tensor.integers, place);
    return tensor;
  }

  template <typename T>
  static void store(const auto &values, const Place &place) {
    std::vector<T> narrow(values.begin(), values.end());
    std::memcpy(place.arena->data() + place.offset, narrow.data(), place.bytes);
  }

  static void store(const Tensor &tensor, const Place &place) {
    if (tensor.type.element == ElementType::F32)
      store<float>(tensor.reals, place);
    else if (tensor.type.element == ElementType::BF16)
      store<uint16_t>(std::views::transform(tensor.reals, toBfloat), place);
    else if (tensor.type.element == ElementType::I64)
      store<int64_t>(tensor.integers, place);
    else if (tensor.type.element == ElementType::I32)
      store<int32_t>(tensor.integers, place);
    else
      store<uint8_t>(tensor.integers, place);
  }

  const Model &model;
  const Program &program;
  int64_t batch;
  Arenas &arenas;
  std::vector<std::byte> workspace;
};

} // namespace

void run(const Model &model, ProgramKind kind, int64_t batch, Arenas &arenas) {
  if (batch < 1)
    throw std::invalid_argument("batch must be positive");
  auto program = std::find_if(
      model.programs.begin(), model.programs.end(),
      [&](const Program &candidate) { return candidate.kind == kind; });
  if (program == model.programs.end())
    throw std::invalid_argument("model '" + model.name + "' lacks the program");
  Machine machine(model, *program, batch, arenas);
  for (const Call &call : program->calls)
    machine.execute(call);
}

} // namespace rootc::reference
