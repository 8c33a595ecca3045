//===- Halide.cpp - What Halide's kernels call ----------------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Kernels are compiled without Halide's own runtime, whose handlers are process
// wide and abort. Here an error is a code and a message in the caller's
// context: the user context of every kernel is a rootc_context.
//
//===----------------------------------------------------------------------===//

#include "Support.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void rootc_support_error(rootc_context *context, const char *format, ...) {
  // The first byte is the claim: tasks of one loop may fail at the same time.
  char none = 0;
  if (!__atomic_compare_exchange_n(&context->error[0], &none, '?', false,
                                   __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
    return;
  char text[sizeof context->error];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  for (size_t i = 1; i < sizeof text && text[i - 1]; ++i)
    context->error[i] = text[i];
  __atomic_store_n(&context->error[0], text[0], __ATOMIC_RELEASE);
}

namespace {

/// Loops count in int32, as Halide's tasks do.
struct ParallelFor {
  rootc_context *context;
  int (*task)(void *, int, uint8_t *);
  int begin;
  uint8_t *closure;

  static int run(void *state, int64_t index) {
    const ParallelFor &loop = *(const ParallelFor *)state;
    return loop.task(loop.context, int(loop.begin + index), loop.closure);
  }
};

/// Kernels load whole vectors: blocks begin at a multiple of this. The word
/// before the address given out is the block's size, in the block's beginning.
const size_t alignment = 128;

rootc_context *contextOf(void *user_context) {
  return (rootc_context *)user_context;
}

/// The pool whose scratch blocks a context may use.
void *scratchPool(rootc_context *context) {
  return context->parallel_for == rootc_support_parallel_for ? context->pool
                                                             : nullptr;
}

} // namespace

#pragma GCC visibility push(hidden)
extern "C" {

int halide_do_par_for(void *user_context, int (*task)(void *, int, uint8_t *),
                      int begin, int size, uint8_t *closure) {
  rootc_context *context = contextOf(user_context);
  ParallelFor loop = {context, task, begin, closure};
  if (context->parallel_for && size > 1)
    return context->parallel_for(context->pool, ParallelFor::run, &loop, size);
  for (int i = 0; i < size; ++i)
    if (int result = ParallelFor::run(&loop, i))
      return result;
  return 0;
}

void *halide_malloc(void *user_context, size_t bytes) {
  void *pool = scratchPool(contextOf(user_context));
  void *block = pool ? rootc_support_scratch_take(pool, bytes) : nullptr;
  if (!block) {
    // Room for the size, and for a vector load that reaches past the end.
    size_t total;
    if (__builtin_add_overflow(bytes, 2 * alignment, &total) ||
        posix_memalign(&block, alignment, total))
      return nullptr;
    *(size_t *)block = bytes;
  }
  return (char *)block + alignment;
}

void halide_free(void *user_context, void *address) {
  if (!address)
    return;
  void *block = (char *)address - alignment;
  void *pool = scratchPool(contextOf(user_context));
  if (!pool || !rootc_support_scratch_give(pool, block, *(size_t *)block))
    free(block);
}

void halide_error(void *user_context, const char *message) {
  rootc_support_error(contextOf(user_context), "%s", message);
}

#if defined(__SANITIZE_THREAD__) && !defined(__clang__)
// Halide's instrumentation calls these, which GCC's libtsan has not. It sees
// the calls that they make.
void *__tsan_memset(void *to, int value, size_t bytes) {
  return memset(to, value, bytes);
}
void *__tsan_memcpy(void *to, const void *from, size_t bytes) {
  return memcpy(to, from, bytes);
}
void *__tsan_memmove(void *to, const void *from, size_t bytes) {
  return memmove(to, from, bytes);
}
#endif
}
#pragma GCC visibility pop
