//===- JoinedKernelTest.cpp - Several anchors in one kernel ---------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "test/Bench/ConvolutionCases.h"
#include "test/Kernels/KernelHarness.h"

#include <gtest/gtest.h>

using namespace rootc::test;
using rootc::codegen::chooseSchedule;
using rootc::codegen::ConvShape;
using rootc::codegen::readSchedule;
using rootc::codegen::TargetInfo;

namespace {

TargetInfo target(int64_t bits) { return {"", bits, bits == 512 ? 32 : 16}; }

ConvShape shapeOf(int64_t height, int64_t width, int64_t ins, int64_t outs,
                  int64_t groups, int64_t kernel, int64_t stride = 1) {
  int64_t pad = kernel / 2;
  ConvShape shape{height,
                  width,
                  ins,
                  outs,
                  groups,
                  {kernel, kernel},
                  {stride, stride},
                  {pad, pad, pad, pad},
                  {1, 1}};
  return shape;
}

/// Groups innermost in both maps.
ConvShape innermost(ConvShape shape) {
  shape.inOrder = shape.outOrder = shape.groups;
  return shape;
}

/// A convolution and ReLU, and what reads them.
class Joined {
public:
  explicit Joined(const ConvShape &shape, int64_t bits = 512)
      : first(shape), bits(bits) {
    builder.input(f32({-1, shape.inHeight, shape.inWidth, shape.inChannels}));
    addFilter(shape);
  }

  Kernel maxPool(int64_t kernel, int64_t stride, int64_t pad,
                 bool ceil = false) {
    int64_t read = convolve(first, 0, 1);
    auto size = [&](int64_t in) {
      return (in + 2 * pad - kernel + (ceil ? stride - 1 : 0)) / stride + 1;
    };
    int64_t height = size(first.outHeight()), width = size(first.outWidth());
    builder.op("max_pool", {read},
               {f32({-1, height, width, first.outChannels})},
               {{"kernel", std::vector<int64_t>{kernel, kernel}},
                {"stride", std::vector<int64_t>{stride, stride}},
                {"pad", std::vector<int64_t>{pad, pad, pad, pad}},
                {"output", std::vector<int64_t>{height, width}}});
    return scheduled();
  }

  /// A root module: a 1x1 convolution, a residual join and ReLU.
  Kernel pointwise(int64_t outs) {
    ConvShape second = shapeOf(first.outHeight(), first.outWidth(),
                               first.outChannels, outs, 1, 1);
    addFilter(second);
    int64_t shortcut = builder.input(map(second));
    int64_t read = convolve(first, 0, 1), y = product(second, read, 3);
    int64_t sum = builder.op("add", {y, shortcut}, {map(second)})[0];
    builder.op("relu", {sum}, {map(second)});
    return scheduled();
  }

  Kernel layerNorm() {
    int64_t channels = first.outChannels;
    int64_t scale = builder.input(f32({channels})),
            offset = builder.input(f32({channels}));
    builder.op("layer_norm", {convolve(first, 0, 1), scale, offset},
               {map(first)}, {{"epsilon", 1e-3}});
    return scheduled();
  }

  /// Two of the 1x1 convolutions behind one another, and a pool.
  Kernel chain(int64_t middle, int64_t outs) {
    ConvShape second = shapeOf(first.outHeight(), first.outWidth(),
                               first.outChannels, middle, 1, 1),
              third = second;
    third.inChannels = middle;
    third.outChannels = outs;
    addFilter(second);
    addFilter(third);
    int64_t y = convolve(third, convolve(second, convolve(first, 0, 1), 3), 5);
    int64_t height = third.outHeight() / 2, width = third.outWidth() / 2;
    builder.op("max_pool", {y}, {f32({-1, height, width, outs})},
               {{"kernel", std::vector<int64_t>{2, 2}},
                {"stride", std::vector<int64_t>{2, 2}},
                {"pad", std::vector<int64_t>{0, 0, 0, 0}},
                {"output", std::vector<int64_t>{height, width}}});
    return scheduled();
  }

private:
  static TensorType map(const ConvShape &shape) {
    return f32({-1, shape.outHeight(), shape.outWidth(), shape.outChannels});
  }
  Kernel alone(const ConvShape &shape) const {
    return convKernel(ConvKind::Forward, shape, target(bits));
  }
  void addFilter(const ConvShape &shape) {
    Kernel kernel = alone(shape);
    builder.input(kernel.inputs[1]);
    builder.input(kernel.inputs[2]);
  }
  int64_t product(const ConvShape &shape, int64_t x, int64_t filter) {
    return builder.op("conv2d", {x, filter, filter + 1}, {map(shape)},
                      alone(shape).ops[0].attributes)[0];
  }
  int64_t convolve(const ConvShape &shape, int64_t x, int64_t filter) {
    return builder.op("relu", {product(shape, x, filter)}, {map(shape)})[0];
  }
  Kernel scheduled() {
    Kernel kernel = builder.kernel;
    kernel.schedule = chooseSchedule(kernel, target(bits));
    return kernel;
  }

