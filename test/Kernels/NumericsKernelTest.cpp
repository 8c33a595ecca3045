//===- NumericsKernelTest.cpp - NaN, large numbers, the order of sums -----===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "test/Bench/ConvolutionCases.h"
#include "test/Kernels/KernelHarness.h"

#include <cmath>
#include <cstdlib>
#include <gtest/gtest.h>
#include <limits>

using namespace rootc::test;
using rootc::codegen::ConvShape;
using rootc::codegen::TargetInfo;

namespace {

using Integers = std::vector<int64_t>;

/// Kernels are compiled for the vectors of a target while this lives.
struct JitTarget {
  explicit JitTarget(const char *name) {
    if (*name)
      setenv("HL_JIT_TARGET", name, 1);
  }
  ~JitTarget() { unsetenv("HL_JIT_TARGET"); }
};

/// Inputs of which each has two values that are not numbers, of either sign, as
/// x86 makes negative ones: those of input i in channel i, so that each can be
/// told from the others.
std::vector<Tensor> makeNotNumbers(const Kernel &kernel, int64_t batch,
                                   std::vector<size_t> positive) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  auto inputs = makeInputs(kernel, batch, std::move(positive));
  for (size_t i = 0; i < inputs.size(); ++i) {
    std::vector<double> &values = inputs[i].reals;
    if (values.empty())
      continue;
    size_t channels = inputs[i].shape().back(), channel = i % channels;
    values[channel] = std::copysign(nan, -1);
    values[values.size() / channels / 2 * channels + channel] = nan;
  }
  return inputs;
}

/// Target, vector bits, channels.
struct Machine {
  const char *target;
  int64_t bits, channels;
};

class NotANumber : public ::testing::TestWithParam<Machine> {
protected:
  JitTarget machine{GetParam().target};
  int64_t channels = GetParam().channels;
  TensorType x = f32({-1, 4, 5, channels}), v = f32({channels});
  TensorType image = f32({-1, 1, 1, 1}), channel = f32({-1, 1, 1, channels});

  void spreads(const Kernel &kernel, std::vector<size_t> positive = {}) {
    auto inputs = makeNotNumbers(kernel, 3, std::move(positive));
    auto due = rootc::reference::evaluate(kernel, inputs);
    EXPECT_EQ(difference(runKernel(kernel, inputs), due, 1e-5), "")
        << kernel.name;
    if (channels == 32) {
      EXPECT_EQ(difference(runKernel(kernel, inputs, true), due, 1e-5), "")
          << kernel.name << ", plain";
    }
  }
};

TEST_P(NotANumber, PassesActivations) {
  for (const char *name :
       {"relu", "sigmoid", "hard_swish", "copy", "silu", "softplus", "mish"})
    spreads(oneOp(name, {x}, {x}));
  for (const char *name :
       {"relu_backward", "sigmoid_backward", "hard_swish_backward", "add",
        "multiply", "silu_backward", "mish_backward"})
    spreads(oneOp(name, {x, x}, {x}));
  spreads(oneOp("softplus_backward", {x, x}, {x}), {1});
  for (const char *form : {"erf", "tanh"}) {
    AttributeMap attributes = {{"form", std::string(form)}};
    spreads(oneOp("gelu", {x}, {x}, attributes));
    spreads(oneOp("gelu_backward", {x, x}, {x}, attributes));
  }
  AttributeMap elu = {{"alpha", 1.3}, {"scale", 1.1}, {"input_scale", 0.7}};
  spreads(oneOp("elu", {x}, {x}, elu));
  spreads(oneOp("elu_backward", {x, x}, {x}, elu));
  spreads(oneOp("leaky_relu", {x}, {x}, {{"alpha", 0.1}}));
  spreads(oneOp("leaky_relu_backward", {x, x}, {x}, {{"alpha", 0.1}}));
  for (const TensorType &slope : {v, f32({1})}) {
    spreads(oneOp("prelu", {x, slope}, {x}));
    spreads(oneOp("prelu_backward", {x, x, slope}, {x}));
  }
  spreads(oneOp("scale_channels", {x, v}, {x}));
  AttributeMap line = {{"alpha", 0.3}, {"beta", 0.4}};
  spreads(oneOp("hard_sigmoid", {x}, {x}, line));
  spreads(oneOp("hard_sigmoid_backward", {x, x}, {x}, line));
  for (const AttributeMap &bounds :
       {AttributeMap{{"min", -0.5}, {"max", 0.3}}, AttributeMap{{"min", 0.1}},
        AttributeMap{{"max", -0.1}}}) {
    spreads(oneOp("clip", {x}, {x}, bounds));
    spreads(oneOp("clip_backward", {x, x}, {x}, bounds));
  }
}

