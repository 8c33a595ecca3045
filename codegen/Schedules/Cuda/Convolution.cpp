//===- Convolution.cpp - Forward and backward-data on a device ------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A thread has a register tile: a few out channels of a few columns (or images,
// where maps are one pixel). Threads of a block run across the channels of a
// block of the filter, columns and rows, and have what they read in shared
// memory, zeros around it, where that has a place there. Tiles at the end of a
// row lie over the ones before: both threads write the same.
//
// Where pixels have phases, a thread has all phases of its tile; of many phases
// each pixel is a thread, and then they are interleaved.
//
//===----------------------------------------------------------------------===//

#include "codegen/Algorithms/Convolution.h"
#include "codegen/Schedules/Cuda/Device.h"

using namespace Halide;

namespace rootc::codegen {

namespace {
constexpr auto Guard = TailStrategy::GuardWithIf;
constexpr auto Exact = TailStrategy::RoundUp;

class DeviceConvolution {
public:
  DeviceConvolution(const ScheduleContext &context,
                    const DeviceConvolutionSchedule &schedule)
      : context(context), gather(gatherOf(context.kernel, *context.anchor)),
        accumulator(context.stage("accumulator")), total(accumulator),
        strip(context.stage("strip")), stage(schedule.stage != 0),
        threadsC(static_cast<int>(schedule.threadsC)),
        threadsN(static_cast<int>(schedule.threadsN)),
        threadsX(static_cast<int>(schedule.threadsX)),
        threadsY(static_cast<int>(schedule.threadsY)),
        tileC(static_cast<int>(gather.layout.block)),
        tileN(static_cast<int>(schedule.tileN)),
        tileX(static_cast<int>(schedule.tileX)) {
    if (has("total"))
      total = context.stage("total");
  }

  void apply() {
    // Shared memory has it once for the block, else it is in memory.
    if (!stage)
      keepOperands(context);
    if (gather.layout.groupLanes())
      return inGroupLanes();
    auto counts = gather.phaseCount();
    const int64_t manyPhases = 4;
    if (has("tiles") && counts[0] * counts[1] > manyPhases)
      return byPixels();
    inTiles(context.output);
  }

private:
  bool has(const char *name) const {
    return context.anchorFuncs.stages.count(name) != 0;
  }

  /// The sums where `at` says, a tile of them unrolled.
  void inRegisters(const LoopLevel &at) {
    total.compute_at(at);
    if (has("total"))
      accumulator.compute_at(total, total.rvars()[0]);
  }

  void unrollTile(Func sums) {
    std::vector<Var> v = sums.args(); // l, x, y, n, b, phases of x, of y
    std::vector<VarOrRVar> order = {v[0], v[1], v[3]};
    sums.bound_extent(v[0], tileC).bound_extent(v[1], tileX);
    sums.bound_extent(v[2], 1).bound_extent(v[3], tileN).bound_extent(v[4], 1);
    if (has("tiles")) {
      auto counts = gather.phaseCount();
      for (int d : {0, 1}) {
        sums.bound_extent(v[5 + d], static_cast<int>(counts[1 - d]));
        order.push_back(v[5 + d]);
      }
    }
    auto unroll = [&](Stage definition) {
      for (size_t d = 0; d < order.size(); ++d)
        if (!order[d].is_rvar)
          definition.unroll(order[d]);
    };
    unroll(sums);
    std::vector<VarOrRVar> loops = order;
    for (const RVar &r : sums.rvars())
      loops.push_back(r);
    sums.update().reorder(loops);
    unroll(sums.update());
  }

  void inTiles(Func output) {
    const FilterLayout &layout = gather.layout;
    auto channels = static_cast<int>(layout.groups * layout.outPerGroup);
    output.split(c, co, cv, tileC, channels % tileC == 0 ? Exact : Guard)
        .split(co, co, ct, threadsC, Exact);
    byPhases(output, x, xp, 1, gather.width);
    byPhases(output, y, yp, 0, gather.height);
    output.split(x, xo, xi, tileX * threadsX, TailStrategy::ShiftInwards)
        .split(xi, xt, xi, tileX, Exact)
        .split(y, yo, yt, threadsY, TailStrategy::ShiftInwards)
        .split(n, no, ni, tileN * threadsN, Guard)
        .split(ni, nt, ni, tileN, Guard)
        .reorder({cv, xp, xi, yp, ni, ct, xt, rowsOrImages(yt, nt),
                  rowsOrImages(nt, yt), co, xo, yo, no});
    for (const Var &var : {cv, xp, xi, yp, ni})
      output.unroll(var);
    // The other one has one thread.
    Var rest = rowsOrImages(nt, yt);
    output.fuse(rest, co, block0)
        .fuse(block0, xo, block1)
        .fuse(block1, yo, block2)
        .fuse(block2, no, task);
    overDevice(output, {task}, {ct, xt, rowsOrImages(yt, nt)});
    inRegisters(LoopLevel(output, ct));
    unrollTile(total);
    if (has("total"))
      unrollTile(accumulator);
    if (stage)
      share(LoopLevel(output, task));
  }

  const Var &rowsOrImages(const Var &rows, const Var &images) const {
    return threadsN > 1 ? images : rows;
  }

  /// The pixels of a phase, of which a thread has all phases.
  void byPhases(Func output, const Var &v, const Var &phase, int d,
                int64_t size) {
    auto count = static_cast<int>(gather.phases[d]);
    output.split(v, v, phase, count, size % count == 0 ? Exact : Guard);
  }

