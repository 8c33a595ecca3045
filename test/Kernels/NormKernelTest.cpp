//===- NormKernelTest.cpp - Layer norm and group norm ---------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Halide.h"
#include "test/Kernels/KernelHarness.h"

#include <cmath>
#include <gtest/gtest.h>

using namespace rootc::test;

namespace {

struct Map {
  int64_t batch, height, width, channels;
  TensorType type() const { return f32({-1, height, width, channels}); }
  TensorType vector() const { return f32({channels}); }
  TensorType each() const { return f32({-1, 1, 1, channels}); }
};

const AttributeMap epsilon = {{"epsilon", 1e-5}};

/// Values around `mean` that are exact floats.
void shift(Tensor &values, double mean) {
  for (double &value : values.reals)
    value = mean + std::round(value * 128) / 128;
}

class LayerNorm : public ::testing::TestWithParam<Map> {
protected:
  Map map = GetParam();
  TensorType x = map.type(), v = map.vector();
  std::string run(const Kernel &kernel) {
    return check(kernel, makeInputs(kernel, map.batch), 4e-6);
  }
};

TEST_P(LayerNorm, Forward) {
  Kernel kernel = oneOp("layer_norm", {x, v, v}, {x}, epsilon);
  auto inputs = makeInputs(kernel, map.batch);
  EXPECT_EQ(check(kernel, inputs, 4e-6), "");
  // A mean that dwarfs the deviation.
  shift(inputs[0], 1000);
  EXPECT_EQ(check(kernel, inputs, 4e-6), "");
}

TEST_P(LayerNorm, Backward) {
  EXPECT_EQ(run(oneOp("layer_norm_backward_data", {x, x, v}, {x}, epsilon)),
            "");
  EXPECT_EQ(run(oneOp("layer_norm_backward_reduce", {x, x}, {v, v}, epsilon)),
            "");
}

TEST_P(LayerNorm, BetweenOthers) {
  KernelBuilder forward; // x, y, scale, offset
  for (int i = 0; i < 4; ++i)
    forward.input(i < 2 ? x : v);
  auto sum = forward.op("add", {0, 1}, {x});
  auto normal = forward.op("layer_norm", {sum[0], 2, 3}, {x}, epsilon);
  auto gate = forward.op("sigmoid", normal, {x});
  forward.op("multiply", {normal[0], gate[0]}, {x});
  EXPECT_EQ(run(forward.kernel), "");
  KernelBuilder data; // dy, y, x, scale
  for (int i = 0; i < 4; ++i)
    data.input(i < 3 ? x : v);
  auto masked = data.op("relu_backward", {0, 1}, {x});
  auto dx =
      data.op("layer_norm_backward_data", {masked[0], 2, 3}, {x}, epsilon);
  data.op("add", {dx[0], 0}, {x});
  EXPECT_EQ(run(data.kernel), "");
  KernelBuilder reduce; // dy, a, b
  for (int i = 0; i < 3; ++i)
    reduce.input(x);
  auto made = reduce.op("add", {1, 2}, {x});
  reduce.op("layer_norm_backward_reduce", {0, made[0]}, {v, v}, epsilon);
  EXPECT_EQ(run(reduce.kernel), "");
}

// Of two channels nothing is left but their signs, and of a gradient rounding.
const Map maps[] = {{1, 1, 1, 4},   {5, 7, 5, 3},   {5, 1, 1, 10},
                    {1, 9, 13, 24}, {5, 7, 3, 37},  {1, 33, 5, 192},
                    {2, 2, 2, 160}, {5, 11, 8, 6},  {3, 5, 4, 5},
                    {2, 14, 3, 96}, {1, 3, 2, 1000}};
INSTANTIATE_TEST_SUITE_P(Maps, LayerNorm, ::testing::ValuesIn(maps));

struct Groups {
  Map map;
  int64_t groups;
};

class GroupNorm : public ::testing::TestWithParam<Groups> {
protected:
  Map map = GetParam().map;
  TensorType x = map.type(), v = map.vector(), each = map.each();
  AttributeMap groups = {{"groups", GetParam().groups}};
  Kernel statistics() const {
    AttributeMap attributes = groups;
    attributes["epsilon"] = 1e-5;
    return oneOp("group_norm_statistics", {x}, {each, each}, attributes);
  }
  std::string run(const Kernel &kernel, std::vector<size_t> positive) {
    return check(kernel, makeInputs(kernel, map.batch, positive), 4e-6);
  }
};

TEST_P(GroupNorm, Statistics) {
  Kernel kernel = statistics();
  auto inputs = makeInputs(kernel, map.batch, {0});
  EXPECT_EQ(check(kernel, inputs, 1e-5), "");
  shift(inputs[0], 1000);
  EXPECT_EQ(check(kernel, inputs, 1e-5), "");
}

TEST_P(GroupNorm, Normalize) {
  EXPECT_EQ(run(oneOp("group_norm_normalize", {x, each, each, v, v}, {x}), {2}),
            "");
}

TEST_P(GroupNorm, Backward) {
  EXPECT_EQ(run(oneOp("group_norm_backward_reduce", {x, x, each, each, v},
                      {each, each, each, each}, groups),
                {3}),
            "");
  EXPECT_EQ(run(oneOp("group_norm_backward_data",
                      {x, x, each, each, v, each, each}, {x}),
                {3}),
            "");
}

TEST_P(GroupNorm, BetweenOthers) {
  KernelBuilder builder; // x, mean, inverse, scale, offset
  for (int i = 0; i < 5; ++i)
    builder.input(i == 0 ? x : i < 3 ? each : v);
  auto normal = builder.op("group_norm_normalize", {0, 1, 2, 3, 4}, {x});
  auto rectified = builder.op("relu", normal, {x});
  builder.op("group_norm_statistics", rectified, {each, each},
             {{"groups", GetParam().groups}, {"epsilon", 1e-5}});
  EXPECT_EQ(run(builder.kernel, {2}), "");
}

const Groups groups[] = {
    {{1, 1, 1, 6}, 2},    {{5, 7, 5, 6}, 2},     {{3, 5, 3, 10}, 2},
    {{2, 4, 5, 24}, 4},   {{1, 9, 13, 48}, 2},   {{5, 3, 4, 7}, 1},
    {{2, 7, 7, 37}, 37},  {{1, 33, 5, 192}, 32}, {{3, 1, 1, 1}, 1},
    {{2, 14, 14, 96}, 1}, {{2, 64, 31, 16}, 8},  {{1, 6, 6, 20}, 4}};
INSTANTIATE_TEST_SUITE_P(Maps, GroupNorm, ::testing::ValuesIn(groups));

TEST(Threads, SameBitsOfNorms) {
  TensorType x = f32({-1, 33, 5, 48}), v = f32({48}),
             each = f32({-1, 1, 1, 48});
  for (const Kernel &kernel :
       {oneOp("layer_norm_backward_reduce", {x, x}, {v, v}, epsilon),
        oneOp("group_norm_statistics", {x}, {each, each},
              {{"groups", int64_t(6)}, {"epsilon", 1e-5}}),
        oneOp("group_norm_backward_reduce", {x, x, each, each, v},
              {each, each, each, each}, {{"groups", int64_t(6)}})}) {
    auto inputs = makeInputs(kernel, 7);
    Halide::Internal::JITSharedRuntime::set_num_threads(1);
    auto serial = runKernel(kernel, inputs);
    for (int threads : {2, 5}) {
      Halide::Internal::JITSharedRuntime::set_num_threads(threads);
      auto parallel = runKernel(kernel, inputs);
      for (size_t i = 0; i < serial.size(); ++i)
        EXPECT_EQ(serial[i].reals, parallel[i].reals);
    }
  }
  Halide::Internal::JITSharedRuntime::set_num_threads(0);
}

// The checks see what they are for.
TEST(Sabotage, Norms) {
  TensorType x = f32({-1, 5, 7, 6}), v = f32({6}), each = f32({-1, 1, 1, 6});
  Kernel meant = oneOp("layer_norm_backward_data", {x, x, v}, {x}, epsilon);
  Kernel swapped = meant;
  std::swap(swapped.ops[0].operands[0], swapped.ops[0].operands[1]);
  EXPECT_NE(checkAs(swapped, meant, makeInputs(meant, 5)), "");

  Kernel statistics = oneOp("group_norm_statistics", {x}, {each, each},
                            {{"groups", int64_t(3)}, {"epsilon", 1e-5}});
  Kernel fewer = statistics;
  fewer.ops[0].attributes["groups"] = int64_t(2);
  EXPECT_NE(checkAs(fewer, statistics, makeInputs(statistics, 5)), "");
}

} // namespace
