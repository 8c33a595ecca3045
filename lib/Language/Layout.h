//===- Layout.h - Where tokens go -------------------------------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_LANGUAGE_LAYOUT_H
#define ROOTC_LANGUAGE_LAYOUT_H

#include "lib/Language/Statements.h"

#include <string>

namespace rootc {

/// A line without its indentation.
std::string layOutStatement(const Statement &statement);

/// All of a text of networks, as formatNetworks has it, but unchecked.
std::string layOut(llvm::StringRef source);

} // namespace rootc

#endif // ROOTC_LANGUAGE_LAYOUT_H
