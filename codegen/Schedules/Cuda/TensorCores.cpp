//===- TensorCores.cpp - Why Halide compiles no such kernel ---------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/Schedules/Schedules.h"

#include <stdexcept>

namespace rootc::codegen {

void apply(const ScheduleContext &, const TensorCoreSchedule &) {
  throw std::invalid_argument("'operand_bits': products by tensor cores are of "
                              "libraries and CUDA C++ alone");
}

} // namespace rootc::codegen
