//===- HostPlan.cpp - The calls of a model's programs, checked ------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/Emit/HostPlan.h"
#include "runtime/support/Support.h"
#include "llvm/ADT/Twine.h"

namespace rootc::codegen {

namespace {

static_assert(int(Arena::WorkspaceFixed) == ROOTC_ARENA_WORKSPACE_FIXED &&
              int(Arena::Scalars) == ROOTC_ARENA_SCALARS);
static_assert(int(ProgramKind::Prepare) == ROOTC_PREPARE &&
              int(ProgramKind::Update) == ROOTC_UPDATE);

/// The arenas that an entry's arguments provide, as bits.
uint32_t arenasOf(int program) {
  auto bits = [](std::initializer_list<Arena> arenas) {
    uint32_t mask =
        1u << int(Arena::WorkspaceBatch) | 1u << int(Arena::WorkspaceFixed);
    for (Arena arena : arenas)
      mask |= 1u << int(arena);
    return mask;
  };
  uint32_t step = bits({Arena::Image, Arena::Labels, Arena::Samples,
                        Arena::Random, Arena::Parameters, Arena::Statistics,
                        Arena::Gradients, Arena::Loss});
  switch (program) {
  case ROOTC_PREPARE:
    return bits({Arena::Parameters, Arena::Statistics, Arena::Prepared});
  case ROOTC_INFER:
    return bits({Arena::Image, Arena::Prepared, Arena::Logits});
  case ROOTC_TRAIN:
    return step;
  case ROOTC_GRAD:
    return step | 1u << int(Arena::InputGradient);
  default:
    return bits(
        {Arena::Parameters, Arena::Gradients, Arena::Velocity, Arena::Scalars});
  }
}

const int64_t indexLimit = 2147483647;

llvm::Error fail(const HostCall &call, const llvm::Twine &what) {
  return llvm::createStringError("kernel call '" + call.label + "': " + what);
}

llvm::Expected<HostBuffer>
planBuffer(const HostCall &call, const BufferRef &ref, HostProgram &program) {
  HostBuffer buffer;
  buffer.arena = int(ref.arena);
  buffer.offset = ref.offset;
  buffer.scaled = ref.arena == Arena::WorkspaceBatch;
  switch (ref.type.element) {
  case ElementType::F32:
    buffer.typeCode = 2, buffer.typeBits = 32;
    break;
  case ElementType::I64:
    buffer.typeCode = 0, buffer.typeBits = 64;
    break;
  case ElementType::U8:
    buffer.typeCode = 1, buffer.typeBits = 8;
    break;
  }
  int64_t elements = 1;
  const std::vector<int64_t> &shape = ref.type.shape;
  for (size_t i = shape.size(); i-- > 0;) {
    bool dynamic = shape[i] == -1;
    if (dynamic ? i != 0 : shape[i] < 1)
      return fail(call, "a dimension of " + llvm::Twine(shape[i]));
    buffer.dimensions.push_back({int32_t(shape[i]), int32_t(elements)});
    if (dynamic)
      program.maxElements = std::max(program.maxElements, elements);
    else if (shape[i] > indexLimit / elements)
      return fail(call, "a buffer holds more than 2147483647 elements");
    else
      elements *= shape[i];
  }
  return buffer;
}

llvm::Error checkResponse(const Response &response, const HostPlan &plan) {
  auto fail = [&](const char *what) {
    return llvm::createStringError("response '" + response.name + "' " + what);
  };
  const BufferRef &buffer = response.buffer;
  const std::vector<int64_t> &shape = buffer.type.shape;
  if (response.call < 0 ||
      response.call >= int64_t(plan[ROOTC_INFER].calls.size()))
    return fail("belongs to no call of inference");
  if (buffer.arena != Arena::WorkspaceBatch && buffer.arena != Arena::Logits)
    return fail("lies neither in the workspace nor in the logits");
  if (buffer.type.element != ElementType::F32 || shape.size() != 4 ||
      shape[0] != -1 || shape[1] < 1 || shape[2] < 1 || shape[3] < 1)
    return fail("is no batch of float32 maps");
  return llvm::Error::success();
}

} // namespace

int32_t responseArena(const Response &response) {
  return response.buffer.arena == Arena::Logits ? ROOTC_RESPONSE_LOGITS
                                                : ROOTC_RESPONSE_WORKSPACE;
}

llvm::Expected<HostPlan> planHost(const Model &model) {
  HostPlan plan;
  for (const Program &source : model.programs) {
    int index = int(source.kind);
    HostProgram &program = plan[index];
    if (program.present)
      return llvm::createStringError("a program occurs twice");
    program.present = true;
    program.batchBytes = source.batchBytes;
    program.fixedBytes = source.fixedBytes;
    for (const Call &from : source.calls) {
      HostCall call;
      call.kernel = from.kernel;
      call.label = from.label;
      if (from.kernel < 0 || from.kernel >= int64_t(model.kernels.size()))
        return fail(call, "no kernel " + llvm::Twine(from.kernel));
      const Kernel &kernel = model.kernels[from.kernel];
      if (from.buffers.size() != kernel.inputs.size() + kernel.outputs.size())
        return fail(call, llvm::Twine(from.buffers.size()) +
                              " buffers; the kernel takes " +
                              llvm::Twine(kernel.inputs.size()) +
                              " and gives " +
                              llvm::Twine(kernel.outputs.size()));
      for (const BufferRef &ref : from.buffers) {
        if (!(arenasOf(index) >> int(ref.arena) & 1))
          return fail(call, "arena " + llvm::Twine(int(ref.arena)) +
                                " is not an argument of program " +
                                llvm::Twine(index));
        auto buffer = planBuffer(call, ref, program);
        if (!buffer)
          return buffer.takeError();
        program.usesSamples |= ref.arena == Arena::Samples;
        call.buffers.push_back(std::move(*buffer));
      }
      program.calls.push_back(std::move(call));
    }
  }
  for (const Response &response : model.responses)
    if (llvm::Error error = checkResponse(response, plan))
      return error;
  return plan;
}

} // namespace rootc::codegen
