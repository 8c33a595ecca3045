//===- Loader.cpp - Batches of images, made ahead of time -----------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Loader.h"
#include "LoaderThreads.h"
#include "Mixup.h"
#include "Philox.h"

#include <algorithm>
#include <numeric>

using namespace rootc;

namespace {
constexpr int64_t partOfBatch = 4; ///< images that a thread makes at a time
}

std::vector<int64_t> rootc::shuffledOrder(int64_t count, uint64_t seed,
                                          int64_t epoch) {
  std::vector<int64_t> order(static_cast<size_t>(count));
  std::iota(order.begin(), order.end(), int64_t(0));
  for (int64_t i = count - 1; i > 0; --i) {
    PhiloxBlock words = philox({uint32_t(i), uint32_t(i >> 32), uint32_t(epoch),
                                uint32_t(RandomUse::Shuffle)},
                               seed);
    uint64_t word = uint64_t(words[0]) << 32 | words[1];
    auto other =
        int64_t((static_cast<unsigned __int128>(word) * (i + 1)) >> 64);
    std::swap(order[size_t(i)], order[size_t(other)]);
  }
  return order;
}

Loader::Loader(const ImageSource &source, const Normalisation &normalisation,
               const LoaderOptions &options)
    : source(source), normalisation(normalisation), options(options),
      perEpoch((source.count + options.batch - 1) / options.batch),
      end(perEpoch * options.epochs), slots(size_t(options.depth)),
      claimed(options.firstEpoch * perEpoch + options.firstBatch),
      consumed(claimed) {
  threads = startLoaderThreads(
      options.threads, [this] { work(); }, [this] { stop(); });
}

void Loader::stop() {
  {
    std::lock_guard<std::mutex> lock(mutex);
    stopping = true;
  }
  freed.notify_all();
}

Loader::~Loader() {
  stop();
  for (std::thread &thread : threads)
    thread.join();
}

const std::vector<int64_t> &Loader::orderOf(int64_t epoch) {
  if (orderEpoch != epoch)
    order = shuffledOrder(source.count, options.seed, epoch);
  orderEpoch = epoch;
  return order;
}

/// Decides which images a batch is made of; called with the mutex held.
void Loader::begin(Slot &slot, int64_t number) {
  Batch &batch = slot.batch;
  batch.epoch = number / perEpoch;
  batch.index = number % perEpoch;
  int64_t first = batch.index * options.batch;
  batch.size = slot.left = std::min(options.batch, source.count - first);
  // The memory is that of a whole batch, whichever comes first.
  batch.image.reserve(
      size_t(std::min(options.batch, source.count) * source.imageSize()));
  batch.image.resize(size_t(batch.size * source.imageSize()));
  batch.labels.resize(size_t(batch.size));
  batch.samples.resize(size_t(batch.size));
  slot.made.assign(size_t(batch.size), false);
  for (int64_t i = 0; i < batch.size; ++i) {
    int64_t sample =
        options.shuffle ? orderOf(batch.epoch)[size_t(first + i)] : first + i;
    batch.samples[size_t(i)] = sample;
    batch.labels[size_t(i)] = source.labels[size_t(sample)];
  }
}

void Loader::make(Slot &slot, int64_t first, int64_t last,
                  std::vector<uint8_t> &buffer) const {
  Batch &batch = slot.batch;
  for (int64_t i = first; i < last; ++i)
    slot.made[size_t(i)] =
        makeImage(source, normalisation, batch.samples[size_t(i)],
                  options.augment, options.seed, batch.epoch,
                  batch.image.data() + i * source.imageSize(), buffer);
}

/// Closes the gaps that unreadable images left.
void Loader::closeGaps(Slot &slot) const {
  Batch &batch = slot.batch;
  int64_t kept = 0;
  for (int64_t i = 0; i < batch.size; ++i) {
    if (!slot.made[size_t(i)])
      continue;
    if (kept != i) {
      std::copy_n(batch.image.data() + i * source.imageSize(),
                  source.imageSize(),
                  batch.image.data() + kept * source.imageSize());
      batch.labels[size_t(kept)] = batch.labels[size_t(i)];
      batch.samples[size_t(kept)] = batch.samples[size_t(i)];
    }
    ++kept;
  }
  batch.skipped = batch.size - kept;
  batch.size = kept;
  batch.image.resize(size_t(kept * source.imageSize()));
  batch.labels.resize(size_t(kept));
  batch.samples.resize(size_t(kept));
}

void Loader::work() {
  std::vector<uint8_t> buffer;
  std::unique_lock<std::mutex> lock(mutex);
  while (true) {
    freed.wait(lock, [&] {
      return stopping || claimed >= end || claimed < consumed + options.depth;
    });
    if (stopping || claimed >= end)
      return;
    int64_t number = claimed;
    Slot &slot = slots[size_t(number % options.depth)];
    int64_t first = claimedOfBatch, last = first;
    try {
      if (first == 0)
        begin(slot, number);
      // All threads work on one batch, in small parts: it is ready early.
      last = std::min(slot.batch.size, first + partOfBatch);
      claimedOfBatch = last;
      if (last == slot.batch.size) {
        ++claimed;
        claimedOfBatch = 0;
      }
      lock.unlock();
      make(slot, first, last, buffer);
      lock.lock();
      slot.left -= last - first;
      if (slot.left > 0)
        continue;
      // No other thread touches the batch before it is said to be ready.
      lock.unlock();
      closeGaps(slot);
      if (options.mixup > 0)
        mixBatch(slot.batch, options.mixup, options.seed);
      lock.lock();
      slot.holds = number;
      filled.notify_all();
    } catch (...) {
      if (!lock.owns_lock())
        lock.lock();
      failure = std::current_exception();
      stopping = true;
      freed.notify_all();
      filled.notify_all();
      return;
    }
  }
}

Batch *Loader::next() {
  std::unique_lock<std::mutex> lock(mutex);
  // The batch handed out last is free from now on.
  if (started)
    ++consumed;
  started = true;
  freed.notify_all();
  if (consumed >= end)
    return nullptr;
  Slot &slot = slots[size_t(consumed % options.depth)];
  filled.wait(lock, [&] { return failure || slot.holds == consumed; });
  if (failure)
    std::rethrow_exception(failure);
  return &slot.batch;
}

const Batch *Loader::ready() {
  std::lock_guard<std::mutex> lock(mutex);
  int64_t following = consumed + started;
  const Slot &slot = slots[size_t(following % options.depth)];
  return slot.holds == following ? &slot.batch : nullptr;
}
