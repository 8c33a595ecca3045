//===- Progress.h - Progress on a terminal ----------------------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_RUNTIME_PROGRESS_H
#define ROOTC_RUNTIME_PROGRESS_H

#include <chrono>
#include <cstdint>
#include <string>

namespace rootc {

/// "1:02:03" or "2:03"
std::string clockTime(double seconds);

/// A bar on the last line of a terminal; silent where standard output is none.
class Progress {
public:
  /// `left`: steps that this process has before it.
  explicit Progress(int64_t left);
  ~Progress() { clear(); }
  Progress(const Progress &) = delete;
  Progress &operator=(const Progress &) = delete;

  /// Another step is done. `title` stands before the bar, whose length shows
  /// done of total; `text` behind it.
  void step(const std::string &title, int64_t done, int64_t total,
            const std::string &text);
  /// Removes the bar, before something else is printed.
  void clear();

private:
  using Clock = std::chrono::steady_clock;
  bool terminal, shown = false;
  int64_t left, passed = 0;
  Clock::time_point begin, last;
};

} // namespace rootc

#endif // ROOTC_RUNTIME_PROGRESS_H
