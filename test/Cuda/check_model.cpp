//===- check_model.cpp - A model's numbers and times ----------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// check_model record FILE              writes what a step computes
// check_model check FILE [TOLERANCE]   compares them with what was recorded:
//   1e-4 of the largest magnitude at most; TOLERANCE is for a library with
//   another precision, and not for gradients and what comes of them
// check_model time infer|train BATCH SECONDS   prints milliseconds a call
//
// Linked with one model, whose header net.h is and whose entry MODEL names:
// with a library for the CPU it records, with one for a GPU (ROOTC_GPU) it
// checks. Times are of arguments that lie in the device's memory.
//
//===----------------------------------------------------------------------===//

#include "net.h"
#ifdef ROOTC_GPU
#include <cuda_runtime.h>
#endif

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <limits>
#include <string>
#include <vector>

namespace {

[[noreturn]] void fail(const std::string &what) {
  std::fprintf(stderr, "check_model: %s\n", what.c_str());
  std::exit(1);
}

#ifdef ROOTC_GPU
const bool isGpu = true;
void *onDevice(size_t bytes, const void *from) {
  void *memory = nullptr;
  if (cudaMallocAsync(&memory, bytes, nullptr) != cudaSuccess)
    fail("the GPU's memory is too small");
  if (from && cudaMemcpyAsync(memory, from, bytes, cudaMemcpyHostToDevice,
                              nullptr) != cudaSuccess)
    fail("copying to the GPU failed");
  cudaStreamSynchronize(nullptr);
  return memory;
}
#else
const bool isGpu = false;
#endif

/// Memory where the model has it best.
template <typename T> class Array {
public:
  Array(size_t count, bool device) : count(count) {
    host = static_cast<T *>(
        std::aligned_alloc(64, (count * sizeof(T) + 127) / 64 * 64));
    std::memset(static_cast<void *>(host), 0, count * sizeof(T));
    address = host;
    wanted = device && isGpu;
  }
  T &operator[](size_t i) { return host[i]; }
  /// To be called once the host has written it.
  T *get() {
#ifdef ROOTC_GPU
    if (wanted && address == host && count)
      address = static_cast<T *>(onDevice(count * sizeof(T), host));
#endif
    return address;
  }
  T *begin() const { return host; }
  T *end() const { return host + count; }

private:
  size_t count;
  T *host, *address;
  bool wanted;
};

/// The same numbers everywhere.
struct Random {
  uint64_t state;
  float operator()() { // in (-1, 1)
    state = state * 6364136223846793005ull + 1442695040888963407ull;
    return float(int32_t(state >> 32)) / 2147483648.0f;
  }
};

class Step {
public:
  Step(const rootc_model &model, int64_t batch, bool device)
      : model(model), batch(batch),
        parameters(size_t(model.parameter_count), device),
        statistics(size_t(model.statistic_count), device),
        gradients(size_t(model.parameter_count), device),
        velocity(size_t(model.parameter_count), device),
        prepared(size_t(model.prepared_bytes), device),
        image(size_t(batch * model.height * model.width * model.channels),
              device),
        logits(size_t(batch * model.classes), device), loss(1, device),
        labels(size_t(batch), false), samples(size_t(batch), device),
        workspace(mostWorkspace(), device) {
    Random random{1};
    for (int64_t i = 0; i < model.tensor_count; ++i) {
      const rootc_tensor &tensor = model.tensors[i];
      int64_t size = 1;
      for (int32_t d = 0; d < tensor.rank; ++d)
        size *= tensor.shape[d];
      bool one = !std::strcmp(tensor.role, "scale") ||
                 !std::strcmp(tensor.role, "variance");
      float range =
          tensor.fan_in ? std::sqrt(6.0f / float(tensor.fan_in)) : 0.1f;
      Array<float> &arena = tensor.statistic ? statistics : parameters;
      for (int64_t j = 0; j < size; ++j)
        arena[size_t(tensor.offset + j)] =
            (one ? 1.0f : 0.0f) + (one ? 0.1f : range) * random();
    }
    for (float &value : image)
      value = random();
    for (int64_t i = 0; i < batch; ++i) {
      labels[size_t(i)] = i % model.classes;
      samples[size_t(i)] = i;
    }
    context.workspace = workspace.get();
    context.workspace_bytes = mostWorkspace();
  }

  void prepare() {
    must(model.prepare(&context, parameters.get(), statistics.get(),
                       prepared.get()));
  }
  void infer() {
    must(model.infer(&context, batch, image.get(), prepared.get(),
                     logits.get()));
  }
  void train() {
    rootc_batch of = {};
    of.size = batch;
    of.image = image.get();
    of.labels = labels.get();
    of.samples = samples.get();
    must(model.train(&context, &of, parameters.get(), statistics.get(),
                     gradients.get(), loss.get()));
  }
  void update() {
    must(model.update(&context, model.parameter_count, parameters.get(),
                      gradients.get(), velocity.get(), 1e-3f, 0.9f, 1e-4f, 0));
  }

private:
  const rootc_model &model;
  int64_t batch;
  rootc_context context = {};

public:
  Array<float> parameters, statistics, gradients, velocity;
  Array<char> prepared;
  Array<float> image, logits, loss;
  Array<int64_t> labels, samples;

private:
  Array<char> workspace;

