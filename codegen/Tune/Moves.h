//===- Moves.h - From one schedule of a kernel to others --------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Generic over the schedule families: what a key means only its family knows,
// which says whether a value is legal. No Halide or MLIR here.
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_CODEGEN_TUNE_MOVES_H
#define ROOTC_CODEGEN_TUNE_MOVES_H

#include "codegen/Schedules/Point.h"

#include <optional>
#include <random>

namespace rootc::codegen {

/// A point and how it came from another one: the family, the key, and in what
/// way it was changed ("convolution rows more"), which is alike in kernels of
/// any shape.
struct Move {
  Schedule point;
  std::string kind;
};

/// Vectors that a register tile of a schedule sums in; 0: the family has none.
int64_t accumulators(const TypedSchedule &schedule, const Problem &problem);

/// The legal points that differ in one key: for numbers the next two that are
/// legal above and below, half and double, for switches the other value; and
/// those of other filter layouts, with the schedule that is the default there.
/// No register tile of more vectors than there are registers, unless `from` has
/// as many: spilling was never faster. `packsOnce` as of layoutPoints().
std::vector<Move> neighbours(const Problem &problem, const Schedule &from,
                             bool packsOnce);

/// Two or three such steps, one after another, of different keys where
/// possible. Nothing where `from` has no neighbours.
std::optional<Move> randomMove(const Problem &problem, const Schedule &from,
                               bool packsOnce, std::mt19937_64 &random);

} // namespace rootc::codegen

#endif // ROOTC_CODEGEN_TUNE_MOVES_H
