//===- Convolution.cpp - Schedule of forward and backward-data ------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A task computes a strip of rows of one image (or a few whole images, where
// maps are tiny) for a few blocks of out channels. Within it a register tile
// of block x tile_x x tile_y x tile_n accumulators runs over all taps.
// Where pixels have phases, rows and tiles are those of a phase, whose pixels
// all have the same taps; the phases of a task are summed one after another,
// then interleaved while they are in cache. Where only one phase has a tap, its
// pixels leave the registers and zeros are written beside them.
//
//===----------------------------------------------------------------------===//

#include "codegen/Algorithms/Convolution.h"
#include "codegen/Schedules/Cpu/Convolution.h"
#include "codegen/Schedules/Cpu/TileAhead.h"

using namespace Halide;

namespace rootc::codegen {

MemoryType memoryFor(int64_t bytes) {
  return bytes <= 256 * 1024 ? MemoryType::Stack : MemoryType::Heap;
}

bool fitsCopy(int64_t bytes) { return bytes <= int64_t(1) << 30; }

/// What is fetched from beyond the L2 cache: the next strip of maps of the size
/// of the anchor's input, all channels of which a strip has; and the next block
/// of a filter that has no place in the cache. Of one or two images a thread
/// has a strip or two, which no task before it could fetch: a tile fetches the
/// next.
static std::vector<InputAhead> inputsAhead(const ScheduleContext &context,
                                           const Gather &gather,
                                           const ConvolutionSchedule &schedule,
                                           int64_t stripTasks) {
  const FilterLayout &layout = gather.layout;
  std::vector<InputAhead> inputs;
  auto name = [](int64_t input) { return "in" + std::to_string(input); };
  int64_t row = gather.inWidth * layout.inPerGroup;
  int64_t fewTasks = 2 * stripTasks * (gather.phaseSize()[0] / schedule.rows);
  bool dense = layout.groups == 1 && gather.stride[0] * gather.stride[1] == 1;
  std::vector<std::string> maps;
  if (dense)
    maps = context.inputsLike(context.operands[0].type);
  for (const std::string &map : maps) {
    inputs.push_back({map, InputAhead::Strip,
                      schedule.tileN * schedule.rows * row, 0, fewTasks + 1});
    if (schedule.copy == 0 && map == name(context.anchor->operands[0]))
      for (int64_t image = 0; image < schedule.tileN; ++image) {
        int64_t tile = schedule.tileX * schedule.tileY * layout.inPerGroup;
        inputs.push_back({map, InputAhead::Tile, tile,
                          tile + image * gather.inHeight * row, 0, fewTasks});
      }
  }
  const int64_t onlyFirst = 512 * 1024, all = 1024 * 1024;
  int64_t block =
      layout.inPerGroup * layout.kernel[0] * layout.kernel[1] * layout.block;
  int64_t bytes = 4 * block * layout.blocks,
          filter = context.anchor->operands[1];
  if (layout.groupsPerBlock == 1 && bytes > onlyFirst &&
      !isComputed(context.kernel, *context.anchor, 1))
    inputs.push_back({name(filter), InputAhead::Block, block, block, 0,
                      bytes > all ? INT32_MAX : fewTasks});
  return inputs;
}

void apply(const ScheduleContext &context,
           const ConvolutionSchedule &schedule) {
  if (context.plain)
    return schedulePlainConvolution(context);
  Gather gather = gatherOf(context.kernel, *context.anchor);
  const FilterLayout &layout = gather.layout;
  Func output = context.output;
  Func accumulator = context.stage("accumulator");
  Func strip = context.stage("strip");
  bool spreads = context.anchorFuncs.stages.count("spread") != 0;
  bool phased = context.anchorFuncs.stages.count("tiles") != 0;
  Func tiles = phased ? context.stage("tiles") : output;
  Var c("c"), x("x"), y("y"), n("n"), l("l"), b("b");
  bool cut = context.anchorFuncs.stages.count("total") != 0;
  Func total = cut ? context.stage("total") : accumulator;
  auto phase = gather.phaseSize();
  auto lanes = static_cast<int>(schedule.lanes),
       tileX = static_cast<int>(schedule.tileX),
       rows = static_cast<int>(schedule.rows),
       tileY = static_cast<int>(schedule.tileY),
       tileN = static_cast<int>(schedule.tileN),
       blocks = static_cast<int>(schedule.blocks);

  Var co("co"), ci("ci"), cv("cv"), xo("xo"), xi("xi"), xp("xp"), ys("ys"),
      yo("yo"), yi("yi"), yp("yp"), no("no"), ni("ni"), cs("cs"), task("task");
  // A group that blocks do not fill is computed whole, its padding dropped.
  bool wholeGroup = layout.padsGroups();
  int channels = layout.groups * layout.outPerGroup;
  int step = wholeGroup ? layout.outPerGroup : layout.block;
  // Two images a tile, and a batch that is odd: all go one by one.
  bool pairs = tileN == 2 && !phased;
  // Of a map that is one tile, a block's filter is most of what there is to
  // read: all images' tasks of one block come before the next.
  bool imagesShare =
      phase[0] * phase[1] == tileX * tileY && !phased && !schedule.inside;
  auto loops = [&](Stage stage, int images, TailStrategy imagesTail) {
    stage.split(c, co, ci, step,
                channels % step == 0 ? TailStrategy::RoundUp
                                     : TailStrategy::GuardWithIf);
    stage
        .split(ci, cv, ci, lanes,
               step % lanes == 0 ? TailStrategy::RoundUp
                                 : TailStrategy::GuardWithIf)
        .vectorize(ci);
    if (!wholeGroup)
      stage.unroll(cv);
    stage.split(co, cs, co, blocks, TailStrategy::GuardWithIf)
        .split(n, no, ni, images, imagesTail);
    if (phased) {
      int taskRows =
          static_cast<int>(std::min(rows * gather.phases[0], gather.height));
      stage
          .split(y, ys, yo, taskRows,
                 gather.height % taskRows == 0 ? TailStrategy::RoundUp
                                               : TailStrategy::GuardWithIf)
          .reorder(ci, cv, x, yo, ni, co, cs, ys, no);
    } else {
      auto byPhases = [&](Var v, Var phase, int d, int64_t size) {
        auto count = static_cast<int>(gather.phases[d]);
        stage.split(v, v, phase, count,
                    size % count == 0 ? TailStrategy::RoundUp
                                      : TailStrategy::GuardWithIf);
        stage.unroll(phase);
      };
      byPhases(x, xp, 1, gather.width);
      byPhases(y, yp, 0, gather.height);
      stage.split(x, xo, xi, tileX, TailStrategy::ShiftInwards)
          .split(y, ys, yo, rows, TailStrategy::RoundUp)
          .split(yo, yo, yi, tileY, TailStrategy::RoundUp)
          .unroll(xi)
          .unroll(yi)
          .unroll(ni);
      if (context.within)
        stage.reorder({ci, cv, xp, xi, yp, yi, ni, xo, yo, ys, co, cs, no});
      else if (schedule.inside)
        stage.reorder({ci, cv, xp, xi, yp, yi, ni, co, xo, yo, cs, ys, no});
      else if (imagesShare)
        stage.reorder({ci, cv, xp, xi, yp, yi, ni, xo, yo, co, ys, no, cs});
      else
        stage.reorder({ci, cv, xp, xi, yp, yi, ni, xo, yo, co, cs, ys, no});
    }
    if (context.within)
      return;
    if (imagesShare)
      stage.fuse(ys, no, task).fuse(task, cs, task).parallel(task);
    else
      stage.fuse(cs, ys, task).fuse(task, no, task).parallel(task);
  };
  if (pairs) {
    loops(output.specialize(context.outputValue.batch() % tileN == 0), tileN,
          TailStrategy::ShiftInwards);
    loops(output, 1, TailStrategy::RoundUp);
  } else {
    loops(output, tileN,
          tileN == 1 ? TailStrategy::RoundUp : TailStrategy::GuardWithIf);
  }
  if (phased) {
    auto counts = gather.phaseCount();
    int64_t bytes = 4 * rows * phase[1] * counts[0] * counts[1] * tileN *
                    layout.block * (wholeGroup ? layout.blocksPerGroup : 1);
    std::vector<Var> sums = tiles.args(); // l, x, y, n, b, phases of x, y
    tiles.compute_at(output, co)
        .bound_extent(l, static_cast<int>(layout.block))
        .vectorize(l, lanes)
        .unroll(l)
        .split(x, xo, xi, tileX, TailStrategy::ShiftInwards)
        .split(y, yo, yi, tileY, TailStrategy::RoundUp)
        .split(n, no, ni, tileN, TailStrategy::RoundUp)
        .unroll(xi)
        .unroll(yi)
        .unroll(ni)
        .reorder(l, xi, yi, ni, xo, yo, sums[5], sums[6], no, b)
        .store_in(memoryFor(bytes));
  }

  auto inRegisters = [&](Func sum) {
    if (!pairs)
      sum.bound_extent(n, tileN);
    if (!wholeGroup && layout.groupsPerBlock == 1)
      sum.bound_extent(b, 1);
    if (gather.sparse())
      sum.bound_extent(x, tileX).bound_extent(y, tileY);
    sum.bound_extent(l, static_cast<int>(layout.block))
        .vectorize(l, lanes)
        .unroll(l)
        .unroll(x)
        .unroll(y)
        .unroll(n);
    std::vector<RVar> r = sum.rvars();
    sum.update()
        .reorder(l, x, y, n, r[0], r[1], r[2], b)
        .vectorize(l, lanes)
        .unroll(l)
        .unroll(x)
        .unroll(y)
        .unroll(n);
  };
  total.compute_at(tiles, schedule.inside ? co : xo);
  inRegisters(total);
  if (cut) {
    accumulator.compute_at(total, total.rvars()[0]);
    inRegisters(accumulator);
  }
  if (schedule.unroll > 1)
    accumulator.update().unroll(accumulator.rvars()[0],
                                static_cast<int>(schedule.unroll));

  computeInner(context, LoopLevel(output, task));
  if (!phased && !context.within) {
    int64_t stripTasks = ceilDiv(ceilDiv(channels, step), blocks);
    context.pipeline.add_custom_lowering_pass(new TileAhead(
        {xo.name(), yo.name()}, co.name(),
        context.inner ? context.inner->output.name() : "", stripTasks,
        inputsAhead(context, gather, schedule, stripTasks)));
  }

  bool copies = schedule.copy != 0;
  auto size = gather.stripSize(rows);
  int64_t bytes = size[0] * size[1] * layout.inPerGroup * tileN * 4 *
                  (spreads ? layout.block : 1);
  if (!fitsCopy(bytes))
    return;
  if (spreads)
    context.stage("spread")
        .compute_at(output, co)
        .vectorize(l, lanes)
        .store_in(memoryFor(bytes));
  // Spreading reads the strip once for each of a group's out channels.
  if (!(spreads ? isComputed(context.kernel, *context.anchor, 0) : copies))
    return;
  strip
      .compute_at(layout.groups > 1 ? LoopLevel(output, co)
                  : context.within  ? *context.within
                                    : LoopLevel(output, task))
      .store_in(memoryFor(bytes));
  // Of an image the few channels of many pixels fill a vector. Halide 21 does
  // not compile that where a strip is one row of taps high.
  const int64_t few = 4;
  if (!spreads && layout.groups == 1 && layout.inPerGroup <= few &&
      layout.kernel[0] > 1 && gather.inWidth >= context.lanes())
    strip.bound_extent(c, static_cast<int>(layout.inPerGroup))
        .unroll(c)
        .vectorize(x, context.lanes(), TailStrategy::GuardWithIf);
  else
    strip.vectorize(c, context.lanes(), TailStrategy::GuardWithIf);
}

// What has a block's channels adjacent in the filter is copied in vectors, 32
// filters from end to end before the next. Else a single tap's channels come
// through a tile, as filters a power of two long meet in the first-level cache.
void apply(const ScheduleContext &context, const PackSchedule &) {
  if (context.plain)
    return;
  const Op &op = *context.anchor;
  bool backward = textAttribute(op, "direction") == "backward_data";
  int64_t groups = integerAttribute(op, "groups");
  const Value &filter = context.operands.at(0);
  ConvShape shape = convShape(op.attributes, filter.staticExtent(0) * groups);
  FilterLayout layout =
      filterLayout(shape, backward, integerAttribute(op, "block"));
  Func output = context.output;
  std::vector<Var> args = output.args();
  Var l = args[0], i = args[1], kx = args[2], ky = args[3], b = args[4];
  Var lv("lv"), io("io"), ii("ii"), task("task"), part("part");
  bool inOrder =
      layout.groupsPerBlock == 1 && layout.outOrder == 1 && layout.inOrder == 1;
  bool tiled = inOrder && !backward && groups == 1 && layout.inPerGroup >= 32 &&
               layout.kernel[0] == 1 && layout.kernel[1] == 1;
  int64_t elements = layout.block * layout.kernel[1];
  if (backward || tiled) {
    int64_t channels = std::min<int64_t>(layout.inPerGroup, 32);
    output
        .split(i, io, ii, static_cast<int>(channels), TailStrategy::GuardWithIf)
        .reorder(l, ii, kx, ky, b, io)
        .fuse(backward ? b : io, backward ? io : b, task);
    elements *= layout.kernel[0] * channels;
  } else {
    output.fuse(ky, b, task);
    elements *= layout.inPerGroup;
  }
  if (inOrder && (groups == 1 || layout.outPerGroup % layout.block == 0))
    output
        .split(l, l, lv,
               static_cast<int>(
                   lanesOfBlock(layout.block, {"", context.lanes() * 32})),
               TailStrategy::RoundUp)
        .vectorize(lv)
        .unroll(l);
  if (tiled) {
    Func source = filter.func;
    Func tile = source.in(context.anchorFuncs.results.at(0));
    tile.compute_at(output, kx)
        .vectorize(tile.args()[0], context.lanes(), TailStrategy::GuardWithIf);
  }
  // So that a task takes longer than its start.
  const int64_t least = 16 * 1024;
  output
      .split(task, task, part,
             static_cast<int>(std::max<int64_t>(least / elements, 1)),
             TailStrategy::GuardWithIf)
      .parallel(task);
}

} // namespace rootc::codegen
