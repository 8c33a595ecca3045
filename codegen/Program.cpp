//===- Program.cpp - A model's programs as JSON ---------------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/Program.h"
#include "codegen/Json.h"

using nlohmann::json;

namespace rootc::codegen {

namespace {

const char *arenaName(Arena arena) {
  switch (arena) {
  case Arena::Image:
    return "image";
  case Arena::Labels:
    return "labels";
  case Arena::Samples:
    return "samples";
  case Arena::Random:
    return "random";
  case Arena::Parameters:
    return "parameters";
  case Arena::Statistics:
    return "statistics";
  case Arena::Prepared:
    return "prepared";
  case Arena::Gradients:
    return "gradients";
  case Arena::Velocity:
    return "velocity";
  case Arena::Square:
    return "square";
  case Arena::Average:
    return "average";
  case Arena::Scalars:
    return "scalars";
  case Arena::Logits:
    return "logits";
  case Arena::Loss:
    return "loss";
  case Arena::InputGradient:
    return "d_image";
  case Arena::WorkspaceBatch:
    return "workspace_batch";
  case Arena::WorkspaceFixed:
    return "workspace_fixed";
  }
  return "";
}

const char *programName(ProgramKind kind) {
  switch (kind) {
  case ProgramKind::Prepare:
    return "prepare";
  case ProgramKind::Infer:
    return "infer";
  case ProgramKind::Train:
    return "train";
  case ProgramKind::Grad:
    return "grad";
  case ProgramKind::Update:
    return "update";
  case ProgramKind::Adamw:
    return "adamw";
  case ProgramKind::Clip:
    return "clip";
  case ProgramKind::Average:
    return "average";
  }
  return "";
}

json bufferToJson(const BufferRef &buffer) {
  return {{"arena", arenaName(buffer.arena)},
          {"offset", buffer.offset},
          {"type", typeToJson(buffer.type)}};
}

json callToJson(const Call &call) {
  json buffers = json::array();
  for (const BufferRef &buffer : call.buffers)
    buffers.push_back(bufferToJson(buffer));
  return {{"kernel", call.kernel},
          {"label", call.label},
          {"buffers", std::move(buffers)}};
}

json programToJson(const Program &program) {
  json calls = json::array();
  for (const Call &call : program.calls)
    calls.push_back(callToJson(call));
  return {{"kind", programName(program.kind)},
          {"calls", std::move(calls)},
          {"batch_bytes", program.batchBytes},
          {"fixed_bytes", program.fixedBytes}};
}

json tensorToJson(const TensorInfo &tensor) {
  return {{"name", tensor.name},    {"role", tensor.role},
          {"shape", tensor.shape},  {"offset", tensor.offset},
          {"fan_in", tensor.fanIn}, {"statistic", tensor.statistic}};
}

} // namespace

std::string toJson(const Model &model) {
  json tensors = json::array(), kernels = json::array(),
       programs = json::array(), responses = json::array();
  for (const TensorInfo &tensor : model.tensors)
    tensors.push_back(tensorToJson(tensor));
  for (const Kernel &kernel : model.kernels)
    kernels.push_back(kernel.name);
  for (const Program &program : model.programs)
    programs.push_back(programToJson(program));
  for (const Response &response : model.responses)
    responses.push_back({{"name", response.name},
                         {"value_of", response.valueOf},
                         {"call", response.call},
                         {"buffer", bufferToJson(response.buffer)},
                         {"order", response.order}});
  return dump({{"name", model.name},
               {"height", model.height},
               {"width", model.width},
               {"channels", model.channels},
               {"classes", model.classes},
               {"tensors", std::move(tensors)},
               {"parameter_count", model.parameterCount},
               {"decayed_count", model.decayedCount},
               {"statistic_count", model.statisticCount},
               {"prepared_bytes", model.preparedBytes},
               {"kernels", std::move(kernels)},
               {"programs", std::move(programs)},
               {"responses", std::move(responses)},
               {"description", model.description}});
}

} // namespace rootc::codegen
