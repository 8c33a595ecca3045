//===- Progress.cpp - Progress on a terminal ------------------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Progress.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

using namespace rootc;

std::string rootc::clockTime(double seconds) {
  int64_t whole = std::llround(seconds);
  int64_t hours = whole / 3600, minutes = whole / 60 % 60;
  return hours ? fmt::format("{}:{:02}:{:02}", hours, minutes, whole % 60)
               : fmt::format("{}:{:02}", minutes, whole % 60);
}

static int64_t terminalWidth() {
  winsize size = {};
  bool known = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  return known ? size.ws_col : 80;
}

Progress::Progress(int64_t left)
    : terminal(isatty(STDOUT_FILENO)), left(left), begin(Clock::now()),
      last(begin) {}

void Progress::step(const std::string &title, int64_t done, int64_t total,
                    const std::string &text) {
  ++passed;
  auto now = Clock::now();
  if (!terminal || now - last < std::chrono::milliseconds(100))
    return;
  last = now;
  double elapsed = std::chrono::duration<double>(now - begin).count();
  double remaining = elapsed / double(passed) * double(left - passed);
  std::string after = fmt::format("{}  {} left", text, clockTime(remaining));
  // A line that is wrapped could not be erased.
  int64_t room = terminalWidth() - int64_t(title.size() + after.size()) - 5;
  int64_t width = std::clamp<int64_t>(room, 0, 24);
  int64_t filled = total > 0 ? done * width / total : width;
  std::string bar =
      width ? fmt::format("[{:=<{}}{:<{}}] ", "", filled, "", width - filled)
            : "";
  fmt::print("\r\x1b[K{} {}{}", title, bar, after);
  std::fflush(stdout);
  shown = true;
}

void Progress::clear() {
  if (!shown)
    return;
  fmt::print("\r\x1b[K");
  std::fflush(stdout);
  shown = false;
}
