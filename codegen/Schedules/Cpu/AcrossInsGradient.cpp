//===- AcrossInsGradient.cpp - Backward-filter across in channels ---------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A register tile of in channels x out channels runs over the pixels of a
// strip: a few rows, or a few images where maps are small. All tiles of a task
// pass over a strip, which the L2 cache holds, before the next one; their sums
// lie as the filter does.
//
//===----------------------------------------------------------------------===//

#include "codegen/Algorithms/Convolution.h"
#include "codegen/Schedules/Cpu/Ahead.h"
#include "codegen/Schedules/Cpu/Convolution.h"

using namespace Halide;

namespace rootc::codegen {

void apply(const ScheduleContext &context,
           const AcrossInsGradientSchedule &schedule) {
  if (context.plain)
    return schedulePlainAcrossInsGradient(context);
  ConvShape shape = convShapeOf(context.kernel, *context.anchor);
  FilterGradientStrip size = filterGradientStrip(shape);
  Func partial = context.stage("partial"), sums = context.stage("sums"),
       strip = context.stage("strip"), dy = context.stage("dy"),
       output = gradientOf(context);
  auto lanes = static_cast<int>(schedule.lanes),
       vectors = static_cast<int>(schedule.vectors),
       tileO = static_cast<int>(schedule.tileO),
       blockI = static_cast<int>(schedule.blockI),
       blockO = static_cast<int>(schedule.blockO);
  std::vector<Var> v = partial.args(); // i, kx, ky, o, g, k
  Var i = v[0], o = v[3], g = v[4], k = v[5], iv("iv"), it("it"), ib("ib"),
      ot("ot"), ob("ob"), task("task");
  RVar strips = partial.rvars()[0], units = partial.rvars()[1];
  std::vector<Var> f = output.args(); // i, kx, ky, o
  // Where the batch is one chunk, a task's sums stay in the L2 cache.
  bool whole = filterGradientChunks(shape) == 1 && shape.groups == 1;
  Stage update = partial.update();
  update.split(i, iv, i, lanes, TailStrategy::RoundUp)
      .split(iv, it, iv, vectors, TailStrategy::RoundUp);
  if (whole) {
    output.split(f[0], ib, f[0], blockI, TailStrategy::RoundUp)
        .split(f[3], ob, f[3], blockO, TailStrategy::RoundUp)
        .reorder(f[0], f[1], f[2], f[3], ib, ob)
        .fuse(ib, ob, task)
        .parallel(task)
        .vectorize(f[0], lanes);
    partial.compute_at(output, task)
        .store_in(memoryFor(int64_t(4) * blockI * blockO * shape.kernel[0] *
                            shape.kernel[1]))
        .vectorize(i, lanes);
    update.split(o, ot, o, tileO, TailStrategy::GuardWithIf)
        .reorder({i, iv, o, ot, v[1], v[2], it, strips, units, g, k});
  } else {
    output.vectorize(f[0], lanes, TailStrategy::RoundUp).parallel(f[3]);
    partial.compute_root().vectorize(i, lanes).parallel(o);
    update.split(it, ib, it, blockI / (lanes * vectors), TailStrategy::RoundUp)
        .split(o, ob, o, blockO, TailStrategy::GuardWithIf)
        .split(o, ot, o, tileO, TailStrategy::GuardWithIf)
        .reorder({i, iv, o, ot, v[1], v[2], it, strips, units, ib, ob, g, k})
        .fuse(ib, ob, task)
        .fuse(task, g, task)
        .fuse(task, k, task)
        .parallel(task);
  }
  update.vectorize(i).unroll(iv).unroll(o);
  sums.compute_at(partial, ot)
      .bound_extent(i, lanes * vectors)
      .bound_extent(o, tileO)
      .vectorize(i, lanes)
      .unroll(i)
      .unroll(o);
  std::vector<RVar> p = sums.rvars();
  sums.update()
      .split(i, iv, i, lanes)
      .reorder({i, iv, o, p[0], p[1], p[2]})
      .vectorize(i)
      .unroll(iv)
      .unroll(o);
  int64_t pixels = size.images * acrossInsStripPixels(shape, size.rows),
          channels = lanes * vectors;
  std::vector<Var> s = strip.args();
  if (schedule.copy != 0 && fitsCopy(4 * pixels * channels))
    strip.compute_at(partial, it)
        .bound_extent(s[0], static_cast<int>(channels))
        .vectorize(s[0], lanes)
        .store_in(memoryFor(4 * pixels * channels));
  std::vector<Var> d = dy.args(); // o, x, y, n, g
  int wide = context.lanes();
  if (schedule.copyDy != 0 && fitsCopy(4 * pixels * (blockO + wide)))
    dy.compute_at(partial, strips)
        .align_storage(d[0], blockO + wide)
        .vectorize(d[0], wide, TailStrategy::GuardWithIf)
        .store_in(memoryFor(4 * size.images * size.rows * shape.outWidth() *
                            (blockO + wide)));
  if (schedule.ahead != 0) {
    std::string outer = partial.name() + ".s1.", inner = sums.name() + ".s1.";
    AheadLoops loops;
    loops.strips = {outer + strips.name(), outer + units.name()};
    loops.turns = {{outer + it.name(), blockI / (lanes * vectors)},
                   {outer + ot.name(), (blockO + tileO - 1) / tileO},
                   {inner + p[2].name(), size.images},
                   {inner + p[1].name(), size.rows},
                   {inner + p[0].name(), shape.outWidth()}};
    // Where a task reads all channels.
    int64_t strip = size.images * size.rows * shape.outWidth();
    for (auto [operand, block] : {std::pair{0, blockI}, {1, blockO}}) {
      const TensorType &map = context.operands[operand].type;
      if (map.shape[3] == block)
        for (const std::string &input : context.inputsLike(map))
          loops.maps[input] = {strip * block, strip * block};
    }
    context.pipeline.add_custom_lowering_pass(new Ahead(loops));
  }
}

} // namespace rootc::codegen
