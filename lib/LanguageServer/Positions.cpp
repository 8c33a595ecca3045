//===- Positions.cpp - Places as editors count them -----------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lib/LanguageServer/Positions.h"

#include "llvm/ADT/STLExtras.h"

using namespace llvm;
using namespace rootc;

/// Units of UTF-16 for the character that a byte of UTF-8 begins; 0 within one.
static int unitsAt(char byte) {
  auto value = static_cast<unsigned char>(byte);
  return (value & 0xC0) == 0x80 ? 0 : value >= 0xF0 ? 2 : 1;
}

Positions::Positions(StringRef text) : text(text) {
  lines.push_back(0);
  for (size_t i = 0; i < text.size(); ++i)
    if (text[i] == '\n')
      lines.push_back(i + 1);
}

StringRef Positions::line(size_t index) const {
  size_t end = index + 1 < lines.size() ? lines[index + 1] - 1 : text.size();
  return text.slice(lines[index], end);
}

size_t Positions::offset(lsp::Position position) const {
  if (position.line < 0)
    return 0;
  size_t index = position.line;
  if (index >= lines.size())
    return text.size();
  StringRef characters = line(index);
  size_t i = 0;
  for (int units = 0; i < characters.size(); ++i) {
    int more = unitsAt(characters[i]);
    if (more && units >= position.character)
      break;
    units += more;
  }
  return lines[index] + i;
}

size_t Positions::offset(unsigned lineNumber, unsigned column) const {
  if (lineNumber < 1 || lineNumber > lines.size())
    return text.size();
  size_t length = line(lineNumber - 1).size();
  size_t before = column ? column - 1 : 0;
  return lines[lineNumber - 1] + std::min(before, length);
}

lsp::Position Positions::position(size_t offset) const {
  offset = std::min(offset, text.size());
  size_t index = upper_bound(lines, offset) - lines.begin() - 1;
  int units = 0;
  for (char byte : text.slice(lines[index], offset))
    units += unitsAt(byte);
  return {static_cast<int>(index), units};
}

lsp::Range Positions::range(StringRef part) const {
  size_t begin = part.data() - text.data();
  return {position(begin), position(begin + part.size())};
}
