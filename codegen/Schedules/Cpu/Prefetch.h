//===- Prefetch.h - Fetching a cache line -----------------------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_CODEGEN_SCHEDULES_CPU_PREFETCH_H
#define ROOTC_CODEGEN_SCHEDULES_CPU_PREFETCH_H

#include "Halide.h"

#include <string>
#include <vector>

namespace rootc::codegen {

/// A statement that fetches the line of a float of a buffer into the L2 cache,
/// to be read or to be written. The index may lie beyond the buffer.
Halide::Internal::Stmt prefetch(const std::string &buffer,
                                const Halide::Expr &index, bool write);

/// Whether all variables of an expression are among `names`.
bool usesOnly(const Halide::Expr &expr, const std::vector<std::string> &names);

} // namespace rootc::codegen

#endif // ROOTC_CODEGEN_SCHEDULES_CPU_PREFETCH_H
