//===- Cleanup.h - What a program undoes when it ends early -----*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Destructors do not run when a signal, a fatal error of a library or the end
// of memory ends the program. What must not stay behind then (folders of
// intermediate files, processes at work) registers here for as long as it is
// there.
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_CODEGEN_EMIT_CLEANUP_H
#define ROOTC_CODEGEN_EMIT_CLEANUP_H

#include <cstdint>
#include <functional>

namespace rootc::codegen {

/// Returns a number for `removeCleanup`. Both may be called on any thread.
uint64_t addCleanup(std::function<void()> cleanup);
void removeCleanup(uint64_t number);

/// Runs all, the newest first, once; files that LLVM's libraries had begun to
/// write are removed as well. For a program that is about to end.
void runCleanups();

} // namespace rootc::codegen

#endif // ROOTC_CODEGEN_EMIT_CLEANUP_H
