//===- Layout.cpp - Lines of a network ------------------------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lib/Language/Layout.h"

#include "llvm/ADT/StringExtras.h"

using namespace llvm;
using namespace rootc;

namespace {

/// Takes tokens one by one, and writes a line when a statement is over.
class Layout {
public:
  explicit Layout(StringRef source)
      : source(source), tokens(tokenize(source)), reader(tokens) {}

  std::string run() {
    for (size_t i = 0; i < tokens.size(); ++i)
      add(i);
    endStatement();
    return std::move(text);
  }

private:
  void add(size_t index) {
    if (tokens[index].kind == TokenKind::Comment)
      return addComment(index);
    if (reader.isOver(index))
      endStatement();
    if (reader.empty())
      emptyBefore = lineEndsBefore(index) > 1;
    if (reader.closesRegion(index)) {
      emptyBefore = false;
      depth -= depth != 0;
      return line("}");
    }
    bool opens = reader.opensRegion(index);
    reader.add(index);
    if (!opens)
      return;
    endStatement();
    ++depth;
    afterOpening = true;
  }

  /// A comment behind a statement stays there; one within goes before it.
  void addComment(size_t index) {
    StringRef comment = tokens[index].text.rtrim();
    bool sameLine = index && lineEndsBefore(index) == 0;
    size_t next = index;
    while (next < tokens.size() && tokens[next].kind == TokenKind::Comment)
      ++next;
    if (next == tokens.size() || reader.isOver(next))
      endStatement();
    if (reader.empty() && sameLine && !text.empty()) {
      text.back() = ' ';
      text += comment;
      text += "\n";
      return;
    }
    // One within takes the empty line of the statement, which is still to come.
    if (reader.empty())
      emptyBefore = lineEndsBefore(index) > 1;
    line(comment);
  }

  unsigned lineEndsBefore(size_t index) const {
    size_t begin = index ? tokens[index - 1].end(source) : 0;
    return source.slice(begin, tokens[index].begin(source)).count('\n');
  }

  void endStatement() {
    if (!reader.empty())
      line(layOutStatement(reader.take()));
  }

  void line(StringRef content) {
    if (emptyBefore && !text.empty() && !afterOpening)
      text += "\n";
    emptyBefore = afterOpening = false;
    text.append(2 * depth, ' ');
    text += content;
    text += "\n";
  }

  StringRef source;
  std::vector<Token> tokens;
  StatementReader reader;
  unsigned depth = 0;
  bool emptyBefore = false; ///< the next line
  bool afterOpening = false;
  std::string text;
};

} // namespace

std::string rootc::layOut(StringRef source) { return Layout(source).run(); }
