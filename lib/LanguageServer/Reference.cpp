//===- Reference.cpp - The language's description -------------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lib/LanguageServer/Reference.h"

#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringExtras.h"

using namespace llvm;

namespace rootc {

std::string describeOp(StringRef op) {
  std::string heading = ("### `" + op + "` (").str();
  StringRef section = languagePage().split(heading).second.split('\n').second;
  section = section.split("\n### ").first;
  // Behind it there are the names of C++.
  for (StringRef end : {"\nTraits:", "\nInterfaces:", "\n#### "})
    section = section.split(end).first;
  return section.trim().str();
}

std::string describeClause(StringRef op, const root::Clause &clause) {
  std::string description = describeOp(op);
  SmallVector<StringRef> lines;
  StringRef(description).split(lines, '\n');
  std::string begin = ("| `" + clause.keyword).str();
  for (StringRef row : lines) {
    if (!row.consume_front(begin) || row.empty() || isAlnum(row[0]) ||
        row[0] == '_')
      continue;
    SmallVector<StringRef> cells;
    row.split(cells, " | ");
    if (cells.size() < 2)
      continue;
    std::string text = cells[1].trim().str();
    StringRef byDefault = cells.size() > 2 ? cells[2].rtrim(" |") : StringRef();
    if (byDefault == "required")
      text += "; required";
    else if (!byDefault.empty())
      text += ("; default: " + byDefault).str();
    return text;
  }
  return "";
}

} // namespace rootc
