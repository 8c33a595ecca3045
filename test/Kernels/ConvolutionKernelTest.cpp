//===- ConvolutionKernelTest.cpp - Convolutions against the reference -----===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/Compile.h"
#include "codegen/Geometry/Gather.h"
#include "codegen/Pipeline.h"
#include "test/Bench/ConvolutionCases.h"
#include "test/Kernels/KernelHarness.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <iterator>
#include <set>
#include <unistd.h>

using namespace rootc::test;
using rootc::codegen::chooseSchedule;
using rootc::codegen::ConvShape;
using rootc::codegen::filterLayout;
using rootc::codegen::TargetInfo;

namespace {

struct Case {
  const char *name;
  int64_t batch;
  ConvShape shape;
};

constexpr int64_t maxStep = 2147483647;

// Height, width, in, out, groups, kernel, stride, pad, dilation.
const Case cases[] = {
    {"image", 1, {9, 9, 3, 40, 1, {5, 5}, {1, 1}, {2, 2, 2, 2}, {1, 1}}},
    {"groups_of_3", 2, {7, 5, 9, 15, 3, {3, 3}, {1, 1}, {1, 1, 1, 1}, {1, 1}}},
    {"groups_of_5", 2, {9, 9, 15, 30, 3, {3, 3}, {2, 2}, {1, 1, 1, 1}, {1, 1}}},
    {"groups_of_6", 1, {6, 7, 36, 36, 6, {3, 3}, {1, 1}, {1, 1, 1, 1}, {1, 1}}},
    {"groups_of_24",
     2,
     {8, 8, 24, 48, 2, {5, 5}, {1, 1}, {2, 2, 2, 2}, {1, 1}}},
    {"groups_of_17",
     2,
     {5, 5, 51, 51, 3, {3, 3}, {1, 1}, {1, 1, 1, 1}, {1, 1}}},
    {"few_outs_of_13",
     1,
     {4, 9, 26, 4, 2, {3, 3}, {1, 1}, {1, 1, 1, 1}, {1, 1}}},
    {"depthwise",
     3,
     {13, 11, 20, 20, 20, {3, 3}, {1, 1}, {1, 1, 1, 1}, {1, 1}}},
    {"depthwise_multiplied",
     2,
     {6, 6, 5, 10, 5, {3, 3}, {2, 2}, {1, 1, 1, 1}, {1, 1}}},
    {"pointwise", 5, {7, 9, 40, 24, 1, {1, 1}, {1, 1}, {0, 0, 0, 0}, {1, 1}}},
    {"pointwise_strided",
     2,
     {8, 7, 16, 48, 1, {1, 1}, {2, 2}, {0, 0, 0, 0}, {1, 1}}},
    {"pointwise_strided_wide",
     2,
     {6, 37, 24, 40, 1, {1, 1}, {2, 2}, {0, 0, 0, 0}, {1, 1}}},
    {"pointwise_strided_groups",
     3,
     {9, 11, 48, 40, 2, {1, 1}, {3, 2}, {0, 0, 1, 0}, {1, 1}}},
    // Groups merged with zeros between them: all, two at a time, none as they
    // are five.
    {"pointwise_merged",
     3,
     {7, 9, 16, 64, 8, {1, 1}, {1, 1}, {0, 0, 0, 0}, {1, 1}}},
    {"pointwise_merged_in_pairs",
     2,
     {5, 7, 24, 96, 12, {1, 1}, {2, 1}, {0, 0, 0, 0}, {1, 1}}},
    {"pointwise_of_five_groups",
     1,
     {6, 5, 15, 20, 5, {1, 1}, {1, 1}, {0, 0, 0, 0}, {1, 1}}},
    {"logits", 5, {8, 8, 64, 10, 1, {1, 1}, {1, 1}, {0, 0, 0, 0}, {1, 1}}},
    {"linear", 19, {3, 2, 11, 50, 1, {3, 2}, {1, 1}, {0, 0, 0, 0}, {1, 1}}},
    {"linear_groups",
     3,
     {3, 2, 24, 36, 4, {3, 2}, {1, 1}, {0, 0, 0, 0}, {1, 1}}},
    {"linear_depthwise",
     2,
     {4, 4, 20, 20, 20, {4, 4}, {2, 2}, {0, 0, 1, 0}, {1, 1}}},
    {"one_pixel", 1, {1, 1, 16, 17, 1, {3, 3}, {1, 1}, {1, 1, 1, 1}, {1, 1}}},
    // Strips of few channels, one row high.
    {"one_row_of_taps",
     1,
     {14, 17, 3, 14, 1, {1, 5}, {1, 1}, {0, 2, 0, 2}, {1, 1}}},
    {"kernel_beyond_map",
     1,
     {3, 2, 6, 4, 2, {5, 5}, {1, 1}, {2, 2, 2, 2}, {1, 1}}},
    {"pairs_of_images",
     4,
     {7, 7, 24, 96, 1, {1, 1}, {1, 1}, {0, 0, 0, 0}, {1, 1}}},
    {"pairs_and_one",
     3,
     {7, 7, 24, 96, 1, {3, 3}, {1, 1}, {1, 1, 1, 1}, {1, 1}}},
    {"wide_row", 1, {1, 23, 17, 19, 1, {1, 3}, {1, 1}, {0, 0, 0, 0}, {1, 1}}},
    {"dilated_uneven",
     2,
     {9, 8, 12, 24, 4, {3, 3}, {1, 2}, {3, 2, 1, 0}, {3, 2}}},
    {"stride_beyond_kernel",
     2,
     {8, 8, 5, 6, 1, {2, 2}, {3, 3}, {0, 1, 1, 0}, {1, 1}}},
    // Filter gradients with vectors across in channels: many in, out channels
    // that no tile divides, groups, both kinds of chunks, single taps strided.
    {"ins_of_72", 3, {9, 7, 72, 44, 1, {3, 3}, {1, 1}, {1, 1, 1, 1}, {1, 1}}},
    {"ins_of_512",
     2,
     {3, 5, 512, 520, 1, {1, 1}, {1, 1}, {0, 0, 0, 0}, {1, 1}}},
    {"ins_in_groups",
     2,
     {11, 5, 96, 57, 3, {3, 3}, {1, 1}, {1, 1, 1, 1}, {1, 1}}},
    {"ins_strided_uneven",
     5,
     {9, 7, 40, 21, 1, {1, 3}, {2, 3}, {0, 1, 0, 1}, {1, 2}}},
    {"ins_one_image",
     1,
     {70, 33, 16, 18, 1, {1, 1}, {1, 1}, {0, 0, 0, 0}, {1, 1}}},
    // Phases of a stride: of every size, with taps or without, more of them
    // than pixels, sharing a factor with the dilation or not.
    {"strided_odd_map",
     3,
     {13, 11, 20, 36, 1, {3, 3}, {2, 2}, {1, 1, 1, 1}, {1, 1}}},
    {"strided_seven",
     1,
     {17, 16, 3, 24, 1, {7, 7}, {2, 2}, {3, 3, 3, 3}, {1, 1}}},
    {"stride_of_kernel",
     2,
     {12, 10, 24, 48, 1, {2, 2}, {2, 2}, {0, 0, 0, 0}, {1, 1}}},
    {"stride_3_dilation_2",
     2,
     {14, 13, 6, 10, 2, {3, 3}, {3, 3}, {2, 1, 2, 1}, {2, 2}}},
    {"stride_4_dilation_6",
     2,
     {19, 17, 5, 16, 1, {3, 2}, {4, 4}, {3, 5, 2, 1}, {6, 2}}},
    {"stride_beyond_map",
     3,
     {3, 4, 8, 12, 2, {3, 3}, {7, 5}, {1, 1, 1, 1}, {1, 1}}},
    {"strided_tiny",
     21,
     {2, 2, 16, 32, 1, {3, 3}, {2, 2}, {1, 1, 1, 1}, {1, 1}}},
    {"strided_groups_of_24",
     2,
     {10, 9, 72, 72, 3, {3, 3}, {2, 1}, {1, 1, 1, 1}, {1, 1}}},
    {"pad_beyond_kernel",
     1,
     {4, 4, 8, 8, 1, {2, 2}, {1, 1}, {2, 3, 3, 2}, {1, 1}}},
    // What TensorFlow calls SAME on an even map, dense, grouped, depthwise.
    {"same_image", 1, {10, 12, 3, 32, 1, {3, 3}, {2, 2}, {0, 0, 1, 1}, {1, 1}}},
    {"same_grouped",
     2,
     {8, 6, 24, 24, 3, {5, 5}, {2, 2}, {1, 1, 2, 2}, {1, 1}}},
    {"same_depthwise",
     3,
     {10, 8, 19, 19, 19, {3, 3}, {2, 2}, {0, 0, 1, 1}, {1, 1}}},
    {"same_even_kernel",
     2,
     {6, 6, 16, 16, 1, {2, 2}, {1, 1}, {0, 0, 1, 1}, {1, 1}}},
    // One side alone.
    {"top", 2, {7, 5, 8, 16, 2, {3, 1}, {1, 1}, {2, 0, 0, 0}, {1, 1}}},
    {"left", 2, {5, 7, 8, 16, 2, {1, 3}, {1, 2}, {0, 2, 0, 0}, {1, 1}}},
    {"bottom", 2, {7, 5, 9, 9, 9, {3, 3}, {2, 1}, {0, 0, 3, 0}, {1, 1}}},
    {"right", 2, {5, 7, 6, 10, 1, {3, 3}, {1, 1}, {0, 0, 0, 1}, {1, 1}}},
    // Groups innermost: that fill vectors or do not, with vectors that lie over
    // each other, several out channels in a vector, strides, dilation, one
    // pixel, no border, as many taps as pixels.
    {"order_8_of_2",
     2,
     {6, 9, 16, 16, 8, {3, 3}, {1, 1}, {1, 1, 1, 1}, {1, 1}, 8, 8}},
    {"order_2_of_24",
     2,
     {5, 9, 48, 80, 2, {3, 3}, {1, 1}, {1, 1, 1, 1}, {1, 1}, 2, 2}},
    {"order_21_of_3",
     2,
     {5, 13, 63, 63, 21, {3, 3}, {1, 1}, {1, 1, 1, 1}, {1, 1}, 21, 21}},
    {"order_24_of_4",
     2,
     {12, 10, 96, 96, 24, {3, 3}, {1, 1}, {1, 1, 1, 1}, {1, 1}, 24, 24}},
    {"order_5_of_6_to_12",
     1,
     {7, 5, 30, 60, 5, {5, 3}, {1, 1}, {2, 1, 2, 1}, {1, 1}, 5, 5}},
    {"order_3_of_24",
     2,
     {4, 6, 72, 72, 3, {3, 3}, {1, 1}, {1, 1, 1, 1}, {1, 1}, 3, 3}},
    {"order_17_strided",
     3,
     {13, 11, 34, 51, 17, {3, 3}, {2, 2}, {1, 1, 1, 1}, {1, 1}, 17, 17}},
    {"order_16_stride_3_dilation_2",
     2,
     {14, 13, 32, 32, 16, {3, 3}, {3, 2}, {2, 1, 2, 1}, {2, 2}, 16, 16}},
    {"order_16_multiplied",
     2,
     {8, 7, 16, 48, 16, {3, 3}, {1, 1}, {1, 1, 1, 1}, {1, 1}, 16, 16}},
    {"order_8_one_pixel",
     3,
     {1, 1, 40, 40, 8, {3, 3}, {1, 1}, {1, 1, 1, 1}, {1, 1}, 8, 8}},
    {"order_10_no_border",
     2,
     {9, 15, 20, 20, 10, {3, 3}, {1, 1}, {0, 0, 0, 0}, {1, 1}, 10, 10}},
    {"order_64_of_8_strided",
     2,
     {9, 8, 512, 512, 64, {3, 3}, {2, 2}, {1, 1, 1, 1}, {1, 1}, 64, 64}},
    {"order_4_pointwise",
     2,
     {5, 7, 24, 16, 4, {1, 1}, {1, 1}, {0, 0, 0, 0}, {1, 1}, 4, 4}},
    {"order_48_pointwise_strided",
     2,
     {7, 9, 48, 48, 48, {1, 1}, {2, 2}, {0, 0, 0, 0}, {1, 1}}},
    {"order_21_pointwise_stride_3",
     2,
     {8, 7, 42, 63, 21, {1, 1}, {3, 2}, {0, 0, 0, 0}, {1, 1}, 21, 21}},
    {"order_6_of_whole_maps",
     3,
     {3, 2, 12, 24, 6, {3, 2}, {1, 1}, {0, 0, 0, 0}, {1, 1}, 6, 6}},
    {"order_7_stride_of_kernel",
     2,
     {6, 8, 14, 14, 7, {2, 2}, {2, 2}, {0, 0, 0, 0}, {1, 1}, 7, 7}},
    // Wide rows of taps: a tile spans the map, or does not.
    {"order_20_seven_narrow",
     3,
     {5, 7, 20, 20, 20, {7, 7}, {1, 1}, {3, 3, 3, 3}, {1, 1}, 20, 20}},
    {"order_24_seven",
     2,
     {9, 30, 24, 24, 24, {7, 7}, {1, 1}, {3, 3, 3, 3}, {1, 1}, 24, 24}},
    {"order_16_seven_uneven",
     2,
     {8, 19, 16, 16, 16, {7, 7}, {1, 1}, {2, 4, 4, 1}, {1, 1}, 16, 16}},
    // Dense ones beside these.
    {"dense_to_order_12",
     2,
     {5, 6, 20, 24, 1, {3, 3}, {1, 1}, {1, 1, 1, 1}, {1, 1}, 1, 12}},
    {"dense_from_order_8",
     3,
     {6, 7, 48, 36, 1, {1, 1}, {1, 1}, {0, 0, 0, 0}, {1, 1}, 8, 3}},
    {"linear_from_order_5",
     4,
     {2, 3, 20, 18, 1, {2, 3}, {1, 1}, {0, 0, 0, 0}, {1, 1}, 5, 2}},
    // A step that is not made may be of any size.
    {"one_output",
     2,
     {5, 6, 8, 16, 1, {3, 3}, {maxStep, maxStep}, {1, 0, 0, 0}, {1, 1}}},
    {"long_steps",
     1,
     {1, 100003, 1, 1, 1, {1, 2}, {1, 50000}, {0, 0, 0, 0}, {1, 49999}}},
    {"one_tap",
     2,
     {6, 5, 8, 8, 2, {1, 3}, {1, maxStep}, {0, 0, 0, 0}, {maxStep, 2}}},
};

TargetInfo target(int64_t bits) { return testTarget(bits); }

class Convolution : public ::testing::TestWithParam<Case> {
protected:
  std::string run(ConvKind kind, int64_t bits = 512) {
    const Case &test = GetParam();
    Kernel kernel = convKernel(kind, test.shape, target(bits));
    return check(kernel, makeInputs(kernel, test.batch), 4e-6);
  }
};

TEST_P(Convolution, Forward) { EXPECT_EQ(run(ConvKind::ForwardRelu), ""); }
TEST_P(Convolution, BackwardData) {
  EXPECT_EQ(run(ConvKind::BackwardData), "");
}
TEST_P(Convolution, BackwardFilter) {
  EXPECT_EQ(run(ConvKind::BackwardFilter), "");
}
TEST_P(Convolution, Packing) {
  EXPECT_EQ(run(ConvKind::Pack), "");
  EXPECT_EQ(run(ConvKind::PackBackward), "");
}
TEST_P(Convolution, SixteenRegisters) {
  EXPECT_EQ(run(ConvKind::Forward, 256), "");
  EXPECT_EQ(run(ConvKind::BackwardFilter, 256), "");
}

INSTANTIATE_TEST_SUITE_P(Shapes, Convolution, ::testing::ValuesIn(cases),
                         [](const auto &info) { return info.param.name; });

/// As training has them: x is what a batch norm and a ReLU make of a map, dy a
/// batch norm's gradient. All but the maps and the filter is positive.
Kernel behindBatchNorm(const Kernel &alone, std::vector<size_t> &positive) {
  KernelBuilder builder;
  for (const TensorType &type : alone.inputs)
    builder.input(type);
  std::vector<std::vector<int64_t>> operands; // of the ops before each map
  auto isMap = [&](size_t i) { return alone.inputs[i].shape.size() == 4; };
  for (size_t i = 0; i < alone.inputs.size(); ++i) {
    operands.push_back({static_cast<int64_t>(i)});
    if (!isMap(i))
      continue;
    operands[i].push_back(builder.input(alone.inputs[i]));
    for (int vector = 0; vector < 5; ++vector) {
      operands[i].push_back(builder.input(f32({alone.inputs[i].shape[3]})));
      positive.push_back(operands[i].back());
    }
  }
  Op anchor = alone.ops[0];
  const AttributeMap epsilon = {{"epsilon", 1e-5}};
  for (size_t i = 0; i < alone.inputs.size(); ++i) {
    const TensorType &type = alone.inputs[i];
    std::vector<int64_t> &ids = operands[i];
    if (!isMap(i))
      continue;
    if (i == 0 && anchor.name != "conv2d_backward_data") {
      ids =
          builder.op("batch_norm_normalize",
                     {ids[0], ids[2], ids[3], ids[4], ids[5]}, {type}, epsilon);
      ids = builder.op("relu", ids, {type});
    } else {
      ids = builder.op("batch_norm_backward_data", ids, {type}, epsilon);
    }
    anchor.operands[i] = ids[0];
  }
  builder.op(anchor.name, anchor.operands, anchor.results, anchor.attributes);
  builder.kernel.schedule = chooseSchedule(builder.kernel, target(512));
  return builder.kernel;
}

class BehindBatchNorm : public ::testing::TestWithParam<Case> {};

TEST_P(BehindBatchNorm, IsRight) {
  const Case &test = GetParam();
  for (ConvKind kind :
       {ConvKind::Forward, ConvKind::BackwardData, ConvKind::BackwardFilter}) {
    std::vector<size_t> positive;
    Kernel kernel =
        behindBatchNorm(convKernel(kind, test.shape, target(512)), positive);
    EXPECT_EQ(check(kernel, makeInputs(kernel, test.batch, positive), 4e-6),
              "");
  }
}

std::vector<Case> kindsOfStrips() {
  const std::set<std::string> names = {
      "groups_of_6", "groups_of_24", "depthwise",      "pointwise_strided",
      "linear",      "ins_of_72",    "strided_odd_map"};
  std::vector<Case> chosen;
  std::copy_if(std::begin(cases), std::end(cases), std::back_inserter(chosen),
               [&](const Case &test) { return names.count(test.name); });
  return chosen;
}

INSTANTIATE_TEST_SUITE_P(Shapes, BehindBatchNorm,
                         ::testing::ValuesIn(kindsOfStrips()),
                         [](const auto &info) { return info.param.name; });

// What the harness must catch, once for each family: a kernel that is right
// but for the side its padding is on, run in place of the one that is meant.
class Sabotage : public ::testing::TestWithParam<ConvKind> {};

TEST_P(Sabotage, IsCaught) {
  ConvShape meant{6, 6, 8, 8, 1, {3, 3}, {1, 1}, {1, 0, 0, 1}, {1, 1}};
  ConvShape other = meant;
  other.pad = {0, 1, 1, 0};
  Kernel kernel = convKernel(GetParam(), meant, target(512));
  auto inputs = makeInputs(kernel, 2);
  EXPECT_EQ(checkAs(kernel, kernel, inputs, 4e-6), "");
  Kernel sabotaged = convKernel(GetParam(), other, target(512));
  EXPECT_NE(checkAs(sabotaged, kernel, inputs, 4e-6), "");
}

INSTANTIATE_TEST_SUITE_P(Families, Sabotage,
                         ::testing::Values(ConvKind::ForwardRelu,
                                           ConvKind::BackwardData,
                                           ConvKind::BackwardFilter));

// Where a single tap has a stride, zeros lie between the pixels that it writes:
// what stands behind it is computed there too.
TEST(BackwardData, OpsBehindASparseMap) {
  for (int64_t batch : {1, 2}) {
    ConvShape shape{14, 13, 24, 48, 1, {1, 1}, {2, 2}, {0, 0, 0, 0}, {1, 1}};
    Kernel alone = convKernel(ConvKind::BackwardData, shape, target(512));
    KernelBuilder builder;
    for (const TensorType &type : alone.inputs)
      builder.input(type);
    const Op &anchor = alone.ops[0];
    int64_t other = builder.input(anchor.results[0]);
    auto ids = builder.op(anchor.name, anchor.operands, anchor.results,
                          anchor.attributes);
    builder.op("add", {ids[0], other}, anchor.results);
    builder.kernel.schedule = chooseSchedule(builder.kernel, target(512));
    EXPECT_EQ(check(builder.kernel, makeInputs(builder.kernel, batch), 4e-6),
              "");
  }
}

// A schedule written by hand into the description is used, or refused.
TEST(ConvolutionSchedule, OddTilesAreRight) {
  ConvShape shape{7, 11, 16, 32, 1, {3, 3}, {1, 1}, {1, 1, 1, 1}, {1, 1}};
  Kernel kernel = convKernel(ConvKind::Forward, shape, target(512));
  kernel.schedule = {{"tile_x", 5}, {"tile_y", 1}, {"tile_n", 1},
                     {"rows", 1},   {"blocks", 1}, {"lanes", 8}};
  EXPECT_EQ(check(kernel, makeInputs(kernel, 2), 4e-6), "");
}

// Halide makes no allocation of 2^31 bytes: images then take turns, or what is
// too large to be copied is read in place.
TEST(ConvolutionSchedule, LargeStripsStayBelowItsLimit) {
  ConvShape shape = {2047,   2047,   64,           8,           1,
                     {3, 3}, {1, 1}, {1, 1, 1, 1}, {1023, 1023}};
  ConvShape across = shape; // in channels: its filter gradient's vectors
  across.outChannels = 16;
  std::string object = testing::TempDir() + "large_strips.o";
  for (auto [kind, layer] : {std::pair{ConvKind::Forward, shape},
                             {ConvKind::BackwardData, shape},
                             {ConvKind::BackwardFilter, shape},
                             {ConvKind::BackwardFilter, across}}) {
    Kernel kernel = convKernel(kind, layer, target(512));
    kernel.schedule = chooseSchedule(kernel, target(512));
    if (kind == ConvKind::Forward) {
      EXPECT_EQ(kernel.schedule.at("tile_n"), 1);
    }
    if (layer.outChannels == across.outChannels) {
      EXPECT_EQ(rootc::codegen::filterGradientStrip(layer).images, 1);
    }
    rootc::codegen::compileKernel(kernel, rootc::codegen::OutputKind::Object,
                                  "x86-64-linux-avx512_skylake", object);
  }
  std::remove(object.c_str());
}

TEST(ConvolutionSchedule, ImpossibleTilesAreRefused) {
  ConvShape shape{7, 11, 16, 32, 1, {3, 3}, {1, 1}, {1, 1, 1, 1}, {1, 1}};
  Kernel kernel = convKernel(ConvKind::Forward, shape, target(512));
  auto inputs = makeInputs(kernel, 2);
  kernel.schedule["rows"] = 3; // does not divide 7
  EXPECT_THROW(runKernel(kernel, inputs), std::invalid_argument);
  kernel.schedule["rows"] = 0;
  EXPECT_THROW(runKernel(kernel, inputs), std::invalid_argument);
}

// A classifier of few classes has one vector of them, so its register tile is
// many images; each costs code wherever the batch may end. Lines of code stand
// for the time that LLVM takes.
TEST(ConvolutionSchedule, ClassifiersAreLittleCode) {
  std::string path = std::filesystem::temp_directory_path() /
                     ("classifier" + std::to_string(getpid()) + ".ll");
  for (int64_t size : {1, 4}) {
    ConvShape shape{size, size, 64, 10, 1, {size, size}, {1, 1}};
    Kernel kernel = convKernel(ConvKind::Forward, shape, target(512));
    rootc::codegen::compileKernel(kernel, rootc::codegen::OutputKind::Llvm,
                                  "host", path);
    std::ifstream file(path);
    auto lines = std::count(std::istreambuf_iterator<char>(file), {}, '\n');
    EXPECT_LT(lines, 2500) << "of " << size << "x" << size;
    EXPECT_EQ(check(kernel, makeInputs(kernel, 11), 4e-6), "");
  }
  std::filesystem::remove(path);
}

const ConvShape inOrder{6,      7,  24, 36, 12, {3, 3}, {1, 1}, {1, 1, 1, 1},
                        {1, 1}, 12, 12};

// What stands behind groups in lanes is computed with them, unless it reads
// other channels.
TEST(GroupLanes, OpsAroundIt) {
  for (bool shuffled : {false, true}) {
    Kernel kernel = convKernel(ConvKind::ForwardRelu, inOrder, target(512));
    if (shuffled) {
      kernel.ops[2] = {"channel_shuffle",
                       {kernel.outputs[0] - 1},
                       {{"groups", int64_t(3)}},
                       kernel.ops[2].results};
      kernel.ops.push_back(
          {"add", {kernel.outputs[0], 3}, {}, kernel.ops[2].results});
      kernel.outputs = {kernel.outputs[0] + 1};
    }
    EXPECT_EQ(check(kernel, makeInputs(kernel, 3), 4e-6), "");
  }
  // Before it, and several results.
  Kernel alone = convKernel(ConvKind::Forward, inOrder, target(512));
  Kernel kernel = alone;
  kernel.ops = {Op{"relu", {0}, {}, {alone.inputs[0]}}, alone.ops[0],
                Op{"relu", {4}, {}, alone.ops[0].results},
                Op{"hard_swish", {4}, {}, alone.ops[0].results}};
  kernel.ops[1].operands = {3, 1, 2};
  kernel.outputs = {5, 6};
  kernel.schedule = chooseSchedule(kernel, target(512));
  if (device() == Device::Cpu) {
    EXPECT_EQ(kernel.schedule.at("copy"), 1);
  }
  EXPECT_EQ(check(kernel, makeInputs(kernel, 3), 4e-6), "");
}

// In place where masks cost nothing: not for vectors of several out channels,
// few registers, or pixels that a cache cannot hold together.
TEST(GroupLanes, ReadInPlace) {
  auto copies = [](int64_t groups, int64_t perGroup, int64_t stride,
                   int64_t bits) {
    int64_t channels = groups * perGroup;
    ConvShape shape{14,
                    14,
                    channels,
                    channels,
                    groups,
                    {3, 3},
                    {stride, stride},
                    {1, 1, 1, 1},
                    {1, 1},
                    groups,
                    groups};
    return convKernel(ConvKind::Forward, shape, target(bits)).schedule["copy"];
  };
  EXPECT_EQ(copies(48, 4, 1, 512), 0);
  EXPECT_EQ(copies(192, 1, 1, 256), 0);
  EXPECT_EQ(copies(8, 8, 1, 512), 1);
  EXPECT_EQ(copies(48, 4, 1, 256), 1);
  EXPECT_EQ(copies(64, 8, 2, 512), 1);
}

TEST(FilterLayout, EveryChannelHasOneLane) {
  for (const Case &test : cases)
    for (bool backward : {false, true})
      for (int64_t bits : {128, 256, 512}) {
        auto layout = filterLayout(test.shape, backward, target(bits));
        std::vector<int> seen(layout.groups * layout.outPerGroup);
        for (int64_t block = 0; block < layout.blocks; ++block)
          for (int64_t lane = 0; lane < layout.block; ++lane)
            if (int64_t channel = layout.outChannel(block, lane); channel >= 0)
              ++seen.at(channel);
        // Vectors across groups may lie over each other.
        bool covered =
            layout.groupLanes() && layout.groups % layout.laneGroups != 0;
        for (int &count : seen)
          count = covered ? std::min(count, 1) : count;
        EXPECT_EQ(seen, std::vector<int>(seen.size(), 1)) << test.name;
      }
}

} // namespace