  size_t mostWorkspace() const {
    int64_t most = model.workspace_bytes(ROOTC_PREPARE, 1);
    for (int32_t program : {ROOTC_INFER, ROOTC_TRAIN})
      most = std::max(most, model.workspace_bytes(program, batch));
    most = std::max(most,
                    model.workspace_bytes(ROOTC_UPDATE, model.parameter_count));
    return size_t(std::max<int64_t>(most, 64));
  }
  void must(int status) {
    if (status != ROOTC_OK)
      fail(context.error);
  }
};

/// What is compared: name and values.
using Numbers = std::vector<std::pair<std::string, std::vector<float>>>;

Numbers numbersOf(const rootc_model &model) {
  Step step(model, 4, false);
  step.prepare();
  step.infer();
  step.train();
  step.update();
  return {{"logits", {step.logits.begin(), step.logits.end()}},
          {"loss", {step.loss.begin(), step.loss.end()}},
          {"gradients", {step.gradients.begin(), step.gradients.end()}},
          {"statistics", {step.statistics.begin(), step.statistics.end()}},
          {"velocity", {step.velocity.begin(), step.velocity.end()}},
          {"parameters", {step.parameters.begin(), step.parameters.end()}}};
}

int check(const rootc_model &model, const std::string &path,
          const char *tolerance) {
  std::ifstream file(path, std::ios::binary);
  Numbers got = numbersOf(model), again = numbersOf(model);
  bool good = true;
  for (size_t i = 0; i < got.size(); ++i) {
    std::vector<float> &values = got[i].second, want(values.size());
    file.read(reinterpret_cast<char *>(want.data()),
              std::streamsize(want.size() * sizeof(float)));
    if (!file)
      fail(path + ": it is of another model");
    double scale = 0, error = 0;
    for (size_t j = 0; j < want.size(); ++j) {
      scale = std::max(scale, double(std::fabs(want[j])));
      double difference = std::fabs(double(values[j]) - double(want[j]));
      error = difference <= error ? error : difference; // a NaN stays
    }
    bool same =
        values.empty() || !std::memcmp(values.data(), again[i].second.data(),
                                       values.size() * sizeof(float));
    // A value that was rounded to the other side of a ReLU's kink has another
    // gradient.
    bool told = tolerance &&
                (got[i].first == "gradients" || got[i].first == "velocity" ||
                 got[i].first == "parameters");
    double most = told        ? std::numeric_limits<double>::max()
                  : tolerance ? std::atof(tolerance)
                              : 1e-4;
    bool right = error <= most * scale && same;
    good &= right;
    std::printf("%s %.1e%s%s", got[i].first.c_str(),
                scale ? error / scale : error,
                same ? "" : " (other bits the second time)",
                i + 1 < got.size() ? ", " : "");
  }
  std::printf(": %s\n", good ? "right" : "WRONG");
  return good ? 0 : 1;
}

int time(const rootc_model &model, bool train, int64_t batch, double limit) {
  using Clock = std::chrono::steady_clock;
  Step step(model, batch, true);
  step.prepare();
  auto run = [&] {
    Clock::time_point begin = Clock::now();
    if (train) {
      step.train();
      step.update();
    } else {
      step.infer();
    }
    return std::chrono::duration<double, std::milli>(Clock::now() - begin)
        .count();
  };
  std::vector<double> times = {run()}; // a first one, which warms up
  double spent = times[0];
  times.clear();
  while (times.empty() || (spent < 1000 * limit && times.size() < 200)) {
    times.push_back(run());
    spent += times.back();
  }
  std::sort(times.begin(), times.end());
  std::printf("%.3f ms\n", times[times.size() / 2]);
  return 0;
}

} // namespace

int main(int argc, char **argv) {
  const rootc_model &model = *MODEL();
  if (const char *why = model.unsupported())
    fail(why);
  std::string verb = argc > 1 ? argv[1] : "";
  if (verb == "record" && argc == 3) {
    std::ofstream file(argv[2], std::ios::binary);
    for (const auto &[name, values] : numbersOf(model))
      file.write(reinterpret_cast<const char *>(values.data()),
                 std::streamsize(values.size() * sizeof(float)));
    return file.flush() ? 0 : 1;
  }
  if (verb == "check" && (argc == 3 || argc == 4))
    return check(model, argv[2], argc == 4 ? argv[3] : nullptr);
  if (verb == "time" && argc == 5)
    return time(model, !std::strcmp(argv[2], "train"), std::atoll(argv[3]),
                std::atof(argv[4]));
  fail("usage: check_model record FILE | check FILE [TOLERANCE] | time "
       "infer|train BATCH SECONDS");
}
