//===- SourceText.cpp - What the parser cannot bear -----------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialect/SourceText.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"

using namespace llvm;
using namespace rootc::root;

/// Far more than a network has, far less than overflows a stack of 8 MiB.
static constexpr int maxDepth = 256;

/// Whether the '#' at `offset` begins what the writer of other languages takes
/// for a comment. In MLIR it stands in result numbers, %0#1, and before the
/// names of attributes: where one may stand, or where it is defined; and in
/// {-# ... #-}. `last` is the character before it that is neither space nor
/// comment.
static bool looksLikeComment(StringRef text, size_t offset, char last) {
  if (offset > 0 && (isAlnum(text[offset - 1]) || text[offset - 1] == '_'))
    return false;
  if (text.take_front(offset).ends_with("{-") ||
      text.drop_front(offset + 1).starts_with("-}"))
    return false;
  StringRef word = text.drop_front(offset + 1).take_while([](char c) {
    return isAlnum(c) || StringRef("_$.-").contains(c);
  });
  if (word.empty())
    return text.substr(offset + 1, 1) != "\"";
  if (StringRef("=([{<,:").contains(last))
    return false;
  StringRef rest = text.drop_front(offset + 1 + word.size());
  return !rest.ltrim(" \t").starts_with("=");
}

std::optional<SourceProblem> rootc::root::findSourceProblem(StringRef text) {
  int depth = 0;
  bool inString = false, inComment = false;
  char last = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    // A line end closes comments, and strings too: they may not span lines.
    if (c == '\n') {
      inString = inComment = false;
      continue;
    }
    if (inComment)
      continue;
    if (c == '/' && !inString && text.substr(i).starts_with("//")) {
      inComment = true;
      continue;
    }
    if (inString && c == '\\')
      ++i;
    else if (c == '"')
      inString = !inString;
    else if (inString)
      continue;
    else if (c == '#' && looksLikeComment(text, i, last))
      return SourceProblem{i, "a comment begins with //, not with #"};
    else if (StringRef("([{<").contains(c))
      ++depth;
    else if (StringRef(")]}").contains(c) ||
             (c == '>' && (i == 0 || text[i - 1] != '-')))
      depth = std::max(0, depth - 1);
    if (depth > maxDepth)
      return SourceProblem{i, formatv("brackets are nested deeper than {0}; no "
                                      "network needs that",
                                      maxDepth)};
    if (!isSpace(c))
      last = c;
  }
  return std::nullopt;
}

std::string rootc::root::checkSourceText(StringRef name, StringRef text) {
  std::optional<SourceProblem> problem = findSourceProblem(text);
  if (!problem)
    return "";
  StringRef before = text.take_front(problem->offset);
  return formatv("{0}:{1}:{2}: error: {3}", name, before.count('\n') + 1,
                 problem->offset - before.rfind('\n'), problem->message);
}
