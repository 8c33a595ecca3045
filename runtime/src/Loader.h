//===- Loader.h - Batches of images, made ahead of time ---------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_RUNTIME_LOADER_H
#define ROOTC_RUNTIME_LOADER_H

#include "ImageSource.h"

#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>

namespace rootc {

struct Batch {
  int64_t epoch = 0;   ///< from 0
  int64_t index = 0;   ///< of the batch in its epoch, from 0
  int64_t size = 0;    ///< images; less, even 0, where some cannot be read
  int64_t skipped = 0; ///< images that cannot be read
  FloatArray image;    ///< [size,H,W,C], normalised
  std::vector<int64_t> labels;  ///< as rootc_batch has them
  std::vector<int64_t> samples; ///< indices in the data set
};

struct LoaderOptions {
  int64_t batch = 64;
  uint64_t seed = 0;
  bool shuffle = false;
  Augment augment = Augment::None;
  double mixup = 0; ///< alpha of mixBatch; 0: images are not mixed
  int64_t epochs = 1;
  int64_t firstEpoch = 0, firstBatch = 0; ///< where to begin
  int threads = 1;
  int64_t depth = 4; ///< batches made ahead
};

/// The images' order in an epoch: a function of (seed, epoch) alone.
std::vector<int64_t> shuffledOrder(int64_t count, uint64_t seed, int64_t epoch);

/// Makes the batches of several epochs on threads of its own, in a queue of
/// bounded depth. What a batch holds does not depend on threads or timing. An
/// epoch's last batch may be smaller, and an image that cannot be read is left
/// out of its batch, in whose place no other comes.
class Loader {
public:
  /// Throws TooFewThreads if not all threads can be started.
  Loader(const ImageSource &source, const Normalisation &normalisation,
         const LoaderOptions &options);
  ~Loader();
  Loader(const Loader &) = delete;
  Loader &operator=(const Loader &) = delete;

  int64_t batchesPerEpoch() const { return perEpoch; }
  /// The next batch, valid until the next call; null at the end. The caller may
  /// move out of it.
  Batch *next();
  /// What `next` will hand out, if it is made by now; it stays as it is until
  /// then. Null if it is not, or there is none.
  const Batch *ready();

private:
  struct Slot {
    Batch batch;
    std::vector<char> made; ///< of each image, whether it could be read
    int64_t left = 0;       ///< images to be made
    int64_t holds = -1;     ///< number of the batch that is ready
  };
  void work();
  void stop();
  void begin(Slot &slot, int64_t number);
  void make(Slot &slot, int64_t first, int64_t last,
            std::vector<uint8_t> &buffer) const;
  void closeGaps(Slot &slot) const;
  const std::vector<int64_t> &orderOf(int64_t epoch);

  const ImageSource &source;
  const Normalisation &normalisation;
  LoaderOptions options;
  int64_t perEpoch, end;
  std::vector<Slot> slots;
  std::vector<std::thread> threads;

  std::mutex mutex; ///< guards what follows, and Slot::holds
  std::condition_variable filled, freed;
  int64_t claimed;            ///< the next batch to make
  int64_t claimedOfBatch = 0; ///< images of it that a thread makes already
  int64_t consumed;           ///< batches before this one may be overwritten
  bool started = false, stopping = false;
  std::exception_ptr failure;
  int64_t orderEpoch = -1;
  std::vector<int64_t> order; ///< of orderEpoch
};

} // namespace rootc

#endif // ROOTC_RUNTIME_LOADER_H
