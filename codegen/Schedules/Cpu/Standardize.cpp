//===- Standardize.cpp - Filters of mean 0 and deviation 1 ----------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/Schedules/Schedules.h"

using namespace Halide;

namespace rootc::codegen {

/// One out channel after another, its weights in cache.
void apply(const ScheduleContext &context, const StandardizeSchedule &) {
  Func output = context.output;
  std::vector<Var> v = imageVars(context.outputValue.type.shape.size());
  bool isFilter = v.size() == 4;
  for (auto &[name, stage] : context.anchorFuncs.stages) {
    Func func = stage;
    func.compute_at(output, v.back());
    if (func.dimensions() == 2 && !context.plain) {
      func.vectorize(func.args()[0], 16);
      func.update().vectorize(func.args()[0], 16);
    }
  }
  if (context.plain)
    return;
  output.parallel(v.back());
  if (isFilter)
    output.vectorize(v[0], context.lanes(), TailStrategy::GuardWithIf);
}

} // namespace rootc::codegen
