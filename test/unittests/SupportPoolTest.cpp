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
const rootc_host_table rootc_host = {&emptyModel, 0, {}};
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

TEST_P(Pool, KeepsScratchBlocks) {
  rootc_context context = {};
  context.pool = pool;
  context.parallel_for = rootc_support_parallel_for;
  void *first = halide_malloc(&context, 5000);
  ASSERT_NE(first, nullptr);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(first) % 128, 0u);
  memset(first, 1, 5000);
  void *second = halide_malloc(&context, 5000);
  EXPECT_NE(first, second);
  halide_free(&context, first);
  halide_free(&context, second);
  void *again = halide_malloc(&context, 4000);
  EXPECT_TRUE(again == first || again == second);
  halide_free(&context, again);
  // More than a pool keeps.
  std::vector<void *> blocks;
  for (int i = 0; i < 200; ++i)
    blocks.push_back(halide_malloc(&context, 100 + i));
  for (void *block : blocks)
    halide_free(&context, block);
  EXPECT_EQ(halide_malloc(&context, SIZE_MAX - 10), nullptr);
}

TEST_P(Pool, FailingTasksLeaveOneMessage) {
  rootc_context context = {};
  context.pool = pool;
  context.parallel_for = rootc_support_parallel_for;
  auto task = [](void *user_context, int i, uint8_t *) {
    return i % 2 ? halide_error_out_of_memory(user_context) : 0;
  };
  EXPECT_EQ(halide_do_par_for(&context, task, 3, 50, nullptr), -11);
  EXPECT_STREQ(context.error, "out of memory");
}

INSTANTIATE_TEST_SUITE_P(Threads, Pool, testing::Values(1, 2, 5));

TEST(Halide, RunsLoopsOnTheCallerWithoutAPool) {
  rootc_context context = {};
  auto task = [](void *, int i, uint8_t *closure) {
    *reinterpret_cast<int *>(closure) += i;
    return i == 12 ? 9 : 0;
  };
  int sum = 0;
  auto *closure = reinterpret_cast<uint8_t *>(&sum);
  EXPECT_EQ(halide_do_par_for(&context, task, 5, 3, closure), 0);
  EXPECT_EQ(sum, 5 + 6 + 7);
  EXPECT_EQ(halide_do_par_for(&context, task, 10, 5, closure), 9);
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
