//===- Autoscheduled.cpp - Halide's own autoschedulers --------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/Schedules/Schedules.h"

#include <dlfcn.h>
#include <filesystem>
#include <stdexcept>

using namespace Halide;

namespace rootc::codegen {

namespace {
/// The autoschedulers are libraries of their own beside Halide's.
void load(const std::string &name) {
  Dl_info halide;
  if (!dladdr(reinterpret_cast<void *>(&load_plugin), &halide))
    throw std::runtime_error("Halide's library is not found");
  load_plugin(std::filesystem::path(halide.dli_fname).parent_path() /
              ("libautoschedule_" + name + ".so"));
}
} // namespace

void apply(const ScheduleContext &context,
           const AutoscheduledSchedule &schedule) {
  bool mullapudi = schedule.autoscheduler == 1;
  load(mullapudi ? "mullapudi2016" : "adams2019");
  AutoschedulerParams parameters(mullapudi ? "Mullapudi2016" : "Adams2019");
  parameters.extra["parallelism"] = std::to_string(schedule.threads);
  // Its usual beam of 32 takes many minutes for one convolution.
  if (!mullapudi)
    parameters.extra["beam_size"] = "1";
  // They know no target that leaves out a kernel's query of its bounds.
  context.pipeline.apply_autoscheduler(
      context.target.without_feature(Target::NoBoundsQuery), parameters);
}

} // namespace rootc::codegen
