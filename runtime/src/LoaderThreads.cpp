//===- LoaderThreads.cpp - Threads that read images -----------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "LoaderThreads.h"

#include <system_error>

using namespace rootc;

static std::string describe(int asked, int started, const std::string &reason) {
  if (started == 0)
    return fmt::format("no loader thread can be started: {}; raise the limit "
                       "on processes (ulimit -u) or on memory (ulimit -v)",
                       reason);
  return fmt::format("{} loader threads cannot be started, only {}: {}; ask "
                     "for fewer with --loader-threads",
                     asked, started, reason);
}

TooFewThreads::TooFewThreads(int asked, int started, const std::string &reason)
    : Error(describe(asked, started, reason)), started(started) {}

std::vector<std::thread>
rootc::startLoaderThreads(int count, const std::function<void()> &work,
                          const std::function<void()> &stop) {
  std::vector<std::thread> threads;
  threads.reserve(size_t(count));
  std::error_code reason;
  try {
    while (int(threads.size()) < count)
      threads.emplace_back(work);
    return threads;
  } catch (const std::system_error &error) {
    reason = error.code();
  } catch (const std::bad_alloc &) {
    reason = std::make_error_code(std::errc::not_enough_memory);
  }
  // First, as their stacks may be what leaves no memory for a message.
  stop();
  for (std::thread &thread : threads)
    thread.join();
  throw TooFewThreads(count, int(threads.size()), reason.message());
}
