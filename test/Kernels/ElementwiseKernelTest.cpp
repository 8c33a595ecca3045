//===- ElementwiseKernelTest.cpp - Elementwise kernels --------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "test/Kernels/KernelHarness.h"

#include <gtest/gtest.h>

using namespace rootc::test;

namespace {

struct Map {
  int64_t batch, height, width, channels;
  TensorType type() const { return f32({-1, height, width, channels}); }
  TensorType vector() const { return f32({channels}); }
};

std::ostream &operator<<(std::ostream &stream, const Map &map) {
  return stream << map.batch << "x" << map.height << "x" << map.width << "x"
                << map.channels;
}

/// Channel counts that fill vectors, that leave a tail, and below one vector;
/// widths that no tile divides; one pixel.
const Map maps[] = {{1, 1, 1, 1},  {5, 7, 5, 3},    {5, 3, 11, 5},
                    {1, 5, 7, 6},  {5, 1, 1, 10},   {1, 9, 13, 24},
                    {5, 7, 3, 37}, {1, 33, 5, 192}, {5, 2, 2, 160}};

class Elementwise : public ::testing::TestWithParam<Map> {
protected:
  Map map = GetParam();
  std::string run(const Kernel &kernel, std::vector<size_t> positive = {}) {
    return check(kernel, makeInputs(kernel, map.batch, positive));
  }
};

TEST_P(Elementwise, Unary) {
  TensorType x = map.type();
  EXPECT_EQ(run(oneOp("relu", {x}, {x})), "");
  EXPECT_EQ(run(oneOp("copy", {x}, {x})), "");
  EXPECT_EQ(run(oneOp("add", {x, x}, {x})), "");
  EXPECT_EQ(run(oneOp("relu_backward", {x, x}, {x})), "");
}

TEST_P(Elementwise, BatchNorm) {
  TensorType x = map.type(), v = map.vector();
  EXPECT_EQ(run(oneOp("batch_norm_normalize", {x, v, v, v, v}, {x},
                      {{"epsilon", 1e-5}}),
                {2}),
            "");
  EXPECT_EQ(run(oneOp("batch_norm_backward_data", {x, x, v, v, v, v, v}, {x},
                      {{"epsilon", 1e-5}}),
                {3}),
            "");
}

TEST_P(Elementwise, Vectors) {
  TensorType v = map.vector();
  EXPECT_EQ(run(oneOp("running_average", {v, v}, {v}, {{"momentum", 0.1}})),
            "");
  EXPECT_EQ(
      run(oneOp("fold_multiplier", {v, v}, {v}, {{"epsilon", 1e-5}}), {1}), "");
  EXPECT_EQ(run(oneOp("fold_bias", {v, v, v}, {v})), "");
  EXPECT_EQ(run(oneOp("fold_bias", {v, v, v, v}, {v})), "");
  TensorType filter = f32({map.channels, map.height, map.width, 3});
  EXPECT_EQ(run(oneOp("scale_filter", {filter, v}, {filter})), "");
  EXPECT_EQ(run(oneOp("copy", {filter}, {filter})), "");
  EXPECT_EQ(run(oneOp("zeros_like", {v}, {v})), "");
}

TEST_P(Elementwise, Channels) {
  TensorType x = map.type(), wide = map.type(), one = map.type();
  wide.shape[3] = 2 * map.channels + 5;
  one.shape[3] = 5;
  EXPECT_EQ(run(oneOp("concat", {x, one, x}, {wide})), "");
  EXPECT_EQ(run(oneOp("slice_channels", {wide}, {x},
                      {{"begin", int64_t(3)}, {"end", 3 + map.channels}})),
            "");
  // A part that is masked as it is cut out.
  KernelBuilder builder;
  builder.input(f32({-1, map.height, map.width, map.channels + 3}));
  builder.input(x);
  auto part = builder.op("slice_channels", {0}, {x},
                         {{"begin", int64_t(2)}, {"end", map.channels + 2}});
  builder.op("relu_backward", {part[0], 1}, {x});
  EXPECT_EQ(run(builder.kernel), "");
}

TEST_P(Elementwise, Dropout) {
  TensorType x = map.type();
  for (double rate : {0.0, 0.5, 0.3}) {
    Kernel kernel = oneOp("dropout", {x, i64({2}), i64({-1})}, {x},
                          {{"rate", rate}, {"ordinal", int64_t(3)}});
    auto inputs = makeInputs(kernel, map.batch);
    inputs[1].integers = {0x123456789abcdefLL, 7};
    for (size_t i = 0; i < inputs[2].integers.size(); ++i)
      inputs[2].integers[i] = 49999 - 13 * i;
    EXPECT_EQ(check(kernel, inputs), "");
  }
}

TEST_P(Elementwise, Fused) {
  TensorType x = map.type(), v = map.vector();
  KernelBuilder forward;
  for (int i = 0; i < 5; ++i)
    forward.input(i ? v : x);
  forward.input(x);
  auto y = forward.op("batch_norm_normalize", {0, 1, 2, 3, 4}, {x},
                      {{"epsilon", 1e-5}});
  auto sum = forward.op("add", {y[0], 5}, {x});
  auto z = forward.op("relu", sum, {x});
  forward.output({sum[0], z[0]}); // two outputs of one loop
  EXPECT_EQ(run(forward.kernel, {2}), "");

  KernelBuilder backward;
  for (int i = 0; i < 3; ++i)
    backward.input(x); // dy, y, x
  for (int i = 0; i < 5; ++i)
    backward.input(v);
  auto masked = backward.op("relu_backward", {0, 1}, {x});
  backward.op("batch_norm_backward_data", {masked[0], 2, 3, 4, 5, 6, 7}, {x},
              {{"epsilon", 1e-5}});
  EXPECT_EQ(run(backward.kernel, {4}), "");
}

INSTANTIATE_TEST_SUITE_P(Maps, Elementwise, ::testing::ValuesIn(maps));

namespace {
const int64_t updated[] = {1, 5, 64, 1000, 70003};
}

TEST(Update, Sgd) {
  TensorType p = f32({-1});
  Kernel kernel = oneOp("sgd", {p, p, p, f32({4})}, {p, p});
  for (int64_t count : updated)
    for (double nesterov : {0, 1}) {
      auto inputs = makeInputs(kernel, count);
      inputs[3].reals[3] = nesterov;
      EXPECT_EQ(check(kernel, inputs), "") << count << " " << nesterov;
    }
}

TEST(Update, Adamw) {
  TensorType p = f32({-1});
  Kernel kernel = oneOp("adamw", {p, p, p, p, f32({6})}, {p, p, p});
  for (int64_t count : updated) {
    auto inputs = makeInputs(kernel, count, {3});
    inputs[4].reals = {0.99, 0.01, 0.1, 0.05, 1.5, 1e-3};
    EXPECT_EQ(check(kernel, inputs), "") << count;
  }
}

TEST(Update, ClipNorm) {
  TensorType p = f32({-1});
  Kernel kernel = oneOp("clip_norm", {p, f32({1})}, {p});
  // Above the norm, below it; chunks of the sum end at a multiple of 65536.
  for (int64_t count : {1, 5, 64, 1000, 70003, 131072, 200017})
    for (double most : {1e6, 0.25}) {
      auto inputs = makeInputs(kernel, count);
      inputs[1].reals[0] = most;
      EXPECT_EQ(check(kernel, inputs), "") << count << " " << most;
    }
}

TEST(Update, MovingAverage) {
  TensorType p = f32({-1});
  Kernel kernel = oneOp("moving_average", {p, p, f32({1})}, {p});
  for (int64_t count : updated)
    EXPECT_EQ(check(kernel, makeInputs(kernel, count)), "") << count;
}

TEST(WeightedSum, Sums) {
  TensorType one = f32({1});
  Kernel kernel = oneOp("weighted_sum", {one, one, one}, {one},
                        {{"weights", std::vector<double>{1, 0.3, 0.25}}});
  EXPECT_EQ(check(kernel, makeInputs(kernel, 1, {0, 1, 2})), "");
}

// The checks see what they are for.
TEST(Sabotage, Elementwise) {
  TensorType x = f32({-1, 3, 5, 6}), v = f32({6});
  Kernel meant =
      oneOp("batch_norm_normalize", {x, v, v, v, v}, {x}, {{"epsilon", 1e-5}});
  auto inputs = makeInputs(meant, 5, {2});
  ASSERT_EQ(checkAs(meant, meant, inputs), "");
  Kernel swapped = meant;
  std::swap(swapped.ops[0].operands[3], swapped.ops[0].operands[4]);
  EXPECT_NE(checkAs(swapped, meant, inputs), "");
  Kernel epsilon = meant;
  epsilon.ops[0].attributes["epsilon"] = 1e-3;
  EXPECT_NE(checkAs(epsilon, meant, inputs), "");

  Kernel drop = oneOp("dropout", {x, i64({2}), i64({-1})}, {x},
                      {{"rate", 0.5}, {"ordinal", int64_t(0)}});
  Kernel other = drop;
  other.ops[0].attributes["ordinal"] = int64_t(1);
  EXPECT_NE(checkAs(other, drop, makeInputs(drop, 5)), "");
}

} // namespace
