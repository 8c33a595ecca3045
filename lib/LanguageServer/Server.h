//===- Server.h - The language server ---------------------------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_LANGUAGESERVER_SERVER_H
#define ROOTC_LANGUAGESERVER_SERVER_H

#include "llvm/Support/raw_ostream.h"

#include <cstdio>

namespace rootc {

/// Speaks the language server protocol until the editor says `exit` or closes
/// `in`. Texts that crash the compiler get that as their one diagnostic.
/// Returns the exit code: 0 if the editor asked for a shutdown before.
int runLanguageServer(std::FILE *in, llvm::raw_ostream &out);

} // namespace rootc

#endif // ROOTC_LANGUAGESERVER_SERVER_H
