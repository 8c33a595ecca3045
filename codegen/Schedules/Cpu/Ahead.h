//===- Ahead.h - Prefetching the next strip ---------------------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_CODEGEN_SCHEDULES_CPU_AHEAD_H
#define ROOTC_CODEGEN_SCHEDULES_CPU_AHEAD_H

#include "codegen/Schedules/Schedules.h"

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace rootc::codegen {

/// What a strip has fetched of a map, in elements.
struct AheadPart {
  int64_t offset = 0;   ///< from where the strip begins
  int64_t elements = 0; ///< what the next strip is first to need
};

/// The loops of a kernel that reads and writes maps strip by strip, in the
/// order in which they lie in memory, with many turns of other loops for each
/// strip.
struct AheadLoops {
  std::vector<std::string> strips; ///< over strips: innermost first
  /// Within a strip, outermost first, with their counts. Each turn of the last
  /// one fetches its share.
  std::vector<std::pair<std::string, int64_t>> turns;
  std::map<std::string, AheadPart> maps; ///< that are read or written

  /// Adds the inputs that have a map's shape, of which a strip goes past
  /// `skipped` rows to `rows` that are new.
  void addInputs(const ScheduleContext &context, const TensorType &map,
                 int64_t skipped, int64_t rows);
};

/// A lowering pass: while register tiles sum over a strip, they prefetch the
/// next one, a line after the other. Halide's own directive would fetch what
/// a tile reads next, a few bytes of each pixel, once for each tile, and past
/// the L2 cache.
class Ahead : public Halide::Internal::IRMutator {
public:
  explicit Ahead(AheadLoops loops);
  using IRMutator::visit;

private:
  Halide::Internal::Stmt visit(const Halide::Internal::For *loop) override;
  Halide::Internal::Stmt visit(const Halide::Internal::LetStmt *let) override;
  Halide::Expr visit(const Halide::Internal::Load *load) override;
  Halide::Internal::Stmt visit(const Halide::Internal::Store *store) override;
  /// Where a strip begins to read or write a map: at its first access.
  void record(const std::string &map, Halide::Expr index);

  /// How many turns of nested loops came before this one; the loops that are
  /// not there stand at their last turn, as where Halide took it off.
  Halide::Expr turn() const;
  bool isStrips(const std::string &loop) const;
  bool inStrip() const;

  AheadLoops loops;
  std::vector<std::string> around, scope;    ///< loops; these and variables
  std::map<std::string, Halide::Expr> lets;  ///< within a strip
  std::map<std::string, Halide::Expr> begin; ///< of the strip, by map
};

} // namespace rootc::codegen

#endif // ROOTC_CODEGEN_SCHEDULES_CPU_AHEAD_H
