//===- Report.h - Compare runs ----------------------------------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_RUNTIME_REPORT_REPORT_H
#define ROOTC_RUNTIME_REPORT_REPORT_H

#include <cstdint>
#include <string>
#include <vector>

namespace rootc {

struct ReportOptions {
  std::vector<std::string> runs;
  std::vector<std::string> models; ///< libraries that runs do not find
  std::string output;   ///< the page; "": report.html, with `json` none
  bool json = false;    ///< print the page's numbers
  bool measure = false; ///< time the runs' libraries
  int64_t batch = 0; ///< 0: the smallest that one of the runs was trained with
  int64_t measuredRuns = 10;
  int threads = 0; ///< 0: defaultThreads()
};

/// `rootrun report`.
void reportRuns(const ReportOptions &options);

/// Writes RUN/report.html, the page of one run. `ended`: it does not go on,
/// though the process that writes this still holds the folder.
void writeRunPage(const std::string &folder, bool ended);

} // namespace rootc

#endif // ROOTC_RUNTIME_REPORT_REPORT_H
