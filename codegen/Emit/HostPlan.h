//===- HostPlan.h - The calls of a model's programs, checked --*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// One walk over a model's programs: the rows of the table that the library's
// support code runs, as the structs of runtime/support/Support.h.
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_CODEGEN_EMIT_HOSTPLAN_H
#define ROOTC_CODEGEN_EMIT_HOSTPLAN_H

#include "codegen/KernelWork.h"
#include "codegen/Program.h"
#include "runtime/support/Support.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/Support/Error.h"

#include <array>
#include <string>
#include <vector>

namespace rootc::codegen {

struct HostPlan {
  std::vector<rootc_buffer> buffers;
  std::vector<int32_t> operands;
  std::vector<rootc_call> calls;
  std::vector<std::string> labels; ///< of the calls
  std::vector<KernelWork> work;    ///< of the calls
  /// By rootc_program, with the number of calls of each.
  std::array<rootc_host_program, ROOTC_PROGRAM_COUNT> programs = {};
  std::array<int32_t, ROOTC_PROGRAM_COUNT> callCounts = {};

  llvm::ArrayRef<std::string> labelsOf(int program) const {
    return callsOf(program, labels);
  }
  llvm::ArrayRef<KernelWork> workOf(int program) const {
    return callsOf(program, work);
  }

private:
  template <typename T>
  llvm::ArrayRef<T> callsOf(int program, const std::vector<T> &all) const {
    return llvm::ArrayRef(all).slice(programs[program].first_call,
                                     callCounts[program]);
  }
};

/// The response's place in the model's table: a rootc_response_arena.
int32_t responseArena(const Response &response);

/// Fails where a program or a response does not fit its entry's arguments or a
/// size does not fit 32-bit indices.
llvm::Expected<HostPlan> planHost(const Model &model);

} // namespace rootc::codegen

#endif // ROOTC_CODEGEN_EMIT_HOSTPLAN_H
