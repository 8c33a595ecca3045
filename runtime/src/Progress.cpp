//===- Progress.cpp - Progress on a terminal ------------------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Progress.h"

#include <cmath>
#include <cstdio>
#include <fmt/format.h>
#include <unistd.h>

using namespace rootc;

std::string rootc::clockTime(double seconds) {
  int64_t whole = std::llround(seconds);
  int64_t hours = whole / 3600, minutes = whole / 60 % 60;
  return hours ? fmt::format("{}:{:02}:{:02}", hours, minutes, whole % 60)
               : fmt::format("{}:{:02}", minutes, whole % 60);
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
  constexpr int64_t width = 24;
  int64_t filled = total > 0 ? done * width / total : width;
  double elapsed = std::chrono::duration<double>(now - begin).count();
  double remaining = elapsed / double(passed) * double(left - passed);
  fmt::print("\r\x1b[K{} [{:=<{}}{:<{}}] {}  {} left", title, "", filled, "",
             width - filled, text, clockTime(remaining));
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
