//===- Point.h - Filter layout and schedule as one choice -------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// How a filter lies in memory decides what a register tile can be, so a tuner
// chooses both. A point is a schedule's keys and, of a kernel around one
// convolution whose packed filter nothing else of it reads, two more:
//
//   block     out channels of a block (FilterLayout)
//   winograd  edge of Winograd's tiles, 0: a direct convolution
//
// A point without them has the kernel's own layout. No Halide or MLIR here.
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_CODEGEN_SCHEDULES_POINT_H
#define ROOTC_CODEGEN_SCHEDULES_POINT_H

#include "codegen/Schedules/Families.h"

#include <optional>

namespace rootc::codegen {

/// The number of the convolution, among a kernel's ops, whose filter may lie
/// otherwise.
std::optional<size_t> packedConvolution(const Kernel &kernel);

/// The edge of Winograd's tiles that a point has; 0: it has none, or no layout.
int64_t winogradTile(const Schedule &point);

/// A kernel's schedule and filter layout.
Schedule pointOf(const Kernel &kernel);

/// The kernel with the schedule and the filter layout of a point. Keys that are
/// no layout's are not judged: readSchedule() does. Throws
/// std::invalid_argument where the convolution cannot have the layout.
Kernel atPoint(const Kernel &kernel, const Schedule &point);

/// A kernel whatever its layout and schedule: what a record is found by. The
/// filter has the network's shape. `packsOnce`: it is packed once, not for each
/// training step, so that Winograd's transform of it costs nothing.
Kernel withoutPoint(const Kernel &kernel, bool packsOnce);

/// Makes the packed filter of a kernel that has a packedConvolution().
Kernel packingOf(const Kernel &kernel);

/// A point for each layout that the kernel may have, with its default schedule;
/// the own one is among them.
std::vector<Schedule> layoutPoints(const Problem &problem, bool packsOnce);

} // namespace rootc::codegen

#endif // ROOTC_CODEGEN_SCHEDULES_POINT_H