TEST_P(NotANumber, PassesBorders) {
  if (channels != 32)
    return; // what is read elsewhere, alike on all machines
  AttributeMap border = {{"pad", Integers{1, 0, 2, 1}}};
  TensorType padded = f32({-1, 7, 6, channels});
  spreads(oneOp("pad", {x}, {padded}, border));
  spreads(oneOp("reflect_pad", {x}, {padded}, border));
  spreads(oneOp("reflect_pad_backward", {padded}, {x}, border));
}

TEST_P(NotANumber, PassesPools) {
  AttributeMap window = {
      {"kernel", Integers{3, 2}},    {"stride", Integers{2, 1}},
      {"pad", Integers{1, 0, 1, 1}}, {"output", Integers{2, 5}},
      {"input", Integers{4, 5}},     {"exclude_pad", int64_t(1)}};
  TensorType y = f32({-1, 2, 5, channels}), index = u8({-1, 2, 5, channels});
  spreads(oneOp("max_pool", {x}, {y}, window));
  spreads(oneOp("max_pool_with_index", {x}, {y, index}, window));
  spreads(oneOp("average_pool", {x}, {y}, window));
  spreads(oneOp("average_pool_backward", {y}, {x}, window));
  spreads(oneOp("global_average_pool", {x}, {channel}, window));
  spreads(oneOp("global_average_pool_backward", {channel}, {x}, window));
  for (const auto &[over, sum] :
       {std::pair{"map", channel}, std::pair{"channels", f32({-1, 4, 5, 1})},
        std::pair{"image", image}})
    spreads(oneOp("reduce_sum", {x}, {sum}, {{"over", std::string(over)}}));

  Kernel backward = oneOp("max_pool_backward", {y, index}, {x}, window);
  auto inputs = makeInputs(backward, 3);
  Kernel forward = oneOp("max_pool_with_index", {x}, {y, index}, window);
  inputs[1] = rootc::reference::evaluate(forward, makeInputs(forward, 3))[1];
  inputs[0].reals[4] = NAN;
  EXPECT_EQ(check(backward, inputs), "");
}

TEST_P(NotANumber, PassesNormalisations) {
  if (channels != 32)
    return; // sums and products, alike on all machines
  AttributeMap epsilon = {{"epsilon", 1e-5}};
  spreads(oneOp("batch_norm_statistics", {x}, {v, v, v}));
  spreads(oneOp("batch_norm_partial", {x}, {f32({-1, 2, channels})}));
  spreads(oneOp("batch_norm_combine", {f32({-1, 2, channels})}, {v, v, v},
                {{"count", int64_t(20)}}));
  spreads(oneOp("batch_norm_normalize", {x, v, v, v, v}, {x}, epsilon), {2});
  spreads(
      oneOp("batch_norm_backward_reduce", {x, x, v, v}, {v, v, v, v}, epsilon),
      {3});
  spreads(
      oneOp("batch_norm_backward_data", {x, x, v, v, v, v, v}, {x}, epsilon),
      {3});
  spreads(oneOp("channel_affine", {x, v, v}, {x}));
  spreads(oneOp("channel_sum", {x}, {v}));
  spreads(oneOp("running_average", {v, v}, {v}, {{"momentum", 0.1}}));
  spreads(oneOp("fold_multiplier", {v, v}, {v}, epsilon), {1});
  spreads(oneOp("fold_bias", {v, v, v, v}, {v}));
  AttributeMap response = {
      {"size", int64_t(5)}, {"alpha", 0.3}, {"beta", 0.75}, {"k", 2.0}};
  spreads(oneOp("local_response_norm", {x}, {x}, response));
  spreads(oneOp("local_response_norm_backward", {x, x}, {x}, response));
}

TEST_P(NotANumber, PassesLossDropoutAndUpdate) {
  TensorType labels = i64({-1});
  spreads(oneOp("softmax_cross_entropy", {channel, labels}, {f32({1})}));
  spreads(oneOp("softmax_cross_entropy_backward", {channel, labels}, {channel},
                {{"weight", 0.3}}));
  spreads(oneOp("dropout", {x, i64({2}), labels}, {x},
                {{"rate", 0.5}, {"ordinal", int64_t(1)}}));
  TensorType p = f32({-1});
  spreads(oneOp("sgd", {p, p, p, f32({4})}, {p, p}));
  spreads(oneOp("moving_average", {p, p, f32({1})}, {p}));
}

