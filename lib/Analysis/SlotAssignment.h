//===- SlotAssignment.h - Offsets for buffers by liveness -------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Packs buffers of known lifetimes into one arena. Plain C++.
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_ANALYSIS_SLOTASSIGNMENT_H
#define ROOTC_ANALYSIS_SLOTASSIGNMENT_H

#include <cstdint>
#include <string>
#include <vector>

namespace rootc {

/// A buffer that must keep its bytes from call `first` to call `last`, both
/// included.
struct LiveBuffer {
  int64_t first = 0, last = 0;
  int64_t bytes = 0;
  int64_t offset = -1; ///< set by assignOffsets: a multiple of the alignment
};

/// Gives each buffer an offset such that no two that are live at the same call
/// overlap; returns the arena's size. Deterministic. Buffers are placed one
/// after another, each in the smallest gap that holds it: large ones first, or
/// those that live long, whichever makes the smallest arena.
int64_t assignOffsets(std::vector<LiveBuffer> &buffers, int64_t alignment);

/// The most bytes that are live at one call: no arena can be smaller.
int64_t peakLiveBytes(const std::vector<LiveBuffer> &buffers);

/// Empty if the offsets are right, else what is wrong, for a diagnostic.
/// Goes through the calls in order, unlike assignOffsets.
std::string checkOffsets(const std::vector<LiveBuffer> &buffers,
                         int64_t arenaBytes, int64_t alignment);

} // namespace rootc

#endif // ROOTC_ANALYSIS_SLOTASSIGNMENT_H
