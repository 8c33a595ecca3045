//===- Source.h - Where schedules come from beside the rules ----*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_CODEGEN_SCHEDULES_SOURCE_H
#define ROOTC_CODEGEN_SCHEDULES_SOURCE_H

#include "codegen/Kernel.h"

#include <functional>
#include <optional>
#include <string>

namespace rootc::codegen {

/// A point (Point.h) that was not chosen by rules.
struct KnownSchedule {
  Schedule point;
  std::string from; ///< for people: which one it is
};

/// Knows the points of some kernels; empty: of none. `packsOnce` as of
/// layoutPoints().
using ScheduleSource =
    std::function<std::optional<KnownSchedule>(const Kernel &, bool packsOnce)>;

struct AutoscheduledSchedule;

/// Knows the schedule of every kernel that the autoscheduler can have.
ScheduleSource fromAutoscheduler(const AutoscheduledSchedule &schedule);

/// Knows the schedule of every kernel on a device that tensor cores can have,
/// whose operands have so many bits (TensorCoreSchedule::operandBits).
ScheduleSource fromTensorCores(int64_t operandBits, const TargetInfo &target);

} // namespace rootc::codegen

#endif // ROOTC_CODEGEN_SCHEDULES_SOURCE_H
