//===- AcrossInsGradient.cpp - Backward-filter across in channels ---------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A register tile of in channels x out channels runs over the pixels of a few
// rows, or of a few images where maps are small. A task has dy of its out
// channels side by side, tile by tile, and passes over them with the strip of
// one tile's in channels after the other. Sums lie as the filter does.
//
//===----------------------------------------------------------------------===//

#include "codegen/Algorithms/Convolution.h"
#include "codegen/Schedules/Cpu/Convolution.h"

using namespace Halide;

namespace rootc::codegen {

void apply(const ScheduleContext &context,
           const AcrossInsGradientSchedule &schedule) {
  if (context.plain)
    return schedulePlainAcrossInsGradient(context);
  ConvShape shape = convShapeOf(context.kernel, *context.anchor);
  Func partial = context.stage("partial"), strip = context.stage("strip"),
       dy = context.stage("dy"), output = context.output;
  auto lanes = static_cast<int>(schedule.lanes),
       vectors = static_cast<int>(schedule.vectors),
       tileO = static_cast<int>(schedule.tileO),
       blockO = static_cast<int>(schedule.blockO),
       rows = static_cast<int>(schedule.rows),
       images = static_cast<int>(schedule.images);
  std::vector<Var> v = partial.args(); // i, kx, ky, o, g, k
  Var i = v[0], o = v[3], g = v[4], k = v[5], iv("iv"), it("it"), ot("ot"),
      ob("ob"), task("task");
  RVar rx = partial.rvars()[0], ry = partial.rvars()[1],
       rn = partial.rvars()[2], rs("rs"), ro("ro");
  partial.compute_root().vectorize(i, lanes).parallel(o);
  partial.update()
      .split(i, iv, i, lanes, TailStrategy::RoundUp)
      .split(iv, it, iv, vectors, TailStrategy::RoundUp)
      .split(o, ot, o, tileO, TailStrategy::RoundUp)
      .split(ot, ob, ot, blockO / tileO, TailStrategy::RoundUp)
      .split(ry, rs, ry, rows, TailStrategy::GuardWithIf)
      .split(rn, ro, rn, images, TailStrategy::GuardWithIf)
      .reorder({i, iv, o, rx, ry, rn, ot, v[1], v[2], it, rs, ro, ob, g, k})
      .vectorize(i)
      .unroll(iv)
      .unroll(o)
      .fuse(ob, g, task)
      .fuse(task, k, task)
      .parallel(task);
  int64_t bytes =
      4 * images * acrossInsStripPixels(shape, rows) * lanes * vectors;
  std::vector<Var> s = strip.args();
  if (fitsCopy(bytes))
    strip.compute_at(partial, it)
        .bound_extent(s[0], lanes * vectors)
        .vectorize(s[0], lanes)
        .unroll(s[0])
        .store_in(memoryFor(bytes));
  std::vector<Var> d = dy.args(); // lane, x, y, n, tile, g
  dy.compute_at(partial, rs)
      .bound_extent(d[0], static_cast<int>(filterGradientOutTile))
      .vectorize(d[0])
      .reorder(d[0], d[4], d[1], d[2], d[3], d[5])
      .store_in(memoryFor(4 * images * rows * shape.outWidth() * blockO));
  std::vector<Var> f = output.args(); // i, kx, ky, o
  output.vectorize(f[0], lanes, TailStrategy::RoundUp).parallel(f[3]);
}

} // namespace rootc::codegen
