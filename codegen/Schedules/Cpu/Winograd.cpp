//===- Winograd.cpp - Schedule of Winograd's convolution ------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A task takes some rows of tiles of an image, or some images, and some blocks
// of out channels. It transforms what it reads once, then for each block: 36
// matrix products, register tile by register tile; then tile by tile back to
// pixels, and what follows of the kernel on these.
//
//===----------------------------------------------------------------------===//

#include "codegen/Algorithms/Convolution.h"
#include "codegen/Schedules/Cpu/Convolution.h"

using namespace Halide;

namespace rootc::codegen {

void apply(const ScheduleContext &context, const WinogradSchedule &schedule) {
  Gather gather = gatherOf(context.kernel, *context.anchor);
  const FilterLayout &layout = gather.layout;
  Winograd winograd = winogradOf(gather);
  auto tile = static_cast<int>(winograd.tile),
       block = static_cast<int>(layout.block),
       rowsOfTask = static_cast<int>(schedule.rows),
       images = static_cast<int>(schedule.images),
       lanes = context.plain ? 1 : static_cast<int>(schedule.lanes);
  Func output = context.output, strip = context.stage("strip"),
       columns = context.stage("columns"),
       transformed = context.stage("transformed"),
       accumulator = context.stage("accumulator"),
       products = context.stage("products"), rows = context.stage("rows"),
       tiles = context.stage("tiles");
  Var c("c"), x("x"), y("y"), n("n"), co("co"), ci("ci"), cv("cv"), cs("cs"),
      xi("xi"), yi("yi"), ys("ys"), ni("ni"), task("task");
  Var l("l"), a("a"), b("b"), tx("tx"), ty("ty"), to("to"), txi("txi"),
      tyi("tyi"), p("p"), q("q");
  int channels = static_cast<int>(layout.groups * layout.outPerGroup);
  auto exactOr = [](int64_t size, int64_t factor) {
    return size % factor == 0 ? TailStrategy::RoundUp
                              : TailStrategy::GuardWithIf;
  };
  output.split(c, co, ci, block, exactOr(channels, block))
      .split(ci, cv, ci, lanes, TailStrategy::RoundUp)
      .split(co, cs, co, static_cast<int>(schedule.blocks),
             TailStrategy::GuardWithIf)
      .split(x, x, xi, tile, exactOr(gather.width, tile))
      .split(y, ys, y, rowsOfTask * tile,
             exactOr(gather.height, rowsOfTask * tile))
      .split(y, y, yi, tile, TailStrategy::RoundUp)
      .split(n, n, ni, images,
             images == 1 ? TailStrategy::RoundUp : TailStrategy::GuardWithIf)
      .reorder({ci, cv, xi, yi, x, y, ni, co, cs, ys, n});
  output.fuse(cs, ys, task).fuse(task, n, task);

  int wide = context.lanes();
  strip.compute_at(output, task).store_in(MemoryType::Heap);
  transformed.compute_at(output, task)
      .store_in(MemoryType::Heap)
      .reorder(a, b, c, tx, ty, n);
  columns.compute_at(transformed, c).reorder(a, y, c);
  products.compute_at(output, co)
      .store_in(MemoryType::Heap)
      .bound_extent(l, block)
      .split(tx, to, txi, static_cast<int>(schedule.tileX),
             TailStrategy::ShiftInwards)
      .split(ty, ty, tyi, static_cast<int>(schedule.tileY),
             TailStrategy::ShiftInwards)
      .reorder({l, txi, tyi, to, ty, n, a, b});
  accumulator.compute_at(products, to).bound_extent(l, block);
  RVar r = accumulator.rvars()[0];
  accumulator.update().reorder({l, tx, ty, n, r});
  tiles.compute_at(output, x).bound_extent(l, block).reorder(p, q, l);
  rows.compute_at(tiles, l).reorder(p, b, l);
  if (context.plain)
    return;
  output.vectorize(ci).unroll(cv).unroll(xi).unroll(yi).parallel(task);
  strip.vectorize(c, wide, TailStrategy::GuardWithIf);
  transformed.vectorize(c, wide, TailStrategy::GuardWithIf).unroll(a).unroll(b);
  columns.vectorize(c, wide).unroll(a).unroll(y);
  products.vectorize(l, lanes).unroll(l).unroll(txi).unroll(tyi);
  accumulator.vectorize(l, lanes).unroll(l).unroll(tx).unroll(ty);
  accumulator.update()
      .vectorize(l, lanes)
      .unroll(l)
      .unroll(tx)
      .unroll(ty)
      .unroll(r, static_cast<int>(schedule.unroll));
  tiles.vectorize(l, lanes).unroll(p).unroll(q);
  rows.vectorize(l, lanes).unroll(p).unroll(b);
}

} // namespace rootc::codegen
