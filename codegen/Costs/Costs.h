//===- Costs.h - Cycles of a kernel by its schedule -------------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The cost model's families (codegen/CostModel.h). Numbers are cycles of one
// core of an AVX-512 machine, fitted to profiles of whole networks.
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_CODEGEN_COSTS_COSTS_H
#define ROOTC_CODEGEN_COSTS_COSTS_H

#include "codegen/CostModel.h"
#include "codegen/Geometry/Gather.h"

#include <algorithm>

namespace rootc::codegen {

/// A register tile multiplies a vector for each pair of a streamed vector and
/// a spread scalar. What loading a vector adds, divided by the scalars that
/// share it: from the first-level cache, from the second, from beyond.
inline constexpr double loadNear = 0.2, loadSecond = 0.9, loadBeyond = 2.5;
/// And a scalar, divided by the vectors; without AVX-512 it is spread by an
/// instruction of its own.
inline constexpr double loadScalar = 0.18, loadSpread = 0.8;
/// Of a filter's gradient, whose scalars lie apart.
inline constexpr double loadApart = 0.8;
/// Where both factors are whole vectors: a load of either.
inline constexpr double loadVector = 0.5, loadStrip = 1;
/// What a tile takes by itself: its loops, its first and its last sums.
inline constexpr double tileCycles = 14;
/// Of a vector that is copied, transposed or added to sums in the L2 cache.
inline constexpr double copyCycles = 4, gatherCycles = 20, addCycles = 6;
/// Of an element of Winograd's tiles: two products with small matrices.
inline constexpr double transformCycles = 5;
/// Winograd's sums are of few in channels, and tiles are scattered: what each
/// adds, and the load of a vector, from the first-level cache and from beyond.
inline constexpr double tileNear = 0.2, tileBeyond = 0.5, tileLoadNear = 1.5,
                        tileLoadBeyond = 1.7;
/// How many times as fast as vectors the matrix unit is.
inline constexpr double matrixSpeed = 6;
/// Of a vector of a linear layer's gradient, which few images are summed in.
inline constexpr double linearCycles = 24;

/// What a kernel, or one of its anchors, has to do, on all threads.
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

inline double ceilOf(int64_t size, int64_t part) {
  return double(ceilDiv(size, std::max<int64_t>(part, 1)));
}

/// How much more than `size` whole parts cover.
inline double cover(int64_t size, int64_t part) {
  return ceilOf(size, part) * double(part) / double(size);
}

/// The cost of one kernel, by its schedule family.
class CostOf {
public:
  CostOf(const Problem &problem, const Machine &machine, int64_t batch)
      : problem(problem), kernel(problem.kernel), machine(machine),
        batch(batch), lanes(problem.lanes()) {}

  Cost cost() const;

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

  /// Cycles of the elementwise ops, on vectors of each one's own result.
  double elementwise() const;

  /// What a tile streams, so many bytes, comes from one of three places.
  static bool isNear(double bytes) { return bytes <= 32 * 1024; }
  double load(double bytes) const {
    return isNear(bytes)                      ? loadNear
           : bytes <= machine.nearBytes() / 2 ? loadSecond
                                              : loadBeyond;
  }
  double loads(double bytes, double vectors, double scalars) const {
    double scalar = problem.target.registers < 32 ? loadSpread : loadScalar;
    return 1 + load(bytes) / scalars + scalar / vectors;
  }

  /// Of the machine's vectors: wider ones are several.
  int64_t native(int64_t scheduled) const { return std::min(scheduled, lanes); }

  ConvShape shape() const { return convShapeOf(kernel, *problem.anchor); }
  double ideal(const ConvShape &shape) const {
    return double(batch * shape.outHeight() * shape.outWidth()) *
           double(shape.outChannels * shape.inPerGroup() * shape.kernel[0] *
                  shape.kernel[1]) /
           double(2 * lanes);
  }
  /// Where groups are innermost: machine vectors of one of a tile's sums, and
  /// how many more lanes they have than there are groups.
  double groupVectors(const FilterLayout &layout, int64_t across) const {
    return ceilOf(layout.laneGroups * across, lanes);
  }
  double groupLanes(const FilterLayout &layout, int64_t across) const {
    return groupVectors(layout, across) * double(lanes) /
           double(layout.laneGroups * across) *
           double(layout.blocks * layout.laneGroups) / double(layout.groups);
  }
  /// Images a tile covers beyond the batch, where the last is not shortened.
  double coverImages(int64_t images) const {
    return images == 2 ? 1 : cover(batch, std::min(images, batch));
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

  Cost costWith(const TypedSchedule &schedule) const;
  Cost of(const ConvolutionSchedule &s) const;
  Cost of(const WinogradSchedule &s) const;
  Cost of(const PairsSchedule &s) const;
  Cost of(const GroupLanesSchedule &s) const;
  Cost of(const FilterGradientSchedule &s) const;
  Cost of(const AcrossInsGradientSchedule &s) const;
  Cost of(const GroupLanesGradientSchedule &s) const;
  Cost of(const PairsGradientSchedule &s) const;
  Cost of(const LinearGradientSchedule &s) const;
  Cost of(const PoolSchedule &s) const;
  Cost of(const ReductionSchedule &s) const;
  Cost of(const PackSchedule &) const;
  template <typename Family> Cost of(const ImageSchedule<Family> &s) const;
  template <typename Family> Cost of(const FixedSchedule<Family> &) const;
};

} // namespace rootc::codegen

#endif // ROOTC_CODEGEN_COSTS_COSTS_H
