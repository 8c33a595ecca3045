//===- Convolution.h - Pieces shared by the convolutions --------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Stages the algorithms hand to the schedules:
//
//   strip        the map that is read, zero around it: (channel, x, y, n) in
//                coordinates where the first tap of pixel 0 is at 0
//   spread       where a block spans groups, the strip with each lane's own
//                channel: (lane, in, x, y, n, block); absent otherwise
//   accumulator  conv2d, conv2d_backward_data: (lane, x, y, n, block), and
//                (phase of x, of y) where there are several: x and y then
//                count the pixels of a phase
//   total        of a long sum, which is cut into SumBlocks that the
//                accumulator's last three dimensions count: their sum
//   tiles        where there are phases: the accumulator's sums, all phases;
//                absent where all but one are zeros (Gather::sparse)
//   columns, transformed, accumulator, products, rows, tiles
//                instead of these last three where the filter is packed for
//                Winograd's convolution; see Winograd.cpp
//                Where it lies in pairs (FilterLayout): accumulator alone, a
//                stage of the support code, and strip, of bf16, unless the map
//                is read in place.
//   partial      conv2d_backward_filter: one sum a chunk of the batch
//                (absent in linear layers)
//   total        conv2d_backward_filter: their sum
//   positions    conv2d_backward_filter: the gradient as its maps' channels
//                lie, where these are not in the standard order
//   dy           conv2d_backward_filter: dy, zero where lanes are padding;
//                absent where whole vectors fit; in linear layers, turned over
//   sums         across in channels: of one strip, which partial adds up
//
// Where lanes are groups (FilterLayout::groupLanes) strip is (lane, in, x, y,
// n, block), accumulator (lane, out, x, y, n, block, phases), partial and total
// (lane, out, in, kx, ky, block, chunk), dy (lane, out, x, y, n, block).
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_CODEGEN_ALGORITHMS_CONVOLUTION_H
#define ROOTC_CODEGEN_ALGORITHMS_CONVOLUTION_H

#include "codegen/Algorithms/Algorithms.h"
#include "codegen/Geometry/Winograd.h"

#include <functional>
#include <utility>

namespace rootc::codegen {

/// An integer of a geometry as Halide has it. Throws std::invalid_argument
/// where 32 bits do not hold it.
Halide::Expr constant(int64_t value);

/// The map that is read, as stage "strip": zeros lie around it where a tap of
/// the gather falls beside it, and if `surrounded`.
Halide::Func stripOf(const Gather &gather, const Value &input,
                     bool surrounded = false);

/// Where the taps of a written pixel lie, in one dimension.
struct Taps {
  Halide::Expr filter;   ///< index into the packed filter
  Halide::Expr position; ///< in the strip
  Halide::Expr exists;   ///< undefined: always
};
/// The taps r of pixels `q` of phase `phase`, dimension 0 rows, 1 columns.
Taps tapsOf(const Gather &gather, int dimension, Halide::Expr q,
            Halide::Expr phase, Halide::Expr r);

/// FilterLayout::firstGroup.
Halide::Expr firstGroup(const FilterLayout &layout, const Halide::Expr &block);

/// What a filter gradient sums in a chunk, in order: the `strips` of each of a
/// part of the `units` (images, or several); where there are many
/// ConvShape::chunks, a part of their strips.
struct ChunkOfStrips {
  /// `inner`: of `r`, what is summed of a strip.
  ChunkOfStrips(const ConvShape &shape, int64_t chunks, int64_t strips,
                const Halide::Expr &units, Halide::Region inner = {});
  /// The dimensions of the chunks' sums: last come those of the chunk.
  std::vector<Halide::Var> with(std::vector<Halide::Var> sum) const;
  /// The sum of all chunks' sums, in order.
  Halide::Func total(const Halide::Func &partial) const;
  /// The same of a filter (imageVars(4)), whose values are those of `partial`
  /// at `point`. So each value's sum is seen to be one, for a thread to keep.
  Halide::Func total(const Halide::Func &partial,
                     std::vector<Halide::Expr> point) const;

  Halide::RDom r;
  Halide::Expr strip, unit;

private:
  std::vector<Halide::Var> vars;
  Halide::Region all;
};

/// The same as one expression.
Halide::Expr
sumOfChunks(int64_t chunks,
            const std::function<Halide::Expr(const Halide::Expr &)> &part);

// Where groups are innermost (GroupLanes.cpp).
Lowered convolveGroupLanes(const Op &op, const Gather &gather,
                           const Value &input, const Value &packed,
                           const Value *bias);
Lowered groupLanesGradient(const Op &op, const ConvShape &shape,
                           const Value &input, const Value &gradient);

/// Where the sums of out channel c lie: block and lane.
std::pair<Halide::Expr, Halide::Expr> blockAndLane(const FilterLayout &layout,
                                                   const Halide::Expr &c);

/// Winograd's convolution of the strip; `packed` holds transformed filters.
Lowered convolveWinograd(const Op &op, const Gather &gather, const Value &input,
                         const Value &packed, const Value *bias);
/// A filter value(i, kx, ky) of the packed direction, transformed at (a, b) of
/// 6 by 6.
Halide::Expr
transformFilter(const Winograd &winograd, const Halide::Expr &a,
                const Halide::Expr &b,
                const std::function<Halide::Expr(int, int)> &value);

} // namespace rootc::codegen

#endif // ROOTC_CODEGEN_ALGORITHMS_CONVOLUTION_H
