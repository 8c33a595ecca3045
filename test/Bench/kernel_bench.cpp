//===- kernel_bench.cpp - Speed and correctness of convolution kernels ----===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
//   kernel_bench KIND IN OUT KERNEL MAP GROUPS STRIDE BATCH [key=value...]
//
// compiles one kernel (KIND f, r, d, w: forward, with residual and ReLU,
// backward-data, backward-filter) and prints milliseconds and GFLOP/s, the
// best of many runs on one thread (`threads=2` for two). key=value overrides
// the schedule; `check=1` compares with the reference instead; `block=` sets
// the block, `winograd=` the edge of Winograd's tiles, `order=` has channels in
// that order, `bits=256` compiles for AVX2, `autoscheduler=1` or 2 has Halide's
// own schedule, `asm=1` writes kernel_bench.s.
//
//===----------------------------------------------------------------------===//

#include "ConvolutionCases.h"
#include "codegen/Pipeline.h"
#include "lib/Reference/Reference.h"

#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <limits>
#include <random>
#include <time.h>

using namespace rootc;
using namespace rootc::codegen;

static Halide::Runtime::Buffer<float> buffer(const TensorType &type,
                                             int64_t batch) {
  std::vector<int> sizes;
  for (auto it = type.shape.rbegin(); it != type.shape.rend(); ++it)
    sizes.push_back(static_cast<int>(*it < 0 ? batch : *it));
  return Halide::Runtime::Buffer<float>(sizes);
}

