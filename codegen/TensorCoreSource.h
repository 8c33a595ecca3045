//===- TensorCoreSource.h - A convolution by tensor cores -------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Of a kernel whose schedule is a TensorCoreSchedule: CUDA C++ that calls the
// templates of runtime/support/TensorCores.cu. What it reads and writes is a
// struct, whose functions have the ops before and behind the convolution as
// the algorithms say them. It is launched as CudaSource.h says.
//
// Halide compiles no such kernel; another of its code generators may take this
// one's place.
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_CODEGEN_TENSORCORESOURCE_H
#define ROOTC_CODEGEN_TENSORCORESOURCE_H

#include "codegen/Pipeline.h"

#include <string>

namespace rootc::codegen {

/// Throws std::invalid_argument where the kernel cannot have its schedule.
std::string tensorCoreSource(const Kernel &kernel,
                             const Halide::Target &target);

} // namespace rootc::codegen

#endif // ROOTC_CODEGEN_TENSORCORESOURCE_H
