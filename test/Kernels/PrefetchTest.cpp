//===- PrefetchTest.cpp - What kernels fetch ahead ------------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Passes that fetch cache lines change no result: these tests find one that no
// longer recognises its loops, or fetches what is in the cache.
//
//===----------------------------------------------------------------------===//

#include "codegen/Compile.h"
#include "test/Bench/ConvolutionCases.h"
#include "test/Kernels/KernelHarness.h"

#include <cstdio>
#include <fstream>
#include <gtest/gtest.h>
#include <map>
#include <unistd.h>

using namespace rootc::test;
using namespace rootc::codegen;

namespace {

const char *const avx512 = "x86-64-linux-avx-avx2-f16c-fma-sse41-avx512-"
                           "avx512_skylake";

/// How many fetches of each buffer the lowered text of a kernel has.
std::map<std::string, int> fetches(const Kernel &kernel) {
  std::string path =
      testing::TempDir() + "prefetch." + std::to_string(getpid()) + ".stmt";
  compileKernel(kernel, OutputKind::Stmt, avx512, path);
  std::map<std::string, int> found;
  std::ifstream text(path);
  const std::string address = "reinterpret<uint64>(";
  for (std::string line; std::getline(text, line);) {
    size_t at = line.find("llvm.prefetch");
    if (at == std::string::npos)
      continue;
    at = line.find(address, at) + address.size();
    // Halide numbers names that it has met before: output$1.
    ++found[line.substr(at, line.find_first_of("$)", at) - at)];
  }
  std::remove(path.c_str());
  return found;
}

std::map<std::string, int> fetches(ConvKind kind, const ConvShape &shape) {
  return fetches(convKernel(kind, shape, {"", 512, 32}));
}

ConvShape pointwise(int64_t size, int64_t in, int64_t out) {
  return {size, size, in, out, 1, {1, 1}, {1, 1}, {0, 0, 0, 0}, {1, 1}};
}

// in0 is x, in1 the filter, in2 the bias, in3 a residual.
TEST(Prefetch, ConvolutionsFetchWhatTheyWriteAndReadNext) {
  auto found = fetches(ConvKind::ForwardRelu, pointwise(14, 256, 1024));
  EXPECT_GT(found["output"], 0);
  EXPECT_GT(found["in0"], 0);
  EXPECT_GT(found["in1"], 0);
  EXPECT_EQ(found["in2"], 0);
  EXPECT_GT(found["in3"], 0);
}

TEST(Prefetch, ASmallFilterStaysInTheCache) {
  auto found = fetches(ConvKind::ForwardRelu, pointwise(56, 64, 256));
  EXPECT_GT(found["output"], 0);
  EXPECT_GT(found["in0"], 0);
  EXPECT_EQ(found["in1"], 0);
}

TEST(Prefetch, ALinearLayerReadsItsFilterOnce) {
  EXPECT_GT(fetches(ConvKind::Forward, pointwise(1, 2048, 1000))["in1"], 0);
}

TEST(Prefetch, FilterGradientsAndGroupsInnermostFetchTheNextStrip) {
  EXPECT_GT(fetches(ConvKind::BackwardFilter, pointwise(56, 64, 64))["in0"], 0);
  ConvShape grouped{28,     28,           192,    192, 48, {3, 3},
                    {1, 1}, {1, 1, 1, 1}, {1, 1}, 48,  48};
  auto found = fetches(ConvKind::Forward, grouped);
  EXPECT_GT(found["in0"], 0);
  EXPECT_GT(found["output"], 0);
  ConvShape first{32, 32, 3, 192, 1, {5, 5}, {1, 1}, {2, 2, 2, 2}, {1, 1}};
  for (const ConvShape &shape : {grouped, first}) {
    found = fetches(ConvKind::BackwardFilter, shape);
    EXPECT_GT(found["in0"], 0);
    EXPECT_GT(found["in1"], 0);
  }
  // A single channel is no vector.
  ConvShape narrow{7, 11, 1, 5, 1, {3, 3}, {1, 1}, {1, 1, 1, 1}, {1, 1}};
  EXPECT_NO_THROW(fetches(ConvKind::BackwardFilter, narrow));
}

TEST(Prefetch, ReductionsOfWideMapsAlone) {
  auto statistics = [](int64_t channels) {
    TensorType x = f32({-1, 6, 5, channels}), v = f32({channels});
    return oneOp("batch_norm_statistics", {x}, {v, v, v});
  };
  EXPECT_GT(fetches(statistics(1024))["in0"], 0);
  EXPECT_EQ(fetches(statistics(64))["in0"], 0);
  EXPECT_EQ(check(statistics(1024), makeInputs(statistics(1024), 3), 1e-5), "");
}
} // namespace
