//===- StatementLayout.cpp - One layer as a line --------------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialect/LayerSyntax.h"
#include "lib/Language/Layout.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringExtras.h"

using namespace llvm;
using namespace rootc;
using root::Clause;
using root::ClauseKind;

//===----------------------------------------------------------------------===//
// Spaces
//===----------------------------------------------------------------------===//

namespace {

/// Puts tokens behind one another with the spaces that belong between them.
class Line {
public:
  void add(const Token &token) {
    if (!text.empty() && spaceBefore(token))
      text += ' ';
    text += token.text;
    if (token.kind == TokenKind::Mark)
      bracket(token.text[0]);
    last = token;
  }
  std::string text;

private:
  /// A clause's parenthesis, or a location's, follows a word: no spaces in it.
  static constexpr char inClause = 'c';

  char inside() const { return open.empty() ? 0 : open.back(); }

  void bracket(char c) {
    if (c == '(' && last.kind == TokenKind::Word)
      open.push_back(inClause);
    else if (StringRef("([{<").contains(c))
      open.push_back(c);
    else if (StringRef(")]}>").contains(c) && !open.empty())
      open.pop_back();
  }

  bool spaceBefore(const Token &token) const {
    if (inside() == inClause)
      return false;
    bool afterOpening = last.kind == TokenKind::Mark &&
                        StringRef("([{<#").contains(last.text[0]);
    if (afterOpening)
      return false;
    if (token.kind != TokenKind::Mark)
      return true;
    switch (token.text[0]) {
    case ',':
    case ')':
    case ']':
    case '}':
    case '>':
      return false;
    case '(':
      return last.kind != TokenKind::Word && last.kind != TokenKind::Symbol;
    case '<':
      return last.kind != TokenKind::Type && last.kind != TokenKind::Word;
    case ':':
      return inside() != '(' && inside() != '<';
    case '#':
      return last.kind != TokenKind::Value;
    default:
      return true;
    }
  }

  Token last = {TokenKind::Word, ""};
  SmallVector<char> open;
};

} // namespace

//===----------------------------------------------------------------------===//
// Clauses
//===----------------------------------------------------------------------===//

/// The size of "5x5", where both are one; else "".
static StringRef square(StringRef size) {
  auto [height, width] = size.split('x');
  return height == width ? height : "";
}

/// What stands in a clause's parentheses, as the printer of networks has it.
static std::string shortest(const Clause &clause, StringRef value) {
  if (clause.kind == ClauseKind::Pair) {
    // A kernel reads as kernel(5x5), a stride as stride(2).
    if (clause.required)
      return value.contains('x') ? value.str() : (value + "x" + value).str();
    return (square(value).empty() ? value : square(value)).str();
  }
  if (clause.kind != ClauseKind::Pad)
    return value.str();
  std::string text = value.str();
  SmallVector<StringRef> sides;
  value.split(sides, ',');
  if (sides.size() == 4 && sides[0] == sides[2] && sides[1] == sides[3])
    text = (sides[0] + "x" + sides[1]).str();
  StringRef both = square(text);
  return both.empty() ? text : both.str();
}

namespace {
struct WrittenClause {
  ptrdiff_t rank; ///< its place in the op's table
  std::string text;
};
} // namespace

/// Reads clauses as far as there are some; `next` is behind them then.
static std::vector<WrittenClause>
readClauses(ArrayRef<Clause> clauses, ArrayRef<Token> tokens, size_t &next) {
  std::vector<WrittenClause> written;
  while (next < tokens.size()) {
    const Clause *clause = find_if(clauses, [&](const Clause &candidate) {
      return candidate.keyword == tokens[next].text;
    });
    if (clause == clauses.end())
      break;
    std::string text = tokens[next++].text.str();
    if (next < tokens.size() && tokens[next].is("(")) {
      std::string value;
      while (++next < tokens.size() && !tokens[next].is(")"))
        value += tokens[next].text;
      ++next;
      text += "(" + shortest(*clause, value) + ")";
    }
    written.push_back({clause - clauses.begin(), std::move(text)});
  }
  stable_sort(written, [](const WrittenClause &a, const WrittenClause &b) {
    return a.rank < b.rank;
  });
  return written;
}

std::string rootc::layOutStatement(const Statement &statement) {
  ArrayRef<Token> tokens = statement.tokens;
  const Token *op = statement.op();
  const root::LayerSyntax *syntax =
      op ? root::findLayerSyntax(op->text) : nullptr;
  Line line;
  bool clausesToCome = syntax;
  for (size_t i = 0; i < tokens.size();) {
    bool isClause =
        clausesToCome && &tokens[i] > op && tokens[i].kind == TokenKind::Word;
    if (isClause) {
      clausesToCome = false;
      for (const WrittenClause &clause :
           readClauses(syntax->clauses, tokens, i))
        line.add({TokenKind::Word, clause.text});
    } else
      line.add(tokens[i++]);
  }
  return std::move(line.text);
}
