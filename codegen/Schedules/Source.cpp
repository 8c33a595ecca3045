//===- Source.cpp - Schedules by Halide's autoschedulers ------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/Schedules/Source.h"
#include "codegen/Geometry/Gather.h"
#include "codegen/Schedules/Families.h"

namespace rootc::codegen {

namespace {
/// Written in place: where a loop's size is no multiple of its vectors, the
/// autoschedulers compute some points twice.
bool isInPlace(const Op &op) {
  return isUpdate(op) || op.name == "running_average";
}

/// Adams2019 reorders the loops of an update that scatters or keeps an index,
/// which Halide does not allow, and stops there.
bool isOrdered(const Kernel &kernel, const Op &op) {
  if (op.name == "max_pool_with_index")
    return true;
  if (op.name != "conv2d" && op.name != "conv2d_backward_data")
    return false;
  ConvShape shape = convShapeOf(kernel, op);
  return op.attributes.count("winograd") || groupsInnermost(shape) ||
         (op.name == "conv2d_backward_data" &&
          (shape.stride[0] > 1 || shape.stride[1] > 1));
}
} // namespace

ScheduleSource fromAutoscheduler(const AutoscheduledSchedule &schedule) {
  bool adams = schedule.autoscheduler == 2;
  KnownSchedule known{print(schedule),
                      adams ? "Halide's Adams2019" : "Halide's Mullapudi2016"};
  return [known, adams](const Kernel &kernel,
                        bool) -> std::optional<KnownSchedule> {
    for (const Op &op : kernel.ops)
      if (isInPlace(op) || (adams && isOrdered(kernel, op)))
        return std::nullopt;
    return known;
  };
}

ScheduleSource fromTensorCores(int64_t operandBits, const TargetInfo &target) {
  return [=](const Kernel &kernel, bool) -> std::optional<KnownSchedule> {
    Problem problem(kernel, target);
    if (!fitsTensorCores(problem))
      return std::nullopt;
    TensorCoreSchedule schedule = TensorCoreSchedule::choose(problem);
    schedule.operandBits = operandBits;
    return KnownSchedule{print(schedule),
                         operandBits == 16 ? "bf16 products of tensor cores"
                                           : "TF32 products of tensor cores"};
  };
}

} // namespace rootc::codegen
