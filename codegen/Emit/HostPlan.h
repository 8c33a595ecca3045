//===- HostPlan.h - The calls of a model's programs, checked --*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// One walk over a model's programs, from which the host code is made as LLVM
// IR and as C++: the same checks, buffers and order in both.
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_CODEGEN_EMIT_HOSTPLAN_H
#define ROOTC_CODEGEN_EMIT_HOSTPLAN_H

#include "codegen/Program.h"
#include "llvm/Support/Error.h"

#include <array>
#include <string>
#include <vector>

namespace rootc::codegen {

/// One dimension of a halide_buffer_t; an extent of -1 is the program's n.
struct HostDimension {
  int32_t extent = 0;
  int32_t stride = 0;
};

/// The data lie at arena base + offset, or + n * offset if `scaled`.
struct HostBuffer {
  int32_t arena = 0; ///< rootc_arena
  int64_t offset = 0;
  bool scaled = false;
  uint8_t typeCode = 0; ///< halide_type_code_t
  uint8_t typeBits = 0;
  std::vector<HostDimension> dimensions; ///< innermost first
};

struct HostCall {
  int64_t kernel = 0;
  std::string label;
  std::vector<HostBuffer> buffers;
};

struct HostProgram {
  bool present = false;
  std::vector<HostCall> calls;
  int64_t batchBytes = 0, fixedBytes = 0;
  int64_t maxElements = 0; ///< of any buffer, per unit of n
  bool usesSamples = false;
};

/// Indexed by rootc_program.
using HostPlan = std::array<HostProgram, 5>;

/// The response's place in the model's table: a rootc_response_arena.
int32_t responseArena(const Response &response);

/// Fails where a program or a response does not fit its entry's arguments or a
/// size does not fit 32-bit indices.
llvm::Expected<HostPlan> planHost(const Model &model);

} // namespace rootc::codegen

#endif // ROOTC_CODEGEN_EMIT_HOSTPLAN_H
