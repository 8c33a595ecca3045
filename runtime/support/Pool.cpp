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
// Each thread has its own share of a loop's indices, the same in each loop, and
// goes on with the others' when that is done: what a core wrote in one kernel
// it reads in the next, and it goes from one index to the next.
//
// A convolutional network is a chain of short loops: a thread that finds no
// work spins for about the time between two of them before it sleeps.
//
// A thread that took no task of a loop may take one when the loop is run again.
// So the end of a loop makes room, for all threads, for what any task needed.
//
//===----------------------------------------------------------------------===//

#include "Support.h"
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

namespace {

const int spins = 4000;
/// Of a loop; threads beyond begin in those of others.
const int mostShares = 64;

typedef int (*ScratchTask)(void *state, int64_t index, rootc_scratch *scratch);

/// A cache line, which no other thread writes unless it has none of its own.
struct alignas(64) Share {
  int64_t next; // atomic; the next index to take
  int64_t end;
};

struct Loop {
  ScratchTask task;
  void *state;
  Share shares[mostShares];
  int shareCount;
  int error;    // atomic; the first failure
  int inside;   // atomic; pool threads working on this loop
  size_t bytes; // atomic; the most scratch memory that a task used
  Loop *following;
};

struct Pool;

struct Worker {
  Pool *pool;
  pthread_t thread;
  bool busy;             // guarded by the pool's mutex: inside a loop
  rootc_scratch scratch; // the thread's while busy, else guarded as well
};

/// Scratch memory of a call of an entry.
struct CallScratch {
  rootc_scratch scratch; // first, and what callers see
  CallScratch *following;
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
  Worker *workers;
  CallScratch *idle; // guarded by mutex; of no call at present
  size_t taskBytes;  // guarded by mutex; the most that a task used
  size_t callBytes;  // guarded by mutex; the most that a call used
};

template <typename T> T load(const T &value) {
  return __atomic_load_n(&value, __ATOMIC_ACQUIRE);
}

void relax() {
#ifdef __x86_64__
  __builtin_ia32_pause();
#endif
}

bool hasTasks(const Loop &loop) {
  for (int i = 0; i < loop.shareCount; ++i)
    if (load(loop.shares[i].next) < loop.shares[i].end)
      return true;
  return false;
}

/// Runs indices of a share until none is left.
void takeShare(Loop &loop, Share &share, rootc_scratch *scratch) {
  while (load(share.next) < share.end) {
    int64_t index = __atomic_fetch_add(&share.next, 1, __ATOMIC_ACQ_REL);
    if (index >= share.end)
      return;
    int result = loop.task(loop.state, index, scratch);
    if (!result)
      continue;
    int none = 0;
    __atomic_compare_exchange_n(&loop.error, &none, result, false,
                                __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
    // The rest of a failed loop is not worth doing.
    for (int i = 0; i < loop.shareCount; ++i)
      __atomic_store_n(&loop.shares[i].next, loop.shares[i].end,
                       __ATOMIC_RELEASE);
  }
}

void takeTasks(Loop &loop, int thread, rootc_scratch *scratch) {
  for (int i = 0; i < loop.shareCount; ++i)
    takeShare(loop, loop.shares[(thread + i) % loop.shareCount], scratch);
}

/// Runs indices of the loop until none is left, those of the thread's share
/// first, and notes what scratch memory a task used.
void work(Loop &loop, int thread, rootc_scratch *scratch) {
  if (!scratch)
    return takeTasks(loop, thread, nullptr);
  size_t before = scratch->peak;
  scratch->peak = scratch->used;
  takeTasks(loop, thread, scratch);
  size_t used = scratch->peak - scratch->used;
  if (scratch->peak < before)
    scratch->peak = before;
  size_t most = load(loop.bytes);
  while (most < used &&
         !__atomic_compare_exchange_n(&loop.bytes, &most, used, false,
                                      __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
    ;
}

/// Makes room in all scratch memory that is not in use; the mutex is held. What
/// is in use follows when it no longer is.
void reserveIdle(Pool &pool) {
  for (int i = 0; i < pool.threadCount; ++i)
    if (!pool.workers[i].busy)
      rootc_support_scratch_reserve(&pool.workers[i].scratch, pool.taskBytes);
  for (CallScratch *idle = pool.idle; idle; idle = idle->following)
    rootc_support_scratch_reserve(&idle->scratch, pool.callBytes);
}

void *threadMain(void *argument) {
  Worker &worker = *(Worker *)argument;
  Pool &pool = *worker.pool;
  int seen = load(pool.arrivals);
  pthread_mutex_lock(&pool.mutex);
  for (;;) {
    Loop *loop = pool.loops;
    while (loop && !hasTasks(*loop))
      loop = loop->following;
    if (loop) {
      __atomic_fetch_add(&loop->inside, 1, __ATOMIC_ACQ_REL);
      worker.busy = true;
      pthread_mutex_unlock(&pool.mutex);
      work(*loop, static_cast<int>(&worker - pool.workers) + 1,
           &worker.scratch);
      pthread_mutex_lock(&pool.mutex);
      worker.busy = false;
      rootc_support_scratch_reserve(&worker.scratch, pool.taskBytes);
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

int runSerially(ScratchTask task, void *state, int64_t count,
                rootc_scratch *scratch) {
  for (int64_t i = 0; i < count; ++i)
    if (int result = task(state, i, scratch))
      return result;
  return ROOTC_OK;
}

void freePool(Pool *pool) {
  for (int i = 0; i < pool->threadCount; ++i)
    free(pool->workers[i].scratch.memory);
  while (CallScratch *idle = pool->idle) {
    pool->idle = idle->following;
    free(idle->scratch.memory);
    free(idle);
  }
  free(pool->workers);
  free(pool);
}

/// A task that wants no scratch memory.
struct PlainTask {
  rootc_task task;
  void *state;

  static int run(void *argument, int64_t index, rootc_scratch *) {
    const PlainTask &plain = *(const PlainTask *)argument;
    return plain.task(plain.state, index);
  }
};

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
    pool->workers = (Worker *)calloc(threads - 1, sizeof(Worker));
    if (!pool->workers) {
      freePool(pool);
      return nullptr;
    }
  }
  for (; pool->threadCount + 1 < threads; ++pool->threadCount) {
    Worker &worker = pool->workers[pool->threadCount];
    worker.pool = pool;
    if (pthread_create(&worker.thread, nullptr, threadMain, &worker)) {
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
      pthread_join(pool->workers[i].thread, nullptr);
    pthread_cond_destroy(&pool->done);
    pthread_cond_destroy(&pool->work);
    pthread_mutex_destroy(&pool->mutex);
  }
  freePool(pool);
}

int rootc_support_parallel_for(void *pool, rootc_task task, void *task_state,
                               int64_t count) {
  PlainTask plain = {task, task_state};
  return rootc_support_run_loop(pool, PlainTask::run, &plain, count, nullptr);
}

int rootc_support_run_loop(void *argument, ScratchTask task, void *state,
                           int64_t count, rootc_scratch *scratch) {
  Pool *pool = (Pool *)argument;
  if (!pool || pool->threadCount == 0 || count <= 1 || pool->owner != getpid())
    return runSerially(task, state, count, scratch);
  Loop loop;
  loop.task = task;
  loop.state = state;
  loop.shareCount = pool->threadCount + 1;
  if (loop.shareCount > mostShares)
    loop.shareCount = mostShares;
  if (loop.shareCount > count)
    loop.shareCount = static_cast<int>(count);
  int64_t each = count / loop.shareCount, rest = count % loop.shareCount;
  for (int64_t i = 0, next = 0; i < loop.shareCount; ++i) {
    loop.shares[i].next = next;
    loop.shares[i].end = next += each + (i < rest);
  }
  loop.error = loop.inside = 0;
  loop.bytes = 0;
  pthread_mutex_lock(&pool->mutex);
  loop.following = pool->loops;
  pool->loops = &loop;
  __atomic_fetch_add(&pool->arrivals, 1, __ATOMIC_ACQ_REL);
  if (pool->sleeping)
    pthread_cond_broadcast(&pool->work);
  pthread_mutex_unlock(&pool->mutex);

  work(loop, 0, scratch);

  for (int i = 0; i < spins && load(loop.inside); ++i)
    relax();
  pthread_mutex_lock(&pool->mutex);
  Loop **link = &pool->loops;
  while (*link != &loop)
    link = &(*link)->following;
  *link = loop.following;
  while (load(loop.inside))
    pthread_cond_wait(&pool->done, &pool->mutex);
  if (pool->taskBytes < loop.bytes) {
    pool->taskBytes = loop.bytes;
    reserveIdle(*pool);
  }
  pthread_mutex_unlock(&pool->mutex);
  // The caller, too, may meet the task that needs most the next time.
  if (scratch && scratch->peak < scratch->used + loop.bytes)
    scratch->peak = scratch->used + loop.bytes;
  return load(loop.error);
}

bool rootc_support_has_pool(const rootc_context *context) {
  return context->parallel_for == rootc_support_parallel_for && context->pool;
}

rootc_scratch *rootc_support_scratch_enter(const rootc_context *context) {
  if (!rootc_support_has_pool(context))
    return nullptr;
  Pool *pool = (Pool *)context->pool;
  if (pool->owner != getpid())
    return nullptr;
  pthread_mutex_lock(&pool->mutex);
  CallScratch *own = pool->idle;
  if (own)
    pool->idle = own->following;
  pthread_mutex_unlock(&pool->mutex);
  if (!own)
    own = (CallScratch *)calloc(1, sizeof(CallScratch));
  if (!own)
    return nullptr;
  own->scratch.peak = 0;
  return &own->scratch;
}

void rootc_support_scratch_leave(const rootc_context *context,
                                 rootc_scratch *scratch) {
  if (!scratch)
    return;
  Pool *pool = (Pool *)context->pool;
  CallScratch *own = (CallScratch *)scratch;
  pthread_mutex_lock(&pool->mutex);
  own->following = pool->idle;
  pool->idle = own;
  if (pool->callBytes < scratch->peak)
    pool->callBytes = scratch->peak;
  reserveIdle(*pool);
  pthread_mutex_unlock(&pool->mutex);
}
