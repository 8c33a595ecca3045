//===- WinogradKernelTest.cpp - Winograd's convolution --------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/Geometry/Winograd.h"
#include "test/Bench/ConvolutionCases.h"
#include "test/Kernels/KernelHarness.h"

#include <gtest/gtest.h>

using namespace rootc::test;
using rootc::codegen::chooseSchedule;
using rootc::codegen::ConvShape;
using rootc::codegen::FilterLayout;
using rootc::codegen::TargetInfo;
using rootc::codegen::Winograd;
using rootc::codegen::winogradLayout;

namespace {

TargetInfo target(int64_t bits) { return {"", bits, bits == 512 ? 32 : 16}; }

// The transformations cost some of the bits that direct sums keep.
constexpr double tolerance = 2e-5;

struct Case {
  const char *name;
  int64_t batch, block;
  ConvShape shape; ///< the padding alone, and what follows from the kernel
};

ConvShape shapeOf(int64_t height, int64_t width, int64_t ins, int64_t outs,
                  int64_t groups, int64_t kernel, int64_t pad) {
  ConvShape shape{height, width,
                  ins,    outs,
                  groups, {kernel, kernel},
                  {1, 1}, {pad, pad, pad, pad},
                  {1, 1}};
  shape.winograd = 7 - kernel;
  return shape;
}

ConvShape lopsided() {
  ConvShape shape = shapeOf(10, 9, 6, 20, 1, 3, 0);
  shape.pad = {2, 0, 1, 3};
  return shape;
}

const Case cases[] = {
    {"whole_tiles", 2, 32, shapeOf(8, 12, 16, 64, 1, 3, 1)},
    {"odd_map", 3, 16, shapeOf(13, 11, 20, 16, 1, 3, 1)},
    {"last_block_in_part", 1, 32, shapeOf(9, 7, 5, 40, 1, 3, 1)},
    {"groups", 2, 16, shapeOf(7, 10, 72, 48, 3, 3, 1)},
    {"groups_of_two_blocks", 5, 8, shapeOf(5, 5, 24, 32, 2, 3, 1)},
    {"one_pixel", 2, 16, shapeOf(1, 1, 3, 16, 1, 3, 1)},
    {"no_padding", 1, 16, shapeOf(11, 6, 7, 19, 1, 3, 0)},
    {"much_padding", 2, 16, shapeOf(3, 4, 8, 16, 1, 3, 2)},
    {"lopsided", 2, 16, lopsided()},
    {"five", 3, 32, shapeOf(9, 11, 12, 48, 1, 5, 2)},
    {"five_in_groups", 1, 8, shapeOf(6, 7, 48, 48, 2, 5, 2)},
    {"many_images", 9, 16, shapeOf(4, 4, 40, 32, 1, 3, 1)},
};

class WinogradConvolution : public ::testing::TestWithParam<Case> {
protected:
  std::string run(ConvKind kind, int64_t bits = 512) {
    const Case &test = GetParam();
    Kernel kernel = convKernel(kind, test.shape, target(bits), test.block);
    return check(kernel, makeInputs(kernel, test.batch), tolerance);
  }
};

TEST_P(WinogradConvolution, Forward) {
  EXPECT_EQ(run(ConvKind::ForwardRelu), "");
}
TEST_P(WinogradConvolution, BackwardData) {
  const ConvShape &shape = GetParam().shape;
  if (shape.groups > 1 && shape.inPerGroup() % GetParam().block != 0)
    GTEST_SKIP() << "the block does not fill groups of in channels";
  EXPECT_EQ(run(ConvKind::BackwardData), "");
}
TEST_P(WinogradConvolution, Packing) {
  EXPECT_EQ(run(ConvKind::Pack), "");
  EXPECT_EQ(run(ConvKind::PackBackward), "");
}
TEST_P(WinogradConvolution, SixteenRegisters) {
  EXPECT_EQ(run(ConvKind::Forward, 256), "");
}

INSTANTIATE_TEST_SUITE_P(Shapes, WinogradConvolution,
                         ::testing::ValuesIn(cases),
                         [](const auto &info) { return info.param.name; });

// Tasks of several images, of which the batch does not fill the last.
TEST(Winograd, ImagesOfATask) {
  for (int64_t batch : {1, 3, 4, 7}) {
    Kernel kernel = convKernel(ConvKind::ForwardRelu,
                               shapeOf(8, 8, 24, 32, 1, 3, 1), target(512), 16);
    kernel.schedule["rows"] = 2;
    kernel.schedule["images"] = 3;
    kernel.schedule["blocks"] = 1;
    EXPECT_EQ(check(kernel, makeInputs(kernel, batch), tolerance), "");
  }
}

// What an op before it makes is computed as the strip is copied.
TEST(Winograd, BehindARelu) {
  Kernel alone = convKernel(ConvKind::BackwardData,
                            shapeOf(9, 8, 16, 32, 1, 3, 1), target(512), 16);
  Kernel kernel = alone;
  kernel.ops = {Op{"relu", {0}, {}, {alone.inputs[0]}}, alone.ops[0]};
  kernel.ops[1].operands = {2, 1};
  kernel.outputs = {3};
  kernel.schedule = chooseSchedule(kernel, target(512));
  std::vector<Tensor> inputs = makeInputs(alone, 2);
  EXPECT_EQ(check(kernel, inputs, tolerance), "");
}

// The matrices are those of the paper, row by row up to the sign.
TEST(Winograd, MatricesOfThePaper) {
  Winograd three{4, 3};
  EXPECT_EQ(three.input(), (Winograd::Matrix{{4, 0, -5, 0, 1, 0},
                                             {0, -4, -4, 1, 1, 0},
                                             {0, 4, -4, -1, 1, 0},
                                             {0, -2, -1, 2, 1, 0},
                                             {0, 2, -1, -2, 1, 0},
                                             {0, 4, 0, -5, 0, 1}}));
  EXPECT_EQ(three.output(), (Winograd::Matrix{{1, 1, 1, 1, 1, 0},
                                              {0, 1, -1, 2, -2, 0},
                                              {0, 1, 1, 4, 4, 0},
                                              {0, 1, -1, 8, -8, 1}}));
  EXPECT_EQ(three.filter()[0], (std::vector<double>{0.25, 0, 0}));
  EXPECT_EQ(three.filter()[3],
            (std::vector<double>{1.0 / 24, 1.0 / 12, 1.0 / 6}));
}

// One image of few tasks shares its blocks out; many images need not.
TEST(Winograd, BlocksOfATask) {
  auto blocks = [](int64_t batch, int64_t threads) {
    TargetInfo machine = target(512);
    machine.batch = batch;
    machine.threads = threads;
    Kernel kernel = convKernel(ConvKind::ForwardRelu,
                               shapeOf(8, 8, 24, 128, 1, 3, 1), machine, 32);
    return kernel.schedule.at("blocks");
  };
  EXPECT_EQ(blocks(0, 2), 2);
  EXPECT_EQ(blocks(1, 2), 2);
  EXPECT_EQ(blocks(64, 2), 4);
  EXPECT_EQ(blocks(64, 64), 2);
}

// Where it is chosen: large maps, or several images, many channels, stride 1.
TEST(Winograd, IsChosenWhereItPays) {
  auto tile = [](ConvShape shape, bool backward = false, int64_t batch = 0) {
    shape.winograd = 0;
    TargetInfo machine = target(512);
    machine.batch = batch;
    return winogradLayout(shape, backward, machine).winograd;
  };
  EXPECT_EQ(tile(shapeOf(56, 56, 64, 64, 1, 3, 1)), 4);
  EXPECT_EQ(tile(shapeOf(56, 56, 64, 64, 1, 3, 1), true), 4);
  EXPECT_EQ(tile(shapeOf(16, 16, 96, 192, 1, 5, 2)), 2);
  EXPECT_EQ(tile(shapeOf(224, 224, 3, 64, 1, 3, 1)), 0);
  EXPECT_EQ(tile(shapeOf(7, 7, 512, 512, 1, 3, 1)), 0);
  EXPECT_EQ(tile(shapeOf(7, 7, 512, 512, 1, 3, 1), false, 1), 0);
  EXPECT_EQ(tile(shapeOf(7, 7, 512, 512, 1, 3, 1), false, 4), 4);
  EXPECT_EQ(tile(shapeOf(4, 4, 512, 512, 1, 3, 1), false, 16), 0);
  EXPECT_EQ(tile(shapeOf(56, 56, 64, 64, 1, 1, 0)), 0);
  EXPECT_EQ(tile(shapeOf(56, 56, 64, 64, 16, 3, 1)), 0);
  ConvShape strided = shapeOf(56, 56, 64, 64, 1, 3, 1);
  strided.stride = {2, 2};
  EXPECT_EQ(tile(strided), 0);
}

// What the harness must catch: a padding on the other side.
TEST(Winograd, SabotageIsCaught) {
  ConvShape meant = lopsided(), other = lopsided();
  other.pad = {0, 2, 3, 1};
  Kernel kernel = convKernel(ConvKind::ForwardRelu, meant, target(512), 16);
  auto inputs = makeInputs(kernel, 2);
  EXPECT_EQ(checkAs(kernel, kernel, inputs, tolerance), "");
  Kernel sabotaged = convKernel(ConvKind::ForwardRelu, other, target(512), 16);
  EXPECT_NE(checkAs(sabotaged, kernel, inputs, tolerance), "");
}

} // namespace
