//===- ChooseSchedules.h - Schedules that are known before ------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_TRANSFORMS_CHOOSESCHEDULES_H
#define ROOTC_TRANSFORMS_CHOOSESCHEDULES_H

#include "codegen/Schedules/Source.h"
#include "lib/Transforms/Passes.h"

namespace rootc {

/// The pass as it is, but a kernel that `source` knows gets the schedule it has
/// there, and says so (`root.schedule_from`).
std::unique_ptr<mlir::Pass>
createChooseSchedules(const ChooseSchedulesOptions &options,
                      codegen::ScheduleSource source);

} // namespace rootc

#endif // ROOTC_TRANSFORMS_CHOOSESCHEDULES_H
