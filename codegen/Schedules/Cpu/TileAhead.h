//===- TileAhead.h - Prefetching for register tiles -------------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_CODEGEN_SCHEDULES_CPU_TILEAHEAD_H
#define ROOTC_CODEGEN_SCHEDULES_CPU_TILEAHEAD_H

#include "Halide.h"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace rootc::codegen {

/// An input of which the loops over tiles' terms fetch what is read later.
struct InputAhead {
  enum Of {
    Tile,  ///< for the next tile, while one is summed
    Block, ///< for the next block, by all tiles of one
    Strip  ///< for the next strip, by all tasks of one
  };
  std::string name;
  Of of;
  int64_t elements; ///< to fetch
  /// Elements from the first that a tile or block reads; a strip begins
  /// `elements` after the one before.
  int64_t distance = 0;
  /// Nothing is fetched by loops of fewer or more tasks.
  int64_t leastTasks = 0, mostTasks = INT32_MAX;
};

/// A lowering pass for loops over register tiles, which sum and then write. A
/// tile first fetches what it will write, and what is read for that: such lines
/// lie a pixel apart, where no hardware expects them. While it sums it fetches
/// inputs of tiles to come, line after line.
class TileAhead : public Halide::Internal::IRMutator {
public:
  /// \p tiles: the variables of the loops over the tiles of a block; \p blocks:
  /// of that over the blocks of a task; \p inner: a Func whose loops it leaves
  /// alone; \p stripTasks: how many tasks after one another read the same
  /// strip.
  TileAhead(std::vector<std::string> tiles, std::string blocks,
            std::string inner, int64_t stripTasks,
            std::vector<InputAhead> inputs)
      : tiles(std::move(tiles)), blocks(std::move(blocks)),
        inner(std::move(inner)), stripTasks(stripTasks),
        inputs(std::move(inputs)) {}
  using IRMutator::visit;

private:
  Halide::Internal::Stmt visit(const Halide::Internal::For *loop) override;
  Halide::Internal::Stmt
  visit(const Halide::Internal::ProducerConsumer *part) override;
  Halide::Internal::Stmt visit(const Halide::Internal::LetStmt *let) override;
  Halide::Internal::Stmt visit(const Halide::Internal::Store *store) override;
  Halide::Expr visit(const Halide::Internal::Load *load) override;

  /// Buffers and indices into them.
  using Lines = std::vector<std::pair<std::string, Halide::Expr>>;
  struct Loop {
    const Halide::Internal::For *loop;
    bool inner = true;   ///< has no loop inside
    bool stores = false; ///< writes outputs by itself
    Lines lines = {};    ///< of outputs and maps, that it meets by itself
  };
  Halide::Internal::Stmt withOutputs(Halide::Internal::Stmt body) const;
  Halide::Internal::Stmt withInputs(Halide::Internal::Stmt body) const;
  /// How many turns of some of the loops around came before this one.
  struct Turn {
    Halide::Expr before = 0;
    int64_t all = 1; ///< 0: not known
    void inside(const Halide::Internal::For *loop);
  };
  /// What the innermost loop around does for an input. Few lines are left to
  /// the loop over tiles: in that over terms they would be fetched again and
  /// again.
  Halide::Internal::Stmt fetches(const InputAhead &input) const;
  bool isOver(const Halide::Internal::For *loop,
              const std::vector<std::string> &variables) const;
  bool inScope(const Halide::Expr &index) const;

  std::vector<std::string> tiles;
  std::string blocks, inner;
  int64_t stripTasks;
  std::vector<InputAhead> inputs;
  std::vector<Loop> around;
  std::vector<std::string> scope;
  std::map<std::string, Halide::Expr> lets; ///< inside of loops
};

} // namespace rootc::codegen

#endif // ROOTC_CODEGEN_SCHEDULES_CPU_TILEAHEAD_H
