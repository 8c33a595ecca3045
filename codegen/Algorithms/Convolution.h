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
//   tiles        where there are phases: the accumulator's sums, all phases
//   partial      conv2d_backward_filter: one sum a chunk of the batch
//                (absent in linear layers)
//   total        conv2d_backward_filter: their sum
//   dy           conv2d_backward_filter: dy, zero where lanes are padding;
//                absent where whole vectors fit; in linear layers, turned over
//   sums         across in channels: of one strip, which partial adds up
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_CODEGEN_ALGORITHMS_CONVOLUTION_H
#define ROOTC_CODEGEN_ALGORITHMS_CONVOLUTION_H

#include "codegen/Algorithms/Algorithms.h"
#include "codegen/Geometry/Gather.h"

namespace rootc::codegen {

/// An integer of a geometry as Halide has it. Throws std::invalid_argument
/// where 32 bits do not hold it.
Halide::Expr constant(int64_t value);

/// The map that is read, as stage "strip".
Halide::Func stripOf(const Gather &gather, const Value &input);

} // namespace rootc::codegen

#endif // ROOTC_CODEGEN_ALGORITHMS_CONVOLUTION_H
