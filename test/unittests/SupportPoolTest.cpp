//===- SupportPoolTest.cpp - The thread pool of generated libraries -------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The support object itself is linked in; the model is a table without
// programs.
//
//===----------------------------------------------------------------------===//

#include "runtime/support/Support.h"
#ifndef ROOTC_TEST_SANITIZER
#include "test/EndToEnd/AllocationCounter.h"
#endif

#include <atomic>
#include <cstring>
#include <functional>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <vector>

extern "C" {
static const rootc_model emptyModel = {};
const rootc_host_table rootc_host = {
    &emptyModel, 0, nullptr, nullptr, nullptr, nullptr, rootc_support_cpu, {}};
int halide_do_par_for(void *, int (*)(void *, int, uint8_t *), int, int,
                      uint8_t *);
void *halide_malloc(void *, size_t);
void halide_free(void *, void *);
int halide_error_out_of_memory(void *);
}

namespace {

using Task = std::function<int(int64_t)>;

int callTask(void *state, int64_t index) {
  return (*static_cast<Task *>(state))(index);
}

int parallelFor(void *pool, int64_t count, Task task) {
  return rootc_support_parallel_for(pool, callTask, &task, count);
}

class Pool : public testing::TestWithParam<int> {
protected:
  void SetUp() override {
    pool = rootc_support_pool_create(GetParam());
    ASSERT_NE(pool, nullptr);
  }
  void TearDown() override { rootc_support_pool_destroy(pool); }
  void *pool = nullptr;
};

TEST_P(Pool, RunsEveryIndexOnce) {
  for (int64_t count : {0, 1, 2, 3, 17, 1000}) {
    std::vector<std::atomic<int>> runs(count);
    EXPECT_EQ(parallelFor(pool, count, [&](int64_t i) { return runs[i]++, 0; }),
              0);
    for (auto &run : runs)
      EXPECT_EQ(run, 1);
  }
}

TEST_P(Pool, WritesOfTasksAreSeenByTheCaller) {
  std::vector<int64_t> values(64);
  for (int64_t round = 0; round < 2000; ++round) {
    parallelFor(pool, 64, [&](int64_t i) { return values[i] += i + round, 0; });
    int64_t sum = 0;
    for (int64_t &value : values)
      sum += std::exchange(value, 0);
    ASSERT_EQ(sum, 64 * 63 / 2 + 64 * round);
  }
}

TEST_P(Pool, NestedLoopsEnd) {
  std::atomic<int> leaves = 0;
  int result = parallelFor(pool, 9, [&](int64_t) {
    return parallelFor(pool, 7, [&](int64_t) {
      return parallelFor(pool, 3, [&](int64_t) { return leaves++, 0; });
    });
  });
  EXPECT_EQ(result, 0);
  EXPECT_EQ(leaves, 9 * 7 * 3);
}

TEST_P(Pool, ManyCallersShareIt) {
  std::vector<std::thread> callers;
  std::atomic<int> wrong = 0;
  for (int c = 0; c < 8; ++c)
    callers.emplace_back([&, c] {
      for (int round = 0; round < 200; ++round) {
        std::atomic<int64_t> sum = 0;
        int result = parallelFor(pool, 20 + c, [&](int64_t i) {
          sum += i;
          return c == 3 && i == 5 ? 42 : 0;
        });
        bool good = c == 3 ? result == 42
                           : result == 0 && sum == (20 + c) * (19 + c) / 2;
        wrong += !good;
      }
    });
  for (std::thread &caller : callers)
    caller.join();
  EXPECT_EQ(wrong, 0);
}

TEST_P(Pool, AnErrorEndsTheLoop) {
  std::atomic<int64_t> runs = 0;
  EXPECT_EQ(parallelFor(pool, 1000000,
                        [&](int64_t i) { return runs++, i == 10 ? -7 : 0; }),
            -7);
  EXPECT_LT(runs, 1000000);
  EXPECT_EQ(parallelFor(pool, 100, [&](int64_t) { return 0; }), 0);
}

TEST_P(Pool, WorksInAChildAfterFork) {
  parallelFor(pool, 100, [](int64_t) { return 0; });
  pid_t child = fork();
  if (child == 0) {
    int sum = 0;
    parallelFor(pool, 100, [&](int64_t i) { return sum += i, 0; });
    rootc_support_pool_destroy(pool);
    _exit(sum == 4950 ? 0 : 1);
  }
  int status = -1;
  waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(parallelFor(pool, 100, [](int64_t) { return 0; }), 0);
}

/// A call of an entry, as far as kernels can tell.
class Call {
public:
  explicit Call(void *pool) {
    context.pool = pool;
    context.parallel_for = rootc_support_parallel_for;
    frame.scratch = rootc_support_scratch_enter(&context);
  }
  ~Call() { rootc_support_scratch_leave(&context, frame.scratch); }

