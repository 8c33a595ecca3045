//===- PageParts.h - What the sections of the page share --------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_RUNTIME_REPORT_PAGEPARTS_H
#define ROOTC_RUNTIME_REPORT_PAGEPARTS_H

#include "Chart.h"
#include "Comparison.h"

namespace rootc::report {

/// The constants of the page's head.
extern const char *const pageStyle;
extern const char *const pageScript;

/// Sections, in the page's order; each writes nothing if it has nothing to say.
void writeSummary(Markup &markup, const Comparison &all);
void writeCosts(Markup &markup, const Comparison &all);
void writeLayers(Markup &markup, const Comparison &all);
void writeCurves(Markup &markup, const Comparison &all);
void writeMistakes(Markup &markup, const Comparison &all);
void writeFilters(Markup &markup, const Comparison &all);
void writeRuns(Markup &markup, const Comparison &all);
void writeOptions(Markup &markup, const Comparison &all);
void writeCovariances(Markup &markup, const Comparison &all);

/// How and where times were measured.
void writeHow(Markup &markup, const Comparison &all);

/// `rootrun report RUN... --measure -o report.html` for these runs.
std::string measureCommand(const Comparison &all);

/// A section with its heading, and under it `lead` if there is one.
Markup::Scope openSection(Markup &markup, const char *id, const char *heading,
                          const std::string &lead = "");

/// A table that scrolls where it is too wide.
class Table {
public:
  /// A heading that begins with '#' is one of numbers.
  Table(Markup &markup, const std::string &caption,
        const std::vector<std::string> &headings, bool sortable);
  ~Table();
  Table(const Table &) = delete;
  Table &operator=(const Table &) = delete;

private:
  Markup &markup;
};

/// A cell with a number: `value` sorts it, `note` stands under it. What is not
/// finite is a dash.
void numberCell(Markup &markup, double value, const std::string &text,
                const std::string &note = "");

/// A name that must not change the direction of what follows.
void writeName(Markup &markup, const std::string &name);

/// The colour of a configuration, and its name.
void writeKey(Markup &markup, const Comparison &all, size_t configuration);

/// "7.89 ± 0.12" percent, "-" if there is none.
std::string percentText(const std::optional<Spread> &spread);

/// A place where a plot would be, and the command that gives it.
void writeMissing(Markup &markup, const std::string &title,
                  const std::string &reason, const std::string &command = "");

} // namespace rootc::report

#endif // ROOTC_RUNTIME_REPORT_PAGEPARTS_H