/// The sums of a convolution are numbers as far as the compiler knows; what
/// comes after them must not believe it.
TEST_P(NotANumber, PassesWhatIsFused) {
  ConvShape shape{5, 6, 16, 24, 1, {1, 1}, {1, 1}, {0, 0, 0, 0}, {1, 1}};
  TargetInfo target = {"", GetParam().bits, GetParam().bits == 512 ? 32 : 16};
  spreads(convKernel(ConvKind::ForwardRelu, shape, target));
  spreads(convKernel(ConvKind::BackwardData, shape, target));
  spreads(convKernel(ConvKind::BackwardFilter, shape, target));
  AttributeMap line = {{"alpha", 0.3}, {"beta", 0.4}},
               bounds = {{"min", 0.0}, {"max", 6.0}};
  for (const auto &[name, attributes] :
       {std::pair{"relu", AttributeMap{}}, std::pair{"clip", bounds},
        std::pair{"sigmoid", AttributeMap{}}, std::pair{"hard_sigmoid", line},
        std::pair{"hard_swish", AttributeMap{}},
        std::pair{"silu", AttributeMap{}}, std::pair{"mish", AttributeMap{}},
        std::pair{"softplus", AttributeMap{}},
        std::pair{"gelu", AttributeMap{{"form", std::string("erf")}}},
        std::pair{"leaky_relu", AttributeMap{{"alpha", 0.1}}}}) {
    Kernel kernel = convKernel(ConvKind::Forward, shape, target);
    TensorType y = kernel.ops[0].results[0];
    auto last = static_cast<int64_t>(kernel.inputs.size());
    kernel.ops.push_back({name, {last}, attributes, {y}});
    kernel.outputs = {last + 1};
    kernel.name = name;
    spreads(kernel);
  }

  AttributeMap epsilon = {{"epsilon", 1e-5}};
  KernelBuilder forward;
  for (const TensorType &type : {x, v, v, v, v, x})
    forward.input(type);
  auto y = forward.op("batch_norm_normalize", {0, 1, 2, 3, 4}, {x}, epsilon);
  auto sum = forward.op("add", {y[0], 5}, {x});
  auto z = forward.op("relu", sum, {x});
  forward.output({sum[0], z[0]});
  spreads(forward.kernel, {2});

  KernelBuilder backward;
  for (const TensorType &type : {x, x, x, v, v})
    backward.input(type);
  auto masked = backward.op("relu_backward", {0, 1}, {x});
  backward.op("batch_norm_backward_reduce", {masked[0], 2, 3, 4}, {v, v, v, v},
              epsilon);
  spreads(backward.kernel, {4});

  KernelBuilder pooled;
  pooled.input(x);
  AttributeMap window = {{"kernel", Integers{3, 3}},
                         {"stride", Integers{1, 1}},
                         {"pad", Integers{1, 1, 1, 1}},
                         {"output", Integers{4, 5}}};
  auto largest = pooled.op("max_pool", {0}, {x}, window);
  auto rectified = pooled.op("relu", largest, {x});
  pooled.op("add", {rectified[0], largest[0]}, {x});
  spreads(pooled.kernel);
}

INSTANTIATE_TEST_SUITE_P(
    Machines, NotANumber,
    ::testing::Values(Machine{"", 512, 32}, Machine{"", 512, 7},
                      Machine{"x86-64-linux-avx-avx2-f16c-fma-sse41", 256, 24},
                      Machine{"x86-64-linux-sse41", 128, 8}));

TEST(Dropout, RatesNextToOneDropEverything) {
  for (int64_t channels : {8, 3}) {
    TensorType x = f32({-1, 5, 7, channels});
    for (double rate : {1 - 0x1p-32, 1 - 0x1p-33, 1 - 0x1p-53}) {
      Kernel kernel = oneOp("dropout", {x, i64({2}), i64({-1})}, {x},
                            {{"rate", rate}, {"ordinal", int64_t(3)}});
      auto inputs = makeInputs(kernel, 3);
      EXPECT_EQ(check(kernel, inputs), "") << rate;
      std::vector<Tensor> y = runKernel(kernel, inputs);
      EXPECT_EQ(y[0].reals, std::vector<double>(y[0].reals.size(), 0)) << rate;
    }
  }
}

