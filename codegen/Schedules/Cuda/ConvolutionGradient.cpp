//===- ConvolutionGradient.cpp - Backward-filter on a device --------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A thread sums a register tile of out channels x in channels over the pixels
// of a chunk, in order. Chunks are kept in memory, then added in order: nothing
// is summed by two threads at once.
//
//===----------------------------------------------------------------------===//

#include "codegen/Algorithms/Convolution.h"
#include "codegen/Schedules/Cuda/Device.h"

#include <algorithm>

using namespace Halide;

namespace rootc::codegen {

namespace {
constexpr auto Guard = TailStrategy::GuardWithIf;

class DeviceGradient {
public:
  DeviceGradient(const ScheduleContext &context,
                 const DeviceGradientSchedule &schedule)
      : context(context), tileI(static_cast<int>(schedule.tileI)),
        tileO(static_cast<int>(schedule.tileO)),
        threadsI(static_cast<int>(schedule.threadsI)),
        threadsO(static_cast<int>(schedule.threadsO)) {}

  void apply() {
    ConvShape shape = convShapeOf(context.kernel, *context.anchor);
    Func output = context.output;
    keepOperands(context);
    if (has("positions")) {
      acrossThreads(output, {threads, {shape.inPerGroup(), 8}});
      output = context.stage("positions");
      output.compute_root();
    }
    if (!has("partial")) {
      Func total = context.stage("total");
      Var at = inTiles(output, output.args()[0], output.args()[3], {});
      total.compute_at(output, at);
      unrollTile(total, total.args()[0], total.args()[3]);
      return;
    }
    acrossThreads(output, {threads, {shape.inPerGroup(), 8}});
    Func partial = context.stage("partial"), kept = partial.in();
    kept.compute_root();
    std::vector<Var> v = kept.args();
    bool lanes = groupsInnermost(shape), ins = has("sums") && !lanes;
    // (l, o, i, ...), (i, kx, ky, o, ...) and (o, g, i, ...).
    Var i = ins ? v[0] : v[2], o = lanes ? v[1] : ins ? v[3] : v[0];
    std::vector<Var> across;
    if (lanes)
      across.push_back(v[0]);
    // Less than a warp: the taps of a row are threads too.
    const int64_t warp = 32;
    if (!lanes && threadsI * threadsO < warp && shape.kernel[1] <= warp)
      across.push_back(ins ? v[1] : v[3]);
    Var at = inTiles(kept, i, o, across);
    partial.compute_at(kept, at);
    unrollTile(partial, i, o);
    if (has("sums")) {
      Func sums = context.stage("sums");
      sums.compute_at(partial, partial.rvars()[0]);
      unrollTile(sums, i, o);
    }
    if (has("total") && context.stage("total").has_update_definition())
      context.stage("total").compute_at(output, outputThread(output));
  }

private:
  bool has(const char *name) const {
    return context.anchorFuncs.stages.count(name) != 0;
  }

  /// acrossThreads() names it so.
  static Var outputThread(Func output) {
    return Var(output.args()[0].name() + "t");
  }

  /// A tile of `i` x `o` a thread; all of `across` are threads too. The
  /// innermost loop over threads.
  Var inTiles(Func func, Var i, Var o, const std::vector<Var> &across) {
    std::vector<Var> args = func.args();
    Var io("io"), it("it"), ii("ii"), oo("oo"), ot("ot"), oi("oi");
    func.split(i, io, ii, tileI, TailStrategy::RoundUp)
        .split(o, oo, oi, tileO, TailStrategy::RoundUp)
        .split(io, io, it, threadsI, Guard)
        .split(oo, oo, ot, threadsO, Guard);
    std::vector<VarOrRVar> order = {ii, oi};
    std::vector<Var> inner = across;
    inner.push_back(it);
    inner.push_back(ot);
    std::vector<Var> blocks = {io, oo};
    for (const Var &arg : args)
      if (arg.name() != i.name() && arg.name() != o.name() &&
          std::none_of(across.begin(), across.end(), [&](const Var &other) {
            return other.name() == arg.name();
          }))
        blocks.push_back(arg);
    order.insert(order.end(), inner.begin(), inner.end());
    order.insert(order.end(), blocks.begin(), blocks.end());
    func.reorder(order).unroll(ii).unroll(oi);
    Var block = blocks[0];
    for (size_t d = 1; d < blocks.size(); ++d) {
      Var fused("fused" + std::to_string(d));
      func.fuse(block, blocks[d], fused);
      block = fused;
    }
    overDevice(func, {block}, {inner.begin(), inner.end()});
    return inner[0];
  }

  void unrollTile(Func sums, Var i, Var o) {
    for (const Var &arg : sums.args())
      sums.bound_extent(arg, arg.name() == i.name()   ? tileI
                             : arg.name() == o.name() ? tileO
                                                      : 1);
    sums.unroll(i).unroll(o);
    std::vector<VarOrRVar> order = {i, o};
    for (const RVar &r : sums.rvars())
      order.push_back(r);
    sums.update().reorder(order).unroll(i).unroll(o);
  }

  const ScheduleContext &context;
  int tileI, tileO, threadsI, threadsO;
  static constexpr int64_t threads = 256;
};
} // namespace

void apply(const ScheduleContext &context,
           const DeviceGradientSchedule &schedule) {
  DeviceGradient(context, schedule).apply();
}

} // namespace rootc::codegen
