//===- rootc/runtime.h - Load, run and train a model ------------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The C++ interface of the runtime library (link RootcRuntime). A whole
// program:
//
//   rootc::Model model = rootc::Model::open("nin.so");
//   auto weights = rootc::Weights::load(model, "weights.safetensors");
//   rootc::Prepared prepared(model, weights);   // share it among threads
//   rootc::Session session(model);              // one for each thread
//   session.infer(prepared, 16, images, logits);
//
// Images are NHWC float32, already normalised ((pixel - mean) / scale, see
// Weights); logits are [batch, classes] float32; labels int64. Arrays that the
// caller passes in hold exactly the documented number of values.
//
// Nothing here writes to a stream: what is worth telling goes to a function of
// the caller's. Every function that can fail throws rootc::Error, whose message
// names the file, flag or tensor at fault and what to do. Model, Prepared and
// ThreadPool may be used by any number of threads at once; a Session by one at
// a time.
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_RUNTIME_H
#define ROOTC_RUNTIME_H

#include "rootc/model.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <vector>

namespace rootc {

class Error : public std::runtime_error {
public:
  using std::runtime_error::runtime_error;
};

/// Memory at multiples of 64 bytes, as models want their arenas; of 2 MiB and
/// more in huge pages, where the system has them: a network walks through
/// columns of its maps, each pixel in a page of its own. Thread-safe; throws
/// std::bad_alloc. What it gives is freed with the same size.
void *allocateArena(size_t bytes);
void freeArena(void *memory, size_t bytes);

/// Where a host program wants arenas to come from: weights, workspaces,
/// gradients. `allocate` gives memory at a multiple of `alignment`, a power of
/// two, or null; both may be called by any thread.
struct ArenaAllocator {
  void *(*allocate)(void *state, size_t bytes, size_t alignment);
  void (*release)(void *state, void *memory, size_t bytes);
  void *state;
};

/// To be called before any arena is allocated; null members: operator new.
void setArenaAllocator(const ArenaAllocator &allocator);

template <typename T> struct AlignedAllocator {
  using value_type = T;
  AlignedAllocator() = default;
  template <typename U> AlignedAllocator(const AlignedAllocator<U> &) {}
  T *allocate(size_t count) {
    if (count > SIZE_MAX / sizeof(T))
      throw std::bad_alloc();
    return static_cast<T *>(allocateArena(count * sizeof(T)));
  }
  void deallocate(T *pointer, size_t count) {
    freeArena(pointer, count * sizeof(T));
  }
  template <typename U> bool operator==(const AlignedAllocator<U> &) const {
    return true;
  }
};
using FloatArray = std::vector<float, AlignedAllocator<float>>;
using ByteArray = std::vector<std::byte, AlignedAllocator<std::byte>>;

/// A loaded model: a cheap handle, unloaded with its last copy.
class Model {
public:
  /// Loads a library that rootc made. Whether the file is one, the same to the
  /// last bit, and of this ABI version is checked before any of its code runs.
  /// `device`: "cpu", or the number of a device that the library was compiled
  /// for; "": the first of those, else the CPU.
  static Model open(const std::string &path, const std::string &device = "");
  /// Wraps a model that is linked into the program: adopt(nin_model()).
  static Model adopt(const rootc_model *table);
  /// A model that has no code: `table` has its sizes, tensors and description,
  /// and its functions may be null. Weights can be initialised, read and
  /// written for it; nothing may be run. The table must outlive the model.
  static Model describe(const rootc_model *table);