/// The loss and its gradient, of images whose logits are all `logit`, of
/// `classes` classes.
void expectUniform(double logit, int64_t classes) {
  TensorType logits = f32({-1, 1, 1, classes}), labels = i64({-1});
  Kernel loss = oneOp("softmax_cross_entropy", {logits, labels}, {f32({1})});
  Kernel backward = oneOp("softmax_cross_entropy_backward", {logits, labels},
                          {logits}, {{"weight", 1.0}});
  auto inputs = makeInputs(loss, 2);
  inputs[0].reals.assign(inputs[0].reals.size(), logit);
  for (int64_t &label : inputs[1].integers)
    label %= classes;
  for (bool plain : {false, true})
    EXPECT_NEAR(runKernel(loss, inputs, plain)[0].reals[0],
                std::log(double(classes)), 1e-6 * std::log(double(classes)))
        << logit << " " << classes << " plain " << plain;
  EXPECT_EQ(check(backward, inputs), "") << logit;
}

TEST(Loss, LargeLogitsLoseNoDigits) {
  for (double logit : {1e5, -1e5, 1e6, 1e8, 3e38})
    expectUniform(logit, 3);
  expectUniform(1e6, 1000);
  expectUniform(-1e8, 21841);
}

TEST(Loss, InfiniteLogits) {
  const double infinity = std::numeric_limits<double>::infinity();
  TensorType logits = f32({-1, 1, 1, 20}), labels = i64({-1});
  Kernel loss = oneOp("softmax_cross_entropy", {logits, labels}, {f32({1})});
  Kernel backward = oneOp("softmax_cross_entropy_backward", {logits, labels},
                          {logits}, {{"weight", 1.0}});
  for (double logit : {infinity, -infinity}) {
    auto inputs = makeInputs(loss, 2);
    inputs[0].reals[17] = logit;
    EXPECT_EQ(check(loss, inputs), "") << logit;
    EXPECT_EQ(check(backward, inputs), "") << logit;
  }
}

/// Sums of many terms, all positive, so that what rounding loses adds up.
TEST(LongSums, LoseFewDigits) {
  TargetInfo target = testTarget(512);
  auto run = [&](ConvKind kind, const ConvShape &shape, int64_t batch) {
    int64_t block = device() == Device::Cpu ? 16 : 0; // a device's own
    Kernel kernel = convKernel(kind, shape, target, block);
    return check(kernel, makeInputs(kernel, batch, {0, 1}), 1e-6);
  };
  ConvShape flattened{64, 64, 32, 3, 1, {64, 64}, {1, 1}, {0, 0, 0, 0}, {1, 1}};
  EXPECT_EQ(run(ConvKind::Forward, flattened, 1), "");
  ConvShape prime{1, 1, 32749, 19, 1, {1, 1}, {1, 1}, {0, 0, 0, 0}, {1, 1}};
  EXPECT_EQ(run(ConvKind::Forward, prime, 5), "");
  ConvShape wide{3, 2, 4099, 3, 1, {3, 3}, {1, 1}, {1, 1, 1, 1}, {1, 1}};
  EXPECT_EQ(run(ConvKind::Forward, wide, 1), "");
  ConvShape columns{1, 3067, 3, 4, 1, {1, 3061}, {1, 1}, {0, 0, 0, 0}, {1, 1}};
  EXPECT_EQ(run(ConvKind::Forward, columns, 2), "");
  ConvShape toMany{2, 2, 3, 32768, 1, {2, 2}, {1, 1}, {0, 0, 0, 0}, {1, 1}};
  EXPECT_EQ(run(ConvKind::BackwardData, toMany, 3), "");
  ConvShape strided{3, 4, 4, 9998, 1, {3, 3}, {2, 2}, {1, 1, 1, 1}, {1, 1}};
  EXPECT_EQ(run(ConvKind::BackwardData, strided, 1), "");
  ConvShape grouped{2, 3, 8, 20000, 2, {1, 1}, {1, 1}, {0, 0, 0, 0}, {1, 1}};
  EXPECT_EQ(run(ConvKind::BackwardData, grouped, 1), "");
}

