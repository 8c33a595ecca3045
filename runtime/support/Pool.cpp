//===- Pool.cpp - A pool of threads that contexts may share ---------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A loop is a record on its caller's stack, in a list that the pool's threads
// take indices from. The caller works on its own loop too, so a loop inside a
// task, or many callers at once, cannot wait for each other: whoever waits has
// found no index left and waits only for threads inside a task of its loop.
//
// A convolutional network is a chain of short loops: a thread that finds no
// work spins for about the time between two of them before it sleeps.
//
//===----------------------------------------------------------------------===//

#include "Support.h"
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

namespace {

const int spins = 4000;
const int scratchSlots = 64;
/// Blocks above this are returned to the system.
const size_t scratchLimit = size_t(64) << 20;

struct Loop {
  rootc_task task;
  void *state;
  int64_t count;
  int64_t next; // atomic; the next index to take
  int error;    // atomic; the first failure
  int inside;   // atomic; pool threads working on this loop
  Loop *following;
};

struct Pool {
  pthread_mutex_t mutex;
  pthread_cond_t work; // a loop was added, or the pool ends
  pthread_cond_t done; // a thread left a loop
  Loop *loops;         // guarded by mutex
  int sleeping;        // guarded by mutex
  int arrivals;        // atomic; counts added loops, for spinning threads
  bool ending;         // atomic
  pid_t owner;         // a child after fork has no threads: it runs serially
  int threadCount;     // besides the callers
  pthread_t *threads;
  void *scratch[scratchSlots]; // atomic; taken by exchange
};

template <typename T> T load(const T &value) {
  return __atomic_load_n(&value, __ATOMIC_ACQUIRE);
}

void relax() {
#ifdef __x86_64__
  __builtin_ia32_pause();
#endif
}

/// Runs indices of the loop until none is left.
void work(Loop &loop) {
  for (;;) {
    int64_t index = __atomic_fetch_add(&loop.next, 1, __ATOMIC_ACQ_REL);
    if (index >= loop.count)
      return;
    int result = loop.task(loop.state, index);
    if (!result)
      continue;
    int none = 0;
    __atomic_compare_exchange_n(&loop.error, &none, result, false,
                                __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
    // The rest of a failed loop is not worth doing.
    __atomic_store_n(&loop.next, loop.count, __ATOMIC_RELEASE);
  }
}

void *threadMain(void *argument) {
  Pool &pool = *(Pool *)argument;
  int seen = load(pool.arrivals);
  pthread_mutex_lock(&pool.mutex);
  for (;;) {
    Loop *loop = pool.loops;
    while (loop && load(loop->next) >= loop->count)
      loop = loop->following;
    if (loop) {
      __atomic_fetch_add(&loop->inside, 1, __ATOMIC_ACQ_REL);
      pthread_mutex_unlock(&pool.mutex);
      work(*loop);
      pthread_mutex_lock(&pool.mutex);
      // Under the mutex: the loop's caller may end it at once.
      if (__atomic_sub_fetch(&loop->inside, 1, __ATOMIC_ACQ_REL) == 0)
        pthread_cond_broadcast(&pool.done);
      continue;
    }
    if (load(pool.ending))
      break;
    pthread_mutex_unlock(&pool.mutex);
    for (int i = 0; i < spins && load(pool.arrivals) == seen; ++i)
      relax();
    pthread_mutex_lock(&pool.mutex);
    if (load(pool.arrivals) == seen && !load(pool.ending)) {
      ++pool.sleeping;
      pthread_cond_wait(&pool.work, &pool.mutex);
      --pool.sleeping;
    }
    seen = load(pool.arrivals);
  }
  pthread_mutex_unlock(&pool.mutex);
  return nullptr;
}

int runSerially(rootc_task task, void *state, int64_t count) {
  for (int64_t i = 0; i < count; ++i)
    if (int result = task(state, i))
      return result;
  return ROOTC_OK;
}

void freePool(Pool *pool) {
  for (void *block : pool->scratch)
    free(block);
  free(pool->threads);
  free(pool);
}

} // namespace

void *rootc_support_pool_create(int32_t threads) {
  Pool *pool = (Pool *)calloc(1, sizeof(Pool));
  if (!pool)
    return nullptr;
  pool->owner = getpid();
  pthread_mutex_init(&pool->mutex, nullptr);
  pthread_cond_init(&pool->work, nullptr);
  pthread_cond_init(&pool->done, nullptr);
  if (threads > 1) {
    pool->threads = (pthread_t *)calloc(threads - 1, sizeof(pthread_t));
    if (!pool->threads) {
      freePool(pool);
      return nullptr;
    }
  }
  for (; pool->threadCount + 1 < threads; ++pool->threadCount) {
    if (pthread_create(&pool->threads[pool->threadCount], nullptr, threadMain,
                       pool)) {
      rootc_support_pool_destroy(pool);
      return nullptr;
    }
  }
  return pool;
}

void rootc_support_pool_destroy(void *argument) {
  Pool *pool = (Pool *)argument;
  if (!pool)
    return;
  if (pool->owner == getpid()) {
    pthread_mutex_lock(&pool->mutex);
    __atomic_store_n(&pool->ending, true, __ATOMIC_RELEASE);
    __atomic_fetch_add(&pool->arrivals, 1, __ATOMIC_ACQ_REL);
    pthread_cond_broadcast(&pool->work);
    pthread_mutex_unlock(&pool->mutex);
    for (int i = 0; i < pool->threadCount; ++i)
      pthread_join(pool->threads[i], nullptr);
    pthread_cond_destroy(&pool->done);
    pthread_cond_destroy(&pool->work);
    pthread_mutex_destroy(&pool->mutex);
  }
  freePool(pool);
}

int rootc_support_parallel_for(void *argument, rootc_task task,
                               void *task_state, int64_t count) {
  Pool *pool = (Pool *)argument;
  if (!pool || pool->threadCount == 0 || count <= 1 || pool->owner != getpid())
    return runSerially(task, task_state, count);
  Loop loop = {task, task_state, count, 0, 0, 0, nullptr};
  pthread_mutex_lock(&pool->mutex);
  loop.following = pool->loops;
  pool->loops = &loop;
  __atomic_fetch_add(&pool->arrivals, 1, __ATOMIC_ACQ_REL);
  if (pool->sleeping)
    pthread_cond_broadcast(&pool->work);
  pthread_mutex_unlock(&pool->mutex);

  work(loop);

  for (int i = 0; i < spins && load(loop.inside); ++i)
    relax();
  pthread_mutex_lock(&pool->mutex);
  Loop **link = &pool->loops;
  while (*link != &loop)
    link = &(*link)->following;
  *link = loop.following;
  while (load(loop.inside))
    pthread_cond_wait(&pool->done, &pool->mutex);
  pthread_mutex_unlock(&pool->mutex);
  return load(loop.error);
}

void *rootc_support_scratch_take(void *argument, size_t bytes) {
  Pool *pool = (Pool *)argument;
  for (void *&slot : pool->scratch) {
    void *block = __atomic_exchange_n(&slot, nullptr, __ATOMIC_ACQ_REL);
    if (!block)
      continue;
    // The block's first word is its size; see Halide.cpp.
    size_t size = *(size_t *)block;
    if (size >= bytes && size / 4 <= bytes)
      return block;
    if (!rootc_support_scratch_give(pool, block, size))
      free(block);
  }
  return nullptr;
}

bool rootc_support_scratch_give(void *argument, void *block, size_t bytes) {
  Pool *pool = (Pool *)argument;
  if (bytes > scratchLimit)
    return false;
  for (void *&slot : pool->scratch) {
    void *empty = nullptr;
    if (__atomic_compare_exchange_n(&slot, &empty, block, false,
                                    __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
      return true;
  }
  return false;
}
