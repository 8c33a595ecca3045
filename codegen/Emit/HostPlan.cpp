//===- HostPlan.cpp - The calls of a model's programs, checked ------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/Emit/HostPlan.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/Twine.h"

#include <type_traits>

namespace rootc::codegen {

namespace {

static_assert(int(Arena::Image) == ROOTC_ARENA_IMAGE &&
              int(Arena::Labels) == ROOTC_ARENA_LABELS &&
              int(Arena::Samples) == ROOTC_ARENA_SAMPLES &&
              int(Arena::Random) == ROOTC_ARENA_RANDOM &&
              int(Arena::Parameters) == ROOTC_ARENA_PARAMETERS &&
              int(Arena::Statistics) == ROOTC_ARENA_STATISTICS &&
              int(Arena::Prepared) == ROOTC_ARENA_PREPARED &&
              int(Arena::Gradients) == ROOTC_ARENA_GRADIENTS &&
              int(Arena::Velocity) == ROOTC_ARENA_VELOCITY &&
              int(Arena::Square) == ROOTC_ARENA_SQUARE &&
              int(Arena::Average) == ROOTC_ARENA_AVERAGE &&
              int(Arena::Scalars) == ROOTC_ARENA_SCALARS &&
              int(Arena::Logits) == ROOTC_ARENA_LOGITS &&
              int(Arena::Loss) == ROOTC_ARENA_LOSS &&
              int(Arena::InputGradient) == ROOTC_ARENA_INPUT_GRADIENT &&
              int(Arena::WorkspaceBatch) == ROOTC_ARENA_WORKSPACE);
static_assert(int(ProgramKind::Prepare) == ROOTC_PREPARE &&
              int(ProgramKind::Infer) == ROOTC_INFER &&
              int(ProgramKind::Train) == ROOTC_TRAIN &&
              int(ProgramKind::Grad) == ROOTC_GRAD &&
              int(ProgramKind::Update) == ROOTC_UPDATE &&
              int(ProgramKind::Adamw) == ROOTC_ADAMW &&
              int(ProgramKind::Clip) == ROOTC_CLIP &&
              int(ProgramKind::Average) == ROOTC_AVERAGE);
static_assert(int(ElementType::F32) == ROOTC_ELEMENT_F32 &&
              int(ElementType::I64) == ROOTC_ELEMENT_I64 &&
              int(ElementType::U8) == ROOTC_ELEMENT_U8 &&
              int(ElementType::I32) == ROOTC_ELEMENT_I32 &&
              int(ElementType::BF16) == ROOTC_ELEMENT_BF16);

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
  case ROOTC_CLIP:
    return bits({Arena::Gradients, Arena::Scalars});
  case ROOTC_AVERAGE:
    return bits({Arena::Parameters, Arena::Average, Arena::Scalars});
  case ROOTC_ADAMW:
    return bits({Arena::Parameters, Arena::Gradients, Arena::Velocity,
                 Arena::Square, Arena::Scalars});
  default:
    return bits(
        {Arena::Parameters, Arena::Gradients, Arena::Velocity, Arena::Scalars});
  }
}

llvm::Error fail(const Call &call, const llvm::Twine &what) {
  return llvm::createStringError("kernel call '" + call.label + "': " + what);
}

class Planner {
public:
  explicit Planner(const Model &model) : model(model) {
    for (const Kernel &kernel : model.kernels)
      work.push_back(workOf(kernel));
  }

  llvm::Expected<HostPlan> run() {
    for (const Program &program : model.programs)
      if (llvm::Error error = add(program))
        return error;
    return std::move(plan);
  }

private:
  llvm::Error add(const Program &source) {
    int index = int(source.kind);
    rootc_host_program &program = plan.programs[index];
    if (program.present)
      return llvm::createStringError("a program occurs twice");
    program.present = 1;
    program.batch_bytes = source.batchBytes;
    program.fixed_bytes = source.fixedBytes;
    program.first_call = plan.calls.size();
    plan.callCounts[index] = source.calls.size();
    for (const Call &call : source.calls)
      if (llvm::Error error = add(call, index))
        return error;
    return llvm::Error::success();
  }

