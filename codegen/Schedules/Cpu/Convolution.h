//===- Convolution.h - Shared by the schedules of convolutions --*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_CODEGEN_SCHEDULES_CPU_CONVOLUTION_H
#define ROOTC_CODEGEN_SCHEDULES_CPU_CONVOLUTION_H

#include "codegen/Schedules/Schedules.h"

namespace rootc::codegen {

// The same for C++ source (PlainConvolution.cpp).
void schedulePlainConvolution(const ScheduleContext &context);
void schedulePlainFilterGradient(const ScheduleContext &context);
void schedulePlainLinearGradient(const ScheduleContext &context);
void schedulePlainAcrossInsGradient(const ScheduleContext &context);

/// What a backward-filter's schedule is for: its positions where it has such,
/// which the output then puts in order.
Halide::Func gradientOf(const ScheduleContext &context);

/// Where a task's copy of so many bytes lives.
Halide::MemoryType memoryFor(int64_t bytes);

/// Whether a task may have a copy of so many bytes: Halide makes none of 2^31,
/// and rounds up. What is too large is computed where it is read.
bool fitsCopy(int64_t bytes);

} // namespace rootc::codegen

#endif // ROOTC_CODEGEN_SCHEDULES_CPU_CONVOLUTION_H
