//===- MapCosts.cpp - Cycles of whatever is no convolution ----------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/Costs/Costs.h"

#include <cmath>
#include <stdexcept>
#include <string>

namespace rootc::codegen {

/// Of a vector that is reduced: a chain of sums, once a pass.
constexpr double reduceCycles = 6;

/// Of an op on a vector.
static double cyclesOf(const std::string &name) {
  static const std::map<std::string, double> table = {
      {"sigmoid", 16},
      {"silu", 18},
      {"gelu", 24},
      {"mish", 40},
      {"softplus", 30},
      {"elu", 16},
      {"gelu_backward", 40},
      {"silu_backward", 24},
      {"mish_backward", 50},
      {"softplus_backward", 16},
      {"branch_softmax", 20},
      {"dropout", 50},
      {"sample_mask", 1},
      {"local_response_norm", 42},
      {"local_response_norm_backward", 75},
      {"channel_shuffle", 8},
      {"softmax_cross_entropy", 40},
      {"softmax_cross_entropy_backward", 40}};
  auto found = table.find(name);
  return found == table.end() ? 1 : found->second;
}

double CostOf::elementwise() const {
  if (problem.nested) // counted once, with the last anchor
    return 0;
  double cycles = 0;
  for (const Op &op : kernel.ops)
    if (&op != problem.anchor && &op != problem.inner)
      cycles += cyclesOf(op.name) * mapVectors(op.results.at(0));
  return cycles;
}

template <typename Family>
Cost CostOf::of(const ImageSchedule<Family> &s) const {
  const std::vector<int64_t> &out = problem.shape();
  Cost cost;
  cost.beside = elementwise();
  if (problem.anchor)
    for (const TensorType &type : problem.anchor->results)
      cost.beside += (1 + cyclesOf(problem.anchor->name)) * mapVectors(type);
  cost.tasks = ceilOf(out.at(1), s.rows) * double(batch);
  return cost;
}

Cost CostOf::of(const PoolSchedule &s) const {
  const std::vector<int64_t> &out = problem.shape();
  auto entry = problem.anchor->attributes.find("kernel");
  double taps = 4; // of a resampling, about
  if (entry != problem.anchor->attributes.end())
    if (auto *kernel = std::get_if<std::vector<int64_t>>(&entry->second))
      taps = double(kernel->at(0) * kernel->at(1));
  bool backward = problem.anchor->name.ends_with("_backward");
  const TensorType &result = problem.anchor->results.at(0);
  if (backward) { // an element is under few windows
    double larger = elements(result) /
                    elements(kernel.type(problem.anchor->operands.at(0)));
    taps = std::max(2 * taps / larger, 2.0);
  }
  double each = problem.anchor->results.size() > 1 ? 2.5 : 1;
  Cost cost;
  cost.beside = (2 + taps * each) * mapVectors(result) + elementwise();
  cost.tasks = ceilOf(out.at(1), s.rows) * double(batch);
  return cost;
}

Cost CostOf::of(const ReductionSchedule &) const {
  const TensorType &map = kernel.type(problem.anchor->operands.at(0));
  Cost cost;
  // Twice where deviations follow a mean; from cache the second time.
  double passes = problem.anchor->name == "channel_sum" ? 1 : 2;
  cost.beside = passes * reduceCycles * mapVectors(map) + 2 * elementwise();
  double bytes = 4 * elements(map) / double(batch);
  cost.tasks = double(batch) * std::max(std::ceil(bytes / (256 * 1024)), 1.0);
  return cost;
}

Cost CostOf::of(const PackSchedule &) const {
  const TensorType &packed = problem.anchor->results.at(0);
  Cost cost;
  cost.beside = vectors(packed) * gatherCycles;
  cost.tasks = std::max(std::ceil(elements(packed) / (16 * 1024)), 1.0);
  return cost;
}

template <typename Family>
Cost CostOf::of(const FixedSchedule<Family> &) const {
  Cost cost;
  cost.beside = elementwise();
  double most = 0;
  for (const TensorType &type : kernel.inputs)
    most = std::max(most, vectors(type));
  if (problem.anchor) {
    for (const TensorType &type : problem.anchor->results)
      most = std::max(most, vectors(type));
    cost.beside += (2 + cyclesOf(problem.anchor->name)) * most;
  }
  bool images = problem.shape().size() == 4 && problem.shape()[0] < 0;
  cost.tasks =
      images ? double(batch) : std::max(std::ceil(most / (4 * 1024)), 1.0);
  return cost;
}

Cost CostOf::cost() const { return costWith(readSchedule(problem).schedule); }

Cost CostOf::costWith(const TypedSchedule &schedule) const {
  // Nothing is known of an autoscheduler's: as if the kernel had its default.
  if (std::holds_alternative<AutoscheduledSchedule>(schedule))
    return costWith(defaultSchedule(problem));
  return std::visit(
      [&](const auto &family) -> Cost {
        if constexpr (requires { of(family); })
          return of(family);
        else
          throw std::invalid_argument(std::string("the schedule family '") +
                                      family.name() + "' has no cost model");
      },
      schedule);
}

} // namespace rootc::codegen