// As long as those of usual networks.
TEST(LongSums, OfConvolutionsAreCut) {
  TargetInfo target = testTarget(512);
  auto run = [&](ConvKind kind, const ConvShape &shape, int64_t batch,
                 double tolerance) {
    // A device's sums are cut in fewer parts.
    if (device() != Device::Cpu)
      tolerance = 1e-6;
    Kernel kernel = convKernel(kind, shape, target);
    return check(kernel, makeInputs(kernel, batch, {0, 1}), tolerance);
  };
  ConvShape dense{3, 3, 512, 24, 1, {3, 3}, {1, 1}, {1, 1, 1, 1}, {1, 1}};
  EXPECT_EQ(run(ConvKind::Forward, dense, 1, 5e-7), "");
  ConvShape pointwise{2, 2, 1024, 24, 1, {1, 1}, {1, 1}, {0, 0, 0, 0}, {1, 1}};
  EXPECT_EQ(run(ConvKind::Forward, pointwise, 1, 5e-7), "");
  // Filter gradients, groups innermost: rows that strips divide and do not.
  for (int64_t height : {112, 61}) {
    ConvShape depthwise{height, 40,     17,           17,    17,
                        {1, 1}, {1, 1}, {0, 0, 0, 0}, {1, 1}};
    EXPECT_EQ(run(ConvKind::BackwardFilter, depthwise, 17, 3e-7), "");
    ConvShape grouped{height, 40,           12,     24, 4, {3, 3},
                      {1, 1}, {1, 1, 1, 1}, {1, 1}, 4,  4};
    EXPECT_EQ(run(ConvKind::BackwardFilter, grouped, 9, 3e-7), "");
  }
  ConvShape large{29,     31,           96,     96, 6, {7, 7},
                  {1, 1}, {3, 3, 3, 3}, {1, 1}, 6,  6};
  Kernel kernel = convKernel(ConvKind::BackwardFilter, large, target);
  EXPECT_EQ(check(kernel, makeInputs(kernel, 2, {0, 1}), 5e-7), "");
}

TEST(LongSums, OfLargeAveragesLoseFewDigits) {
  AttributeMap window = {
      {"kernel", Integers{90, 90}},  {"stride", Integers{1, 1}},
      {"pad", Integers{0, 0, 0, 0}}, {"output", Integers{2, 91}},
      {"input", Integers{91, 180}},  {"exclude_pad", int64_t(1)}};
  TensorType x = f32({-1, 91, 180, 3}), y = f32({-1, 2, 91, 3});
  Kernel forward = oneOp("average_pool", {x}, {y}, window);
  EXPECT_EQ(check(forward, makeInputs(forward, 1, {0}), 3e-7), "");
  window["output"] = Integers{91, 91};
  window["input"] = Integers{180, 180};
  TensorType dx = f32({-1, 180, 180, 1}), dy = f32({-1, 91, 91, 1});
  Kernel backward = oneOp("average_pool_backward", {dy}, {dx}, window);
  EXPECT_EQ(check(backward, makeInputs(backward, 1, {0}), 3e-7), "");
}

/// A mean that dwarfs the deviation, through all of batch norm.
TEST(BatchNorm, LargeMeansLoseNoDigits) {
  TensorType x = f32({-1, 9, 7, 24}), v = f32({24});
  AttributeMap epsilon = {{"epsilon", 1e-5}};
  KernelBuilder normalize;
  for (const TensorType &type : {x, v, v, v, v})
    normalize.input(type);
  auto y = normalize.op("batch_norm_normalize", {0, 1, 2, 3, 4}, {x}, epsilon);
  normalize.op("relu", y, {x});
  Kernel statistics = oneOp("batch_norm_statistics", {x}, {v, v, v});
  Kernel reduce =
      oneOp("batch_norm_backward_reduce", {x, x, v, v}, {v, v, v, v}, epsilon);
  Kernel data =
      oneOp("batch_norm_backward_data", {x, x, v, v, v, v, v}, {x}, epsilon);
  auto far = [](std::vector<Tensor> inputs, std::vector<size_t> which) {
    for (size_t i : which)
      for (double &value : inputs[i].reals)
        value = 4096 + std::round(value * 128) / 128;
    return inputs;
  };
  EXPECT_EQ(check(normalize.kernel,
                  far(makeInputs(normalize.kernel, 3, {2}), {0, 1})),
            "");
  EXPECT_EQ(check(statistics, far(makeInputs(statistics, 3), {0})), "");
  EXPECT_EQ(check(reduce, far(makeInputs(reduce, 3, {3}), {1, 2}), 4e-6), "");
  EXPECT_EQ(check(data, far(makeInputs(data, 3, {3}), {1, 2}), 4e-6), "");
}

} // namespace
