//===- Loader.cpp - Batches of images, made ahead of time -----------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Loader.h"
#include "Philox.h"

#include <algorithm>
#include <numeric>

using namespace rootc;

namespace {
constexpr int64_t padding = 4;
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

void rootc::makeImage(const Dataset &dataset,
                      const Normalisation &normalisation, int64_t sample,
                      bool augment, uint64_t seed, int64_t epoch, float *out) {
  int64_t height = dataset.height, width = dataset.width,
          channels = dataset.channels;
  const uint8_t *image = dataset.image(sample);
  int64_t down = 0, right = 0;
  bool mirror = false;
  if (augment) {
    PhiloxBlock words = philox(
        {0, uint32_t(sample), uint32_t(epoch), uint32_t(RandomUse::Augment)},
        seed);
    down = int64_t(below(words[0], 2 * padding + 1)) - padding;
    right = int64_t(below(words[1], 2 * padding + 1)) - padding;
    mirror = words[2] >> 31;
  }
  for (int64_t y = 0; y < height; ++y)
    for (int64_t x = 0; x < width; ++x, out += channels) {
      int64_t fromY = y + down, fromX = (mirror ? width - 1 - x : x) + right;
      bool inside = fromY >= 0 && fromY < height && fromX >= 0 && fromX < width;
      int64_t at = (fromY * width + fromX) * channels;
      for (int64_t c = 0; c < channels; ++c)
        out[c] = inside ? (image[at + c] - normalisation.mean[size_t(at + c)]) /
                              normalisation.scale[size_t(c)]
                        : 0.f;
    }
}

Loader::Loader(const Dataset &dataset, const Normalisation &normalisation,
               const LoaderOptions &options)
    : dataset(dataset), normalisation(normalisation), options(options),
      perEpoch((dataset.count + options.batch - 1) / options.batch),
      end(perEpoch * options.epochs), slots(size_t(options.depth)),
      claimed(options.firstEpoch * perEpoch + options.firstBatch),
      consumed(claimed) {
  for (int i = 0; i < options.threads; ++i)
    threads.emplace_back([this] { work(); });
}

Loader::~Loader() {
  {
    std::lock_guard<std::mutex> lock(mutex);
    stopping = true;
  }
  freed.notify_all();
  for (std::thread &thread : threads)
    thread.join();
}

std::shared_ptr<const std::vector<int64_t>> Loader::orderOf(int64_t epoch) {
  {
    std::lock_guard<std::mutex> lock(mutex);
    for (auto &[known, order] : orders)
      if (known == epoch)
        return order;
  }
  auto order = std::make_shared<const std::vector<int64_t>>(
      shuffledOrder(dataset.count, options.seed, epoch));
  std::lock_guard<std::mutex> lock(mutex);
  orders.emplace_back(epoch, order);
  if (orders.size() > 2)
    orders.pop_front();
  return order;
}

void Loader::fill(Batch &batch, int64_t number) {
  batch.epoch = number / perEpoch;
  batch.index = number % perEpoch;
  int64_t first = batch.index * options.batch;
  batch.size = std::min(options.batch, dataset.count - first);
  batch.image.resize(size_t(batch.size * dataset.imageSize()));
  batch.labels.resize(size_t(batch.size));
  batch.samples.resize(size_t(batch.size));
  std::shared_ptr<const std::vector<int64_t>> order;
  if (options.shuffle)
    order = orderOf(batch.epoch);
  for (int64_t i = 0; i < batch.size; ++i) {
    int64_t sample = order ? (*order)[size_t(first + i)] : first + i;
    batch.samples[size_t(i)] = sample;
    batch.labels[size_t(i)] = dataset.labels[size_t(sample)];
    makeImage(dataset, normalisation, sample, options.augment, options.seed,
              batch.epoch, batch.image.data() + i * dataset.imageSize());
  }
}

void Loader::work() {
  while (true) {
    int64_t number;
    {
      std::unique_lock<std::mutex> lock(mutex);
      freed.wait(lock, [&] {
        return stopping || claimed >= end || claimed < consumed + options.depth;
      });
      if (stopping || claimed >= end)
        return;
      number = claimed++;
    }
    Slot &slot = slots[size_t(number % options.depth)];
    std::exception_ptr error;
    try {
      fill(slot.batch, number);
    } catch (...) {
      error = std::current_exception();
    }
    std::lock_guard<std::mutex> lock(mutex);
    slot.holds = number;
    if (error) {
      failure = error;
      stopping = true;
      freed.notify_all();
    }
    filled.notify_all();
  }
}

const Batch *Loader::next() {
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
