//===- Markup.cpp - HTML and SVG text -------------------------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Markup.h"

#include <algorithm>
#include <cstdint>

using namespace rootc::report;

/// The bytes of the character at the front of the text; 0 if it is not UTF-8
/// (overlong forms and surrogates are not), or not a character of XML.
static size_t characterLength(std::string_view text) {
  auto byte = [&](size_t i) {
    return i < text.size() ? uint32_t(uint8_t(text[i])) : 0u;
  };
  uint32_t first = byte(0);
  if (first < 0x80)
    return (first >= 0x20 && first != 0x7f) || first == '\t' || first == '\n';
  size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4)
    return 0;
  uint32_t code = first & (0xffu >> (length + 1));
  for (size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80)
      return 0;
    code = code << 6 | (byte(i) & 0x3f);
  }
  static constexpr uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
  bool surrogate = code >= 0xd800 && code < 0xe000;
  bool noCharacter = code == 0xfffe || code == 0xffff || code < 0xa0;
  return code < least[length] || code > 0x10ffff || surrogate || noCharacter
             ? 0
             : length;
}

std::string rootc::report::escape(std::string_view text) {
  std::string result;
  while (!text.empty()) {
    size_t length = characterLength(text);
    switch (length == 1 ? text[0] : '\0') {
    case '&':
      result += "&amp;";
      break;
    case '<':
      result += "&lt;";
      break;
    case '>':
      result += "&gt;";
      break;
    case '"':
      result += "&quot;";
      break;
    case '\'':
      result += "&#39;";
      break;
    default:
      result += length ? text.substr(0, length) : "\xef\xbf\xbd";
    }
    text.remove_prefix(length ? length : 1);
  }
  return result;
}

size_t rootc::report::characters(std::string_view text) {
  size_t count = 0;
  for (; !text.empty(); ++count)
    text.remove_prefix(characterLength(text) ? characterLength(text) : 1);
  return count;
}

std::string rootc::report::shorten(std::string_view text, size_t length) {
  if (characters(text) <= length)
    return std::string(text);
  size_t bytes = 0;
  for (size_t i = 0; i + 1 < length; ++i) {
    size_t step = characterLength(text.substr(bytes));
    bytes += step ? step : 1;
  }
  return std::string(text.substr(0, bytes)) + "\u2026";
}

std::string rootc::report::base64(std::string_view bytes) {
  static constexpr char digits[] =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string result;
  result.reserve((bytes.size() + 2) / 3 * 4);
  for (size_t i = 0; i < bytes.size(); i += 3) {
    size_t count = std::min<size_t>(3, bytes.size() - i);
    uint32_t word = 0;
    for (size_t j = 0; j < 3; ++j)
      word = word << 8 | (j < count ? uint8_t(bytes[i + j]) : 0);
    for (size_t j = 0; j < 4; ++j)
      result += j <= count ? digits[word >> (18 - 6 * j) & 63] : '=';
  }
  return result;
}

void Markup::tag(const char *element, const Attributes &with) {
  out += '<';
  out += element;
  for (const auto &[name, value] : with) {
    out += ' ';
    out += name;
    out += "=\"";
    out += escape(value);
    out += '"';
  }
}

void Markup::open(const char *element, const Attributes &with) {
  tag(element, with);
  out += '>';
  elements.push_back(element);
}

/// Elements within a line of text, where a line break would be a space.
static bool isInline(std::string_view element) {
  for (const char *name : {"a", "b", "bdi", "code", "i", "span", "time"})
    if (element == name)
      return true;
  return false;
}

void Markup::close() {
  out += "</";
  out += elements.back();
  out += isInline(elements.back()) ? ">" : ">\n";
  elements.pop_back();
}

void Markup::leaf(const char *element, const Attributes &with,
                  std::string_view text) {
  open(element, with);
  this->text(text);
  close();
}

void Markup::empty(const char *element, const Attributes &with) {
  tag(element, with);
  out += "/>\n";
}
