//===- OutputFile.h - Files that users asked for ----------------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_CODEGEN_EMIT_OUTPUTFILE_H
#define ROOTC_CODEGEN_EMIT_OUTPUTFILE_H

#include "llvm/Support/Error.h"

namespace rootc::codegen {

/// Fails, naming the path, where `writeOutput` is bound to: so that nobody
/// waits for a compilation that has nowhere to go.
llvm::Error checkOutput(llvm::StringRef path);

/// Writes a file aside and renames it, so that no half of it is ever seen; "-"
/// is standard output, and what is no ordinary file (a pipe, a device) is
/// written in place.
llvm::Error writeOutput(llvm::StringRef path, llvm::StringRef content);

} // namespace rootc::codegen

#endif // ROOTC_CODEGEN_EMIT_OUTPUTFILE_H
