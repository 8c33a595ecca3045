//===- ActivationKernelTest.cpp - Activations, products, channels ---------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Halide.h"
#include "test/Kernels/KernelHarness.h"

#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>

using namespace rootc::test;

namespace {

using Integers = std::vector<int64_t>;

struct Map {
  int64_t batch, height, width, channels;
  TensorType type() const { return f32({-1, height, width, channels}); }
  TensorType withChannels(int64_t count) const {
    return f32({-1, height, width, count});
  }
  TensorType vector() const { return f32({channels}); }
};

std::ostream &operator<<(std::ostream &stream, const Map &map) {
  return stream << map.batch << "x" << map.height << "x" << map.width << "x"
                << map.channels;
}

/// One value; a part of a vector; half vectors; full ones.
const Map maps[] = {{1, 1, 1, 1}, {5, 7, 5, 3}, {1, 9, 4, 24}, {2, 3, 2, 112}};

class Activations : public ::testing::TestWithParam<Map> {
protected:
  Map map = GetParam();
  TensorType x = map.type();

  /// Floats in (-scale, scale); the first few are `special`.
  std::vector<Tensor> inputs(const Kernel &kernel, float scale,
                             const std::vector<float> &special = {}) {
    std::vector<Tensor> made = makeInputs(kernel, map.batch);
    Tensor &last = made.back();
    for (double &value : last.reals)
      value = static_cast<float>(value * scale);
    for (size_t i = 0; i < special.size() && i < last.reals.size(); ++i)
      last.reals[i] = special[i];
    return made;
  }
  std::string run(const Kernel &kernel, float scale,
                  const std::vector<float> &special = {}) {
    return check(kernel, inputs(kernel, scale, special));
  }
};

TEST_P(Activations, Clip) {
  for (const AttributeMap &bounds :
       {AttributeMap{{"min", -0.5}, {"max", 0.3}}, AttributeMap{{"min", 0.1}},
        AttributeMap{{"max", -0.1}}}) {
    EXPECT_EQ(run(oneOp("clip", {x}, {x}, bounds), 1), "");
    EXPECT_EQ(run(oneOp("clip_backward", {x, x}, {x}, bounds), 1,
                  {-0.5f, 0.3f, 0.1f, -0.1f}),
              "");
  }
}

TEST_P(Activations, Sigmoid) {
  Kernel kernel = oneOp("sigmoid", {x}, {x});
  EXPECT_EQ(run(kernel, 10), "");
  EXPECT_EQ(run(kernel, 200, {3e38f, -3e38f, 88, -88, 0}), "");
  EXPECT_EQ(run(oneOp("sigmoid_backward", {x, x}, {x}), 1), "");
}

TEST_P(Activations, SigmoidIsExactFarOut) {
  Kernel kernel = oneOp("sigmoid", {x}, {x});
  std::vector<Tensor> far = inputs(kernel, 1);
  for (double &value : far[0].reals)
    value = value < 0 ? -3e38f : 3e38f;
  for (bool plain : {false, true}) {
    std::vector<Tensor> y = runKernel(kernel, far, plain);
    for (size_t i = 0; i < y[0].reals.size(); ++i)
      EXPECT_EQ(y[0].reals[i], far[0].reals[i] < 0 ? 0 : 1);
  }
}

/// Far below, what x is multiplied with is 0, however large x is.
TEST_P(Activations, SharesEndFarOut) {
  for (const auto &[name, attributes] :
       {std::pair{"silu", AttributeMap{}}, std::pair{"mish", AttributeMap{}},
        std::pair{"gelu", AttributeMap{{"form", std::string("erf")}}},
        std::pair{"gelu", AttributeMap{{"form", std::string("tanh")}}}}) {
    Kernel forward = oneOp(name, {x}, {x}, attributes),
           backward =
               oneOp(std::string(name) + "_backward", {x, x}, {x}, attributes);
    for (const Kernel &kernel : {forward, backward}) {
      std::vector<Tensor> far = inputs(kernel, 1);
      for (double &value : far.back().reals)
        value = value < 0 ? -3e38f : -1e4f;
      for (bool plain : {false, true})
        for (double y : runKernel(kernel, far, plain)[0].reals)
          EXPECT_LT(std::abs(y), 1e-6) << name;
    }
  }
}

TEST_P(Activations, Hard) {
  AttributeMap line = {{"alpha", 0.3}, {"beta", 0.4}};
  EXPECT_EQ(run(oneOp("hard_sigmoid", {x}, {x}, line), 5, {3e38f, -3e38f}), "");
  EXPECT_EQ(run(oneOp("hard_sigmoid_backward", {x, x}, {x}, line), 1.5, {0, 1}),
            "");
  EXPECT_EQ(run(oneOp("hard_swish", {x}, {x}), 5), "");
  EXPECT_EQ(run(oneOp("hard_swish", {x}, {x}), 1e30f), "");
  EXPECT_EQ(run(oneOp("hard_swish_backward", {x, x}, {x}), 5, {-3, 3}), "");
}

TEST_P(Activations, Slopes) {
  AttributeMap alpha = {{"alpha", 0.1}};
  EXPECT_EQ(run(oneOp("leaky_relu", {x}, {x}, alpha), 5, {3e38f, -3e38f, 0}),
            "");
  EXPECT_EQ(run(oneOp("leaky_relu_backward", {x, x}, {x}, alpha), 1, {0}), "");
  for (const TensorType &slope : {map.vector(), f32({1})}) {
    EXPECT_EQ(run(oneOp("prelu", {x, slope}, {x}), 1), "");
    EXPECT_EQ(run(oneOp("prelu_backward", {x, x, slope}, {x}), 1), "");
  }
  EXPECT_EQ(run(oneOp("scale_channels", {x, map.vector()}, {x}), 3), "");
}

/// What approximates is as near as rounding, near 0 and far out too: an error
/// counts beside the result, or the input where that is small.
TEST_P(Activations, Smooth) {
  AttributeMap unit = {{"alpha", 1.0}, {"scale", 1.0}, {"input_scale", 1.0}},
               other = {{"alpha", 1.7}, {"scale", 1.05}, {"input_scale", 0.6}},
               erf = {{"form", std::string("erf")}},
               tanh = {{"form", std::string("tanh")}};
  auto expectNear = [&](const Kernel &kernel, const std::vector<Tensor> &in) {
    const std::vector<double> &x = in.back().reals;
    auto due = rootc::reference::evaluate(kernel, in)[0].reals;
    for (bool plain : {false, true}) {
      if (plain && map.batch != 5)
        continue;
      auto got = runKernel(kernel, in, plain)[0].reals;
      for (size_t i = 0; i < due.size(); ++i)
        ASSERT_NEAR(
            got[i], due[i],
            2e-6 * std::max(std::abs(due[i]), std::min(std::abs(x[i]), 1.0)))
            << kernel.name << " of " << x[i];
    }
  };
  for (const auto &[name, attributes] :
       {std::pair{"elu", unit}, std::pair{"elu", other}, std::pair{"gelu", erf},
        std::pair{"gelu", tanh}, std::pair{"silu", AttributeMap{}},
        std::pair{"softplus", AttributeMap{}},
        std::pair{"mish", AttributeMap{}}}) {
    Kernel forward = oneOp(name, {x}, {x}, attributes),
           backward =
               oneOp(std::string(name) + "_backward", {x, x}, {x}, attributes);
    for (const Kernel &kernel : {forward, backward}) {
      auto in = inputs(kernel, 1, {1, 1, 1, 1, 3e38f, -3e38f, 1e20f, -1e20f});
      std::vector<double> &values = in.back().reals;
      const float scales[] = {1e-3f, 1, 6, 90};
      for (size_t i = 8; i < values.size(); ++i)
        values[i] = static_cast<float>(values[i] * scales[i % 4]);
      // Results are no less than these.
      const std::string &op = kernel.ops[0].name;
      double least = op == "elu_backward"        ? -1.0
                     : op == "softplus_backward" ? 0.0
                                                 : -INFINITY;
      for (double &value : values)
        value = std::max(value, least);
      expectNear(kernel, in);
    }
  }
}

TEST_P(Activations, Pad) {
  auto padded = [&](const Integers &pad) {
    return f32({-1, map.height + pad[0] + pad[2], map.width + pad[1] + pad[3],
                map.channels});
  };
  for (const Integers &pad : {Integers{1, 2, 0, 3}, Integers{0, 0, 1, 0},
                              Integers{-1, 0, 2, 1}, Integers{-1, 1, -1, -1}}) {
    if (padded(pad).shape[1] < 1 || padded(pad).shape[2] < 1)
      continue;
    EXPECT_EQ(run(oneOp("pad", {x}, {padded(pad)}, {{"pad", pad}}), 1), "");
    KernelBuilder fused;
    fused.input(x);
    auto y = fused.op("relu", {0}, {x});
    fused.op("pad", y, {padded(pad)}, {{"pad", pad}});
    EXPECT_EQ(run(fused.kernel, 1), "");
  }
  for (Integers pad : {Integers{1, 2, 0, 3}, Integers{2, 0, 2, 1}}) {
    for (int side = 0; side < 4; ++side)
      pad[side] = std::min(pad[side], (side % 2 ? map.width : map.height) - 1);
    TensorType y = padded(pad);
    EXPECT_EQ(run(oneOp("reflect_pad", {x}, {y}, {{"pad", pad}}), 1), "");
    EXPECT_EQ(run(oneOp("reflect_pad_backward", {y}, {x}, {{"pad", pad}}), 1),
              "");
  }
}

TEST_P(Activations, Blocks) {
  for (int64_t block : {1, 2, 3})
    for (const char *mode : {"dcr", "crd"}) {
      AttributeMap attributes = {{"block", block}, {"mode", std::string(mode)}};
      TensorType flat =
          f32({-1, map.height * block, map.width * block, map.channels});
      TensorType deep =
          f32({-1, map.height, map.width, map.channels * block * block});
      EXPECT_EQ(run(oneOp("space_to_depth", {flat}, {deep}, attributes), 1),
                "");
      EXPECT_EQ(run(oneOp("depth_to_space", {deep}, {flat}, attributes), 1),
                "");
    }
}

TEST_P(Activations, Multiply) {
  TensorType image = f32({-1, 1, 1, 1}),
             channel = f32({-1, 1, 1, map.channels});
  for (const TensorType &factor : {x, channel, map.withChannels(1), image})
    EXPECT_EQ(run(oneOp("multiply", {x, factor}, {x}), 1), "");
  KernelBuilder square;
  square.input(x);
  square.op("multiply", {0, 0}, {x});
  EXPECT_EQ(run(square.kernel, 1), "");
}

TEST_P(Activations, ReduceSum) {
  TensorType image = f32({-1, 1, 1, 1}),
             channel = f32({-1, 1, 1, map.channels});
  for (const auto &[over, sum] :
       {std::pair{"map", channel}, std::pair{"channels", map.withChannels(1)},
        std::pair{"image", image}}) {
    AttributeMap attributes = {{"over", std::string(over)}};
    Kernel kernel = oneOp("reduce_sum", {x}, {sum}, attributes);
    EXPECT_EQ(check(kernel, makeInputs(kernel, map.batch, {0}), 4e-6), "");
    KernelBuilder fused;
    fused.input(x);
    fused.input(x);
    auto product = fused.op("multiply", {0, 1}, {x});
    fused.op("reduce_sum", product, {sum}, attributes);
    EXPECT_EQ(
        check(fused.kernel, makeInputs(fused.kernel, map.batch, {0, 1}), 4e-6),
        "");
  }
}

TEST_P(Activations, ChannelAffine) {
  TensorType v = map.vector();
  EXPECT_EQ(run(oneOp("channel_affine", {x, v, v}, {x}), 1), "");
  KernelBuilder fused;
  fused.input(x);
  fused.input(v);
  fused.input(v);
  auto y = fused.op("channel_affine", {0, 1, 2}, {x});
  auto gate = fused.op("sigmoid", y, {x});
  fused.op("multiply", {y[0], gate[0]}, {x});
  EXPECT_EQ(run(fused.kernel, 1), "");
}

TEST_P(Activations, ChannelShuffle) {
  for (int64_t groups = 1; groups <= map.channels; ++groups)
    if (map.channels % groups == 0 && (groups < 6 || groups % 8 == 0)) {
      EXPECT_EQ(
          run(oneOp("channel_shuffle", {x}, {x}, {{"groups", groups}}), 1), "")
          << groups;
      TensorType v = map.vector();
      EXPECT_EQ(
          run(oneOp("channel_shuffle", {v}, {v}, {{"groups", groups}}), 1), "")
          << groups;
    }
}

TEST_P(Activations, PadChannels) {
  TensorType five = map.withChannels(5);
  int64_t c = map.channels;
  EXPECT_EQ(run(oneOp("pad_channels", {x}, {map.withChannels(c + 7)},
                      {{"begins", Integers{3}}}),
                1),
            "");
  EXPECT_EQ(
      run(oneOp("pad_channels", {five, x, five}, {map.withChannels(c + 29)},
                {{"begins", Integers{0, 5, c + 24}}}),
          1),
      "");
}

TEST_P(Activations, Epilogues) {
  TensorType pooled = f32({-1, map.height, map.width, map.channels});
  AttributeMap window = {{"kernel", Integers{3, 3}},
                         {"stride", Integers{1, 1}},
                         {"pad", Integers{1, 1, 1, 1}},
                         {"output", Integers{map.height, map.width}}};
  KernelBuilder builder;
  builder.input(x);
  builder.input(f32({-1, 1, 1, map.channels}));
  auto y = builder.op("max_pool", {0}, {pooled}, window);
  auto hard =
      builder.op("hard_sigmoid", y, {pooled}, {{"alpha", 0.2}, {"beta", 0.5}});
  auto swish = builder.op("multiply", {y[0], hard[0]}, {pooled});
  builder.op("multiply", {swish[0], 1}, {pooled});
  EXPECT_EQ(run(builder.kernel, 1), "");
}

INSTANTIATE_TEST_SUITE_P(Maps, Activations, ::testing::ValuesIn(maps));

TEST(SampleMask, FollowsTheSample) {
  Kernel kernel =
      oneOp("sample_mask", {i64({2}), i64({-1})}, {f32({-1, 1, 1, 1})},
            {{"rate", 0.4}, {"ordinal", int64_t(3)}});
  auto inputs = makeInputs(kernel, 40);
  inputs[0].integers = {-5, 1};
  for (size_t i = 0; i < 40; ++i)
    inputs[1].integers[i] = int64_t(i) * 977 - 5;
  EXPECT_EQ(check(kernel, inputs), "");
  auto mask = runKernel(kernel, inputs)[0].reals;
  size_t dropped = std::count(mask.begin(), mask.end(), 0.0);
  EXPECT_GT(dropped, 4u);
  EXPECT_LT(dropped, 30u);
}

TEST(Standardize, FiltersAndGradients) {
  AttributeMap epsilon = {{"epsilon", 1e-3}};
  for (const Integers &shape :
       {Integers{1, 1, 1, 1}, Integers{5, 3, 2, 3}, Integers{3, 1, 1, 24},
        Integers{24, 3, 3, 1}, Integers{6, 5, 5, 35}}) {
    TensorType filter = f32(shape), gain = f32({shape[0]});
    auto expect = [&](const Kernel &kernel) {
      EXPECT_EQ(check(kernel, makeInputs(kernel, 1), 1e-5), "")
          << kernel.name << " " << shape[0] << " " << shape[3];
    };
    expect(oneOp("standardize_filter", {filter, gain}, {filter}, epsilon));
    // One weight has no gradient.
    if (shape[1] * shape[2] * shape[3] > 1)
      expect(oneOp("standardize_filter_backward", {filter, filter, gain},
                   {filter}, epsilon));
    expect(
        oneOp("standardize_gain_backward", {filter, filter}, {gain}, epsilon));
  }
}

TEST(Threads, ReduceSumHasTheSameBits) {
  TensorType x = f32({-1, 33, 5, 50});
  for (const auto &[over, sum] : {std::pair{"map", f32({-1, 1, 1, 50})},
                                  std::pair{"channels", f32({-1, 33, 5, 1})},
                                  std::pair{"image", f32({-1, 1, 1, 1})}}) {
    Kernel kernel =
        oneOp("reduce_sum", {x}, {sum}, {{"over", std::string(over)}});
    auto inputs = makeInputs(kernel, 7);
    Halide::Internal::JITSharedRuntime::set_num_threads(1);
    auto serial = runKernel(kernel, inputs);
    Halide::Internal::JITSharedRuntime::set_num_threads(3);
    EXPECT_EQ(serial[0].reals, runKernel(kernel, inputs)[0].reals);
  }
  Halide::Internal::JITSharedRuntime::set_num_threads(0);
}

// The checks see what they are for.
TEST(Sabotage, Activations) {
  TensorType x = f32({-1, 3, 5, 6});
  Kernel clip = oneOp("clip_backward", {x, x}, {x}, {{"min", 0.0}});
  Kernel both = clip;
  both.ops[0].attributes["max"] = 0.5;
  EXPECT_NE(checkAs(both, clip, makeInputs(clip, 5)), "");

  Kernel shuffle = oneOp("channel_shuffle", {x}, {x}, {{"groups", int64_t(2)}});
  Kernel undone = shuffle;
  undone.ops[0].attributes["groups"] = int64_t(3);
  EXPECT_NE(checkAs(undone, shuffle, makeInputs(shuffle, 5)), "");

  Kernel pad = oneOp("pad_channels", {x}, {f32({-1, 3, 5, 9})},
                     {{"begins", Integers{2}}});
  Kernel moved = pad;
  moved.ops[0].attributes["begins"] = Integers{1};
  EXPECT_NE(checkAs(moved, pad, makeInputs(pad, 5)), "");

  Kernel erf = oneOp("gelu", {x}, {x}, {{"form", std::string("erf")}});
  Kernel tanh = oneOp("gelu", {x}, {x}, {{"form", std::string("tanh")}});
  EXPECT_NE(checkAs(tanh, erf, makeInputs(erf, 5)), "");

  Kernel blocks =
      oneOp("space_to_depth", {f32({-1, 4, 2, 3})}, {f32({-1, 2, 1, 12})},
            {{"block", int64_t(2)}, {"mode", std::string("dcr")}});
  Kernel turned = blocks;
  turned.ops[0].attributes["mode"] = std::string("crd");
  EXPECT_NE(checkAs(turned, blocks, makeInputs(blocks, 5)), "");

  Kernel line =
      oneOp("hard_sigmoid", {x}, {x}, {{"alpha", 0.2}, {"beta", 0.5}});
  Kernel steeper = line;
  steeper.ops[0].attributes["alpha"] = 0.201;
  EXPECT_NE(checkAs(steeper, line, makeInputs(line, 5)), "");
}

} // namespace
