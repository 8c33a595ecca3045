//===- Progress.h - What a long compilation is at --------------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_CODEGEN_EMIT_PROGRESS_H
#define ROOTC_CODEGEN_EMIT_PROGRESS_H

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

namespace rootc::codegen {

struct ProgressOptions {
  int file = 2;            ///< where it is written
  bool isTerminal = false; ///< one line, written again and again, then erased
  std::chrono::milliseconds first{0}, interval{0}; ///< before, between lines
  std::string program = "rootc";                   ///< what lines begin with

  /// A terminal has a line after a second. Elsewhere one appears each minute,
  /// so that what is compiled in less leaves no trace.
  static ProgressOptions standardError();
};

/// What is being done.
struct Activity {
  std::string what;
  /// Of what is done at the same time, that which takes longest so far; empty:
  /// there is no such thing.
  std::string longest;
  std::chrono::steady_clock::time_point since{}; ///< when that began
};

/// Tells users of long compilations what is being done, from a thread of its
/// own. `say` and `erase` may be called on any thread.
class Progress {
public:
  explicit Progress(const ProgressOptions &options);
  ~Progress();
  Progress(const Progress &) = delete;
  Progress &operator=(const Progress &) = delete;

  /// What is being done from now on.
  void say(const Activity &activity);
  void say(const std::string &what) { say(Activity{what, "", {}}); }

  /// Takes the line off the terminal, so that other text may follow.
  void erase();

private:
  using Clock = std::chrono::steady_clock;

  void run();
  void print(std::string text);
  void eraseLine();

  const ProgressOptions options;
  const Clock::time_point begin = Clock::now();
  std::mutex mutex;
  std::condition_variable changed;
  bool isEnded = false;
  Activity activity;
  size_t shown = 0; ///< characters on the terminal's line
  std::thread thread;
};

} // namespace rootc::codegen

#endif // ROOTC_CODEGEN_EMIT_PROGRESS_H
