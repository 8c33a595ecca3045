//===- CostModel.cpp - How long a kernel should take ----------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/CostModel.h"
#include "codegen/Geometry/Gather.h"
#include "codegen/Geometry/Winograd.h"
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
// What is measured: cycles of one core, of an AVX-512 machine
//===----------------------------------------------------------------------===//

namespace {

/// A register tile multiplies a vector for each pair of a streamed vector and
/// a spread scalar. What loading a vector adds, divided by the scalars that
/// share it: from the first-level cache, from the second, from beyond.
constexpr double loadNear = 0.4, loadSecond = 1.5, loadBeyond = 2.5;
/// And a scalar, divided by the vectors; without AVX-512 it is spread by an
/// instruction of its own.
constexpr double loadScalar = 0.35, loadSpread = 0.8;
/// Of a filter's gradient, whose scalars lie apart.
constexpr double loadApart = 0.8;
/// Where both factors are whole vectors: a load of either.
constexpr double loadVector = 0.5, loadStrip = 1;
/// What a tile takes by itself: its loops, its first and its last sums.
constexpr double tileCycles = 14;
/// Of a vector that is copied, transposed or added to sums in the L2 cache.
constexpr double copyCycles = 4, gatherCycles = 20, addCycles = 6;
/// Of an element of Winograd's tiles: two products with small matrices.
constexpr double transformCycles = 8;
/// Of a vector of a linear layer's gradient, which few images are summed in.
constexpr double linearCycles = 24;
/// Of a filter's blocks that come ahead of their use, this part is waited for.
constexpr double waitedFor = 0.5;
/// Of a vector that is reduced: a chain of sums, once a pass.
constexpr double reduceCycles = 6;
/// Of a call, and of a task, in seconds.
constexpr double callSeconds = 3e-6, taskSeconds = 0.4e-6;
/// How well arithmetic hides memory: time is the norm of both of this order, 1
/// being not at all.
constexpr double overlap = 1.2;

/// Of an op on a vector.
double cyclesOf(const std::string &name) {
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

struct Cost {
  double ideal = 0; ///< cycles of the multiply-adds, in full vectors
  double lanes = 1, tiles = 1, loads = 1;
  double beside = 0; ///< cycles
  double tasks = 1;
  double again = 0; ///< bytes
  bool storedFirst = false;

  /// Cycles of the parts that are arithmetic.
  std::array<double, 5> parts() const {
    return {ideal, ideal * (lanes - 1), ideal * lanes * (tiles - 1),
            ideal * lanes * tiles * (loads - 1), beside};
  }
};

double ceilOf(int64_t size, int64_t part) {
  return double(ceilDiv(size, std::max<int64_t>(part, 1)));
}

/// How much more than `size` whole parts cover.
double cover(int64_t size, int64_t part) {
  return ceilOf(size, part) * double(part) / double(size);
}

class Model {
public:
  Model(const Problem &problem, const Machine &machine, int64_t batch)
      : problem(problem), kernel(problem.kernel), machine(machine),
        batch(batch), lanes(problem.lanes()) {}

  Cost cost() const {
    ReadSchedule read = readSchedule(problem);
    return std::visit([&](const auto &family) { return of(family); },
                      read.schedule);
  }

private:
  const Problem &problem;
  const Kernel &kernel;
  const Machine &machine;
  int64_t batch, lanes;

  double elements(const TensorType &type) const {
    double count = 1;
    for (int64_t size : type.shape)
      count *= double(size < 0 ? batch : size);
    return count;
  }
  double vectors(const TensorType &type) const {
    return elements(type) / double(lanes);
  }

  /// Of a map whose channels are innermost, where they do not fill vectors.
  double mapVectors(const TensorType &type) const {
    if (type.shape.empty())
      return 1;
    int64_t channels = type.shape.back();
    ChannelSplit split = splitChannels(lanes, channels, 1);
    return elements(type) / double(channels) * ceilOf(channels, split.vector);
  }

  /// Of the elementwise ops, on vectors of each one's own result.
  double elementwise() const {
    double cycles = 0;
    for (const Op &op : kernel.ops)
      if (&op != problem.anchor && &op != problem.inner)
        cycles += cyclesOf(op.name) * mapVectors(op.results.at(0));
    return cycles;
  }

  /// What a tile streams, so many bytes, comes from one of three places.
  double load(double bytes) const {
    return bytes <= 32 * 1024                 ? loadNear
           : bytes <= machine.nearBytes() / 2 ? loadSecond
                                              : loadBeyond;
  }
  double loads(double bytes, double vectors, double scalars) const {
    double scalar = problem.target.registers < 32 ? loadSpread : loadScalar;
    return 1 + load(bytes) / scalars + scalar / vectors;
  }

  ConvShape shape() const { return convShapeOf(kernel, *problem.anchor); }
  double ideal(const ConvShape &shape) const {
    return double(batch * shape.outHeight() * shape.outWidth()) *
           double(shape.outChannels * shape.inPerGroup() * shape.kernel[0] *
                  shape.kernel[1]) /
           double(2 * lanes);
  }
  /// Images a tile covers beyond the batch, where the last is not shortened.
  double coverImages(int64_t images) const {
    return images == 2 ? 1 : cover(batch, std::min(images, batch));
  }
  bool computed(size_t operand) const {
    return isComputed(kernel, *problem.anchor, operand);
  }
  /// Whether ops behind the anchor read it at other channels than their own.
  bool readsElsewhere() const {
    return std::any_of(kernel.ops.begin(), kernel.ops.end(), [](const Op &op) {
      return op.name == "channel_shuffle" ||
             op.name.starts_with("branch_softmax");
    });
  }
  /// The filter passes by for each of `passes`; what has no place in the cache
  /// comes from beyond.
  double filterAgain(const FilterLayout &layout, double passes) const {
    auto more = layout.winograd ? layout.winograd - 1 : 0;
    double bytes = 4.0 * double(layout.blocks * layout.block) *
                   double(layout.inPerGroup * (layout.kernel[0] + more) *
                          (layout.kernel[1] + more));
    return bytes > 0.75 * machine.nearBytes()
               ? bytes * std::max(passes - 1, 0.0)
               : 0;
  }

  Cost of(const ConvolutionSchedule &s) const;
  Cost of(const WinogradSchedule &s) const;
  Cost of(const GroupLanesSchedule &s) const;
  Cost of(const FilterGradientSchedule &s) const;
  Cost of(const AcrossInsGradientSchedule &s) const;
  Cost of(const GroupLanesGradientSchedule &s) const;
  Cost of(const LinearGradientSchedule &s) const;
  Cost of(const PoolSchedule &s) const;
  Cost of(const ReductionSchedule &s) const;
  Cost of(const PackSchedule &) const;
  template <typename Family> Cost of(const ImageSchedule<Family> &s) const;
  template <typename Family> Cost of(const FixedSchedule<Family> &) const;
};

//===----------------------------------------------------------------------===//
// Convolutions
//===----------------------------------------------------------------------===//

Cost Model::of(const ConvolutionSchedule &s) const {
  ConvShape conv = shape();
  Gather gather = gatherOf(kernel, *problem.anchor);
  const FilterLayout &layout = gather.layout;
  auto phase = gather.phaseSize();
  auto counts = gather.phaseCount();
  Cost cost;
  cost.ideal = ideal(conv);
  double outs = double(layout.outPerGroup * layout.groups);
  cost.lanes = double(layout.blocks * layout.block) / outs * double(lanes) /
               double(s.lanes);
  cost.tiles = cover(phase[1], s.tileX) * coverImages(s.tileN);
  // Taps that lie beside the map are multiplied all the same.
  if (!gather.ownTap) {
    double all = double(layout.kernel[0] * layout.kernel[1]);
    cost.tiles *= double(batch * gather.height * gather.width) * outs * all *
                  double(layout.inPerGroup) /
                  double(gather.phases[0] * gather.phases[1]) /
                  (cost.ideal * double(2 * lanes));
  }
  double tileVectors = double(layout.block / s.lanes),
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
  if (s.copy) {
    auto strip = gather.stripSize(s.rows);
    double copies =
        layout.groups > 1
            ? strips * double(layout.blocks) * ceilOf(layout.inPerGroup, lanes)
            : cost.tasks * ceilOf(layout.inPerGroup, lanes);
    if (layout.groups == 1 && layout.inPerGroup <= 4)
      copies = cost.tasks * double(layout.inPerGroup) / double(lanes);
    double spread =
        layout.groupsPerBlock > 1 ? double(layout.inPerGroup) * tileVectors : 1;
    cost.beside +=
        copies * spread * double(strip[0] * strip[1] * s.tileN) * copyCycles;
  }
  cost.again = filterAgain(layout, strips);
  return cost;
}

Cost Model::of(const WinogradSchedule &s) const {
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
               double(s.lanes);
  cost.tiles = cover(gather.height, winograd.tile) *
               cover(gather.width, winograd.tile) * cover(columns, s.tileX) *
               cover(s.rows, s.tileY) * coverImages(s.images);
  double tileVectors = double(layout.block / s.lanes),
         pixels = double(s.tileX * s.tileY);
  double sums = tileVectors * pixels;
  cost.loads = std::max({1.0, (pixels + tileVectors) / sums, 8 / sums}) +
               loadSecond / pixels;
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

Cost Model::of(const GroupLanesSchedule &s) const {
  ConvShape conv = shape();
  Gather gather = gatherOf(kernel, *problem.anchor);
  const FilterLayout &layout = gather.layout;
  auto phase = gather.phaseSize();
  auto counts = gather.phaseCount();
  auto taps = gather.taps();
  Cost cost;
  cost.ideal = ideal(conv);
  // Machine vectors of a tile's sums.
  double wide = ceilOf(layout.laneGroups * s.across, lanes);
  cost.lanes = wide * double(lanes) / double(layout.laneGroups * s.across) *
               double(layout.blocks * layout.laneGroups) /
               double(layout.groups);
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

Cost Model::of(const AcrossInsGradientSchedule &s) const {
  ConvShape conv = shape();
  FilterGradientStrip size = filterGradientStrip(conv);
  int64_t ins = conv.inPerGroup(), outs = conv.outPerGroup();
  Cost cost;
  cost.ideal = ideal(conv);
  cost.lanes = double(lanes) / double(s.lanes);
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

Cost Model::of(const FilterGradientSchedule &s) const {
  ConvShape conv = shape();
  Gather gather = forwardGather(conv, 1);
  bool across = filterGradientAcrossGroups(conv);
  int64_t outs = across ? conv.outChannels : conv.outPerGroup();
  int64_t ins = conv.inPerGroup(), groups = across ? 1 : conv.groups;
  Cost cost;
  cost.ideal = ideal(conv);
  cost.lanes =
      cover(outs, s.lanes * s.vectors) * double(lanes) / double(s.lanes);
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

Cost Model::of(const GroupLanesGradientSchedule &s) const {
  ConvShape conv = shape();
  Gather gather = groupLanesGather(conv);
  const FilterLayout &layout = gather.layout;
  Cost cost;
  cost.ideal = ideal(conv);
  double wide = ceilOf(layout.laneGroups * s.across, lanes);
  cost.lanes = wide * double(lanes) / double(layout.laneGroups * s.across) *
               double(layout.blocks * layout.laneGroups) /
               double(layout.groups);
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
  cost.tasks = double(std::min(groupLanesChunks(conv), batch));
  return cost;
}

Cost Model::of(const LinearGradientSchedule &s) const {
  ConvShape conv = shape();
  Cost cost;
  cost.ideal = ideal(conv);
  cost.lanes = double(lanes) / double(s.lanes);
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

//===----------------------------------------------------------------------===//
// All others: cycles beside no multiply-adds
//===----------------------------------------------------------------------===//

template <typename Family>
Cost Model::of(const ImageSchedule<Family> &s) const {
  const std::vector<int64_t> &out = problem.shape();
  Cost cost;
  cost.beside = elementwise();
  if (problem.anchor)
    for (const TensorType &type : problem.anchor->results)
      cost.beside += (1 + cyclesOf(problem.anchor->name)) * mapVectors(type);
  cost.tasks = ceilOf(out.at(1), s.rows) * double(batch);
  return cost;
}

Cost Model::of(const PoolSchedule &s) const {
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

Cost Model::of(const ReductionSchedule &) const {
  const TensorType &map = kernel.type(problem.anchor->operands.at(0));
  Cost cost;
  // Twice where deviations follow a mean; from cache the second time.
  double passes = problem.anchor->name == "channel_sum" ? 1 : 2;
  cost.beside = passes * reduceCycles * mapVectors(map) + 2 * elementwise();
  double bytes = 4 * elements(map) / double(batch);
  cost.tasks = double(batch) * std::max(std::ceil(bytes / (256 * 1024)), 1.0);
  return cost;
}

Cost Model::of(const PackSchedule &) const {
  const TensorType &packed = problem.anchor->results.at(0);
  Cost cost;
  cost.beside = vectors(packed) * gatherCycles;
  cost.tasks = std::max(std::ceil(elements(packed) / (16 * 1024)), 1.0);
  return cost;
}

template <typename Family> Cost Model::of(const FixedSchedule<Family> &) const {
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

double bytesOf(const LinearBytes &bytes, int64_t batch) {
  return double(bytes.fixed) + double(bytes.perImage) * double(batch);
}

} // namespace

//===----------------------------------------------------------------------===//
// All together
//===----------------------------------------------------------------------===//

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
  Cost cost = Model(problem, machine, batch).cost();
  add(cost, 1);
  if (problem.inner) {
    Kernel inner = kernel; // with its own default schedule
    inner.schedule.clear();
    Problem own = Problem(inner, problem.target).ofInner();
    add(Model(own, machine, batch).cost(), rowsTwice(problem));
  }

  KernelWork work = workOf(kernel);
  double read = bytesOf(work.read, batch),
         written = bytesOf(work.written, batch);
  for (size_t input = 0; input < kernel.inputs.size(); ++input)
    result.memory +=
        bytesOf(readOf(kernel, input), batch) /
        machine.at(input < distances.size() ? distances[input] : read + written)
            .read;
  Machine::Bandwidth level = machine.at(read + written);
  bool inPlace = problem.anchor && problem.anchor->name == "sgd";
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
