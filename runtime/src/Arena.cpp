//===- Arena.cpp - Memory for tensors -------------------------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "rootc/runtime.h"

#include <sys/mman.h>

namespace rootc {

static constexpr size_t hugePage = size_t(2) << 20;

static std::align_val_t alignmentOf(size_t bytes) {
  return std::align_val_t(bytes < hugePage ? 64 : hugePage);
}

static ArenaAllocator host = {nullptr, nullptr, nullptr};

void setArenaAllocator(const ArenaAllocator &allocator) { host = allocator; }

void *allocateArena(size_t bytes) {
  if (host.allocate) {
    void *memory = host.allocate(host.state, bytes, size_t(alignmentOf(bytes)));
    if (!memory)
      throw std::bad_alloc();
    return memory;
  }
  void *memory = ::operator new(bytes, alignmentOf(bytes));
  // A wish: where it is not granted, small pages do.
  if (bytes >= hugePage)
    madvise(memory, bytes / hugePage * hugePage, MADV_HUGEPAGE);
  return memory;
}

void freeArena(void *memory, size_t bytes) {
  if (host.release)
    return host.release(host.state, memory, bytes);
  ::operator delete(memory, alignmentOf(bytes));
}

} // namespace rootc
