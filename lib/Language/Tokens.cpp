//===- Tokens.cpp - The words of a network's text -------------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lib/Language/Tokens.h"

#include "llvm/ADT/StringExtras.h"

using namespace llvm;

namespace rootc {

static bool isWordChar(char c) {
  return isAlnum(c) || c == '_' || c == '$' || c == '.';
}

static size_t wordLength(StringRef text) {
  return text.take_while(isWordChar).size();
}

/// Of text that begins with a quote.
static size_t stringLength(StringRef text) {
  size_t i = 1;
  while (i < text.size() && text[i] != '"' && text[i] != '\n')
    i += text[i] == '\\' && i + 1 < text.size() && text[i + 1] != '\n' ? 2 : 1;
  return std::min(text.size(), i + (i < text.size() && text[i] == '"'));
}

/// Of text that begins with a digit, maybe after a minus. 1e-5 is one number.
static size_t numberLength(StringRef text) {
  size_t i = text.starts_with("-");
  i += wordLength(text.drop_front(i));
  StringRef rest = text.drop_front(i);
  bool exponent = (text[i - 1] == 'e' || text[i - 1] == 'E') &&
                  rest.size() > 1 && (rest[0] == '-' || rest[0] == '+') &&
                  isDigit(rest[1]);
  return exponent ? i + 1 + rest.drop_front().take_while(isDigit).size() : i;
}

/// Of the name behind % or @; as MLIR has it, one may have minuses in it.
static size_t nameLength(StringRef text) {
  if (text.starts_with("\""))
    return stringLength(text);
  return text.take_while([](char c) { return isWordChar(c) || c == '-'; })
      .size();
}

static Token next(StringRef text) {
  auto token = [&](TokenKind kind, size_t length) {
    return Token{kind, text.take_front(length)};
  };
  char c = text[0];
  StringRef rest = text.drop_front();
  if (text.starts_with("//"))
    return {TokenKind::Comment,
            text.take_until([](char c) { return c == '\n'; })};
  if (c == '"')
    return token(TokenKind::String, stringLength(text));
  if (c == '%')
    return token(TokenKind::Value, 1 + nameLength(rest));
  if (c == '@')
    return token(TokenKind::Symbol, 1 + nameLength(rest));
  if (c == '!')
    return token(TokenKind::Type, 1 + wordLength(rest));
  if (isDigit(c) || (c == '-' && !rest.empty() && isDigit(rest[0])))
    return token(TokenKind::Number, numberLength(text));
  if (isWordChar(c))
    return token(TokenKind::Word, wordLength(text));
  return token(TokenKind::Mark, text.starts_with("->") ? 2 : 1);
}

std::vector<Token> tokenize(StringRef source) {
  std::vector<Token> tokens;
  for (StringRef text = source.ltrim(); !text.empty(); text = text.ltrim()) {
    tokens.push_back(next(text));
    text = text.drop_front(tokens.back().text.size());
  }
  return tokens;
}

} // namespace rootc