  /// A kernel's parallel loop.
  int loop(int count, int (*task)(void *, int, uint8_t *), void *closure) {
    return halide_do_par_for(&frame, task, 0, count,
                             static_cast<uint8_t *>(closure));
  }

  rootc_context context = {};
  rootc_frame frame = {&context, nullptr, nullptr};
};

/// Ends when all of `count` tasks have begun: each then has a thread of its
/// own.
struct Meeting {
  explicit Meeting(int count) : missing(count) {}
  void wait() {
    for (--missing; missing > 0;)
      std::this_thread::yield();
  }
  std::atomic<int> missing;
};

/// Scratch memory as a kernel uses it: an early block is freed under a later.
void useScratch(void *frame, size_t bytes) {
  void *first = halide_malloc(frame, bytes);
  void *second = halide_malloc(frame, bytes);
  ASSERT_NE(first, nullptr);
  ASSERT_NE(second, nullptr);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(first) % 128, 0u);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(second) % 128, 0u);
  memset(first, 1, bytes);
  memset(second, 2, bytes);
  halide_free(frame, first);
  void *third = halide_malloc(frame, bytes / 2);
  ASSERT_NE(third, nullptr);
  memset(third, 3, bytes / 2);
  for (size_t i = 0; i < bytes; ++i)
    ASSERT_EQ(static_cast<char *>(second)[i], 2);
  halide_free(frame, second);
  halide_free(frame, third);
}

TEST_P(Pool, ScratchBlocksDoNotOverlap) {
  Call call(pool);
  useScratch(&call.frame, 100);
  EXPECT_EQ(call.frame.scratch->used, 0u);
  EXPECT_EQ(halide_malloc(&call.frame, SIZE_MAX - 10), nullptr);
  // More than is kept.
  void *large = halide_malloc(&call.frame, size_t(65) << 20);
  ASSERT_NE(large, nullptr);
  EXPECT_EQ(call.frame.scratch->used, 0u);
  halide_free(&call.frame, large);
  halide_free(&call.frame, nullptr);
}

TEST_P(Pool, ScratchIsThereTheSecondTime) {
  for (int turn = 0; turn < 2; ++turn) {
    Call call(pool);
    size_t capacity = call.frame.scratch->capacity;
    useScratch(&call.frame, 3000);
    EXPECT_EQ(turn == 1, call.frame.scratch->peak <= capacity);
  }
}

#ifndef ROOTC_TEST_SANITIZER
int meetWithScratch(void *frame, int index, uint8_t *closure) {
  // Not all tasks need the same.
  useScratch(frame, 6000 - 1000 * size_t(index));
  reinterpret_cast<Meeting *>(closure)->wait();
  return 0;
}

// Two tasks meet, so all threads but two have none; then all have one.
TEST_P(Pool, ThreadsWithoutATaskHaveScratchAsWell) {
  int threads = GetParam();
  {
    Call call(pool);
    Meeting meeting(std::min(threads, 2));
    call.loop(std::min(threads, 2), meetWithScratch, &meeting);
  }
  Call call(pool);
  int64_t before = rootc::test::allocations();
  Meeting meeting(threads);
  std::atomic<int> used = 0;
  std::pair<Meeting *, std::atomic<int> *> closure{&meeting, &used};
  call.loop(
      threads,
      [](void *frame, int, uint8_t *argument) {
        auto &[meeting, used] =
            *reinterpret_cast<decltype(closure) *>(argument);
        useScratch(frame, 6000);
        meeting->wait();
        ++*used;
        return 0;
      },
      &closure);
  EXPECT_EQ(used, threads);
  EXPECT_EQ(rootc::test::allocations() - before, 0);
}

