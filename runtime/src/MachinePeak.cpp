//===- MachinePeak.cpp - What the machine can do at most ------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "MachinePeak.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstring>
#include <immintrin.h>
#include <memory>
#include <thread>

using namespace rootc;
using Clock = std::chrono::steady_clock;

namespace {

/// What a thread repeats. Each returns a value, so that nothing is left out.
struct Loops {
  int64_t lanes;
  /// `rounds` times 12 vectors of multiply-adds, by `factor`.
  float (*multiplyAdd)(int64_t rounds, float factor);
  /// Whole blocks of 8 vectors, 64-byte aligned.
  float (*read)(const float *from, int64_t count);
  float (*copy)(float *to, const float *from, int64_t count);
};

// This file is compiled for any machine; these functions for one each.
#define ROOTC_LOOPS(name, features, vector, op, multiply_add)                  \
  [[gnu::target(features)]] float name##MultiplyAdd(int64_t rounds,            \
                                                    float factor) {            \
    vector by = op##_set1_ps(factor), sums[12];                                \
    for (vector &sum : sums)                                                   \
      sum = by;                                                                \
    for (int64_t round = 0; round < rounds; ++round)                           \
      _Pragma("GCC unroll 12") for (vector &sum : sums) sum =                  \
          multiply_add(sum, by, by);                                           \
    for (int i = 1; i < 12; ++i)                                               \
      sums[0] = op##_add_ps(sums[0], sums[i]);                                 \
    return op##_cvtss_f32(sums[0]);                                            \
  }                                                                            \
  [[gnu::target(features)]] float name##Read(const float *from,                \
                                             int64_t count) {                  \
    const int64_t lanes = sizeof(vector) / sizeof(float);                      \
    vector sums[8];                                                            \
    for (vector &sum : sums)                                                   \
      sum = op##_setzero_ps();                                                 \
    for (int64_t i = 0; i < count; i += 8 * lanes)                             \
      _Pragma("GCC unroll 8") for (int j = 0; j < 8; ++j) sums[j] =            \
          op##_add_ps(sums[j], op##_load_ps(from + i + j * lanes));            \
    for (int i = 1; i < 8; ++i)                                                \
      sums[0] = op##_add_ps(sums[0], sums[i]);                                 \
    return op##_cvtss_f32(sums[0]);                                            \
  }                                                                            \
  [[gnu::target(features)]] float name##Copy(float *to, const float *from,     \
                                             int64_t count) {                  \
    const int64_t lanes = sizeof(vector) / sizeof(float);                      \
    for (int64_t i = 0; i < count; i += 8 * lanes)                             \
      _Pragma("GCC unroll 8") for (int j = 0; j < 8; ++j) op##_store_ps(       \
          to + i + j * lanes, op##_load_ps(from + i + j * lanes));             \
    return to[0];                                                              \
  }                                                                            \
  const Loops name##Loops = {sizeof(vector) / sizeof(float),                   \
                             name##MultiplyAdd, name##Read, name##Copy};

#define ROOTC_SSE_MULTIPLY_ADD(a, b, c) _mm_add_ps(_mm_mul_ps(a, b), c)
ROOTC_LOOPS(sse, "sse2", __m128, _mm, ROOTC_SSE_MULTIPLY_ADD)
ROOTC_LOOPS(avx2, "avx2,fma", __m256, _mm256, _mm256_fmadd_ps)
ROOTC_LOOPS(avx512, "avx512f", __m512, _mm512, _mm512_fmadd_ps)
#undef ROOTC_SSE_MULTIPLY_ADD
#undef ROOTC_LOOPS

/// Threads that begin a piece of work together. A pool of a model's is not
/// used: its loops promise no thread to each task.
class Team {
public:
  explicit Team(int threads) : threads(threads), times(size_t(threads)) {}

  /// Runs work(thread) `repeats` times on each; the least time of one, from the
  /// first thread's start to the last one's end. The first warms up.
  template <typename Work> double seconds(int repeats, Work work) {
    double best = INFINITY;
    auto run = [&](int thread) {
      for (int repeat = 0; repeat <= repeats; ++repeat) {
        meet();
        Interval &time = times[size_t(thread)];
        time.begin = Clock::now();
        sink.store(work(thread), std::memory_order_relaxed);
        time.end = Clock::now();
        meet();
        if (thread == 0 && repeat > 0)
          best = std::min(best, longest());
      }
    };
    std::vector<std::thread> others;
    for (int thread = 1; thread < threads; ++thread)
      others.emplace_back(run, thread);
    run(0);
    for (std::thread &other : others)
      other.join();
    return best;
  }

private:
  struct Interval {
    Clock::time_point begin, end;
  };

