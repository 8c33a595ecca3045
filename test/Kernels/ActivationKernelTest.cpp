//===- ActivationKernelTest.cpp - Activations, products, channels ---------===//
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

TEST_P(Activations, Hard) {
  AttributeMap line = {{"alpha", 0.3}, {"beta", 0.4}};
  EXPECT_EQ(run(oneOp("hard_sigmoid", {x}, {x}, line), 5, {3e38f, -3e38f}), "");
  EXPECT_EQ(run(oneOp("hard_sigmoid_backward", {x, x}, {x}, line), 1.5, {0, 1}),
            "");
  EXPECT_EQ(run(oneOp("hard_swish", {x}, {x}), 5), "");
  EXPECT_EQ(run(oneOp("hard_swish", {x}, {x}), 1e30f), "");
  EXPECT_EQ(run(oneOp("hard_swish_backward", {x, x}, {x}), 5, {-3, 3}), "");
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

  Kernel line =
      oneOp("hard_sigmoid", {x}, {x}, {{"alpha", 0.2}, {"beta", 0.5}});
  Kernel steeper = line;
  steeper.ops[0].attributes["alpha"] = 0.201;
  EXPECT_NE(checkAs(steeper, line, makeInputs(line, 5)), "");
}

} // namespace
