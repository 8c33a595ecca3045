//===- CppSourceTest.cpp - Convolutions as C++ source ---------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The C++ of a network's convolutions, compiled twice: as a user would, and
// with a `float` that counts its multiplications.
//
//===----------------------------------------------------------------------===//

#include "codegen/Compile.h"
#include "codegen/Geometry/Gather.h"
#include "codegen/Pipeline.h"
#include "test/Bench/ConvolutionCases.h"
#include "test/Kernels/KernelHarness.h"

#include <algorithm>
#include <dlfcn.h>
#include <filesystem>
#include <fstream>
#include <functional>
#include <gtest/gtest.h>
#include <iterator>
#include <memory>
#include <sstream>
#include <time.h>
#include <unistd.h>

using namespace rootc::test;
using rootc::codegen::ConvShape;
using rootc::codegen::TargetInfo;

namespace {

struct Layer {
  const char *name;
  int64_t batch;
  ConvShape shape;
};

const Layer layers[] = {
    {"nin_image", 2, {32, 32, 3, 64, 1, {5, 5}, {1, 1}, {2, 2, 2, 2}, {1, 1}}},
    {"nin_dense", 2, {8, 8, 96, 192, 1, {5, 5}, {1, 1}, {2, 2, 2, 2}, {1, 1}}},
    {"nin_root_8",
     2,
     {16, 16, 192, 192, 8, {5, 5}, {1, 1}, {2, 2, 2, 2}, {1, 1}}},
    {"pointwise", 2, {16, 16, 192, 192, 1, {1, 1}, {1, 1}, {}, {1, 1}}},
    {"pointwise_strided", 4, {28, 28, 64, 128, 1, {1, 1}, {2, 2}, {}, {1, 1}}},
    {"strided", 2, {28, 28, 64, 96, 1, {3, 3}, {2, 2}, {1, 1, 1, 1}, {1, 1}}},
    {"strided_groups_of_4",
     2,
     {28, 28, 96, 96, 24, {3, 3}, {2, 2}, {1, 1, 1, 1}, {1, 1}}},
    {"groups_of_4",
     4,
     {14, 14, 96, 96, 24, {3, 3}, {1, 1}, {1, 1, 1, 1}, {1, 1}}},
    {"groups_of_20",
     4,
     {14, 14, 80, 80, 4, {3, 3}, {1, 1}, {1, 1, 1, 1}, {1, 1}}},
    {"depthwise",
     4,
     {28, 28, 96, 96, 96, {3, 3}, {1, 1}, {1, 1, 1, 1}, {1, 1}}},
    {"linear", 16, {4, 4, 64, 100, 1, {4, 4}, {1, 1}, {}, {1, 1}}},
};
const ConvKind kinds[] = {ConvKind::ForwardRelu, ConvKind::BackwardData,
                          ConvKind::BackwardFilter};

/// What takes the place of `float` in a kernel.
const char counter[] = R"(
#ifdef COUNT
static long multiplications;
struct Counted {
  float value;
  Counted() = default;
  Counted(float value) : value(value) {}
  operator float() const { return value; }
};
inline Counted operator*(Counted a, Counted b) {
  ++multiplications;
  return a.value * b.value;
}
inline Counted operator+(Counted a, Counted b) { return a.value + b.value; }
extern "C" long count() { return multiplications; }
#define float Counted
#endif
)";

const char allocation[] = R"(
#include <stdlib.h>
extern "C" void *halide_malloc(void *, size_t bytes) {
  return aligned_alloc(64, (bytes + 63) / 64 * 64);
}
extern "C" void halide_free(void *, void *block) { free(block); }
)";

/// A library of several kernels.
class Library {
public:
  explicit Library(const std::vector<Kernel> &kernels) {
    std::string name =
        std::filesystem::temp_directory_path() / "rootc-cpp-XXXXXX";
    if (!mkdtemp(name.data()))
      throw std::runtime_error("no temporary folder");
    folder = name;
    std::ofstream source(folder + "/kernels.cpp");
    for (size_t i = 0; i < kernels.size(); ++i) {
      std::string path = folder + "/kernel.cpp";
      rootc::codegen::compileKernel(kernels[i], rootc::codegen::OutputKind::Cpp,
                                    "host", path);
      std::stringstream text;
      text << std::ifstream(path).rdbuf();
      std::string kernel = text.str();
      size_t begin = kernel.find("int " + kernels[i].name + "(");
      begin = kernel.rfind("#ifdef __cplusplus", begin);
      if (begin == std::string::npos)
        throw std::runtime_error("the text is not as expected");
      if (i == 0)
        source << kernel.substr(0, begin) << allocation << counter;
      source << kernel.substr(begin);
    }
  }
  ~Library() {
    for (void *handle : handles)
      dlclose(handle);
    std::filesystem::remove_all(folder);
  }

