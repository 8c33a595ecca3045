//===- Map.cpp - Schedules of whatever is no convolution ------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A thread has a value of the output. What it alone reads is computed there, in
// registers; what many threads read is kept in memory by a loop of its own, a
// value a thread again. So a sum over the batch has several levels: chunks,
// images, all, whose order follows from the shape alone.
//
//===----------------------------------------------------------------------===//

#include "codegen/Schedules/Cuda/Device.h"

#include <algorithm>

using namespace Halide;

namespace rootc::codegen {

namespace {
class Placement {
public:
  Placement(const ScheduleContext &context, int64_t threads)
      : context(context), threads(threads), stages(context.anchorFuncs.stages) {
  }

  void place() {
    const std::vector<int64_t> &shape = context.outputValue.type.shape;
    std::vector<int64_t> extents(shape.rbegin(), shape.rend());
    thread = acrossThreads(context.output, {threads, extents});
    for (const auto &[name, stage] : stages)
      placeStage(name, stage);
  }

private:
  bool has(const std::string &name) const { return stages.count(name) != 0; }

  void keep(Func func, const std::vector<int64_t> &extents) {
    keepInMemory(std::move(func), {threads, extents});
  }

  void inRegisters(Func func) { func.compute_at(context.output, thread); }

  /// Summed image by image, then over these.
  void sumImages(Func total) {
    std::vector<RVar> r = total.rvars();
    if (r.size() == 2) {
      Var image("image");
      keep(total.update().rfactor(r[1], image), {mapChannels(), 8});
    }
    inRegisters(total);
  }

  int64_t mapChannels() const {
    return context.operands.at(0).type.shape.back();
  }

  void placeStage(const std::string &name, Func stage) {
    const std::string &op = context.anchor->name;
    auto begins = [&](const char *prefix) { return name.starts_with(prefix); };
    if (op.starts_with("standardize"))
      return keep(stage, {stage.dimensions() == 2 ? 16 : 64, 16});
    if (op == "clip_norm")
      return keep(stage, {64, 8});
    if (name == "chunk") {
      Var at = keepInMemory(stage, {threads, {mapChannels(), 8}});
      context.stage("registers").compute_at(stage, at);
    } else if (begins("lane ")) {
      keep(stage, {16, 64});
    } else if (begins("position ")) {
      // The sums over channels; what is made of one is computed by its readers.
      if (stage.has_update_definition() ||
          has("lane " + name.substr(std::string("position ").size())))
        keep(stage, {64, 8});
    } else if (begins("copy ")) {
      if (isComputed(context.kernel, *context.anchor,
                     static_cast<size_t>(name.back() - '0')))
        keep(stage, {mapChannels(), 64});
    } else if (begins("total")) {
      sumImages(stage);
    } else if (begins("image") || begins("group") || name == "row" ||
               name == "loss") {
      keep(stage, {64, 8});
    } else if (name == "joined") {
      joinInMemory(stage);
    } else if (name == "sum" || name == "largest") {
      if (has("loss")) // of an image, by the thread that has its loss
        return;
      if (has("image") || has("exponent"))
        keep(stage, {64, 8});
      else
        inRegisters(stage);
    } else if (name == "row4") { // neighbours' ratios
      keep(stage, {mapChannels(), 8});
    } else if (name == "accumulator" || begins("new ")) {
      inRegisters(stage);
    }
  }

  /// Operand by operand.
  void joinInMemory(Func joined) {
    joined.compute_root();
    for (int i = 0; i < joined.num_update_definitions(); ++i) {
      std::vector<Var> v = imageVars(4);
      acrossThreads(joined.update(i), {joined.rvars(i)[0], v[1], v[2], v[3]},
                    {threads, {64, 8}});
    }
  }

  const ScheduleContext &context;
  int64_t threads;
  const std::map<std::string, Func> &stages;
  Var thread;
};
} // namespace

void apply(const ScheduleContext &context, const DeviceMapSchedule &schedule) {
  Placement(context, schedule.threads).place();
}

} // namespace rootc::codegen