  /// What a block reads, copied by its threads.
  void share(const LoopLevel &block) {
    std::vector<Var> v = strip.args(); // c, x, y, n
    Var images = v[3], rows = v[2];
    strip.compute_at(block).store_in(MemoryType::GPUShared);
    // Threads have whole groups, or are of one.
    strip.bound_extent(
        v[0],
        static_cast<int>(gather.layout.inPerGroup *
                         ceilDiv(threadsC, gather.layout.blocksPerGroup)));
    strip.split(v[0], co, ct, threadsC, Guard)
        .split(v[1], xo, xt, threadsX, Guard)
        .split(rowsOrImages(rows, images), yo, yt,
               threadsN > 1 ? threadsN : threadsY, Guard)
        .reorder({co, xo, yo, rowsOrImages(images, rows), ct, xt, yt});
    overDevice(strip, {}, {ct, xt, yt});
  }

  void byPixels() {
    Func tiles = context.stage("tiles");
    tiles.compute_root();
    // l, x, y, b, phases, n: where what is divided by is not known, as behind
    // the images, Halide does not see that a thread has one value.
    std::vector<Var> v = tiles.args();
    acrossThreads(tiles, {v[0], v[1], v[2], v[4], v[5], v[6], v[3]},
                  {threads(), {gather.layout.block, 8}});
    inRegisters(LoopLevel(tiles, Var(v[0].name() + "t")));
    acrossThreads(context.output,
                  {threads(), {context.outputValue.channels(), 8}});
  }

  int64_t threads() const { return 256; }

  /// Threads run across groups; each has one out channel. Results are
  /// written by an update over the block's groups and out channels.
  void inGroupLanes() {
    Func target = context.output;
    if (!target.has_update_definition()) {
      target = context.anchorFuncs.results[0];
      target.compute_root();
      acrossThreads(context.output,
                    {threads(), {context.outputValue.channels(), 8}});
    }
    bool phased = gather.phases[0] != 1 || gather.phases[1] != 1;
    std::vector<RVar> s = target.rvars(0); // group, out channel, block
    RVar go("go"), gt("gt"), f0("f0"), f1("f1");
    acrossThreads(target, {threads(), {context.outputValue.channels(), 8}});
    Stage update = target.update(0);
    update.allow_race_conditions(); // what is written twice is the same
    update.split(s[0], go, gt, threadsC, Guard)
        .split(x, xo, xi, tileX * static_cast<int>(gather.phases[1]), Guard)
        .split(xo, xo, xt, threadsX, Guard)
        .split(y, yo, yi, static_cast<int>(gather.phases[0]), Guard)
        .split(yo, yo, yt, threadsY, Guard)
        .reorder({xi, yi, gt, xt, yt, go, s[1], s[2], xo, yo, n})
        .fuse(go, s[1], f0)
        .fuse(f0, s[2], f1)
        .fuse(xo, yo, block0)
        .fuse(block0, n, task);
    overDevice(update, {f1, task}, {gt, xt, yt});
    if (!phased)
      update.unroll(xi).unroll(yi);
    accumulator.compute_at(target, gt);
    std::vector<Var> v = accumulator.args(); // l, o, x, y, n, b, phases
    accumulator.bound_extent(v[0], 1).bound_extent(v[1], 1);
    accumulator.bound_extent(v[2], tileX).bound_extent(v[3], 1);
    std::vector<VarOrRVar> loops = {v[2]};
    std::vector<RVar> r = accumulator.rvars();
    loops.insert(loops.end(), {r[0], r[1], r[2]});
    if (phased) {
      auto counts = gather.phaseCount();
      accumulator.bound_extent(v[6], static_cast<int>(counts[1]))
          .bound_extent(v[7], static_cast<int>(counts[0]));
      loops.insert(loops.end(), {v[6], v[7]});
    }
    accumulator.unroll(v[2]);
    accumulator.update().reorder(loops).unroll(v[2]);
    if (!stage)
      return;
    std::vector<Var> at = strip.args(); // l, i, x, y, n, b
    strip.compute_at(target, f1)
        .store_in(MemoryType::GPUShared)
        .split(at[0], co, ct, threadsC, Guard)
        .split(at[2], xo, xt, threadsX, Guard)
        .split(at[3], yo, yt, threadsY, Guard)
        .reorder({co, xo, yo, at[1], at[4], at[5], ct, xt, yt});
    overDevice(strip, {}, {ct, xt, yt});
  }

  const ScheduleContext &context;
  Gather gather;
  Func accumulator, total, strip;
  bool stage;
  int threadsC, threadsN, threadsX, threadsY, tileC, tileN, tileX;
  Var c = Var("c"), x = Var("x"), y = Var("y"), n = Var("n");
  Var co = Var("co"), ct = Var("ct"), cv = Var("cv"), xo = Var("xo"),
      xi = Var("xi"), xt = Var("xt"), xp = Var("xp"), yo = Var("yo"),
      yi = Var("yi"), yt = Var("yt"), yp = Var("yp"), no = Var("no"),
      ni = Var("ni"), nt = Var("nt"), block0 = Var("block0"),
      block1 = Var("block1"), block2 = Var("block2"), task = Var("task");
};
} // namespace

void apply(const ScheduleContext &context,
           const DeviceConvolutionSchedule &schedule) {
  DeviceConvolution(context, schedule).apply();
}

} // namespace rootc::codegen