static double run(const Kernel &kernel, const TargetInfo &info, int64_t batch,
                  double flops, int threads, bool check, bool assembly) {
  Halide::Target target = Halide::get_host_target();
  if (!__builtin_cpu_supports("sse4a")) // which code for a Zen 4 may use
    target = target.without_feature(Halide::Target::AVX512_Zen4)
                 .without_feature(Halide::Target::AVX512_SapphireRapids);
  if (info.vectorBits < 512)
    for (auto f :
         {Halide::Target::AVX512, Halide::Target::AVX512_Skylake,
          Halide::Target::AVX512_KNL, Halide::Target::AVX512_Cannonlake,
          Halide::Target::AVX512_SapphireRapids, Halide::Target::AVX512_Zen4})
      target = target.without_feature(f);
  if (!check)
    target = target.with_feature(Halide::Target::NoAsserts);
  target = target.with_feature(Halide::Target::NoBoundsQuery);
  BuiltPipeline built = buildPipeline(kernel, target);
  auto now = std::chrono::steady_clock::now;
  auto seconds = [&](auto since) {
    return std::chrono::duration<double>(now() - since).count();
  };
  // Halide's runtime reads it when its first parallel loop starts.
  setenv("HL_NUM_THREADS", std::to_string(threads).c_str(), 1);
  std::mt19937 random(1);
  std::uniform_real_distribution<float> uniform(-1, 1);
  std::vector<Halide::Runtime::Buffer<float>> in;
  for (size_t i = 0; i < kernel.inputs.size(); ++i) {
    in.push_back(buffer(kernel.inputs[i], batch));
    in.back().for_each_value([&](float &v) { v = uniform(random); });
    if (check && i == 1 && kernel.ops[0].attributes.count("winograd")) {
      auto transformed = test::transformedFilter(
          kernel.ops[0],
          reference::Tensor::fromFloats(kernel.inputs[1].shape,
                                        {in[1].begin(), in[1].end()}));
      std::copy(transformed.reals.begin(), transformed.reals.end(),
                in[1].begin());
    }
    built.inputs[i].set(Halide::Buffer<float>(*in.back().raw_buffer()));
  }
  auto out = buffer(kernel.type(kernel.outputs[0]), batch);
  out.fill(std::numeric_limits<float>::quiet_NaN());
  if (assembly)
    built.pipeline.compile_to_assembly("kernel_bench.s", built.arguments(),
                                       "kernel", target);
  auto begin = now();
  built.pipeline.compile_jit(target);
  double compile = seconds(begin);
  Halide::Buffer<float> result(*out.raw_buffer());
  built.pipeline.realize(result);
  if (check) {
    std::vector<reference::Tensor> operands;
    for (size_t i = 0; i < in.size(); ++i) {
      std::vector<int64_t> shape = kernel.inputs[i].shape;
      if (shape[0] < 0)
        shape[0] = batch;
      operands.push_back(reference::Tensor::fromFloats(
          shape, {in[i].begin(), in[i].begin() + in[i].number_of_elements()}));
    }
    auto expected = reference::evaluate(kernel, operands)[0];
    double worst = 0, largest = 0;
    for (size_t i = 0; i < expected.reals.size(); ++i) {
      double error = std::abs(expected.reals[i] - out.begin()[i]);
      if (!(error <= worst))
        worst = std::isnan(error) ? INFINITY : error;
      largest = std::max(largest, std::abs(expected.reals[i]));
    }
    return worst / std::max(largest, 1e-30);
  }
  // On one thread the time of the thread counts: others may share the machine.
  auto clock = [&] {
    timespec t;
    clock_gettime(threads == 1 ? CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec * 1e-9;
  };
  double best = 1e9, total = 0;
  for (int i = 0; (i < 5 || total < 0.5) && i < 2000; ++i) {
    double start = clock();
    built.pipeline.realize(result);
    double took = clock() - start;
    best = std::min(best, took);
    total += took;
  }
  std::printf("%8.3f ms %6.1f GFLOP/s (compiled in %.2f s)", best * 1e3,
              flops / best * 1e-9, compile);
  return best;
}

int main(int argc, char **argv) try {
  if (argc < 9) {
    std::fprintf(stderr,
                 "usage: kernel_bench f|r|d|w|p|q IN OUT KERNEL MAP GROUPS "
                 "STRIDE BATCH [key=value...]\n");
    return 1;
  }
  auto number = [&](int i) { return std::stoll(argv[i]); };
  ConvShape shape;
  shape.inChannels = number(2);
  shape.outChannels = number(3);
  shape.kernel = {number(4), number(4)};
  shape.inHeight = shape.inWidth = number(5);
  shape.groups = number(6);
  shape.stride = {number(7), number(7)};
  int64_t half = number(4) / 2, batch = number(8);
  shape.pad = {half, half, half, half};
  test::ConvKind kind;
  switch (argv[1][0]) {
  case 'f':
    kind = test::ConvKind::Forward;
    break;
  case 'r':
    kind = test::ConvKind::ForwardRelu;
    break;
  case 'd':
    kind = test::ConvKind::BackwardData;
    break;
  case 'w':
    kind = test::ConvKind::BackwardFilter;
    break;
  case 'p':
    kind = test::ConvKind::Pack;
    break;
  default:
    kind = test::ConvKind::PackBackward;
  }
  TargetInfo info;
  int threads = 1;
  bool check = false, show = false, assembly = false;
  Schedule overrides;
  for (int i = 9; i < argc; ++i) {
    char *equals = std::strchr(argv[i], '=');
    if (!equals)
      throw std::invalid_argument(std::string("not key=value: ") + argv[i]);
    std::string key(argv[i], equals);
    int64_t value = std::stoll(equals + 1);
    if (key == "threads")
      threads = value;
    else if (key == "check")
      check = value;
    else if (key == "show")
      show = value;
    else if (key == "asm")
      assembly = value;
    else if (key == "bits") {
      info.vectorBits = value;
      info.registers = value >= 512 ? 32 : 16;
    } else if (key == "pt")
      shape.pad[0] = value;
    else if (key == "pl")
      shape.pad[1] = value;
    else if (key == "pb")
      shape.pad[2] = value;
    else if (key == "pr")
      shape.pad[3] = value;
    else if (key == "kw")
      shape.kernel[1] = value;
    else if (key == "w")
      shape.inWidth = value;
    else if (key == "winograd")
      shape.winograd = value;
    else if (key == "dil")
      shape.dilation = {value, value};
    else if (key == "order")
      shape.inOrder = shape.outOrder = value;
    else
      overrides[key] = value;
  }
  int64_t block = overrides.count("block") ? overrides["block"] : 0;
  overrides.erase("block");
  Kernel kernel = test::convKernel(kind, shape, info, block);
  if (overrides.count("autoscheduler"))
    kernel.schedule.clear();
  for (auto &[key, value] : overrides)
    kernel.schedule[key] = value;
  if (show) {
    auto it = kernel.ops[0].attributes.find("block");
    if (it != kernel.ops[0].attributes.end())
      std::printf("block=%lld ", (long long)std::get<int64_t>(it->second));
    for (auto &[key, value] : kernel.schedule)
      std::printf("%s=%lld ", key.c_str(), (long long)value);
    std::printf("\n");
  }
  double flops = 2.0 * batch * shape.outHeight() * shape.outWidth() *
                 shape.outChannels * shape.inPerGroup() * shape.kernel[0] *
                 shape.kernel[1];
  double result = run(kernel, info, batch, flops, threads, check, assembly);
  double tolerance = shape.winograd ? 5e-5 : 2e-6;
  if (check) {
    std::printf("error %.2g %s", result, result < tolerance ? "ok" : "WRONG");
  }
  for (int i = 1; i < argc; ++i)
    std::printf(" %s", argv[i]);
  std::printf("\n");
  return check && !(result < tolerance);
} catch (const Halide::Error &error) { // not a std::exception
  for (int i = 1; i < argc; ++i)
    std::printf("%s ", argv[i]);
  std::printf("FAILED: %s\n", error.what());
  return 1;
} catch (const std::exception &error) {
  for (int i = 1; i < argc; ++i)
    std::printf("%s ", argv[i]);
  std::printf("FAILED: %s\n", error.what());
  return 1;
}
