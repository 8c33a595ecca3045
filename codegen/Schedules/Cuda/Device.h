//===- Device.h - Loops on a device -----------------------------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_CODEGEN_SCHEDULES_CUDA_DEVICE_H
#define ROOTC_CODEGEN_SCHEDULES_CUDA_DEVICE_H

#include "codegen/Schedules/Schedules.h"

namespace rootc::codegen {

/// A block's threads and, as far as it is known, how long the first two
/// dimensions are that they run across: a matter of speed alone.
struct DeviceLoops {
  int64_t threads;
  std::vector<int64_t> extents;
};

/// Makes loops the device's: of threads the innermost first. Never partitioned:
/// Halide then drops the guard of threads that have nothing to do, if it guards
/// what is computed for a store as well (a stage that may be skipped).
void overDevice(Halide::Stage stage,
                const std::vector<Halide::VarOrRVar> &blocks,
                const std::vector<Halide::VarOrRVar> &threads);

/// All points of a pure definition, each a thread's own; the variable of the
/// innermost loop over threads, undefined where there is one point.
Halide::Var acrossThreads(Halide::Func func, const DeviceLoops &loops);
/// The same of a definition whose dimensions may be reduced; each point is
/// written once.
void acrossThreads(Halide::Stage stage,
                   std::vector<Halide::VarOrRVar> dimensions,
                   const DeviceLoops &loops);

/// Keeps a Func in the device's memory for all that read it. What is summed is
/// summed in registers; the variable of the loop in which that is.
Halide::Var keepInMemory(Halide::Func func, const DeviceLoops &loops);

/// Lets a thread that has nothing to do compute nothing: whether a stage may be
/// skipped is told from what it would read, perhaps behind a buffer's end.
void addDevicePasses(Halide::Pipeline pipeline);

/// Keeps what ops before a convolution make, each value of which is read for
/// many sums.
void keepOperands(const ScheduleContext &context);

} // namespace rootc::codegen

#endif // ROOTC_CODEGEN_SCHEDULES_CUDA_DEVICE_H
