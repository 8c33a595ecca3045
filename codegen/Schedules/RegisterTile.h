//===- RegisterTile.h - Accumulators of a convolution -----------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A convolution's innermost loop keeps a block of out channels of some pixels
// in registers. Block and pixels are one choice: the filter's layout takes the
// block, the schedule the pixels.
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_CODEGEN_SCHEDULES_REGISTERTILE_H
#define ROOTC_CODEGEN_SCHEDULES_REGISTERTILE_H

#include "codegen/Geometry/Gather.h"

namespace rootc::codegen {

struct RegisterTile {
  int64_t x = 1, y = 1, n = 1; ///< pixels: columns, rows, images
  double cost = 0; ///< time of a multiply-add that counts, 1 at best
};

/// The pixels that suit the gather's block.
RegisterTile registerTile(const Gather &gather, const TargetInfo &target);

/// Whether tiles of so many pixels each pass over the whole filter, which is of
/// a single tap and near, so that pixels are written from end to end: where a
/// map has tiles enough to be shared out.
bool passesWholeFilter(const Gather &gather, int64_t pixels);

/// The layout whose block and register tile suit the machine; its `block` is
/// what the passes write into attribute `block` of `pack_filter` and of the
/// convolution.
FilterLayout filterLayout(const ConvShape &shape, bool backwardData,
                          const TargetInfo &target);

} // namespace rootc::codegen

#endif // ROOTC_CODEGEN_SCHEDULES_REGISTERTILE_H