  ConvShape first;
  int64_t bits;
  KernelBuilder builder;
};

std::string checked(const Kernel &kernel, int64_t batch) {
  return check(kernel, makeInputs(kernel, batch));
}

struct Case {
  const char *name;
  int64_t batch;
  ConvShape shape;
};

const Case cases[] = {
    {"image", 2, shapeOf(30, 38, 3, 64, 1, 7, 2)},
    {"image_narrower_than_a_vector", 1, shapeOf(9, 11, 3, 20, 1, 3)},
    {"three_a_group", 2, innermost(shapeOf(11, 13, 48, 48, 16, 3))},
    {"five_a_group", 1, innermost(shapeOf(9, 7, 40, 40, 8, 3))},
    {"six_a_group", 3, shapeOf(10, 9, 24, 24, 4, 3)},
    {"depthwise", 2, shapeOf(13, 17, 32, 32, 32, 3)},
    {"few_groups_innermost", 1, innermost(shapeOf(8, 12, 96, 96, 4, 3))},
    {"depthwise_seven", 1, innermost(shapeOf(9, 29, 32, 32, 32, 7))},
    {"depthwise_seven_narrow", 3, innermost(shapeOf(5, 7, 40, 40, 40, 7))},
    {"twenty_four_a_group", 2, shapeOf(7, 19, 72, 72, 3, 5)},
    {"strided", 2, innermost(shapeOf(15, 14, 32, 64, 16, 3, 2))},
    {"one_pixel", 3, innermost(shapeOf(1, 1, 32, 32, 16, 3))},
    {"dense", 1, shapeOf(12, 10, 19, 33, 1, 1)},
};

class JoinedKernel : public ::testing::TestWithParam<Case> {};

TEST_P(JoinedKernel, Pointwise) {
  const Case &test = GetParam();
  EXPECT_EQ(checked(Joined(test.shape).pointwise(40), test.batch), "");
}
TEST_P(JoinedKernel, MaxPool) {
  const Case &test = GetParam();
  EXPECT_EQ(checked(Joined(test.shape).maxPool(3, 2, 1), test.batch), "");
}
TEST_P(JoinedKernel, LayerNorm) {
  const Case &test = GetParam();
  EXPECT_EQ(checked(Joined(test.shape).layerNorm(), test.batch), "");
}
TEST_P(JoinedKernel, SixteenRegisters) {
  const Case &test = GetParam();
  EXPECT_EQ(checked(Joined(test.shape, 256).pointwise(56), test.batch), "");
}

INSTANTIATE_TEST_SUITE_P(Shapes, JoinedKernel, ::testing::ValuesIn(cases),
                         [](const auto &info) { return info.param.name; });

TEST(Joined, ChainOfFour) {
  Joined module(innermost(shapeOf(12, 10, 48, 48, 16, 3)));
  EXPECT_EQ(checked(module.chain(40, 24), 3), "");
}

// Overlapping windows of tasks that do not divide the pool's height.
TEST(Joined, TasksOfAPool) {
  for (int64_t rows : {1, 2, 3, 5}) {
    Kernel kernel = Joined(shapeOf(19, 12, 8, 16, 1, 3)).maxPool(3, 2, 1);
    kernel.schedule["rows"] = rows;
    EXPECT_EQ(checked(kernel, 2), "") << rows;
  }
}

// Windows that go past the map, as with rounding up.
TEST(Joined, WindowsBeyondTheMap) {
  EXPECT_EQ(
      checked(Joined(shapeOf(12, 16, 24, 48, 1, 1)).maxPool(3, 2, 0, true), 2),
      "");
  EXPECT_EQ(checked(Joined(innermost(shapeOf(8, 14, 32, 32, 16, 3)))
                        .maxPool(3, 2, 0, true),
                    1),
            "");
}

// Images that a register tile of the reader spans.
TEST(Joined, SmallMaps) {
  for (int64_t batch : {1, 2, 3, 8}) {
    EXPECT_EQ(
        checked(Joined(innermost(shapeOf(7, 7, 64, 64, 32, 3))).pointwise(32),
                batch),
        "");
    EXPECT_EQ(checked(Joined(shapeOf(4, 3, 24, 24, 3, 3)).pointwise(32), batch),
              "");
  }
}

// A task has all blocks of its pixels.
TEST(Joined, BlocksAreNotTasks) {
  Kernel kernel = Joined(shapeOf(14, 14, 32, 32, 32, 3)).pointwise(256);
  kernel.schedule["blocks"] = 1;
  EXPECT_NE(readSchedule({kernel, target(512)}).error.find("'blocks' is 1"),
            std::string::npos);
}

TEST(Joined, OthersAreRefused) {
  Kernel kernel = Joined(shapeOf(8, 8, 16, 16, 1, 3)).maxPool(2, 2, 0);
  kernel.ops[0].name = "average_pool";
  kernel.ops[0].operands = {0};
  EXPECT_THROW(runKernel(kernel, makeInputs(kernel, 1)), std::invalid_argument);
}

// What the harness must catch: the first convolution's ReLU left out.
TEST(Joined, SabotageIsCaught) {
  Kernel meant = Joined(shapeOf(9, 9, 16, 16, 16, 3)).pointwise(16);
  Kernel sabotaged = meant;
  sabotaged.ops[1] = {"copy", meant.ops[1].operands, {}, meant.ops[1].results};
  EXPECT_NE(checkAs(sabotaged, meant, makeInputs(meant, 2)), "");
}

} // namespace
