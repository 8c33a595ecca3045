//===- Tokens.h - The words of a network's text -----------------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// MLIR's lexer is private and drops comments. This one keeps all there is, of
// text that need not be right, for the formatter and for editors.
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_LANGUAGE_TOKENS_H
#define ROOTC_LANGUAGE_TOKENS_H

#include "llvm/ADT/StringRef.h"

#include <vector>

namespace rootc {

enum class TokenKind {
  Comment, ///< from // to the end of the line, which is not in it
  String,  ///< with its quotes; not closed, it ends with the line
  Value,   ///< %1
  Symbol,  ///< @nin
  Type,    ///< !root.image
  Word,    ///< root.conv2d, filters
  Number,  ///< 1e-5; sizes too, 5x5
  Mark,    ///< -> or one other character
};

struct Token {
  TokenKind kind;
  llvm::StringRef text; ///< in the text that was given

  bool is(llvm::StringRef mark) const {
    return kind == TokenKind::Mark && text == mark;
  }
  /// Where it lies in `source`, which it was made of.
  size_t begin(llvm::StringRef source) const {
    return text.data() - source.data();
  }
  size_t end(llvm::StringRef source) const {
    return begin(source) + text.size();
  }
};

/// All tokens, in order; only white space lies between them.
std::vector<Token> tokenize(llvm::StringRef source);

} // namespace rootc

#endif // ROOTC_LANGUAGE_TOKENS_H
