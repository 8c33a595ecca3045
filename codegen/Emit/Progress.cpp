//===- Progress.cpp - What a long compilation is at -----------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/Emit/Progress.h"

#include <system_error>
#include <unistd.h>

namespace rootc::codegen {

namespace {
constexpr std::chrono::seconds worthTelling(5);
} // namespace

ProgressOptions ProgressOptions::standardError() {
  using namespace std::chrono_literals;
  bool isTerminal = isatty(STDERR_FILENO);
  return {STDERR_FILENO, isTerminal, isTerminal ? 1s : 60s,
          isTerminal ? 1s : 60s, "rootc"};
}

Progress::Progress(const ProgressOptions &options) : options(options) {
  try {
    thread = std::thread([this] { run(); });
  } catch (const std::system_error &) {
    // Then nothing is told.
  }
}

Progress::~Progress() {
  {
    std::lock_guard lock(mutex);
    isEnded = true;
  }
  changed.notify_all();
  if (thread.joinable())
    thread.join();
  eraseLine();
}

void Progress::say(const Activity &now) {
  std::lock_guard lock(mutex);
  activity = now;
}

void Progress::erase() {
  std::lock_guard lock(mutex);
  eraseLine();
}

void Progress::run() {
  std::unique_lock lock(mutex);
  auto next = begin + options.first;
  while (!changed.wait_until(lock, next, [this] { return isEnded; })) {
    next += options.interval;
    if (activity.what.empty())
      continue;
    auto secondsSince = [](Clock::time_point time) {
      return std::chrono::duration_cast<std::chrono::seconds>(Clock::now() -
                                                              time);
    };
    std::string time = std::to_string(secondsSince(begin).count()) + " s";
    std::string what = activity.what;
    auto longest = secondsSince(activity.since);
    if (!activity.longest.empty() && longest >= worthTelling)
      what += "; '" + activity.longest + "' takes " +
              std::to_string(longest.count()) + " s so far";
    if (options.isTerminal) {
      eraseLine();
      std::string line = options.program + ": " + what + " (" + time + ")";
      print(line);
      shown = line.size();
    } else {
      print(options.program + ": note: after " + time + ": " + what + "\n");
    }
  }
}

void Progress::print(std::string text) {
  // Whether anybody reads it does not matter.
  [[maybe_unused]] ssize_t count =
      write(options.file, text.data(), text.size());
}

void Progress::eraseLine() {
  if (shown)
    print("\r" + std::string(shown, ' ') + "\r");
  shown = 0;
}

} // namespace rootc::codegen
