//===- BfloatKernelTest.cpp - Kernels on bf16 -----------------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Maps and packed filters are bf16 in memory. Inputs are rounded before kernel
// and reference read them; what is left is the rounding of results, one part
// in 256 at most, where the two sums lie on both sides of a tie.
//
//===----------------------------------------------------------------------===//

#include "test/Bench/ConvolutionCases.h"
#include "test/Kernels/KernelHarness.h"
#include "test/Kernels/MatrixUnit.h"
#include "gtest/gtest.h"

#include <cmath>
#include <limits>

namespace rootc::test {
namespace {

using codegen::ConvShape;

const double tolerance = 1.0 / 256;

/// Maps and packed filters as the pass has them.
Kernel narrowed(Kernel kernel) {
  auto narrow = [](TensorType &type) {
    if (type.shape.size() >= 4)
      type.element = ElementType::BF16;
  };
  for (TensorType &type : kernel.inputs)
    narrow(type);
  narrow(kernel.ops.back().results[0]);
  return kernel;
}

struct Case {
  const char *name;
  int64_t ins, outs, groups, kernel, stride, height, width, batch;
  int64_t order = 1, dilation = 1;
};

ConvShape shapeOf(const Case &c) {
  ConvShape shape;
  shape.inChannels = c.ins;
  shape.outChannels = c.outs;
  shape.groups = c.groups;
  shape.kernel = {c.kernel, c.kernel};
  shape.stride = {c.stride, c.stride};
  shape.dilation = {c.dilation, c.dilation};
  shape.inHeight = c.height;
  shape.inWidth = c.width;
  shape.inOrder = shape.outOrder = c.order;
  int64_t pad = c.kernel / 2 * c.dilation;
  shape.pad = {pad, pad, pad, pad};
  return shape;
}

std::ostream &operator<<(std::ostream &stream, const Case &c) {
  return stream << c.name;
}

class Bfloat : public ::testing::TestWithParam<Case> {
protected:
  ~Bfloat() override { useUnit("tiles"); }
};

TEST_P(Bfloat, Convolutions) {
  ConvShape shape = shapeOf(GetParam());
  for (ConvKind kind : {ConvKind::Forward, ConvKind::ForwardRelu,
                        ConvKind::BackwardData, ConvKind::BackwardFilter}) {
    Kernel kernel = narrowed(convKernel(kind, shape, {}));
    bool sums = kind == ConvKind::BackwardFilter; // of floats
    if (sums)
      kernel.ops[0].results[0].element = ElementType::F32;
    EXPECT_EQ("", check(kernel, makeInputs(kernel, GetParam().batch),
                        sums ? 2e-6 : tolerance));
  }
}

TEST_P(Bfloat, Pairs) {
  ConvShape shape = shapeOf(GetParam());
  for (ConvKind kind : {ConvKind::Pack, ConvKind::PackBackward,
                        ConvKind::Forward, ConvKind::ForwardRelu,
                        ConvKind::BackwardData, ConvKind::BackwardFilter}) {
    bool backward =
        kind == ConvKind::PackBackward || kind == ConvKind::BackwardData;
    bool sums = kind == ConvKind::BackwardFilter;
    shape.pairs = sums ? fitsPairsGradient(shape) : fitsPairs(shape, backward);
    if (!shape.pairs)
      continue;
    Kernel kernel = narrowed(convKernel(kind, shape, {}));
    if (sums)
      kernel.ops[0].results[0].element = ElementType::F32;
    std::vector<Tensor> inputs = makeInputs(kernel, GetParam().batch);
    if (shape.inChannels < 4 && kind < ConvKind::Pack) { // the image
      kernel.inputs[0].element = ElementType::F32;
      inputs[0].type.element = ElementType::F32;
    }
    bool all = kind == ConvKind::Forward;
    for (const char *unit : {"tiles", "avx512", "avx2", "any"}) {
      if (!useUnit(unit) || !(all || unit == std::string("tiles")))
        continue;
      EXPECT_EQ("", check(kernel, inputs, sums ? 2e-6 : tolerance))
          << unit << ", " << kernel.ops[0].name;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    Shapes, Bfloat,
    ::testing::Values(Case{"Dense1x1", 64, 96, 1, 1, 1, 7, 9, 2},
                      Case{"OddChannels", 40, 50, 1, 1, 1, 5, 7, 3},
                      Case{"FewOuts", 33, 16, 1, 1, 1, 9, 9, 1},
                      Case{"Strided", 64, 48, 1, 1, 2, 9, 7, 2},
                      Case{"Dense3x3", 32, 40, 1, 3, 1, 11, 6, 2},
                      Case{"Strided3x3", 48, 32, 1, 3, 2, 8, 9, 1},
                      Case{"Dilated", 32, 32, 1, 3, 1, 9, 8, 1, 1, 2},
                      Case{"OnePixel", 96, 24, 1, 1, 1, 1, 1, 5},
                      Case{"Groups3", 96, 120, 3, 3, 1, 6, 5, 2},
                      Case{"Groups5", 40, 40, 5, 3, 1, 6, 7, 2},
                      Case{"Groups6", 36, 72, 6, 3, 1, 7, 5, 1},
                      Case{"Groups24", 24, 48, 24, 3, 2, 8, 9, 2},
                      Case{"Groups16", 64, 64, 4, 3, 1, 7, 6, 2},
                      Case{"Two16By24", 32, 48, 2, 3, 2, 9, 8, 1},
                      Case{"Three16", 48, 48, 3, 1, 1, 5, 6, 2},
                      Case{"GroupsInnermost", 64, 64, 16, 3, 1, 7, 6, 2, 16},
                      Case{"Depthwise", 32, 32, 32, 3, 1, 7, 6, 1},
                      Case{"Image", 3, 64, 1, 7, 2, 15, 18, 2},
                      Case{"GreyImage", 1, 20, 1, 5, 1, 8, 9, 1},
                      Case{"Ordered", 64, 64, 1, 1, 1, 4, 5, 2, 16}),
    [](const auto &info) { return std::string(info.param.name); });

TEST(BfloatKernel, RoundsToNearestEvenAndKeepsNaN) {
  TensorType map = f32({-1, 1, 1, 19});
  KernelBuilder builder;
  int64_t x = builder.input(map);
  builder.op("copy", {x}, {bf16(map.shape)});
  double step = std::ldexp(1.0, -8), infinity = INFINITY;
  std::vector<double> values = {1,
                                1 + step,
                                1 + 3 * step,
                                1 + 1.001 * step,
                                -1 - step,
                                std::ldexp(1.9999999, 127),
                                infinity,
                                -infinity,
                                std::nan(""),
                                0.0,
                                -0.0,
                                std::ldexp(1.0, -140),
                                3.14159,
                                1e-30,
                                -1e30,
                                2.5,
                                7,
                                -0.1,
                                0.1};
  std::vector<double> want = values;
  for (double &value : want)
    value = reference::fromBfloat(reference::toBfloat(value));
  EXPECT_EQ(want[1], 1);
  EXPECT_EQ(want[2], 1 + 4 * step);
  EXPECT_EQ(want[3], 1 + 2 * step);
  EXPECT_EQ(want[5], infinity);
  for (bool plain : {false, true}) {
    auto got =
        runKernel(builder.kernel, {Tensor({1, 1, 1, 19}, values)}, plain);
    Tensor expected(bf16({1, 1, 1, 19}));
    expected.reals = want;
    EXPECT_EQ("", difference(got, {expected}, 0));
  }
}

TEST(BfloatKernel, PairsOfComputedMaps) {
  ConvShape shape = shapeOf({"", 64, 96, 1, 1, 1, 7, 5, 3});
  shape.pairs = true;
  for (ConvKind kind : {ConvKind::Forward, ConvKind::BackwardFilter}) {
    Kernel kernel = narrowed(convKernel(kind, shape, {}));
    bool sums = kind == ConvKind::BackwardFilter;
    if (sums)
      kernel.ops[0].results[0].element = ElementType::F32;
    // The map is what a ReLU makes, whose id comes first.
    auto inputs = static_cast<int64_t>(kernel.inputs.size());
    kernel.ops[0].operands[0] = inputs;
    kernel.ops.insert(kernel.ops.begin(),
                      {"relu", {0}, {}, {f32(kernel.inputs[0].shape)}});
    kernel.outputs = {inputs + 1};
    kernel.schedule = chooseSchedule(kernel, {});
    EXPECT_EQ("", check(kernel, makeInputs(kernel, 3), sums ? 2e-6 : tolerance))
        << kernel.ops[1].name;
  }
}

TEST(BfloatKernel, PoolsAndElementwise) {
  TensorType map = bf16({-1, 9, 7, 20}), half = bf16({-1, 4, 3, 20});
  AttributeMap window = {{"kernel", std::vector<int64_t>{3, 3}},
                         {"stride", std::vector<int64_t>{2, 2}},
                         {"pad", std::vector<int64_t>{0, 0, 0, 0}},
                         {"output", std::vector<int64_t>{4, 3}}};
  Kernel pool = oneOp("max_pool", {map}, {half}, window);
  EXPECT_EQ("", check(pool, makeInputs(pool, 2), 0));
  Kernel mean = oneOp("global_average_pool", {map}, {f32({-1, 1, 1, 20})});
  mean.ops[0].attributes["input"] = std::vector<int64_t>{9, 7};
  EXPECT_EQ("", check(mean, makeInputs(mean, 3)));
  KernelBuilder builder;
  int64_t a = builder.input(map), b = builder.input(f32(map.shape));
  auto sum = builder.op("add", {a, b}, {f32(map.shape)});
  builder.op("relu", {sum[0]}, {map});
  EXPECT_EQ("",
            check(builder.kernel, makeInputs(builder.kernel, 3), tolerance));
}

} // namespace
} // namespace rootc::test