  const rootc_model *operator->() const { return table; }
  /// The file, or the model's name if it was linked in; for messages.
  const std::string &path() const;
  /// What the model runs on, opened at the first call; null: the CPU. Throws an
  /// Error if there is no such device, or no driver for it.
  rootc_device *device() const;
  /// Whether it runs on something else than the CPU.
  bool hasDevice() const;
  /// The same network for each target that the library was compiled for.
  std::vector<const rootc_model *> targets() const;
  /// Floats of one image: height x width x channels.
  int64_t imageSize() const;
  /// Whether the model was compiled with training, and has two classes or more:
  /// softmax over a single one is 1 whatever the network computes.
  bool canTrain() const;
  /// Throws an Error that says why not unless canTrain().
  void requireTraining() const;
  /// What inference computes of one layer; throws an Error, which names the
  /// layers that can be had, if it stores nothing under that name.
  const rootc_response &response(const std::string &layer) const;

private:
  struct State;
  std::shared_ptr<const State> state;
  const rootc_model *table = nullptr;
};

/// The copy in a device's memory of values that the host has, which a model's
/// functions then use instead, while this lives. Where the model runs on the
/// CPU there is none, and nothing is done.
class DeviceCopy {
public:
  DeviceCopy(Model model, void *values, size_t bytes);
  template <typename T>
  DeviceCopy(Model model, std::vector<T, AlignedAllocator<T>> &values)
      : DeviceCopy(std::move(model), values.data(), values.size() * sizeof(T)) {
  }
  ~DeviceCopy();
  DeviceCopy(const DeviceCopy &) = delete;
  DeviceCopy &operator=(const DeviceCopy &) = delete;
  /// Brings the host's values up to date.
  void fetch() const;

private:
  Model model;
  void *values;
  size_t bytes;
};

/// Brings images to a device ahead of the call that is given them, while
/// another call runs there (rootc_model::device_ahead). On the CPU nothing is
/// done.
class ImagesAhead {
public:
  explicit ImagesAhead(Model model);
  ~ImagesAhead();
  ImagesAhead(const ImagesAhead &) = delete;
  ImagesAhead &operator=(const ImagesAhead &) = delete;
  /// `images` may not change until the next call with them has returned, nor
  /// may they be freed while this lives: their memory stays locked.
  void begin(const FloatArray &images);

private:
  Model model;
  std::map<float *, size_t> pinned; ///< bytes at each address
};

/// $ROOTC_THREADS if set, else the number of cores this process may use.
int defaultThreads();

/// The threads that kernels run on; the caller is one of them. Several
/// sessions may share a pool.
class ThreadPool {
public:
  /// threads = 0: defaultThreads().
  explicit ThreadPool(Model model, int threads = 0);
  /// The host program's own `threads` threads, on which `run`, given `pool`,
  /// runs tasks; both outlive this.
  ThreadPool(Model model, rootc_parallel_for run, void *pool, int threads);
  ~ThreadPool();
  ThreadPool(const ThreadPool &) = delete;
  ThreadPool &operator=(const ThreadPool &) = delete;
  int threads() const { return count; }
  void *handle() const { return pool; }
  rootc_parallel_for runner() const { return run; }
  /// task(i) for i in [0, count), on any threads, in any order; returns once
  /// all have ended. Rethrows the first exception of a task.
  void forEach(int64_t count, const std::function<void(int64_t)> &task) const;

private:
  Model model;
  int count;
  rootc_parallel_for run;
  void *pool = nullptr;
  bool owned = true;
};

/// What a network has learnt: parameters and running statistics in the model's
/// flat layout (rootc_tensor), how its training images were normalised, and
/// what its classes are called.
struct Weights {
  /// All zero.
  explicit Weights(const Model &model);

  /// He initialisation: normal with variance 2 / fan-in; scales and variances
  /// 1, everything else 0. The same seed gives the same bits for a tensor of
  /// the same name and shape, whatever else the network holds.
  static Weights initialise(const Model &model, uint64_t seed);

  /// Reads a safetensors file: keys are tensor names ("conv2a.filter"), and
  /// input.mean, input.scale if present. With `slice`, a filter with fewer
  /// groups than the network's is cut to its diagonal blocks, which
  /// `message` is told.
  static Weights
  load(const Model &model, const std::string &path, bool slice = false,
       const std::function<void(const std::string &)> &message = nullptr);

