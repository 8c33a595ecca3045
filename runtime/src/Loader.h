//===- Loader.h - Batches of images, made ahead of time ---------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_RUNTIME_LOADER_H
#define ROOTC_RUNTIME_LOADER_H

#include "Cifar.h"

#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <thread>

namespace rootc {

struct Batch {
  int64_t epoch = 0; ///< from 0
  int64_t index = 0; ///< of the batch in its epoch, from 0
  int64_t size = 0;
  FloatArray image; ///< [size,H,W,C], normalised
  std::vector<int64_t> labels;
  std::vector<int64_t> samples; ///< indices in the data set
};

struct LoaderOptions {
  int64_t batch = 64;
  uint64_t seed = 0;
  bool shuffle = false;
  bool augment = false; ///< pad by 4 zeros, crop at random, mirror every other
  int64_t epochs = 1;
  int64_t firstEpoch = 0, firstBatch = 0; ///< where to begin
  int threads = 1;
  int64_t depth = 4; ///< batches made ahead
};

/// The images' order in an epoch: a function of (seed, epoch) alone.
std::vector<int64_t> shuffledOrder(int64_t count, uint64_t seed, int64_t epoch);

/// Normalises one image; with `augment`, crops and mirrors it as
/// (seed, epoch, sample) say.
void makeImage(const Dataset &dataset, const Normalisation &normalisation,
               int64_t sample, bool augment, uint64_t seed, int64_t epoch,
               float *out);

/// Makes the batches of several epochs on threads of its own, in a queue of
/// bounded depth. What a batch holds does not depend on threads or timing. An
/// epoch's last batch may be smaller.
class Loader {
public:
  Loader(const Dataset &dataset, const Normalisation &normalisation,
         const LoaderOptions &options);
  ~Loader();
  Loader(const Loader &) = delete;
  Loader &operator=(const Loader &) = delete;

  int64_t batchesPerEpoch() const { return perEpoch; }
  /// The next batch, valid until the next call; null at the end.
  const Batch *next();

private:
  struct Slot {
    Batch batch;
    int64_t holds = -1; ///< number of the batch that is ready
  };
  void work();
  void fill(Batch &batch, int64_t number);
  std::shared_ptr<const std::vector<int64_t>> orderOf(int64_t epoch);

  const Dataset &dataset;
  const Normalisation &normalisation;
  LoaderOptions options;
  int64_t perEpoch, end;
  std::vector<Slot> slots;
  std::vector<std::thread> threads;

  std::mutex mutex; ///< guards what follows, and Slot::holds
  std::condition_variable filled, freed;
  int64_t claimed;  ///< the next batch to make
  int64_t consumed; ///< batches before this one may be overwritten
  bool started = false, stopping = false;
  std::exception_ptr failure;
  std::deque<std::pair<int64_t, std::shared_ptr<const std::vector<int64_t>>>>
      orders; ///< of the last epochs
};

} // namespace rootc

#endif // ROOTC_RUNTIME_LOADER_H
