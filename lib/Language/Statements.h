//===- Statements.h - The statements of a network's text --------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_LANGUAGE_STATEMENTS_H
#define ROOTC_LANGUAGE_STATEMENTS_H

#include "lib/Language/Tokens.h"

#include "llvm/ADT/ArrayRef.h"

namespace rootc {

/// One layer, or what stands before a network's brace, and that.
struct Statement {
  std::vector<Token> tokens; ///< without comments

  /// The word that names its op; null if there is none yet.
  const Token *op() const;
};

/// Puts tokens together as they come. Lines do not matter, and neither does
/// what is wrong within a statement: the next one begins at `%x =`.
class StatementReader {
public:
  explicit StatementReader(llvm::ArrayRef<Token> tokens) : tokens(tokens) {}

  /// Whether the token at `index` cannot belong to the statement so far.
  bool isOver(size_t index) const;
  /// Whether it is the brace behind a network's, or a module's, head.
  bool opensRegion(size_t index) const;
  bool closesRegion(size_t index) const;
  /// Adds it.
  void add(size_t index);
  bool empty() const { return statement.tokens.empty(); }
  /// The statement so far; the next one is empty.
  Statement take();

private:
  bool begins(size_t index) const;

  llvm::ArrayRef<Token> tokens;
  Statement statement;
  unsigned nesting = 0; ///< brackets that it has open
};

/// All of them; closing braces are left out.
std::vector<Statement> splitStatements(llvm::ArrayRef<Token> tokens);

} // namespace rootc

#endif // ROOTC_LANGUAGE_STATEMENTS_H