  /// What a library that holds its weights tells of them: how images are
  /// normalised, and names. Parameters and statistics, of which it knows what
  /// inference needs alone, are zero. Throws if it holds none.
  static Weights describeOwn(const Model &model);

  /// Writes a safetensors file: aside, then renamed.
  void save(const Model &model, const std::string &path) const;

  FloatArray parameters; ///< model->parameter_count floats
  FloatArray statistics; ///< model->statistic_count floats
  FloatArray inputMean;  ///< [H,W,C], in pixel values 0 to 255; empty: unknown
  FloatArray inputScale; ///< [C], standard deviations; empty: unknown
  /// Of the training data, in the order of the logits; empty: unknown.
  std::vector<std::string> classNames;
};

/// Weights packed for inference; immutable.
class Prepared {
public:
  Prepared(const Model &model, const Weights &weights);
  /// The library's own, of `rootc --weights`; throws if it holds none.
  explicit Prepared(Model model);
  const void *data() const { return own ? own : bytes->data(); }

private:
  // Known to a device by their address.
  std::shared_ptr<ByteArray> bytes;
  std::shared_ptr<DeviceCopy> copy;
  Model library; ///< keeps `own` loaded
  const void *own = nullptr;
};

/// Is given values[batch, height, width, channels], the response of one layer
/// (rootc_response has the sizes), its channels in the network's order, which
/// lie there until it returns.
using ResponseReader =
    std::function<void(const rootc_response &response, const float *values)>;

/// What one thread needs to run a model: a workspace, which grows to the
/// largest batch it has met, and a place for messages.
class Session {
public:
  /// Without a pool, kernels run on the calling thread.
  explicit Session(Model model, std::shared_ptr<ThreadPool> pool = nullptr);

  /// logits[batch * classes] from image[batch * imageSize()]. Allocates nothing
  /// once it has seen the batch size.
  void infer(const Prepared &prepared, int64_t batch, const float *image,
             float *logits);
  /// As infer, and hands each of `responses` (Model::response) to `read`, on
  /// the calling thread, as soon as it is complete: in the order of their
  /// calls, while inference is under way. An exception of `read` is rethrown
  /// after the batch, without further calls. A call_hook goes on being called.
  void infer(const Prepared &prepared, int64_t batch, const float *image,
             float *logits,
             const std::vector<const rootc_response *> &responses,
             const ResponseReader &read);
  /// One training-mode forward and backward; returns the batch's mean loss.
  /// gradients[parameter_count] is overwritten, weights.statistics updated.
  float train(const rootc_batch &batch, Weights &weights, float *gradients);
  /// As train, and image gradients in imageGradient[size * imageSize()].
  float grad(const rootc_batch &batch, Weights &weights, float *gradients,
             float *imageGradient);
  /// SGD: v = momentum v + (g + decay w), w = w - rate v. Weight decay applies
  /// to filters and linear weights, and with decayAll to everything.
  void update(Weights &weights, const float *gradients, float *velocity,
              float rate, float momentum, float decay, bool decayAll = false);
  /// The model's updates (rootc/model.h) of `count` floats, from a multiple of
  /// 16 of the arenas on, none if it is 0.
  void update(int64_t count, float *parameters, const float *gradients,
              float *velocity, float rate, float momentum, float decay,
              bool nesterov);
  void adamw(int64_t count, float *parameters, const float *gradients,
             float *mean, float *square, const rootc_adamw &step);
  void clip(int64_t count, float *gradients, float most);
  /// average = average + share (values - average).
  void average(int64_t count, float *average, const float *values, float share);

  /// The underlying context, to set a call_hook.
  rootc_context &context() { return ctx; }

private:
  /// `shown`: for responses, which the host reads.
  void reserve(int32_t program, int64_t batch, bool shown = false);
  void check(int status) const;

  Model model;
  std::shared_ptr<ThreadPool> pool;
  ByteArray workspace;
  rootc_context ctx{};
};

} // namespace rootc

#endif // ROOTC_RUNTIME_H
