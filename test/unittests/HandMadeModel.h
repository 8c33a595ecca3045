//===- HandMadeModel.h - A small model without the front end ----*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_TEST_HANDMADEMODEL_H
#define ROOTC_TEST_HANDMADEMODEL_H

#include "codegen/Program.h"

namespace rootc::codegen {

/// logits = relu(image + image), in two kernels through the workspace;
/// training writes its parameters' negatives cut at zero as gradients.
inline Model handMadeModel(std::string name) {
  Model model;
  model.name = std::move(name);
  model.height = model.width = 1;
  model.channels = model.classes = 5;
  model.tensors = {{"fc.weight", "weight", {5, 1, 1, 1}, 0, 1, false}};
  model.parameterCount = 16;
  model.decayedCount = 16;
  model.description = "{\"layers\":[]}";

  TensorType map{ElementType::F32, {-1, 1, 1, 5}};
  Kernel add;
  add.name = "add";
  add.inputs = {map, map};
  add.ops = {{"add", {0, 1}, {}, {map}}};
  add.outputs = {2};
  Kernel relu;
  relu.name = "relu";
  relu.inputs = {map};
  relu.ops = {{"relu", {0}, {}, {map}}};
  relu.outputs = {1};
  model.kernels = {add, relu};

  BufferRef image{Arena::Image, 0, map};
  BufferRef logits{Arena::Logits, 0, map};
  BufferRef middle{Arena::WorkspaceBatch, 64, map};
  Program infer;
  infer.kind = ProgramKind::Infer;
  infer.batchBytes = 128;
  infer.fixedBytes = 64;
  infer.calls = {{0, {image, image, middle}, "double"},
                 {1, {middle, logits}, "relu"}};
  Program prepare;
  prepare.kind = ProgramKind::Prepare;
  model.programs = {prepare, infer};
  model.responses = {{"middle", "middle", 0, middle},
                     {"first", "out", 1, logits},
                     {"out", "out", 1, logits}};
  return model;
}

} // namespace rootc::codegen

#endif // ROOTC_TEST_HANDMADEMODEL_H
