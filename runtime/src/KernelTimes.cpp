//===- KernelTimes.cpp - Kernels of one library, timed in turns -----------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "KernelTimes.h"
#include "Machine.h"
#include "Support.h"

#include <algorithm>
#include <bit>
#include <chrono>
#include <cmath>
#include <cstring>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>

using namespace rootc;
using nlohmann::json;
using Clock = std::chrono::steady_clock;

namespace {

struct Operand {
  size_t elements, bytes; ///< bytes of one element
  bool isFloat;           ///< of two bytes: bf16, the upper half of a float
  size_t size() const { return elements * bytes; }
};

float readFloat(const std::byte *at, size_t bytes) {
  uint32_t bits = 0; // little-endian
  std::memcpy(reinterpret_cast<std::byte *>(&bits) + 4 - bytes, at, bytes);
  return std::bit_cast<float>(bits);
}

/// A value that depends on its place. Floats are from 0.25 to 1.25, as
/// variances are among them; whole numbers from 0 to 3, which any network has
/// as classes and places in a window.
uint64_t noise(uint64_t operand, uint64_t element) {
  uint64_t x = operand * 0x9e3779b97f4a7c15 + element;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

/// Elements of an operand that repeat: a prime, so that no tile or row does.
constexpr size_t period = 65521;

void fill(std::byte *to, const Operand &operand, uint64_t index) {
  for (size_t i = 0; i < std::min(operand.elements, period); ++i) {
    uint64_t bits = noise(index, i);
    if (operand.isFloat) {
      auto value =
          std::bit_cast<uint32_t>(0.25f + float(bits >> 40) * 0x1p-24f);
      value >>= 8 * (4 - operand.bytes);
      std::memcpy(to + operand.bytes * i, &value, operand.bytes);
    } else {
      uint64_t value = bits % 4; // little-endian
      std::memcpy(to + operand.bytes * i, &value, operand.bytes);
    }
  }
  for (size_t i = period; i < operand.elements; i += period)
    std::memcpy(to + operand.bytes * i, to,
                operand.bytes * std::min(period, operand.elements - i));
}

/// The largest difference by the largest value; infinite where one is not a
/// number, or whole numbers differ.
double differenceOf(const std::byte *got, const std::byte *want,
                    const Operand &operand) {
  const double infinity = std::numeric_limits<double>::infinity();
  if (!operand.isFloat)
    return std::memcmp(got, want, operand.size()) ? infinity : 0;
  double worst = 0, largest = 0;
  for (size_t i = 0; i < operand.elements; ++i) {
    float a = readFloat(got + operand.bytes * i, operand.bytes);
    float b = readFloat(want + operand.bytes * i, operand.bytes);
    if (!std::isfinite(a) || !std::isfinite(b))
      return infinity;
    worst = std::max(worst, std::abs(double(a) - double(b)));
    largest = std::max(largest, std::abs(double(b)));
  }
  return worst == 0 ? 0 : worst / largest;
}

double medianOf(std::vector<double> values) {
  auto middle = values.begin() + ptrdiff_t(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

class KernelTimes {
public:
  explicit KernelTimes(const json &job)
      : model(Model::open(job.at("library").get<std::string>())),
        pool(model, job.at("threads").get<int>()),
        least(job.at("milliseconds").get<double>()),
        samples(job.at("samples").get<size_t>()) {
    json timing = json::parse(model->description).at("timing");
    kernels = timing.at("kernels");
    batch = timing.at("batch");
    timing.at("input_offsets").get_to(inputOffsets);
    timing.at("output_offsets").get_to(outputOffsets);
    auto read = [&](const char *name, std::vector<Operand> &operands) {
      for (const json &operand : timing.at(name))
        operands.push_back({operand.at("elements"), operand.at("bytes"),
                            operand.at("float").get<bool>()});
    };
    read("inputs", inputs);
    read("outputs", outputs);
    prepared.resize(size_t(model->prepared_bytes));
    workspace.resize(size_t(model->workspace_bytes(ROOTC_INFER, batch)));
  }

  json run() {
    if (const char *why = model->unsupported())
      fail("{}", why);
    for (const std::vector<size_t> &offsets : inputOffsets)
      for (size_t i = 0; i < inputs.size(); ++i) {
        std::byte *input = prepared.data() + offsets[i];
        if (&offsets == &inputOffsets.front())
          fill(input, inputs[i], i);
        else
          std::memcpy(input, prepared.data() + inputOffsets[0][i],
                      inputs[i].size());
      }
    packFilters();
    onDevice.emplace(model, prepared);
    differences.assign(kernels, 0);
    seen.assign(kernels, false);
    times.assign(kernels, {});
    runOnce(); // compares, and warms up
    isTiming = true;
    double spent = 0;
    // Long kernels do with few samples.
    const double most = 20 * least;
    do {
      auto start = Clock::now();
      runOnce();
      spent += std::chrono::duration<double, std::milli>(Clock::now() - start)
                   .count();
    } while ((spent < least || times.back().size() < samples) && spent < most &&
             !isBeaten());
    json medians = json::array();
    for (const std::vector<double> &of : times)
      medians.push_back(medianOf(of));
    return {{"milliseconds", medians},
            {"difference", differences},
            {"machine", machine()},
            {"threads", model.hasDevice() ? 1 : pool.threads()}};
  }

private:
  std::string machine() const {
    if (!model.hasDevice())
      return Machine::current().cpu;
    rootc_context context = {};
    rootc_device_info info = {};
    if (model->device_info(&context, 0, &info))
      fail("{}", context.error);
    return info.name;
  }

  bool isBeaten() const {
    return kernels > 1 && times[1].size() >= 3 &&
           medianOf(times[1]) > 1.25 * medianOf(times[0]);
  }

  rootc_context callContext() {
    rootc_context context = {};
    context.device = model.device();
    context.parallel_for = model->parallel_for;
    context.pool = pool.handle();
    return context;
  }

  /// Kernels whose filter lies otherwise have one each, of the same values.
  void packFilters() {
    if (model->parameter_count == 0)
      return;
    rootc_context context = callContext();
    FloatArray filter(size_t(model->parameter_count)), statistics(1);
    fill(reinterpret_cast<std::byte *>(filter.data()),
         {filter.size(), sizeof(float), true}, inputs.size());
    if (model->prepare(&context, filter.data(), statistics.data(),
                       prepared.data()))
      fail("{}", context.error);
  }

  void runOnce() {
    rootc_context context = callContext();
    // A device has its own; what is here it would copy to at each call.
    if (!isTiming || !model.hasDevice()) {
      context.workspace = workspace.data();
      context.workspace_bytes = workspace.size();
    }
    context.call_hook = hook;
    context.call_hook_state = this;
    FloatArray image(size_t(batch * model->height)), logits(image.size());
    if (model->infer(&context, batch, image.data(), prepared.data(),
                     logits.data()))
      fail("{}", context.error);
  }

  static void hook(void *state, int32_t, int32_t call, int32_t phase) {
    auto &self = *static_cast<KernelTimes *>(state);
    if (self.isTiming)
      self.timeCall(size_t(call), phase);
    else
      self.compareCall(size_t(call), phase);
  }

  void timeCall(size_t call, int32_t phase) {
    if (phase == 0)
      start = Clock::now();
    else
      times[call % kernels].push_back(
          std::chrono::duration<double, std::milli>(Clock::now() - start)
              .count());
  }

  /// Results of each kernel's first call, which must write all of them. (A
  /// device's memory cannot be poisoned here; there it is new.)
  void compareCall(size_t call, int32_t phase) {
    size_t kernel = call % kernels, copy = call % outputOffsets.size();
    if (seen[kernel])
      return;
    seen[kernel] = phase == 1;
    size_t place = 0;
    for (size_t i = 0; i < outputs.size(); ++i) {
      std::byte *output = workspace.data() + outputOffsets[copy][kernel][i];
      size_t size = outputs[i].size();
      if (phase == 0) {
        std::memset(output, 0xff, size);
      } else if (kernel == 0) {
        expected.insert(expected.end(), output, output + size);
      } else {
        differences[kernel] =
            std::max(differences[kernel],
                     differenceOf(output, expected.data() + place, outputs[i]));
        place += size;
      }
    }
  }

  Model model;
  ThreadPool pool;
  const double least;
  const size_t samples;
  size_t kernels = 0;
  int64_t batch = 0;
  std::vector<Operand> inputs, outputs;
  std::vector<std::vector<size_t>> inputOffsets;
  std::vector<std::vector<std::vector<size_t>>> outputOffsets;
  ByteArray prepared, workspace;
  std::optional<DeviceCopy> onDevice; ///< of `prepared`
  std::vector<std::byte> expected;
  std::vector<double> differences;
  std::vector<bool> seen;
  std::vector<std::vector<double>> times;
  bool isTiming = false;
  Clock::time_point start;
};

} // namespace

std::string rootc::timeKernels(const std::string &job) {
  json answer;
  try {
    answer = KernelTimes(json::parse(job)).run();
  } catch (const std::bad_alloc &) {
    answer = {{"error", "memory ran out"}};
  } catch (const std::exception &error) {
    answer = {{"error", error.what()}};
  }
  return answer.dump(-1, ' ', false, json::error_handler_t::replace);
}
