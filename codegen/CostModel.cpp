//===- CostModel.cpp - How long a kernel should take ----------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/CostModel.h"
#include "codegen/Costs/Costs.h"
#include "codegen/KernelWork.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace rootc::codegen {

//===----------------------------------------------------------------------===//
// Machines
//===----------------------------------------------------------------------===//

Machine::Bandwidth Machine::at(double bytes) const {
  auto above = std::find_if(
      bandwidth.begin(), bandwidth.end(),
      [&](const Bandwidth &level) { return level.bytes >= bytes; });
  if (above == bandwidth.begin())
    return bandwidth.front();
  if (above == bandwidth.end())
    return bandwidth.back();
  const Bandwidth &below = above[-1];
  double part =
      std::log2(bytes / below.bytes) / std::log2(above->bytes / below.bytes);
  return {bytes, below.read + part * (above->read - below.read),
          below.written + part * (above->written - below.written)};
}

double Machine::nearBytes() const {
  double bytes = bandwidth.front().bytes;
  for (const Bandwidth &level : bandwidth)
    if (2 * level.read >= bandwidth.front().read)
      bytes = level.bytes;
  return bytes / double(threads);
}

Machine typicalMachine(const TargetInfo &target, int64_t threads) {
  Machine machine;
  machine.threads = std::max<int64_t>(threads, 1);
  auto cores = double(machine.threads);
  bool wide = target.vectorBits >= 512;
  machine.name = wide                       ? "a typical AVX-512 server's"
                 : target.vectorBits >= 256 ? "a typical AVX2 server's"
                                            : "a typical SSE machine's";
  // Measured on one: 3.75 GHz, 2 MiB of L2 a core.
  const double cycles = 3.75e9, mega = 1 << 20, giga = 1e9;
  machine.flops = cores * cycles * 4 * double(target.vectorBits / 32);
  double width = wide ? 1 : 0.6; // of what loads reach in the first caches
  machine.bandwidth = {
      {cores * mega, cores * width * 160 * giga, cores * width * 70 * giga},
      {cores * 4 * mega, cores * 28 * giga, cores * 27 * giga},
      {cores * 32 * mega, cores * 28 * giga, cores * 27 * giga},
      {cores * 128 * mega, cores * 15 * giga, cores * 12 * giga}};
  return machine;
}

const char *nameOf(Bound bound) {
  switch (bound) {
  case Bound::Arithmetic:
    return "arithmetic";
  case Bound::Memory:
    return "memory";
  case Bound::Threads:
    return "threads";
  case Bound::Start:
    return "start";
  }
  return "";
}

const char *nameOf(Part part) {
  switch (part) {
  case Part::MultiplyAdds:
    return "multiply-adds";
  case Part::Lanes:
    return "lanes";
  case Part::Tiles:
    return "tiles";
  case Part::Loads:
    return "loads";
  case Part::Other:
    return "other";
  case Part::Memory:
    return "memory";
  case Part::Threads:
    return "threads";
  case Part::Start:
    return "start";
  }
  return "";
}

double Prediction::seconds() const {
  return std::accumulate(parts.begin(), parts.end(), 0.0);
}

//===----------------------------------------------------------------------===//
// All together
//===----------------------------------------------------------------------===//

/// Of a filter's blocks that come ahead of their use, this part is waited for.
constexpr double waitedFor = 0.5;
/// Of a call, and of a task, in seconds.
constexpr double callSeconds = 3e-6, taskSeconds = 0.4e-6;
/// How well arithmetic hides memory: time is the norm of both of this order, 1
/// being not at all.
constexpr double overlap = 1.2;

/// The ops before a kernel's last anchor, run once for each row that it reads.
static double rowsTwice(const Problem &problem) {
  const AttributeMap &attributes = problem.anchor->attributes;
  auto pair = [&](const char *name) -> int64_t {
    auto entry = attributes.find(name);
    if (entry == attributes.end())
      return 1;
    auto *values = std::get_if<std::vector<int64_t>>(&entry->second);
    return values ? values->at(0) : 1;
  };
  auto rows = problem.kernel.schedule.find("rows");
  double each =
      double(rows == problem.kernel.schedule.end() ? 1 : rows->second) *
      double(pair("stride"));
  return 1 +
         double(std::max<int64_t>(pair("kernel") - pair("stride"), 0)) / each;
}

Prediction predict(const Problem &problem, const Machine &machine,
                   int64_t batch, const std::vector<double> &distances) {
  const Kernel &kernel = problem.kernel;
  Prediction result;
  double perSecond = machine.flops / double(4 * problem.lanes());
  auto add = [&](const Cost &cost, double times) {
    auto parts = cost.parts();
    for (size_t i = 0; i < parts.size(); ++i) {
      double seconds = times * parts[i] / perSecond;
      result.parts[i] += seconds;
      result.arithmetic += seconds;
    }
    result.again += cost.again;
    result.storedFirst |= cost.storedFirst;
  };
  Cost cost = CostOf(problem, machine, batch).cost();
  add(cost, 1);
  if (problem.inner) {
    Kernel inner = kernel; // with its own default schedule
    inner.schedule.clear();
    Problem own = Problem(inner, problem.target).ofInner();
    add(CostOf(own, machine, batch).cost(), rowsTwice(problem));
  }

  KernelWork work = workOf(kernel);
  double read = work.read.of(batch), written = work.written.of(batch);
  for (size_t input = 0; input < kernel.inputs.size(); ++input)
    result.memory +=
        readOf(kernel, input).of(batch) /
        machine.at(input < distances.size() ? distances[input] : read + written)
            .read;
  Machine::Bandwidth level = machine.at(read + written);
  bool inPlace = problem.anchor && isUpdate(*problem.anchor);
  // A line that was read need not be fetched before it is written.
  result.memory += written / ((inPlace ? 2 : 1) * level.written);
  double afar = double(32 << 20);
  result.memory += waitedFor * result.again / machine.at(afar).read;
  if (result.storedFirst)
    result.memory += written / machine.at(written).read +
                     written / machine.at(written).written;

  double together = std::pow(std::pow(result.arithmetic, overlap) +
                                 std::pow(result.memory, overlap),
                             1 / overlap);
  auto threads = double(machine.threads);
  double balance = std::ceil(cost.tasks / threads) * threads / cost.tasks;
  double start = callSeconds + taskSeconds * cost.tasks / threads;
  auto set = [&](Part part, double seconds) {
    result.parts[size_t(part)] = seconds;
  };
  set(Part::Memory, together - result.arithmetic);
  set(Part::Threads, together * (balance - 1));
  set(Part::Start, start);
  result.tasks = int64_t(cost.tasks);
  const double uneven = 1.3;
  result.bound = start > together                    ? Bound::Start
                 : balance > uneven                  ? Bound::Threads
                 : result.memory > result.arithmetic ? Bound::Memory
                                                     : Bound::Arithmetic;
  return result;
}

} // namespace rootc::codegen