// Every thread but the caller is kept busy elsewhere while the call warms up.
TEST_P(Pool, ThreadsThatWereBusyHaveScratchAsWell) {
  int threads = GetParam();
  Meeting busy(threads + 1);
  std::atomic<bool> go = false;
  std::thread other([&] {
    parallelFor(pool, threads, [&](int64_t) {
      busy.wait();
      while (!go)
        std::this_thread::yield();
      return 0;
    });
  });
  // A pool of one has no thread that could be busy.
  busy.wait();
  if (threads > 1) {
    Call call(pool);
    std::thread::id self = std::this_thread::get_id();
    call.loop(
        7,
        [](void *frame, int, uint8_t *id) {
          EXPECT_EQ(*reinterpret_cast<std::thread::id *>(id),
                    std::this_thread::get_id());
          useScratch(frame, 7000);
          return 0;
        },
        &self);
  }
  go = true;
  other.join();
  if (threads == 1)
    return;
  Call call(pool);
  Meeting meeting(threads);
  int64_t before = rootc::test::allocations();
  call.loop(
      threads,
      [](void *frame, int, uint8_t *closure) {
        useScratch(frame, 7000);
        reinterpret_cast<Meeting *>(closure)->wait();
        return 0;
      },
      &meeting);
  EXPECT_EQ(rootc::test::allocations() - before, 0);
}

// What the outer and the inner task of one thread need adds up.
TEST_P(Pool, NestedLoopsHaveScratchForAnyThread) {
  int64_t allocated = 0;
  for (int turn = 0; turn < 2; ++turn) {
    Call call(pool);
    int64_t before = rootc::test::allocations();
    call.loop(
        2 * GetParam(),
        [](void *frame, int, uint8_t *) {
          void *block = halide_malloc(frame, 9000);
          halide_do_par_for(
              frame,
              [](void *inner, int index, uint8_t *) {
                useScratch(inner, 1000 * size_t(index + 1));
                return 0;
              },
              0, 4, nullptr);
          halide_free(frame, block);
          return 0;
        },
        nullptr);
    allocated = rootc::test::allocations() - before;
  }
  EXPECT_EQ(allocated, 0);
}
#endif

TEST_P(Pool, FailingTasksLeaveOneMessage) {
  Call call(pool);
  auto task = [](void *frame, int i, uint8_t *) {
    return i % 2 ? halide_error_out_of_memory(frame) : 0;
  };
  EXPECT_EQ(halide_do_par_for(&call.frame, task, 3, 50, nullptr), -11);
  EXPECT_STREQ(call.context.error, "out of memory");
}

INSTANTIATE_TEST_SUITE_P(Threads, Pool, testing::Values(1, 2, 5));

TEST(Halide, RunsLoopsOnTheCallerWithoutAPool) {
  rootc_context context = {};
  rootc_frame frame = {&context, nullptr, nullptr};
  auto task = [](void *, int i, uint8_t *closure) {
    *reinterpret_cast<int *>(closure) += i;
    return i == 12 ? 9 : 0;
  };
  int sum = 0;
  auto *closure = reinterpret_cast<uint8_t *>(&sum);
  EXPECT_EQ(halide_do_par_for(&frame, task, 5, 3, closure), 0);
  EXPECT_EQ(sum, 5 + 6 + 7);
  EXPECT_EQ(halide_do_par_for(&frame, task, 10, 5, closure), 9);
  useScratch(&frame, 500);
}

TEST(Support, MessagesFitTheContext) {
  rootc_context context = {};
  std::string text(2000, 'x');
  rootc_support_error(&context, "%s", text.c_str());
  EXPECT_EQ(strlen(context.error), sizeof context.error - 1);
  rootc_support_error(&context, "second");
  EXPECT_EQ(context.error[0], 'x');
}

} // namespace
