//===- Loss.cpp - Softmax cross entropy -----------------------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/Schedules/Schedules.h"

using namespace Halide;

namespace rootc::codegen {

void apply(const ScheduleContext &context, const LossSchedule &) {
  Func largest = context.stage("largest");
  Func exponent = context.stage("exponent"), sum = context.stage("sum");
  bool vectors = !context.plain;
  int lanes = context.lanes();
  Func image = context.output; // where one image's softmax is computed
  Var n = imageVars(4)[3];
  if (context.anchorFuncs.stages.count("loss")) {
    image = context.stage("loss");
    n = image.args()[0];
    image.compute_root();
    context.stage("total").compute_root();
  } else if (vectors) {
    image.vectorize(imageVars(4)[0], lanes, TailStrategy::GuardWithIf);
  }
  if (vectors)
    image.parallel(n);
  const auto &stages = context.anchorFuncs.stages;
  if (stages.count("norm"))
    context.stage("norm").compute_root();
  if (stages.count("below"))
    context.stage("below").compute_at(image, n);
  largest.compute_at(image, n);
  exponent.compute_at(image, n);
  sum.compute_at(image, n);
  if (vectors)
    exponent.vectorize(exponent.args()[0], lanes, TailStrategy::GuardWithIf);
}

} // namespace rootc::codegen
