//===- FilterGradientKernelTest.cpp - Backward-filter's own paths ---------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What is particular to a family of filter gradients: copies of what ops before
// it make, the same bits on any threads, where families part.
//
//===----------------------------------------------------------------------===//

#include "codegen/Geometry/Gather.h"
#include "codegen/Pipeline.h"
#include "test/Bench/ConvolutionCases.h"
#include "test/Kernels/KernelHarness.h"

#include <gtest/gtest.h>

#include <array>

using namespace rootc::test;
using rootc::codegen::chooseSchedule;
using rootc::codegen::ConvShape;
using rootc::codegen::isLinearGradient;
using rootc::codegen::TargetInfo;

namespace {

struct Case {
  const char *name;
  int64_t batch;
  ConvShape shape;
};

constexpr int64_t maxStep = 2147483647;

// Height, width, in, out, groups, kernel, stride, pad, dilation.
TargetInfo target(int64_t bits) { return testTarget(bits); }

/// A filter's gradient behind a ReLU of each map.
Kernel gradientBehindOps(const Kernel &alone) {
  Kernel kernel;
  kernel.inputs = alone.inputs;
  kernel.ops = {Op{"relu", {0}, {}, {alone.inputs[0]}},
                Op{"relu", {1}, {}, {alone.inputs[1]}}, alone.ops[0]};
  kernel.ops[2].operands = {2, 3};
  kernel.outputs = {4};
  kernel.schedule = chooseSchedule(kernel, target(512));
  return kernel;
}

TEST(ConvolutionSchedule, OpsBeforeItAreComputedOnce) {
  ConvShape shape{7, 6, 12, 24, 1, {1, 1}, {1, 1}, {0, 0, 0, 0}, {1, 1}};
  Kernel alone = convKernel(ConvKind::BackwardFilter, shape, target(512));
  Kernel kernel = gradientBehindOps(alone);
  EXPECT_EQ(kernel.schedule["copy"], 1);
  EXPECT_EQ(kernel.schedule["copy_dy"], 1);
  EXPECT_EQ(alone.schedule["copy_dy"], 0);
  EXPECT_EQ(check(kernel, makeInputs(kernel, 3), 4e-6), "");
}

void expectSameOnAnyThreads(const Kernel &kernel,
                            const std::vector<Tensor> &inputs) {
  std::vector<std::vector<Tensor>> results;
  for (int threads : {1, 2, 5}) {
    Halide::Internal::JITSharedRuntime::set_num_threads(threads);
    results.push_back(runKernel(kernel, inputs));
  }
  Halide::Internal::JITSharedRuntime::set_num_threads(0);
  EXPECT_EQ(results[0][0].reals, results[1][0].reals);
  EXPECT_EQ(results[0][0].reals, results[2][0].reals);
}

// Vectors across in channels: what is computed is copied.
TEST(AcrossInsGradient, OpsBeforeItAndAnyThreads) {
  for (ConvShape shape :
       {ConvShape{7, 6, 16, 24, 1, {1, 1}, {1, 1}, {0, 0, 0, 0}, {1, 1}},
        ConvShape{31, 23, 32, 24, 1, {1, 1}, {1, 1}, {0, 0, 0, 0}, {1, 1}},
        ConvShape{9, 7, 48, 36, 2, {3, 3}, {2, 1}, {1, 1, 1, 1}, {1, 1}}}) {
    Kernel kernel = gradientBehindOps(
        convKernel(ConvKind::BackwardFilter, shape, target(512)));
    ASSERT_EQ(kernel.schedule.count("ahead"), 1u);
    auto inputs = makeInputs(kernel, 21);
    EXPECT_EQ(check(kernel, inputs, 4e-6), "");
    expectSameOnAnyThreads(kernel, inputs);
  }
}

// Strips of several rows, of one row, of several images, and one strip alone.
TEST(AcrossInsGradient, StripsInPlaceAreFetchedAhead) {
  for (auto [height, width, batch] : {std::array<int64_t, 3>{31, 23, 2},
                                      {3, 250, 2},
                                      {9, 7, 5},
                                      {14, 17, 9},
                                      {2, 2, 3}})
    for (int64_t bits : {512, 256}) {
      ConvShape shape{height, width,  48,           40,    1,
                      {1, 1}, {1, 1}, {0, 0, 0, 0}, {1, 1}};
      Kernel kernel = convKernel(ConvKind::BackwardFilter, shape, target(bits));
      ASSERT_EQ(kernel.schedule["ahead"], 1);
      EXPECT_EQ(check(kernel, makeInputs(kernel, batch), 4e-6), "");
    }
}

TEST(GroupLanesGradient, OpsBeforeItAndAnyThreads) {
  ConvShape shape{7,      6,  24, 36, 12, {3, 3}, {1, 1}, {1, 1, 1, 1},
                  {1, 1}, 12, 12};
  Kernel kernel = gradientBehindOps(
      convKernel(ConvKind::BackwardFilter, shape, target(512)));
  EXPECT_EQ(kernel.schedule["copy_dy"], 1);
  auto inputs = makeInputs(kernel, 21);
  EXPECT_EQ(check(kernel, inputs, 4e-6), "");
  expectSameOnAnyThreads(kernel, inputs);
}

TEST(AcrossInsGradient, ImpossibleTilesAreRefused) {
  ConvShape shape{7, 6, 96, 24, 1, {3, 3}, {1, 1}, {1, 1, 1, 1}, {1, 1}};
  Kernel kernel = convKernel(ConvKind::BackwardFilter, shape, target(512));
  auto inputs = makeInputs(kernel, 2);
  Kernel sound = kernel;
  sound.schedule = {{"lanes", 8},    {"vectors", 4}, {"tile_o", 5},
                    {"block_i", 32}, {"block_o", 8}, {"copy", 1}};
  EXPECT_EQ(check(sound, inputs, 4e-6), "");
  for (auto [key, value] : {std::pair<const char *, int64_t>{"vectors", 5},
                            {"lanes", 0},
                            {"tile_o", 25},
                            {"block_o", 7},
                            {"block_i", 24},
                            {"copy", 2},
                            {"ahead", 2}}) {
    Kernel wrong = kernel;
    wrong.schedule[key] = value;
    EXPECT_THROW(runKernel(wrong, inputs), std::invalid_argument)
        << key << " = " << value;
  }
}

ConvShape linearShape(int64_t ins, int64_t outs) {
  return {3, 2, ins, outs, 1, {3, 2}, {1, 1}, {0, 0, 0, 0}, {1, 1}};
}

// Behind a ReLU, its gradient masked.
TEST(LinearGradientPath, OpsBeforeItOnAnyThreads) {
  Kernel alone =
      convKernel(ConvKind::BackwardFilter, linearShape(41, 23), target(512));
  Kernel kernel;
  kernel.inputs = {alone.inputs[0], alone.inputs[1], alone.inputs[1]};
  kernel.ops = {Op{"relu", {0}, {}, {alone.inputs[0]}},
                Op{"relu_backward", {1, 2}, {}, {alone.inputs[1]}},
                alone.ops[0]};
  kernel.ops[2].operands = {3, 4};
  kernel.outputs = {5};
  kernel.schedule = chooseSchedule(kernel, target(512));
  EXPECT_EQ(kernel.schedule.count("block_o"), 1u);
  auto inputs = makeInputs(kernel, 33);
  EXPECT_EQ(check(kernel, inputs, 4e-6), "");
  expectSameOnAnyThreads(kernel, inputs);
}

class LinearGradient : public ::testing::TestWithParam<Case> {};

TEST_P(LinearGradient, IsRight) {
  for (int64_t bits : {512, 256}) {
    Kernel kernel =
        convKernel(ConvKind::BackwardFilter, GetParam().shape, target(bits));
    EXPECT_EQ(check(kernel, makeInputs(kernel, GetParam().batch), 4e-6), "");
  }
}

const Case linearCases[] = {
    {"linear_17", 1, {1, 1, 17, 24, 1, {1, 1}, {1, 1}, {0, 0, 0, 0}, {1, 1}}},
    {"linear_100", 7, {1, 1, 100, 17, 1, {1, 1}, {1, 1}, {0, 0, 0, 0}, {1, 1}}},
    {"linear_to_1", 3, {1, 1, 24, 1, 1, {1, 1}, {1, 1}, {0, 0, 0, 0}, {1, 1}}},
    {"linear_blocks",
     2,
     {1, 1, 512, 390, 1, {1, 1}, {1, 1}, {0, 0, 0, 0}, {1, 1}}},
    {"linear_groups",
     2,
     {1, 1, 48, 34, 2, {1, 1}, {1, 1}, {0, 0, 0, 0}, {1, 1}}},
    {"flattened", 5, {6, 6, 24, 100, 1, {6, 6}, {1, 1}, {0, 0, 0, 0}, {1, 1}}},
    {"linear_spaced",
     3,
     {7, 8, 40, 19, 1, {2, 3}, {3, 2}, {0, 0, 0, 0}, {4, 3}}},
};
INSTANTIATE_TEST_SUITE_P(Shapes, LinearGradient,
                         ::testing::ValuesIn(linearCases),
                         [](const auto &info) { return info.param.name; });

TEST(LinearGradientPath, WherePathsPart) {
  ConvShape shape = linearShape(16, 2);
  EXPECT_TRUE(isLinearGradient(shape));
  shape.groups = 2;
  EXPECT_FALSE(isLinearGradient(shape));
  shape = linearShape(15, 8);
  EXPECT_FALSE(isLinearGradient(shape)) << "vectors would not fill";
  shape = linearShape(16, 8);
  shape.pad = {1, 0, 0, 0};
  EXPECT_FALSE(isLinearGradient(shape)) << "two pixels are written";
  shape = {1, 1, 16, 8, 1, {3, 3}, {1, 1}, {1, 1, 1, 1}, {1, 1}};
  EXPECT_FALSE(isLinearGradient(shape)) << "zeros are read";
}

TEST(LinearGradientPath, ImpossibleBlocksAreRefused) {
  Kernel kernel =
      convKernel(ConvKind::BackwardFilter, linearShape(64, 24), target(512));
  auto inputs = makeInputs(kernel, 2);
  Kernel sound = kernel;
  sound.schedule["block_o"] = 12;
  EXPECT_EQ(check(sound, inputs, 4e-6), "");
  for (auto [key, value] : {std::pair<const char *, int64_t>{"block_o", 7},
                            {"block_i", 48},
                            {"block_i", 16},
                            {"tile_o", 0},
                            {"tile_o", 25}}) {
    Kernel wrong = kernel;
    wrong.schedule[key] = value;
    EXPECT_THROW(runKernel(wrong, inputs), std::invalid_argument)
        << key << " = " << value;
  }
}

} // namespace
