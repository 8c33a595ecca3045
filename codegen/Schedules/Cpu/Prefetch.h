//===- Prefetch.h - Fetching a cache line -----------------------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_CODEGEN_SCHEDULES_CPU_PREFETCH_H
#define ROOTC_CODEGEN_SCHEDULES_CPU_PREFETCH_H

#include "Halide.h"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace rootc::codegen {

/// A statement that fetches the line of a float of a buffer into the L2 cache,
/// to be read or to be written. The index may lie beyond the buffer.
Halide::Internal::Stmt prefetch(const std::string &buffer,
                                const Halide::Expr &index, bool write);

/// The lines of one turn of a loop, all `turns` of which fetch `elements` of a
/// buffer from `begin` on, `turn` counting them: less than a line each time, or
/// some lines, but no more than 64.
Halide::Internal::Stmt fetchShare(const std::string &buffer,
                                  const Halide::Expr &begin,
                                  const Halide::Expr &turn, int64_t turns,
                                  int64_t elements);

/// Elements of a cache line.
inline constexpr int lineElements = 16;

/// Whether all variables of an expression are among `names`.
bool usesOnly(const Halide::Expr &expr, const std::vector<std::string> &names);

/// A lowering pass: loops over pixels that read some of the channels of maps
/// fetch the same channels of a later pixel. Hardware follows whole pixels.
class PixelsAhead : public Halide::Internal::IRMutator {
public:
  /// \p maps: and how many elements later is fetched.
  explicit PixelsAhead(std::map<std::string, int64_t> maps)
      : maps(std::move(maps)) {}
  using IRMutator::visit;

private:
  Halide::Internal::Stmt visit(const Halide::Internal::For *loop) override;

  std::map<std::string, int64_t> maps;
};

/// After all passes that fetch: corrects the addresses of what is fetched of
/// buffers whose elements are two bytes.
class NarrowPrefetches : public Halide::Internal::IRMutator {
public:
  explicit NarrowPrefetches(std::vector<std::string> buffers)
      : buffers(std::move(buffers)) {}
  using IRMutator::visit;

private:
  Halide::Expr visit(const Halide::Internal::Call *call) override;
  Halide::Expr visit(const Halide::Internal::Mul *product) override;

  std::vector<std::string> buffers;
  bool halves = false; ///< within such an address
};

} // namespace rootc::codegen

#endif // ROOTC_CODEGEN_SCHEDULES_CPU_PREFETCH_H
