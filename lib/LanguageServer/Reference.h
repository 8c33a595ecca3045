//===- Reference.h - The language's description -----------------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// docs/language.md, which is generated from the dialect, is in the program.
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_LANGUAGESERVER_REFERENCE_H
#define ROOTC_LANGUAGESERVER_REFERENCE_H

#include "dialect/ClauseSyntax.h"

namespace rootc {

/// The whole page, in Markdown.
llvm::StringRef languagePage();

/// What it says of an op as a user sees it; "" if nothing.
std::string describeOp(llvm::StringRef op);

/// What it says of a clause: its meaning and its default; "" if nothing.
std::string describeClause(llvm::StringRef op, const root::Clause &clause);

} // namespace rootc

#endif // ROOTC_LANGUAGESERVER_REFERENCE_H
