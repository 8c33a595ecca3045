//===- Scratch.cpp - What kernels need for a moment -----------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A stack of blocks for each thread. A block that a kernel frees under others
// leaves the stack with them. What does not fit comes from the heap but has its
// place on the stack all the same, so the peak of one run is what the next
// needs, to the byte.
//
//===----------------------------------------------------------------------===//

#include "Support.h"
#include <stdlib.h>
#include <sys/mman.h>

/// Kernels load whole vectors: addresses given out are multiples of this. The
/// record of a block lies in the bytes before.
static const size_t scratchAlignment = 128;
/// Where the stack would grow beyond this, blocks come from the heap for good.
static const size_t scratchLimit = size_t(64) << 20;
/// Blocks of a first run, which it gives back for good, go back to the system
/// if they are large: a heap would keep them beside the stack that follows.
static const size_t mappedFrom = size_t(64) << 10;
/// A stack of this size and more lies in huge pages, where the system has them.
static const size_t hugePage = size_t(2) << 20;

struct rootc_scratch_block {
  rootc_scratch_block *below;
  size_t bytes;  // on the stack; 0: this block is not on it
  size_t mapped; // bytes from the system; 0: of the heap or the stack
  bool fromHeap, freed;
};

void *rootc_support_scratch_take(rootc_scratch *scratch, size_t bytes) {
  // Room for the record, and for a vector load that reaches past the end.
  size_t total;
  if (__builtin_add_overflow(bytes, 3 * scratchAlignment - 1, &total))
    return nullptr;
  total -= total % scratchAlignment;
  bool stacked = scratch && total <= scratchLimit - scratch->used;
  bool fits = stacked && scratch->used + total <= scratch->capacity;
  bool map = stacked && !fits && total >= mappedFrom;
  void *memory = nullptr;
  if (fits) {
    memory = scratch->memory + scratch->used;
  } else if (map) {
    memory = mmap(nullptr, total, PROT_READ | PROT_WRITE,
                  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
      return nullptr;
  } else if (posix_memalign(&memory, scratchAlignment, total)) {
    return nullptr;
  }
  rootc_scratch_block *block = (rootc_scratch_block *)memory;
  block->below = nullptr;
  block->bytes = stacked ? total : 0;
  block->fromHeap = !fits;
  block->freed = false;
  block->mapped = map ? total : 0;
  if (stacked) {
    block->below = scratch->top;
    scratch->top = block;
    scratch->used += total;
    if (scratch->used > scratch->peak)
      scratch->peak = scratch->used;
  }
  return (char *)memory + scratchAlignment;
}

void rootc_support_scratch_give(rootc_scratch *scratch, void *address) {
  auto *block = (rootc_scratch_block *)((char *)address - scratchAlignment);
  if (!block->bytes) {
    free(block);
    return;
  }
  block->freed = true;
  while (scratch->top && scratch->top->freed) {
    rootc_scratch_block *top = scratch->top;
    scratch->top = top->below;
    scratch->used -= top->bytes;
    if (top->mapped)
      munmap(top, top->mapped);
    else if (top->fromHeap)
      free(top);
  }
}

void rootc_support_scratch_reserve(rootc_scratch *scratch, size_t bytes) {
  if (scratch->used || scratch->capacity >= bytes)
    return;
  free(scratch->memory);
  bool huge = bytes >= hugePage;
  void *memory = nullptr;
  if (posix_memalign(&memory, huge ? hugePage : scratchAlignment, bytes)) {
    scratch->capacity = 0;
    scratch->memory = nullptr;
    return;
  }
  if (huge)
    madvise(memory, bytes / hugePage * hugePage, MADV_HUGEPAGE);
  scratch->capacity = bytes;
  scratch->memory = (char *)memory;
}
