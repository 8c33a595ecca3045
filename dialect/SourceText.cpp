//===- SourceText.cpp - What the parser cannot bear -----------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialect/SourceText.h"

#include "llvm/Support/FormatVariadic.h"

using namespace llvm;

/// Far more than a network has, far less than overflows a stack of 8 MiB.
static constexpr int maxDepth = 256;

std::string rootc::root::checkSourceText(StringRef name, StringRef text) {
  int depth = 0;
  bool inString = false, inComment = false;
  for (size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    // A line end closes comments, and strings too: they may not span lines.
    if (c == '\n')
      inString = inComment = false;
    else if (inComment)
      continue;
    else if (inString && c == '\\')
      ++i;
    else if (c == '"')
      inString = !inString;
    else if (inString)
      continue;
    else if (c == '/' && text.substr(i).starts_with("//"))
      inComment = true;
    else if (StringRef("([{<").contains(c))
      ++depth;
    else if (StringRef(")]}").contains(c) ||
             (c == '>' && (i == 0 || text[i - 1] != '-')))
      depth = std::max(0, depth - 1);
    if (depth <= maxDepth)
      continue;
    StringRef before = text.take_front(i);
    return formatv(
        "{0}:{1}:{2}: error: brackets are nested deeper than {3}; no "
        "network needs that",
        name, before.count('\n') + 1, i - before.rfind('\n'), maxDepth);
  }
  return "";
}
