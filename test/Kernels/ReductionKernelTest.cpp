//===- ReductionKernelTest.cpp - Reductions, pools, losses ----------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Halide.h"
#include "rootc/model.h"
#include "test/Kernels/KernelHarness.h"

#include <cmath>
#include <gtest/gtest.h>

using namespace rootc::test;

namespace {

using Integers = std::vector<int64_t>;

struct Map {
  int64_t batch, height, width, channels;
  TensorType type() const { return f32({-1, height, width, channels}); }
  TensorType vector() const { return f32({channels}); }
};

const Map maps[] = {{1, 1, 1, 1},   {5, 7, 5, 3},  {5, 1, 1, 10},
                    {1, 9, 13, 24}, {5, 7, 3, 37}, {1, 33, 5, 192},
                    {5, 2, 2, 160}, {5, 11, 8, 6}, {2, 64, 31, 16}};

class Reduction : public ::testing::TestWithParam<Map> {
protected:
  Map map = GetParam();
  std::string run(const Kernel &kernel, std::vector<size_t> positive = {}) {
    return check(kernel, makeInputs(kernel, map.batch, positive), 4e-6);
  }
};

TEST_P(Reduction, ChannelSum) {
  TensorType x = map.type(), v = map.vector();
  EXPECT_EQ(run(oneOp("channel_sum", {x}, {v})), "");
  KernelBuilder fused;
  fused.input(x);
  fused.input(x);
  auto masked = fused.op("relu_backward", {0, 1}, {x});
  fused.op("channel_sum", masked, {v});
  EXPECT_EQ(run(fused.kernel), "");
}

TEST_P(Reduction, Statistics) {
  TensorType x = map.type(), v = map.vector();
  Kernel kernel = oneOp("batch_norm_statistics", {x}, {v, v, v});
  auto inputs = makeInputs(kernel, map.batch, {0});
  EXPECT_EQ(check(kernel, inputs, 1e-5), "");
  // A mean that dwarfs the deviation; its values are exact floats.
  for (double &value : inputs[0].reals)
    value = 100 + std::round(value * 128) / 128;
  EXPECT_EQ(check(kernel, inputs, 1e-5), "");
}

TEST_P(Reduction, PartialStatistics) {
  TensorType x = map.type(), v = map.vector();
  TensorType partials = f32({-1, 2, map.channels});
  Kernel partial = oneOp("batch_norm_partial", {x}, {partials});
  EXPECT_EQ(check(partial, makeInputs(partial, map.batch, {0}), 1e-5), "");
  EXPECT_EQ(run(oneOp("batch_norm_combine", {partials}, {v, v, v},
                      {{"count", map.height * map.width}})),
            "");
}

TEST_P(Reduction, BatchNormBackward) {
  TensorType x = map.type(), v = map.vector();
  EXPECT_EQ(run(oneOp("batch_norm_backward_reduce", {x, x, v, v}, {v, v, v, v},
                      {{"epsilon", 1e-5}}),
                {3}),
            "");
  KernelBuilder fused;
  for (int i = 0; i < 5; ++i)
    fused.input(i < 3 ? x : v); // dy, y, x, mean, variance
  auto masked = fused.op("relu_backward", {0, 1}, {x});
  fused.op("batch_norm_backward_reduce", {masked[0], 2, 3, 4}, {v, v, v, v},
           {{"epsilon", 1e-5}});
  EXPECT_EQ(run(fused.kernel, {4}), "");
}

TEST_P(Reduction, GlobalAveragePool) {
  TensorType x = map.type(), y = f32({-1, 1, 1, map.channels});
  AttributeMap input = {{"input", Integers{map.height, map.width}}};
  EXPECT_EQ(run(oneOp("global_average_pool", {x}, {y}, input)), "");
  EXPECT_EQ(run(oneOp("global_average_pool_backward", {y}, {x}, input)), "");
}

TEST_P(Reduction, LocalResponseNorm) {
  TensorType x = map.type();
  for (int64_t size : {1, 4, 5}) {
    AttributeMap attributes = {
        {"size", size}, {"alpha", 0.3}, {"beta", 0.75}, {"k", 2.0}};
    EXPECT_EQ(run(oneOp("local_response_norm", {x}, {x}, attributes)), "");
    EXPECT_EQ(
        run(oneOp("local_response_norm_backward", {x, x}, {x}, attributes)),
        "");
  }
  // With the gradient of a ReLU before it.
  KernelBuilder builder;
  for (int i = 0; i < 2; ++i)
    builder.input(x);
  auto dx = builder.op(
      "local_response_norm_backward", {0, 1}, {x},
      {{"size", int64_t(5)}, {"alpha", 0.3}, {"beta", 0.75}, {"k", 2.0}});
  builder.op("relu_backward", {dx[0], 1}, {x});
  EXPECT_EQ(run(builder.kernel), "");
  // All channels, however many more there could be.
  AttributeMap wide = {
      {"size", 2147483647}, {"alpha", 0.3e9}, {"beta", 0.75}, {"k", 2.0}};
  EXPECT_EQ(run(oneOp("local_response_norm", {x}, {x}, wide)), "");
  EXPECT_EQ(run(oneOp("local_response_norm_backward", {x, x}, {x}, wide)), "");
}

TEST_P(Reduction, SoftmaxCrossEntropy) {
  TensorType logits = f32({-1, 1, 1, map.channels + 3}), labels = i64({-1});
  Kernel loss = oneOp("softmax_cross_entropy", {logits, labels}, {f32({1})});
  auto inputs = makeInputs(loss, map.batch);
  EXPECT_EQ(check(loss, inputs), "");
  Kernel backward = oneOp("softmax_cross_entropy_backward", {logits, labels},
                          {logits}, {{"weight", 0.3}});
  EXPECT_EQ(check(backward, inputs), "");
  std::vector<double> counts;
  for (int64_t k = 0; k < map.channels + 3; ++k)
    counts.push_back(0.25 + double(k % 4));
  std::vector<AttributeMap> likes = {
      {{"smoothing", 0.2}, {"class_weights", counts}}};
  if (map.batch == 2) { // one by one, which need not be tried on every map
    likes.push_back({{"smoothing", 0.2}});
    likes.push_back({{"class_weights", counts}});
  }
  std::vector<Kernel> kernels = {loss, backward};
  for (AttributeMap attributes : likes) {
    kernels.push_back(oneOp("softmax_cross_entropy", {logits, labels},
                            {f32({1})}, attributes));
    attributes["weight"] = 0.3;
    kernels.push_back(oneOp("softmax_cross_entropy_backward", {logits, labels},
                            {logits}, attributes));
  }
  for (const Kernel &kernel : kernels)
    EXPECT_EQ(check(kernel, inputs), "");
  auto mixed = inputs;
  for (int64_t n = 0; n < map.batch; ++n) // the first has no share
    mixed[1].integers[n] =
        ROOTC_MIXED_LABEL(inputs[1].integers[n], n % (map.channels + 3),
                          n * ((1 << ROOTC_LABEL_BITS) - 1) / 4);
  for (const Kernel &kernel : kernels)
    EXPECT_EQ(check(kernel, mixed), "");
  for (double &value : inputs[0].reals)
    value = static_cast<float>(
        value * 200); // overflows exp() unless the largest is taken off
  for (const Kernel &kernel : kernels)
    EXPECT_EQ(check(kernel, inputs), "");
}

INSTANTIATE_TEST_SUITE_P(Maps, Reduction, ::testing::ValuesIn(maps));

struct Pool {
  Map map;
  Integers kernel, stride, pad, output;
  AttributeMap attributes() const {
    return {{"kernel", kernel},
            {"stride", stride},
            {"pad", pad},
            {"output", output},
            {"input", Integers{map.height, map.width}}};
  }
  TensorType result(ElementType element) const {
    return {element, {-1, output[0], output[1], map.channels}};
  }
};

const Pool pools[] = {
    {{5, 32, 8, 192}, {3, 3}, {2, 2}, {0, 0, 0, 0}, {16, 4}}, // rounded up
    {{1, 7, 5, 3}, {3, 3}, {2, 2}, {1, 1, 1, 1}, {4, 3}},
    {{5, 7, 9, 10}, {2, 3}, {2, 1}, {0, 1, 0, 1}, {4, 9}},
    {{5, 8, 8, 24}, {3, 3}, {1, 1}, {1, 1, 1, 1}, {8, 8}},
    {{1, 5, 5, 6}, {2, 2}, {3, 3}, {0, 0, 0, 0}, {2, 2}}, // skips pixels
    {{5, 1, 1, 1}, {1, 1}, {1, 1}, {0, 0, 0, 0}, {1, 1}},
    {{1, 11, 6, 37}, {5, 4}, {2, 3}, {2, 1, 1, 2}, {5, 2}},
    {{3, 8, 10, 19}, {3, 3}, {2, 2}, {0, 0, 1, 1}, {4, 5}}, // TensorFlow SAME
    {{2, 8, 10, 5}, {3, 3}, {4, 3}, {1, 0, 0, 1}, {3, 4}},  // rounded up
    {{2, 4, 5, 16}, {3, 3}, {3, 3}, {0, 0, 1, 2}, {2, 2}},  // one dropped
    {{1, 6, 3, 33}, {3, 3}, {1, 1}, {2, 0, 0, 2}, {6, 3}},
    {{2, 18, 18, 5}, {18, 18}, {1, 1}, {0, 0, 0, 0}, {1, 1}}, // the whole map
    {{1, 21, 17, 9}, {20, 15}, {2, 1}, {1, 1, 0, 1}, {2, 5}},
    // A stride that is not made may be of any size.
    {{2, 4, 4, 7}, {2, 2}, {2147483647, 2147483647}, {0, 0, 0, 0}, {1, 1}},
    {{2, 6, 5, 16}, {3, 2}, {1 << 30, 2}, {1, 0, 0, 0}, {1, 2}}};

class Pools : public ::testing::TestWithParam<Pool> {};

TEST_P(Pools, Maximum) {
  Pool p = GetParam();
  TensorType x = p.map.type(), y = p.result(ElementType::F32),
             index =
                 p.result(p.kernel[0] * p.kernel[1] > 256 ? ElementType::I32
                                                          : ElementType::U8);
  Kernel plain = oneOp("max_pool", {x}, {y}, p.attributes());
  EXPECT_EQ(check(plain, makeInputs(plain, p.map.batch)), "");
  Kernel kernel = oneOp("max_pool_with_index", {x}, {y, index}, p.attributes());
  auto inputs = makeInputs(kernel, p.map.batch);
  EXPECT_EQ(check(kernel, inputs), "");
  Kernel backward = oneOp("max_pool_backward", {y, index}, {x}, p.attributes());
  auto gradients = makeInputs(backward, p.map.batch);
  gradients[1] = rootc::reference::evaluate(kernel, inputs)[1];
  EXPECT_EQ(check(backward, gradients), "");
  // Ties, as after a ReLU: the first of the largest wins.
  for (double &value : inputs[0].reals)
    value = value > 0.5 ? 1 : 0;
  EXPECT_EQ(check(kernel, inputs), "");
}

TEST_P(Pools, Average) {
  Pool p = GetParam();
  TensorType x = p.map.type(), y = p.result(ElementType::F32);
  for (int64_t excludePad : {0, 1}) {
    AttributeMap attributes = p.attributes();
    attributes["exclude_pad"] = excludePad;
    Kernel kernel = oneOp("average_pool", {x}, {y}, attributes);
    EXPECT_EQ(check(kernel, makeInputs(kernel, p.map.batch)), "");
    Kernel backward = oneOp("average_pool_backward", {y}, {x}, attributes);
    EXPECT_EQ(check(backward, makeInputs(backward, p.map.batch)), "");
  }
}

TEST_P(Pools, WithEpilogue) {
  Pool p = GetParam();
  KernelBuilder builder;
  builder.input(p.map.type());
  TensorType y = p.result(ElementType::F32);
  auto pooled = builder.op("max_pool", {0}, {y}, p.attributes());
  auto rectified = builder.op("relu", pooled, {y});
  builder.op("add", {rectified[0], pooled[0]}, {y});
  EXPECT_EQ(check(builder.kernel, makeInputs(builder.kernel, p.map.batch)), "");
}

TEST_P(Pools, BehindBatchNorm) {
  Pool p = GetParam();
  TensorType x = p.map.type(), y = p.result(ElementType::F32),
             index =
                 p.result(p.kernel[0] * p.kernel[1] > 256 ? ElementType::I32
                                                          : ElementType::U8);
  KernelBuilder builder;
  builder.input(x);
  for (int i = 1; i < 5; ++i)
    builder.input(p.map.vector());
  auto normal = builder.op("batch_norm_normalize", {0, 1, 2, 3, 4}, {x},
                           {{"epsilon", 1e-5}});
  auto rectified = builder.op("relu", normal, {x});
  builder.op("max_pool_with_index", rectified, {y, index}, p.attributes());
  EXPECT_EQ(check(builder.kernel, makeInputs(builder.kernel, p.map.batch, {2})),
            "");
}

INSTANTIATE_TEST_SUITE_P(Windows, Pools, ::testing::ValuesIn(pools));

TEST(Threads, SameBits) {
  TensorType x = f32({-1, 33, 5, 48}), v = f32({48});
  Kernel statistics = oneOp("batch_norm_statistics", {x}, {v, v, v});
  Kernel backward = oneOp("batch_norm_backward_reduce", {x, x, v, v},
                          {v, v, v, v}, {{"epsilon", 1e-5}});
  for (const Kernel &kernel : {statistics, backward}) {
    auto inputs = makeInputs(kernel, 7, {3});
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

// The checks see what they are for: one wrong variant of each family.
TEST(Sabotage, Reductions) {
  TensorType x = f32({-1, 5, 7, 6}), v = f32({6});
  Kernel meant = oneOp("batch_norm_backward_reduce", {x, x, v, v}, {v, v, v, v},
                       {{"epsilon", 1e-5}});
  Kernel swapped = meant;
  std::swap(swapped.ops[0].operands[0], swapped.ops[0].operands[1]);
  EXPECT_NE(checkAs(swapped, meant, makeInputs(meant, 5, {3})), "");

  Kernel combine = oneOp("batch_norm_combine", {f32({-1, 2, 6})}, {v, v, v},
                         {{"count", int64_t(35)}});
  Kernel miscounted = combine;
  miscounted.ops[0].attributes["count"] = int64_t(36);
  EXPECT_NE(checkAs(miscounted, combine, makeInputs(combine, 5)), "");
}

TEST(Sabotage, Pools) {
  Pool p = pools[1];
  Kernel meant = oneOp("max_pool", {p.map.type()}, {p.result(ElementType::F32)},
                       p.attributes());
  Kernel shifted = meant;
  shifted.ops[0].attributes["pad"] = Integers{0, 1, 1, 1};
  EXPECT_NE(checkAs(shifted, meant, makeInputs(meant, 5)), "");

  AttributeMap attributes = p.attributes();
  attributes["exclude_pad"] = int64_t(0);
  Kernel average = oneOp("average_pool", {p.map.type()},
                         {p.result(ElementType::F32)}, attributes);
  Kernel other = average;
  other.ops[0].attributes["exclude_pad"] = int64_t(1);
  EXPECT_NE(checkAs(other, average, makeInputs(average, 5)), "");
}

TEST(Sabotage, LossAndNorm) {
  TensorType logits = f32({-1, 1, 1, 10});
  Kernel meant = oneOp("softmax_cross_entropy_backward", {logits, i64({-1})},
                       {logits}, {{"weight", 1.0}});
  Kernel weighted = meant;
  weighted.ops[0].attributes["weight"] = 0.9;
  EXPECT_NE(checkAs(weighted, meant, makeInputs(meant, 5)), "");

  TensorType x = f32({-1, 3, 3, 12});
  Kernel norm =
      oneOp("local_response_norm", {x}, {x},
            {{"size", int64_t(5)}, {"alpha", 0.3}, {"beta", 0.75}, {"k", 2.0}});
  Kernel narrow = norm;
  narrow.ops[0].attributes["size"] = int64_t(4);
  EXPECT_NE(checkAs(narrow, norm, makeInputs(norm, 5)), "");
}

} // namespace