  llvm::Error add(const Call &call, int program) {
    if (call.kernel < 0 || call.kernel >= int64_t(model.kernels.size()))
      return fail(call, "no kernel " + llvm::Twine(call.kernel));
    const Kernel &kernel = model.kernels[call.kernel];
    size_t count = call.buffers.size();
    if (count != kernel.inputs.size() + kernel.outputs.size())
      return fail(call, llvm::Twine(count) + " buffers; the kernel takes " +
                            llvm::Twine(kernel.inputs.size()) + " and gives " +
                            llvm::Twine(kernel.outputs.size()));
    plan.calls.push_back(
        {int32_t(call.kernel), int32_t(plan.operands.size()), int32_t(count)});
    plan.labels.push_back(call.label);
    plan.work.push_back(work[call.kernel]);
    rootc_host_program &host = plan.programs[program];
    host.most_operands = std::max(host.most_operands, int32_t(count));
    for (const BufferRef &ref : call.buffers) {
      if (!(arenasOf(program) >> int(ref.arena) & 1))
        return fail(call, "arena " + llvm::Twine(int(ref.arena)) +
                              " is not an argument of program " +
                              llvm::Twine(program));
      auto buffer = describe(call, ref, host);
      if (!buffer)
        return buffer.takeError();
      host.uses_samples |= ref.arena == Arena::Samples;
      plan.operands.push_back(indexOf(*buffer));
    }
    return llvm::Error::success();
  }

  static llvm::Expected<rootc_buffer> describe(const Call &call,
                                               const BufferRef &ref,
                                               rootc_host_program &program) {
    rootc_buffer buffer = {};
    buffer.arena = std::min(int(ref.arena), int(ROOTC_ARENA_WORKSPACE));
    buffer.element = int(ref.type.element);
    switch (ref.arena) {
    case Arena::WorkspaceBatch:
      buffer.per_image = ref.offset;
      break;
    case Arena::WorkspaceFixed: // behind all images
      buffer.per_image = program.batch_bytes;
      [[fallthrough]];
    default:
      buffer.offset = ref.offset;
    }
    const std::vector<int64_t> &shape = ref.type.shape;
    if (shape.size() > ROOTC_MAX_RANK)
      return fail(call, "a buffer of more than " + llvm::Twine(ROOTC_MAX_RANK) +
                            " dimensions");
    buffer.rank = shape.size();
    int64_t elements = 1;
    for (size_t i = shape.size(); i-- > 0;) {
      bool dynamic = shape[i] == -1;
      if (dynamic ? i != 0 : shape[i] < 1)
        return fail(call, "a dimension of " + llvm::Twine(shape[i]));
      if (dynamic)
        program.max_elements = std::max(program.max_elements, elements);
      else if (shape[i] > ROOTC_MAX_ELEMENTS / elements)
        return fail(call, "a buffer holds more than 2147483647 elements");
      else
        elements *= shape[i];
      buffer.extents[shape.size() - 1 - i] = int32_t(shape[i]);
    }
    return buffer;
  }

  int32_t indexOf(const rootc_buffer &buffer) {
    static_assert(std::has_unique_object_representations_v<rootc_buffer>);
    llvm::StringRef bytes(reinterpret_cast<const char *>(&buffer),
                          sizeof buffer);
    auto [entry, isNew] = indices.try_emplace(bytes, plan.buffers.size());
    if (isNew)
      plan.buffers.push_back(buffer);
    return entry->second;
  }

  const Model &model;
  std::vector<KernelWork> work; // of the kernels
  HostPlan plan;
  llvm::StringMap<int32_t> indices; // of buffers, by their bytes
};

llvm::Error checkResponse(const Response &response, const HostPlan &plan) {
  auto fail = [&](const char *what) {
    return llvm::createStringError("response '" + response.name + "' " + what);
  };
  const BufferRef &buffer = response.buffer;
  const std::vector<int64_t> &shape = buffer.type.shape;
  if (response.call < 0 || response.call >= plan.callCounts[ROOTC_INFER])
    return fail("belongs to no call of inference");
  if (buffer.arena != Arena::WorkspaceBatch && buffer.arena != Arena::Logits)
    return fail("lies neither in the workspace nor in the logits");
  if (buffer.type.element != ElementType::F32 || shape.size() != 4 ||
      shape[0] != -1 || shape[1] < 1 || shape[2] < 1 || shape[3] < 1)
    return fail("is no batch of float32 maps");
  if (response.order < 1 || shape[3] % response.order != 0)
    return fail("has no channels in such an order");
  return llvm::Error::success();
}

} // namespace

int32_t responseArena(const Response &response) {
  return response.buffer.arena == Arena::Logits ? ROOTC_RESPONSE_LOGITS
                                                : ROOTC_RESPONSE_WORKSPACE;
}

llvm::Expected<HostPlan> planHost(const Model &model) {
  llvm::Expected<HostPlan> plan = Planner(model).run();
  if (!plan)
    return plan;
  for (const Response &response : model.responses)
    if (llvm::Error error = checkResponse(response, *plan))
      return error;
  return plan;
}

} // namespace rootc::codegen