  void *open(const std::string &flags) {
    std::string library = folder + "/" + std::to_string(handles.size()) + ".so";
    std::string command = ROOTC_CXX " -std=c++17 -w -shared -fPIC " + flags +
                          " " + folder + "/kernels.cpp -o " + library;
    if (system(command.c_str()) != 0)
      throw std::runtime_error("does not compile");
    handles.push_back(dlopen(library.c_str(), RTLD_LAZY));
    if (!handles.back())
      throw std::runtime_error(dlerror());
    return handles.back();
  }

private:
  std::string folder;
  std::vector<void *> handles;
};

Halide::Buffer<float> bufferOf(const Tensor &tensor) {
  std::vector<int> extents(tensor.shape().rbegin(), tensor.shape().rend());
  Halide::Buffer<float> buffer(extents);
  std::vector<float> values = tensor.floats();
  std::copy(values.begin(), values.end(), buffer.begin());
  return buffer;
}

/// A kernel with its inputs and its result.
struct Trial {
  Kernel kernel;
  std::vector<Tensor> inputs;
  std::vector<Halide::Buffer<float>> buffers;

  Trial(Kernel description, int64_t batch) : kernel(std::move(description)) {
    inputs = makeInputs(kernel, batch);
    for (const Tensor &tensor : inputs)
      buffers.push_back(bufferOf(tensor));
    TensorType type = kernel.type(kernel.outputs[0]);
    if (type.shape[0] < 0)
      type.shape[0] = batch;
    buffers.push_back(bufferOf(Tensor(type)));
  }

  void call(void *library) {
    auto *function = reinterpret_cast<int (*)(void **)>(
        dlsym(library, (kernel.name + "_argv").c_str()));
    ASSERT_NE(function, nullptr);
    void *context = nullptr;
    std::vector<void *> arguments = {&context};
    for (auto &buffer : buffers)
      arguments.push_back(buffer.raw_buffer());
    ASSERT_EQ(function(arguments.data()), 0);
  }

  std::string difference() {
    Tensor got = Tensor::fromFloats(
        reference()[0].shape(), {buffers.back().begin(), buffers.back().end()});
    return rootc::test::difference({got}, reference(), 4e-6);
  }

private:
  std::vector<Tensor> expected;
  const std::vector<Tensor> &reference() {
    if (expected.empty())
      expected = rootc::reference::evaluate(kernel, inputs);
    return expected;
  }
};

/// The process's own time, as others may share the machine.
double seconds(const std::function<void()> &work) {
  auto now = [] {
    timespec time;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return double(time.tv_sec) + double(time.tv_nsec) * 1e-9;
  };
  double best = 1e9, total = 0;
  for (int i = 0; i < 3 || (total < 0.02 && i < 100); ++i) {
    double start = now();
    work();
    double took = now() - start;
    best = std::min(best, took);
    total += took;
  }
  return best;
}

/// Multiplications that a kernel cannot do without: one a weight and pixel that
/// is written, zeros that fill up blocks included.
int64_t multiplicationsOf(const Layer &layer, ConvKind kind,
                          const Kernel &kernel) {
  const ConvShape &s = layer.shape;
  int64_t filter = 1, pixels = s.outHeight() * s.outWidth();
  if (kind == ConvKind::BackwardFilter) {
    filter = s.outChannels * s.kernel[0] * s.kernel[1] * s.inPerGroup();
  } else {
    for (int64_t extent : kernel.inputs[1].shape)
      filter *= extent;
    // Of a stride's phases, each meets taps of its own.
    auto gather = rootc::codegen::gatherOf(kernel, kernel.ops[0]);
    auto phase = gather.phaseSize();
    pixels = gather.ownTap ? 1 : phase[0] * phase[1];
  }
  return layer.batch * pixels * filter;
}

