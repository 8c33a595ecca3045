//===- Families.cpp - Which schedule an anchor op selects on the CPU ------===//
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

int ScheduleContext::registers() const {
  return target.natural_vector_size<float>() >= 16 ? 32 : 16;
}

int64_t ScheduleContext::knob(const std::string &name,
                              int64_t otherwise) const {
  auto entry = kernel.schedule.find(name);
  return entry == kernel.schedule.end() ? otherwise : entry->second;
}

Func ScheduleContext::stage(const std::string &name) const {
  auto entry = anchorFuncs.stages.find(name);
  if (entry == anchorFuncs.stages.end())
    throw std::invalid_argument("the anchor has no stage '" + name + "'");
  return entry->second;
}

ScheduleFamily cpuFamily(const Op *anchor) {
  if (!anchor)
    return schedulePointwise;
  static const std::map<std::string, ScheduleFamily> families = {
      {"average_pool", schedulePool},
      {"average_pool_backward", schedulePool},
      {"batch_norm_backward_reduce", scheduleReduction},
      {"batch_norm_combine", scheduleReduction},
      {"batch_norm_partial", scheduleReduction},
      {"batch_norm_statistics", scheduleReduction},
      {"channel_sum", scheduleReduction},
      {"concat", scheduleConcat},
      {"conv2d", scheduleConvolution},
      {"conv2d_backward_data", scheduleConvolution},
      {"conv2d_backward_filter", scheduleFilterGradient},
      {"global_average_pool", scheduleGlobalPool},
      {"local_response_norm", scheduleLocalResponseNorm},
      {"local_response_norm_backward", scheduleLocalResponseNorm},
      {"max_pool", schedulePool},
      {"max_pool_backward", schedulePool},
      {"max_pool_with_index", schedulePool},
      {"pack_filter", schedulePackFilter},
      {"pad_channels", scheduleConcat},
      {"reduce_sum", scheduleReduceSum},
      {"sgd", scheduleSgd},
      {"softmax_cross_entropy", scheduleLoss},
      {"softmax_cross_entropy_backward", scheduleLoss},
  };
  auto family = families.find(anchor->name);
  if (family == families.end())
    throw std::invalid_argument("no schedule for the op '" + anchor->name +
                                "'");
  return family->second;
}

} // namespace rootc::codegen
