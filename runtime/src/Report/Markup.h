//===- Markup.h - HTML and SVG text -----------------------------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The one way text gets onto a page: every text and attribute value is escaped
// here, and elements close in the order they were opened, so that what is
// written is well-formed whatever a run or a network is called.
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_RUNTIME_REPORT_MARKUP_H
#define ROOTC_RUNTIME_REPORT_MARKUP_H

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace rootc::report {

/// Text for HTML and XML, in and out of attributes: markup is escaped; what is
/// not UTF-8, or not a character of XML, becomes U+FFFD.
std::string escape(std::string_view text);

/// The first `length` characters of UTF-8 text, the last one an ellipsis if
/// some are left out.
std::string shorten(std::string_view text, size_t length);

/// Characters of UTF-8 text (its bytes if it is not).
size_t characters(std::string_view text);

std::string base64(std::string_view bytes);

using Attributes = std::vector<std::pair<const char *, std::string>>;

class Markup {
public:
  /// Closes its element when it goes.
  class Scope {
  public:
    explicit Scope(Markup &markup) : markup(markup) {}
    ~Scope() { markup.close(); }
    Scope(const Scope &) = delete;
    Scope &operator=(const Scope &) = delete;

  private:
    Markup &markup;
  };

  [[nodiscard]] Scope in(const char *element, const Attributes &with = {}) {
    open(element, with);
    return Scope(*this);
  }
  void open(const char *element, const Attributes &with = {});
  void close();
  /// An element that holds text alone.
  void leaf(const char *element, const Attributes &with, std::string_view text);
  void leaf(const char *element, std::string_view text) {
    leaf(element, {}, text);
  }
  /// An element that holds nothing: <meta/>, <path/>.
  void empty(const char *element, const Attributes &with = {});
  void text(std::string_view text) { out += escape(text); }
  /// Constants of the program: never what was read from a file.
  void raw(const char *constant) { out += constant; }
  std::string take() { return std::move(out); }

private:
  void tag(const char *element, const Attributes &with);

  std::string out;
  std::vector<const char *> elements;
};

} // namespace rootc::report

#endif // ROOTC_RUNTIME_REPORT_MARKUP_H
