//===- Context.cpp - What every schedule sees of its kernel ---------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/Schedules/Schedules.h"

#include <stdexcept>

using namespace Halide;

namespace rootc::codegen {

int ScheduleContext::lanes() const {
  return plain ? 1 : target.natural_vector_size<float>();
}

Func ScheduleContext::stage(const std::string &name) const {
  auto entry = anchorFuncs.stages.find(name);
  if (entry == anchorFuncs.stages.end())
    throw std::invalid_argument("the anchor has no stage '" + name + "'");
  return entry->second;
}

std::vector<std::string>
ScheduleContext::inputsLike(const TensorType &map) const {
  std::vector<std::string> names;
  for (size_t n = 0; n < kernel.inputs.size(); ++n)
    if (kernel.inputs[n].shape == map.shape)
      names.push_back("in" + std::to_string(n));
  return names;
}

void computeInner(const ScheduleContext &context, LoopLevel task) {
  if (!context.inner)
    return;
  ScheduleContext &inner = *context.inner;
  inner.within = context.within ? *context.within : task;
  inner.output.compute_at(*inner.within);
  std::visit([&](const auto &family) { apply(inner, family); }, inner.schedule);
}

} // namespace rootc::codegen
