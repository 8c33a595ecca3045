//===- Cleanup.cpp - What a program undoes when it ends early -------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/Emit/Cleanup.h"
#include "llvm/Support/Signals.h"

#include <chrono>
#include <map>
#include <mutex>

namespace rootc::codegen {

namespace {

struct Registry {
  std::timed_mutex mutex;
  uint64_t next = 0;
  std::map<uint64_t, std::function<void()>, std::greater<>> cleanups;
};

/// Never destroyed: threads may still be about when the program ends.
Registry &registry() {
  static Registry &registry = *new Registry;
  return registry;
}

} // namespace

uint64_t addCleanup(std::function<void()> cleanup) {
  Registry &all = registry();
  std::lock_guard lock(all.mutex);
  all.cleanups.emplace(all.next, std::move(cleanup));
  return all.next++;
}

void removeCleanup(uint64_t number) {
  Registry &all = registry();
  std::lock_guard lock(all.mutex);
  all.cleanups.erase(number);
}

void runCleanups() {
  Registry &all = registry();
  // The thread that holds it may be the one that just crashed.
  std::unique_lock lock(all.mutex, std::chrono::seconds(1));
  if (!lock)
    return;
  for (auto &[number, cleanup] : all.cleanups)
    cleanup();
  all.cleanups.clear();
  llvm::sys::RunInterruptHandlers();
}

} // namespace rootc::codegen
