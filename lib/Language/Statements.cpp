//===- Statements.cpp - The statements of a network's text ----------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lib/Language/Statements.h"

#include "llvm/ADT/STLExtras.h"

using namespace llvm;
using namespace rootc;

const Token *Statement::op() const {
  const auto *found = find_if(ArrayRef(tokens), [](const Token &token) {
    return token.kind == TokenKind::Word;
  });
  return found == ArrayRef(tokens).end() ? nullptr : found;
}

bool StatementReader::begins(size_t index) const {
  const Token &token = tokens[index];
  if (token.kind == TokenKind::Value)
    return index + 1 < tokens.size() && tokens[index + 1].is("=");
  return token.kind == TokenKind::Word && !nesting &&
         !statement.tokens.back().is("=") &&
         (token.text.contains('.') || token.text == "module");
}

bool StatementReader::isOver(size_t index) const {
  return !empty() && (begins(index) || closesRegion(index));
}

bool StatementReader::opensRegion(size_t index) const {
  if (!tokens[index].is("{") || nesting || !statement.op() ||
      statement.tokens.back().text == "attributes")
    return false;
  StringRef op = statement.op()->text;
  return op == "root.network" || op == "module" || op == "builtin.module";
}

bool StatementReader::closesRegion(size_t index) const {
  return tokens[index].is("}") && !nesting;
}

void StatementReader::add(size_t index) {
  const Token &token = tokens[index];
  statement.tokens.push_back(token);
  if (token.kind != TokenKind::Mark || token.text.size() > 1)
    return;
  if (StringRef("([{<").contains(token.text[0]))
    ++nesting;
  else if (StringRef(")]}>").contains(token.text[0]))
    nesting -= nesting != 0;
}

Statement StatementReader::take() {
  nesting = 0;
  return std::exchange(statement, {});
}

std::vector<Statement> rootc::splitStatements(ArrayRef<Token> tokens) {
  std::vector<Statement> statements;
  StatementReader reader(tokens);
  auto end = [&] {
    if (!reader.empty())
      statements.push_back(reader.take());
  };
  for (size_t i = 0; i < tokens.size(); ++i) {
    if (tokens[i].kind == TokenKind::Comment)
      continue;
    if (reader.isOver(i))
      end();
    if (reader.closesRegion(i))
      continue;
    bool opens = reader.opensRegion(i);
    reader.add(i);
    if (opens)
      end();
  }
  end();
  return statements;
}