/// The kernel with a multiplication and an addition before each map it reads.
Kernel withOpsBefore(const Kernel &alone, size_t maps) {
  Kernel kernel = alone;
  kernel.ops.clear();
  for (size_t i = 0; i < maps; ++i)
    for (int factor = 0; factor < 2; ++factor)
      kernel.inputs.push_back(f32({alone.inputs[i].shape[3]}));
  auto value = static_cast<int64_t>(kernel.inputs.size());
  for (size_t i = 0; i < maps; ++i) {
    auto vector = static_cast<int64_t>(alone.inputs.size() + 2 * i);
    kernel.ops.push_back({"channel_affine",
                          {int64_t(i), vector, vector + 1},
                          {},
                          {alone.inputs[i]}});
  }
  kernel.ops.push_back(alone.ops[0]);
  for (size_t i = 0; i < maps; ++i)
    kernel.ops.back().operands[i] = value + static_cast<int64_t>(i);
  kernel.outputs = {value + static_cast<int64_t>(maps)};
  return kernel;
}

TEST(CppSource, MultipliesOnceAndTakesAtMostTwentyTimesTheKernels) {
  TargetInfo machine = rootc::codegen::targetInfo(Halide::get_host_target());
  std::vector<Trial> trials;
  std::vector<int64_t> most;
  std::vector<Kernel> kernels;
  auto add = [&](Kernel kernel, const std::string &name, int64_t batch,
                 int64_t multiplications) {
    kernel.name = name;
    kernels.push_back(kernel);
    trials.emplace_back(kernel, batch);
    most.push_back(multiplications);
  };
  for (const Layer &layer : layers)
    for (ConvKind kind : kinds) {
      Kernel kernel = convKernel(kind, layer.shape, machine);
      add(kernel, std::string(layer.name) + "_" + std::to_string(int(kind)),
          layer.batch, multiplicationsOf(layer, kind, kernel));
    }
  size_t timed = trials.size();
  for (const Layer &layer : {layers[2], layers[5], layers[7], layers[10]})
    for (ConvKind kind : {ConvKind::Forward, ConvKind::BackwardFilter}) {
      bool filter = kind == ConvKind::BackwardFilter;
      const ConvShape &s = layer.shape;
      Kernel kernel = convKernel(kind, s, machine);
      // Zeros around a map are multiplied too.
      int64_t before = (s.inHeight + s.pad[0] + s.pad[2]) *
                       (s.inWidth + s.pad[1] + s.pad[3]) * s.inChannels;
      if (filter)
        before += s.outHeight() * s.outWidth() * s.outChannels;
      add(withOpsBefore(kernel, filter ? 2 : 1),
          std::string(layer.name) + "_after_" + std::to_string(int(kind)),
          layer.batch,
          multiplicationsOf(layer, kind, kernel) + layer.batch * before);
    }
  Library library(kernels);
  void *fast = library.open("-O2"), *counting = library.open("-O1 -DCOUNT");
  auto count = reinterpret_cast<long (*)()>(dlsym(counting, "count"));
  ASSERT_NE(count, nullptr);
  // Halide's runtime reads it when its first parallel loop starts.
  setenv("HL_NUM_THREADS", "1", 1);
  Halide::Target target =
      Halide::get_host_target().with_feature(Halide::Target::NoBoundsQuery);
  for (size_t i = 0; i < trials.size(); ++i) {
    Trial &trial = trials[i];
    SCOPED_TRACE(trial.kernel.name);
    long before = count();
    trial.call(counting);
    EXPECT_LE(count() - before, most[i]);
    EXPECT_EQ(trial.difference(), "");
    if (i >= timed)
      continue;
    trial.buffers.back().fill(0.0f);
    double plain = seconds([&] { trial.call(fast); });
    EXPECT_EQ(trial.difference(), "");
    auto built = rootc::codegen::buildPipeline(trial.kernel, target);
    for (size_t input = 0; input < built.inputs.size(); ++input)
      built.inputs[input].set(trial.buffers[input]);
    built.pipeline.compile_jit(target);
    double kernel =
        seconds([&] { built.pipeline.realize(trial.buffers.back(), target); });
    EXPECT_LE(plain, 20 * kernel);
  }
}

} // namespace
