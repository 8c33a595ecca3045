//===- ConvolutionCosts.cpp - Cycles of convolutions ----------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/Costs/Costs.h"
#include "codegen/Geometry/Winograd.h"

#include <cmath>

namespace rootc::codegen {

Cost CostOf::of(const ConvolutionSchedule &s) const {
  ConvShape conv = shape();
  Gather gather = gatherOf(kernel, *problem.anchor);
  const FilterLayout &layout = gather.layout;
  auto phase = gather.phaseSize();
  auto counts = gather.phaseCount();
  Cost cost;
  cost.ideal = ideal(conv);
  double outs = double(layout.outPerGroup * layout.groups);
  cost.lanes = double(layout.merged * layout.blocks * layout.block) / outs *
               double(lanes) / double(native(s.lanes));
  cost.tiles = cover(phase[1], s.tileX) * coverImages(s.tileN);
  // Taps that lie beside the map are multiplied all the same.
  if (!gather.ownTap) {
    double all = double(layout.kernel[0] * layout.kernel[1]);
    cost.tiles *= double(batch * gather.height * gather.width) * outs * all *
                  double(layout.inPerGroup / layout.merged) /
                  double(gather.phases[0] * gather.phases[1]) /
                  (cost.ideal * double(2 * lanes));
  }
  double tileVectors = double(layout.block / native(s.lanes)),
         pixels = double(s.tileX * s.tileY * s.tileN);
  auto taps = gather.taps();
  double panel = 4.0 * double(layout.inPerGroup * taps[0] * taps[1]) *
                 double(layout.block);
  cost.loads = loads(panel, tileVectors, pixels);

  double strips = double(phase[0] / s.rows) * ceilOf(batch, s.tileN);
  double step = layout.padsGroups() ? double(layout.blocksPerGroup) : 1;
  double tasks = std::ceil(double(layout.blocks) / step / double(s.blocks));
  cost.tasks = strips * tasks;
  double written = double(counts[0] * counts[1]) * double(phase[0] * phase[1]) *
                   double(batch) * double(layout.blocks) * tileVectors *
                   cover(phase[1], s.tileX);
  double tileCount = written / tileVectors / pixels;
  cost.beside = tileCount * tileCycles + written + elementwise();
  if (counts[0] * counts[1] > 1) // phases are written, then put together
    cost.beside += written * copyCycles;
  auto strip = gather.stripSize(s.rows);
  double copied = double(strip[0] * strip[1] * s.tileN);
  if (layout.groupsPerBlock > 1) { // spread over a block's lanes
    cost.beside += strips * double(layout.blocks * layout.inPerGroup) *
                   tileVectors * copied * gatherCycles;
  } else if (s.copy) {
    double copies =
        layout.groups > 1
            ? strips * double(layout.blocks) * ceilOf(layout.inPerGroup, lanes)
            : cost.tasks * ceilOf(layout.inPerGroup, lanes);
    if (layout.groups == 1 && layout.inPerGroup <= 4)
      copies = cost.tasks * double(layout.inPerGroup) / double(lanes);
    cost.beside += copies * copied * copyCycles;
  }
  // Of a map that is one tile, threads share a block between their images: the
  // order of tasks in Schedules/Cpu/Convolution.cpp.
  bool imagesShare = phase[0] * phase[1] == s.tileX * s.tileY &&
                     counts[0] * counts[1] == 1 && !s.inside;
  cost.again = filterAgain(
      layout, imagesShare ? strips / double(machine.threads) : strips);
  return cost;
}

Cost CostOf::of(const WinogradSchedule &s) const {
  Gather gather = gatherOf(kernel, *problem.anchor);
  const FilterLayout &layout = gather.layout;
  Winograd winograd = winogradOf(gather);
  auto [rows, columns] = winogradTiles(gather);
  double tiles = double(batch * rows * columns), edge = double(winograd.edge()),
         outs = double(layout.outPerGroup * layout.groups);
  Cost cost;
  cost.ideal = double(batch * gather.height * gather.width) * edge * edge /
               double(winograd.tile * winograd.tile) * outs *
               double(layout.inPerGroup) / double(2 * lanes);
  cost.lanes = double(layout.blocks * layout.block) / outs * double(lanes) /
               double(native(s.lanes));
  cost.tiles = cover(gather.height, winograd.tile) *
               cover(gather.width, winograd.tile) * cover(columns, s.tileX) *
               cover(s.rows, s.tileY) * coverImages(s.images);
  double tileVectors = double(layout.block / native(s.lanes)),
         pixels = double(s.tileX * s.tileY);
  double sums = tileVectors * pixels;
  bool near = isNear(4.0 * double(layout.inPerGroup * layout.block));
  cost.loads = std::max({1.0, (pixels + tileVectors) / sums, 8 / sums}) +
               (near ? tileNear + tileLoadNear / pixels
                     : tileBeyond + tileLoadBeyond / pixels);
  double strips = double(rows / s.rows) * ceilOf(batch, s.images),
         tasks = ceilOf(layout.blocks, s.blocks);
  cost.tasks = strips * tasks;
  // Forwards a tile's rows, then its columns; backwards likewise.
  double transforms = edge * edge * transformCycles;
  cost.beside =
      tiles * transforms *
          (tasks * double(layout.groups) * ceilOf(layout.inPerGroup, lanes) +
           double(layout.blocks) * tileVectors) +
      elementwise();
  cost.again = filterAgain(layout, strips);
  return cost;
}

Cost CostOf::of(const PairsSchedule &s) const {
  Gather gather = gatherOf(kernel, *problem.anchor);
  const FilterLayout &layout = gather.layout;
  Cost cost;
  cost.ideal = ideal(shape()) / matrixSpeed;
  double outs = double(layout.groups * layout.outPerGroup);
  cost.lanes = double(layout.blocks * layout.block) / outs *
               double(layout.pairedIns()) / double(layout.inPerGroup);
  const int64_t tileRows = 16;
  int64_t pixels = gather.width * s.tileY * s.tileN;
  cost.tiles = cover(pixels, tileRows);
  double written =
      double(batch * gather.height * gather.width) * outs / double(lanes);
  cost.beside = 2 * written + elementwise();
  cost.tasks = double(gather.height / s.rows) * ceilOf(batch, s.images) *
               ceilOf(layout.blocks, s.blocks);
  return cost;
}

Cost CostOf::of(const GroupLanesSchedule &s) const {
  ConvShape conv = shape();
  Gather gather = gatherOf(kernel, *problem.anchor);
  const FilterLayout &layout = gather.layout;
  auto phase = gather.phaseSize();
  auto counts = gather.phaseCount();
  auto taps = gather.taps();
  Cost cost;
  cost.ideal = ideal(conv);
  double wide = groupVectors(layout, s.across);
  cost.lanes = groupLanes(layout, s.across);
  cost.tiles = cover(phase[1], s.tileX);
  double outs = double(s.tileO / s.across), pixels = double(s.tileX * s.tileY);
  double loaded =
      s.unrollKx ? double(std::min((s.tileX - 1) * gather.stride[1] +
                                       (taps[1] - 1) * gather.dilation[1] + 1,
                                   s.tileX * taps[1])) /
                       double(taps[1]) * double(s.tileY)
                 : pixels;
  cost.loads = 1 + (loadVector * outs + loadStrip * loaded) / (outs * pixels);
  double written = double(counts[0] * counts[1]) * double(phase[0]) *
                   ceilOf(phase[1], s.tileX) * double(s.tileX) *
                   double(batch * layout.blocks) *
                   double(layout.outPerGroup / s.across) * wide;
  cost.beside =
      written / (outs * pixels * wide) * tileCycles + written + elementwise();
  double strips = double(phase[0] / s.step) * double(batch);
  if (s.copy) {
    auto strip = gather.stripSize(s.step);
    cost.beside += strips *
                   double(std::min(strip[0], s.step * gather.stride[0])) *
                   double(strip[1] * layout.inPerGroup * layout.blocks) *
                   ceilOf(layout.laneGroups, lanes) * copyCycles;
  }
  cost.tasks = double(phase[0] / s.rows) * double(batch);
  cost.storedFirst = readsElsewhere();
  return cost;
}

Cost CostOf::of(const AcrossInsGradientSchedule &s) const {
  ConvShape conv = shape();
  FilterGradientStrip size = filterGradientStrip(conv);
  int64_t ins = conv.inPerGroup(), outs = conv.outPerGroup();
  Cost cost;
  cost.ideal = ideal(conv);
  cost.lanes = double(lanes) / double(native(s.lanes));
  cost.tiles = cover(s.blockO, s.tileO);
  double taps = double(conv.kernel[0] * conv.kernel[1]);
  double strips =
      double(ceilDiv(conv.outHeight(), size.rows)) * ceilOf(batch, size.images);
  double pixels = double(acrossInsStripPixels(conv, size.rows) * size.images);
  double width = double(s.lanes * s.vectors);
  // Of dy a pixel's scalars lie in a line.
  const double line = 16;
  cost.loads = 1 + load(4 * pixels * (width + line)) / double(s.tileO) +
               loadApart / double(s.vectors);
  double blocksI = double(ins / s.blockI), blocksO = double(outs / s.blockO);
  double sums = double(ins / s.lanes) * double(outs) * cost.tiles;
  cost.beside = double(conv.groups) * strips * sums * taps *
                    (addCycles + tileCycles / double(s.vectors * s.tileO)) +
                elementwise();
  if (s.copy)
    cost.beside += double(conv.groups) * strips * pixels *
                   double(ins / s.lanes) * blocksO * copyCycles;
  if (s.copyDy)
    cost.beside += double(conv.groups) * strips *
                   double(size.images * size.rows * conv.outWidth()) *
                   ceilOf(s.blockO, lanes) * blocksO * blocksI * copyCycles;
  int64_t chunks =
      std::min(filterGradientChunks(conv), ceilDiv(batch, size.images));
  cost.tasks = blocksI * blocksO * double(conv.groups * chunks);
  return cost;
}

Cost CostOf::of(const FilterGradientSchedule &s) const {
  ConvShape conv = shape();
  Gather gather = forwardGather(conv, 1);
  bool across = filterGradientAcrossGroups(conv);
  int64_t outs = across ? conv.outChannels : conv.outPerGroup();
  int64_t ins = conv.inPerGroup(), groups = across ? 1 : conv.groups;
  Cost cost;
  cost.ideal = ideal(conv);
  cost.lanes = cover(outs, s.lanes * s.vectors) * double(lanes) /
               double(native(s.lanes));
  cost.tiles = cover(ins, s.tileI) * cover(conv.kernel[1], s.tileKx);
  double scalars = double(s.tileI * s.tileKx);
  cost.loads = loads(4.0 * double(s.rows * gather.width) * double(outs),
                     double(s.vectors), scalars);
  auto strip = gather.stripSize(s.rows);
  double strips = ceilOf(gather.height, s.rows) * double(batch);
  double blocks = ceilOf(outs, s.lanes * s.vectors);
  double sums = blocks * double(s.vectors * groups) * ceilOf(ins, s.tileI) *
                double(s.tileI) * cover(conv.kernel[1], s.tileKx) *
                double(conv.kernel[0] * conv.kernel[1]);
  cost.beside =
      strips * sums * (addCycles + tileCycles / (double(s.vectors) * scalars)) +
      elementwise();
  double again = s.splitOut ? blocks : 1;
  if (s.copy || across)
    cost.beside += strips * double(strip[0] * strip[1] * groups) *
                   ceilOf(across ? ins * outs : ins, lanes) * again *
                   copyCycles;
  if (s.copyDy || outs % 8 != 0)
    cost.beside += strips * double(s.rows * gather.width * groups) *
                   ceilOf(outs, lanes) * again * copyCycles;
  int64_t chunks = std::min(filterGradientChunks(conv), batch);
  cost.tasks = double(chunks) * (s.splitOut ? blocks * double(groups) : 1);
  return cost;
}

Cost CostOf::of(const GroupLanesGradientSchedule &s) const {
  ConvShape conv = shape();
  Gather gather = groupLanesGather(conv);
  const FilterLayout &layout = gather.layout;
  Cost cost;
  cost.ideal = ideal(conv);
  double wide = groupVectors(layout, s.across);
  cost.lanes = groupLanes(layout, s.across);
  double outs = double(s.tileO / s.across),
         ins = double(s.tileI * s.tileKx * s.tileKy), sums = outs * ins;
  cost.loads = 1 + (loadVector * outs + loadStrip * ins) / sums;
  auto strip = gather.stripSize(s.rows);
  double strips = ceilOf(gather.height, s.rows) * double(batch);
  double tiles = double(layout.blocks) * double(conv.outPerGroup() / s.tileO) *
                 double(conv.inPerGroup() / s.tileI) *
                 double(conv.kernel[0] / s.tileKy) *
                 double(conv.kernel[1] / s.tileKx);
  cost.beside =
      strips * tiles * (sums * wide * addCycles + tileCycles) + elementwise();
  double blockVectors =
      double(layout.blocks) * ceilOf(layout.laneGroups, lanes);
  if (s.copy)
    cost.beside += strips * double(strip[0] * strip[1] * conv.inPerGroup()) *
                   blockVectors * copyCycles;
  if (s.copyDy)
    cost.beside += strips * double(s.rows * gather.width * conv.outPerGroup()) *
                   blockVectors * copyCycles;
  cost.tasks = double(std::min(groupLanesChunks(conv), batch)) *
               ceilOf(layout.blocks, s.blocks);
  return cost;
}

Cost CostOf::of(const PairsGradientSchedule &s) const {
  ConvShape conv = shape();
  Cost cost;
  cost.ideal = ideal(conv) / matrixSpeed;
  double blocksI = double(conv.inChannels / s.blockI),
         blocksO = double(conv.outChannels / s.blockO);
  double pixels = double(batch * conv.outHeight() * conv.outWidth());
  cost.beside = pixels / double(lanes) *
                    (double(conv.inChannels) * blocksO +
                     2 * double(conv.outChannels) * blocksI) +
                elementwise();
  int64_t chunks = std::min(filterGradientChunks(conv), batch);
  cost.tasks = blocksI * blocksO * double(chunks);
  return cost;
}

Cost CostOf::of(const LinearGradientSchedule &s) const {
  ConvShape conv = shape();
  Cost cost;
  cost.ideal = ideal(conv);
  cost.lanes = double(lanes) / double(native(s.lanes));
  cost.tiles = cover(s.blockI, s.lanes * s.vectors) * cover(s.blockO, s.tileO);
  cost.loads =
      loads(4.0 * double(batch * s.blockI), double(s.vectors), double(s.tileO));
  double sums = double(conv.kernel[0] * conv.kernel[1] * conv.outChannels) *
                double(conv.inChannels) / double(s.lanes);
  cost.beside = sums * linearCycles + elementwise();
  cost.tasks = double(conv.inChannels / s.blockI) *
               double(conv.outChannels / s.blockO) *
               double(conv.kernel[0] * conv.kernel[1]);
  return cost;
}

} // namespace rootc::codegen