  double longest() const {
    Interval all = times[0];
    for (const Interval &time : times)
      all = {std::min(all.begin, time.begin), std::max(all.end, time.end)};
    return std::chrono::duration<double>(all.end - all.begin).count();
  }

  /// Waits for all threads. There may be more of them than cores.
  void meet() {
    int64_t arrival = arrived.fetch_add(1) + 1;
    int64_t whole = (arrival + threads - 1) / threads * threads;
    while (arrived.load() < whole)
      std::this_thread::yield();
  }

  const int threads;
  std::vector<Interval> times;
  std::atomic<int64_t> arrived = 0;
  std::atomic<float> sink = 0; // keeps what is returned from being left out
};

const Loops &loopsOf(int vectorBits) {
  if (vectorBits >= 512)
    return avx512Loops;
  return vectorBits >= 256 ? avx2Loops : sseLoops;
}

double measureFlops(Team &team, int threads, const Loops &loops) {
  const int64_t rounds = 400000; // about a millisecond
  double seconds =
      team.seconds(20, [&](int) { return loops.multiplyAdd(rounds, 1.0f); });
  return 2.0 * 12 * double(loops.lanes * rounds * threads) / seconds;
}

/// Where the threads go through `bytes`, in `data`, each through its own part.
MachinePeak::Bandwidth measureBandwidth(Team &team, int threads,
                                        const Loops &loops, float *data,
                                        int64_t bytes) {
  const int64_t block = 8 * loops.lanes;
  int64_t half = bytes / int64_t(sizeof(float)) / threads / 2 / block * block;
  half = std::max(half, block);
  // So often that the time is long enough to be measured.
  int64_t times = std::max<int64_t>(1, (16 << 20) / bytes);
  double read = team.seconds(3, [&](int thread) {
    float sum = 0;
    for (int64_t i = 0; i < times; ++i)
      sum += loops.read(data + 2 * half * thread, 2 * half);
    return sum;
  });
  double copy = team.seconds(3, [&](int thread) {
    float *from = data + 2 * half * thread, sum = 0;
    for (int64_t i = 0; i < times; ++i)
      sum += loops.copy(from + half, from, half);
    return sum;
  });
  double moved = double(half * times * threads) * sizeof(float);
  double written = std::max(copy - read / 2, read / 2); // not faster than read
  return {double(bytes), 2 * moved / read, moved / written};
}

} // namespace

MachinePeak rootc::measurePeak(int threads, int vectorBits) {
  const Loops &loops = loopsOf(vectorBits);
  Team team(threads);
  MachinePeak peak;
  peak.flops = measureFlops(team, threads, loops);
  const int64_t least = 1 << 18, most = 1 << 28;
  struct Free {
    void operator()(void *memory) const { std::free(memory); }
  };
  std::unique_ptr<void, Free> memory(std::aligned_alloc(64, most));
  if (!memory)
    throw std::bad_alloc();
  // Pages that were never written are one and the same.
  std::memset(memory.get(), 0, most);
  for (int64_t bytes = least; bytes <= most; bytes *= 2)
    peak.bandwidth.push_back(measureBandwidth(
        team, threads, loops, static_cast<float *>(memory.get()), bytes));
  // What is farther away is not nearer: the rest is noise.
  for (size_t i = peak.bandwidth.size() - 1; i-- > 0;) {
    MachinePeak::Bandwidth &near = peak.bandwidth[i],
                           far = peak.bandwidth[i + 1];
    near.read = std::max(near.read, far.read);
    near.written = std::max(near.written, far.written);
  }
  return peak;
}

double MachinePeak::seconds(double flops, double read, double written) const {
  double bytes = read + written;
  auto above = std::find_if(
      bandwidth.begin(), bandwidth.end(),
      [&](const Bandwidth &level) { return level.bytes >= bytes; });
  Bandwidth level = above == bandwidth.end() ? bandwidth.back() : *above;
  if (above != bandwidth.begin() && above != bandwidth.end()) {
    const Bandwidth &below = above[-1];
    double part =
        std::log2(bytes / below.bytes) / std::log2(above->bytes / below.bytes);
    level.read = below.read + part * (above->read - below.read);
    level.written = below.written + part * (above->written - below.written);
  }
  return std::max(flops / this->flops,
                  read / level.read + written / level.written);
}
