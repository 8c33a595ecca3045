//===- Halide.cpp - What Halide's kernels call ----------------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Kernels are compiled without Halide's own runtime, whose handlers are process
// wide and abort. Here an error is a code and a message in the caller's
// context, which the user context of every kernel, a rootc_frame, leads to.
//
//===----------------------------------------------------------------------===//

#include "Support.h"
#include <string.h>

namespace {

/// Loops count in int32, as Halide's tasks do.
struct ParallelFor {
  rootc_context *context;
  int (*task)(void *, int, uint8_t *);
  int begin;
  uint8_t *closure;

  static int run(void *state, int64_t index, rootc_scratch *scratch) {
    const ParallelFor &loop = *(const ParallelFor *)state;
    rootc_frame frame = {loop.context, scratch, nullptr};
    return loop.task(&frame, int(loop.begin + index), loop.closure);
  }
  /// On threads that are not ours.
  static int runElsewhere(void *state, int64_t index) {
    return run(state, index, nullptr);
  }
};

} // namespace

#pragma GCC visibility push(hidden)
extern "C" {

int halide_do_par_for(void *user_context, int (*task)(void *, int, uint8_t *),
                      int begin, int size, uint8_t *closure) {
  rootc_frame &frame = *(rootc_frame *)user_context;
  rootc_context *context = frame.context;
  ParallelFor loop = {context, task, begin, closure};
  bool own = rootc_support_has_pool(context);
  if (own || !context->parallel_for || size < 2)
    return rootc_support_run_loop(own ? context->pool : nullptr,
                                  ParallelFor::run, &loop, size, frame.scratch);
  return context->parallel_for(context->pool, ParallelFor::runElsewhere, &loop,
                               size);
}

void *halide_malloc(void *user_context, size_t bytes) {
  return rootc_support_scratch_take(((rootc_frame *)user_context)->scratch,
                                    bytes);
}

void halide_free(void *user_context, void *address) {
  if (address)
    rootc_support_scratch_give(((rootc_frame *)user_context)->scratch, address);
}

void halide_error(void *user_context, const char *message) {
  rootc_support_error(((rootc_frame *)user_context)->context, "%s", message);
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
