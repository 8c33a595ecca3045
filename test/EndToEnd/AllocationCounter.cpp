//===- AllocationCounter.cpp - How often a test allocates -----------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The program's own malloc comes before libc's, for the libraries it loads too.
// Not for sanitizer builds, whose malloc is theirs.
//
//===----------------------------------------------------------------------===//

#include "AllocationCounter.h"

#include <atomic>
#include <cerrno>
#include <cstddef>

extern "C" {
void *__libc_malloc(size_t);
void *__libc_calloc(size_t, size_t);
void *__libc_realloc(void *, size_t);
void *__libc_memalign(size_t, size_t);
}

namespace {
std::atomic<int64_t> count{0};
}

int64_t rootc::test::allocations() { return count; }

extern "C" {

void *malloc(size_t bytes) {
  ++count;
  return __libc_malloc(bytes);
}

void *calloc(size_t members, size_t bytes) {
  ++count;
  return __libc_calloc(members, bytes);
}

void *realloc(void *block, size_t bytes) {
  ++count;
  return __libc_realloc(block, bytes);
}

void *memalign(size_t alignment, size_t bytes) {
  ++count;
  return __libc_memalign(alignment, bytes);
}

void *aligned_alloc(size_t alignment, size_t bytes) {
  ++count;
  return __libc_memalign(alignment, bytes);
}

int posix_memalign(void **block, size_t alignment, size_t bytes) {
  ++count;
  *block = __libc_memalign(alignment, bytes);
  return *block ? 0 : ENOMEM;
}
}
