//===- SourceText.h - What the parser cannot bear ---------------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_DIALECT_SOURCETEXT_H
#define ROOTC_DIALECT_SOURCETEXT_H

#include "llvm/ADT/StringRef.h"

#include <optional>
#include <string>

namespace rootc::root {

struct SourceProblem {
  size_t offset; ///< of the character at fault
  std::string message;
};

/// Looks through text before MLIR's parser gets it, which recurses at every
/// bracket and so overflows the stack on hostile text, and which takes a
/// comment after '#' for an attribute's name. Nothing if all is well.
std::optional<SourceProblem> findSourceProblem(llvm::StringRef text);

/// The same as an error "NAME:LINE:COLUMN: error: ..." without a line end; ""
/// if all is well.
std::string checkSourceText(llvm::StringRef name, llvm::StringRef text);

} // namespace rootc::root

#endif // ROOTC_DIALECT_SOURCETEXT_H
