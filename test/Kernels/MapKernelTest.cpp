//===- MapKernelTest.cpp - Maps in another size, and one value a position -===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "test/Kernels/KernelHarness.h"

#include <cmath>
#include <gtest/gtest.h>

using namespace rootc::test;

namespace {

using Integers = std::vector<int64_t>;

struct Resampling {
  int64_t batch, channels;
  Integers input, output;
};

class Resample : public ::testing::TestWithParam<Resampling> {
protected:
  Resampling p = GetParam();
  TensorType x = f32({-1, p.input[0], p.input[1], p.channels});
  TensorType y = f32({-1, p.output[0], p.output[1], p.channels});
  AttributeMap attributes(const char *mode, const char *coordinates,
                          const char *round) const {
    return {{"input", p.input},
            {"output", p.output},
            {"mode", std::string(mode)},
            {"coordinates", std::string(coordinates)},
            {"round", std::string(round)}};
  }
  void both(const AttributeMap &attributes) {
    Kernel forward = oneOp("resample", {x}, {y}, attributes);
    EXPECT_EQ(check(forward, makeInputs(forward, p.batch)), "");
    Kernel backward = oneOp("resample_backward", {y}, {x}, attributes);
    EXPECT_EQ(check(backward, makeInputs(backward, p.batch)), "");
  }
};

TEST_P(Resample, Nearest) {
  both(attributes("nearest", "asymmetric", "floor"));
  both(attributes("nearest", "half_pixel", "round_prefer_floor"));
  both(attributes("nearest", "align_corners", "round_prefer_ceil"));
  both(attributes("nearest", "pytorch_half_pixel", "ceil"));
  both(attributes("nearest", "half_pixel", "floor"));
}

TEST_P(Resample, Bilinear) {
  for (const char *coordinates :
       {"half_pixel", "pytorch_half_pixel", "align_corners", "asymmetric"})
    both(attributes("bilinear", coordinates, "floor"));
}

TEST_P(Resample, Average) {
  both(attributes("average", "half_pixel", "floor"));
}

TEST_P(Resample, WithEpilogue) {
  KernelBuilder builder;
  builder.input(x);
  builder.input(y);
  auto larger = builder.op("resample", {0}, {y},
                           attributes("bilinear", "half_pixel", "floor"));
  auto sum = builder.op("add", {larger[0], 1}, {y});
  builder.op("relu", sum, {y});
  EXPECT_EQ(check(builder.kernel, makeInputs(builder.kernel, p.batch)), "");
}

const Resampling resamplings[] = {
    {2, 16, {4, 5}, {8, 10}}, {1, 3, {7, 7}, {3, 5}},   {3, 24, {1, 1}, {4, 3}},
    {2, 5, {6, 4}, {1, 1}},   {1, 37, {5, 9}, {13, 6}}, {2, 6, {3, 2}, {3, 7}}};
INSTANTIATE_TEST_SUITE_P(Sizes, Resample, ::testing::ValuesIn(resamplings));

class Channels : public ::testing::TestWithParam<int64_t> {
protected:
  int64_t channels = GetParam();
  TensorType x = f32({-1, 5, 7, channels}), one = f32({-1, 5, 7, 1});
};

TEST_P(Channels, Mean) {
  Kernel mean = oneOp("channel_mean", {x}, {one});
  EXPECT_EQ(check(mean, makeInputs(mean, 3)), "");
  Kernel back =
      oneOp("channel_mean_backward", {one}, {x}, {{"channels", channels}});
  EXPECT_EQ(check(back, makeInputs(back, 3)), "");
}

TEST_P(Channels, Maximum) {
  Kernel largest = oneOp("channel_max", {x}, {one});
  auto inputs = makeInputs(largest, 3);
  EXPECT_EQ(check(largest, inputs), "");
  Kernel back = oneOp("channel_max_backward", {one, x, one}, {x});
  auto gradients = makeInputs(back, 3);
  for (bool ties : {false, true}) {
    // As behind a ReLU, all of whose zeros may be the largest.
    for (double &value : gradients[1].reals)
      value = ties ? std::max(value, 0.0) : value;
    gradients[2] = rootc::reference::evaluate(largest, {gradients[1]})[0];
    EXPECT_EQ(check(back, gradients), "");
  }
  inputs[0].reals[3] = NAN;
  EXPECT_EQ(check(largest, inputs), "");
}

TEST_P(Channels, Offset) {
  Kernel kernel = oneOp("channel_offset", {x, f32({channels})}, {x});
  EXPECT_EQ(check(kernel, makeInputs(kernel, 3)), "");
}

TEST_P(Channels, BranchSoftmax) {
  for (int64_t branches : {1, 2, 3, 4}) {
    TensorType wide = f32({-1, 1, 2, channels * branches});
    AttributeMap attributes = {{"branches", branches}};
    Kernel kernel = oneOp("branch_softmax", {wide}, {wide}, attributes);
    auto inputs = makeInputs(kernel, 3);
    EXPECT_EQ(check(kernel, inputs), "");
    for (double &value : inputs[0].reals)
      value = static_cast<float>(value * 200); // overflows exp() as it is
    EXPECT_EQ(check(kernel, inputs), "");
    Kernel back =
        oneOp("branch_softmax_backward", {wide, wide}, {wide}, attributes);
    EXPECT_EQ(check(back, makeInputs(back, 3)), "");
  }
}

INSTANTIATE_TEST_SUITE_P(Counts, Channels,
                         ::testing::Values(1, 3, 5, 6, 16, 24, 70));

} // namespace
