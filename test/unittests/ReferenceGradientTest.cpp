//===- ReferenceGradientTest.cpp - The oracle against finite differences --===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ReferenceHelpers.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>

using namespace rootc::reference;
using rootc::codegen::AttributeMap;
using rootc::codegen::ElementType;

namespace {

using Forward = std::function<Tensor(const Tensor &)>;

double dot(const Tensor &a, const Tensor &b) {
  EXPECT_EQ(a.shape(), b.shape());
  double sum = 0;
  for (int64_t i = 0; i < a.size(); ++i)
    sum += a.reals[i] * b.reals[i];
  return sum;
}

/// Compares `gradient`, claimed to be that of dot(dy, forward(x)) at `at`,
/// with central differences.
void expectGradient(const Forward &forward, const Tensor &at, const Tensor &dy,
                    const Tensor &gradient) {
  ASSERT_EQ(gradient.shape(), at.shape());
  double step = 1e-5, largest = 0;
  for (double value : gradient.reals)
    largest = std::max(largest, std::abs(value));
  EXPECT_GT(largest, 0);
  for (int64_t i = 0; i < at.size(); ++i) {
    Tensor moved = at;
    moved.reals[i] = at.reals[i] + step;
    double above = dot(dy, forward(moved));
    moved.reals[i] = at.reals[i] - step;
    double below = dot(dy, forward(moved));
    ASSERT_NEAR((above - below) / (2 * step), gradient.reals[i],
                1e-7 * (1 + largest))
        << "element " << i;
  }
}

class Convolutions : public testing::TestWithParam<ConvCase> {};

TEST_P(Convolutions, BackwardMatchesFiniteDifferences) {
  ConvCase conv = GetParam();
  Tensor x = randomTensor(conv.inputShape(), 1);
  Tensor filter = randomTensor(conv.filterShape(), 2);
  Tensor y = conv.forward(x, filter), dy = randomTensor(y.shape(), 3);
  expectGradient([&](const Tensor &v) { return conv.forward(v, filter); }, x,
                 dy, conv.backwardData(dy, filter));
  expectGradient([&](const Tensor &v) { return conv.forward(x, v); }, filter,
                 dy, conv.backwardFilter(x, dy));
  Tensor bias = randomTensor({conv.filters}, 4);
  expectGradient(
      [&](const Tensor &v) {
        return apply("conv2d", conv.attributes(),
                     {x, conv.pack(filter, "forward"), v});
      },
      bias, dy, apply("channel_sum", {}, {dy}));
}

INSTANTIATE_TEST_SUITE_P(
    Reference, Convolutions,
    testing::Values(
        ConvCase{2, 5, 7, 3, 5}, ConvCase{1, 1, 1, 4, 3, {1, 1}},
        ConvCase{2, 6, 5, 6, 9, {3, 2}, {2, 3}, {1, 0, 2, 1}, {1, 1}, 3, 3},
        // Two whole groups of a block; the last block is half empty.
        ConvCase{1, 5, 5, 6, 6, {3, 3}, {2, 2}, {1, 1, 1, 1}, {1, 1}, 3, 4},
        ConvCase{1, 7, 6, 5, 5, {3, 3}, {1, 1}, {2, 2, 2, 2}, {2, 2}, 5, 4},
        // A stride that leaves the last rows unread.
        ConvCase{2, 6, 6, 2, 4, {1, 1}, {4, 4}, {0, 0, 0, 0}, {1, 1}, 2, 8}));

class Pools : public testing::TestWithParam<AttributeMap> {};

TEST_P(Pools, BackwardMatchesFiniteDifferences) {
  AttributeMap attributes = GetParam();
  auto input = std::get<Shape>(attributes.at("input"));
  Tensor x = randomTensor({2, input[0], input[1], 3}, 1);
  auto maximum = evaluate(makeOp("max_pool_with_index", attributes), {x});
  Tensor dy = randomTensor(maximum[0].shape(), 2);
  EXPECT_EQ(apply("max_pool", attributes, {x}).reals, maximum[0].reals);
  expectGradient(
      [&](const Tensor &v) { return apply("max_pool", attributes, {v}); }, x,
      dy, apply("max_pool_backward", attributes, {dy, maximum[1]}));
  for (int64_t exclude : {0, 1}) {
    attributes["exclude_pad"] = exclude;
    expectGradient(
        [&](const Tensor &v) { return apply("average_pool", attributes, {v}); },
        x, dy, apply("average_pool_backward", attributes, {dy}));
  }
}

INSTANTIATE_TEST_SUITE_P(
    Reference, Pools,
    testing::Values(AttributeMap{{"kernel", Shape{3, 3}},
                                 {"stride", Shape{2, 2}},
                                 {"pad", Shape{0, 0, 0, 0}},
                                 {"input", Shape{6, 8}},
                                 {"output", Shape{3, 4}}}, // ceil
                    AttributeMap{{"kernel", Shape{3, 2}},
                                 {"stride", Shape{1, 3}},
                                 {"pad", Shape{1, 1, 2, 0}},
                                 {"input", Shape{5, 7}},
                                 {"output", Shape{6, 3}}},
                    AttributeMap{{"kernel", Shape{1, 1}},
                                 {"stride", Shape{1, 1}},
                                 {"pad", Shape{0, 0, 0, 0}},
                                 {"input", Shape{1, 1}},
                                 {"output", Shape{1, 1}}}));

TEST(ReferenceGradients, GlobalAveragePool) {
  Tensor x = randomTensor({2, 3, 5, 4}, 1), dy = randomTensor({2, 1, 1, 4}, 2);
  AttributeMap attributes{{"input", Shape{3, 5}}};
  expectGradient(
      [&](const Tensor &v) {
        return apply("global_average_pool", attributes, {v});
      },
      x, dy, apply("global_average_pool_backward", attributes, {dy}));
}

TEST(ReferenceGradients, BatchNorm) {
  AttributeMap epsilon{{"epsilon", 1e-3}};
  Tensor x = randomTensor({3, 2, 5, 4}, 1), scale = randomTensor({4}, 2),
         offset = randomTensor({4}, 3), dy = randomTensor(x.shape(), 4);
  auto forward = [&](const Tensor &x, const Tensor &scale,
                     const Tensor &offset) {
    auto s = evaluate(makeOp("batch_norm_statistics", {}), {x});
    return apply("batch_norm_normalize", epsilon,
                 {x, s[0], s[1], scale, offset});
  };
  auto s = evaluate(makeOp("batch_norm_statistics", {}), {x});
  auto r = evaluate(makeOp("batch_norm_backward_reduce", epsilon),
                    {dy, x, s[0], s[1]});
  expectGradient([&](const Tensor &v) { return forward(x, v, offset); }, scale,
                 dy, r[0]);
  expectGradient([&](const Tensor &v) { return forward(x, scale, v); }, offset,
                 dy, r[1]);
  expectGradient([&](const Tensor &v) { return forward(v, scale, offset); }, x,
                 dy,
                 apply("batch_norm_backward_data", epsilon,
                       {dy, x, s[0], s[1], scale, r[2], r[3]}));
}

TEST(ReferenceGradients, LayerNorm) {
  AttributeMap epsilon{{"epsilon", 1e-3}};
  Tensor x = randomTensor({3, 2, 5, 4}, 1), scale = randomTensor({4}, 2),
         offset = randomTensor({4}, 3), dy = randomTensor(x.shape(), 4);
  auto forward = [&](const Tensor &x, const Tensor &scale,
                     const Tensor &offset) {
    return apply("layer_norm", epsilon, {x, scale, offset});
  };
  auto r = evaluate(makeOp("layer_norm_backward_reduce", epsilon), {dy, x});
  expectGradient([&](const Tensor &v) { return forward(x, v, offset); }, scale,
                 dy, r[0]);
  expectGradient([&](const Tensor &v) { return forward(x, scale, v); }, offset,
                 dy, r[1]);
  expectGradient([&](const Tensor &v) { return forward(v, scale, offset); }, x,
                 dy,
                 apply("layer_norm_backward_data", epsilon, {dy, x, scale}));
}

TEST(ReferenceGradients, GroupNorm) {
  for (int64_t groups : {1, 2, 6}) {
    AttributeMap attributes{{"groups", groups}, {"epsilon", 1e-3}};
    Tensor x = randomTensor({3, 2, 5, 6}, 1), scale = randomTensor({6}, 2),
           offset = randomTensor({6}, 3), dy = randomTensor(x.shape(), 4);
    auto forward = [&](const Tensor &x, const Tensor &scale,
                       const Tensor &offset) {
      auto s = evaluate(makeOp("group_norm_statistics", attributes), {x});
      return apply("group_norm_normalize", {}, {x, s[0], s[1], scale, offset});
    };
    auto s = evaluate(makeOp("group_norm_statistics", attributes), {x});
    auto r =
        evaluate(makeOp("group_norm_backward_reduce", {{"groups", groups}}),
                 {dy, x, s[0], s[1], scale});
    expectGradient([&](const Tensor &v) { return forward(x, v, offset); },
                   scale, dy, apply("channel_sum", {}, {r[0]}));
    expectGradient([&](const Tensor &v) { return forward(x, scale, v); },
                   offset, dy, apply("channel_sum", {}, {r[1]}));
    expectGradient([&](const Tensor &v) { return forward(v, scale, offset); },
                   x, dy,
                   apply("group_norm_backward_data", {},
                         {dy, x, s[0], s[1], scale, r[2], r[3]}));
  }
}

TEST(ReferenceGradients, Resample) {
  struct Case {
    std::string mode, coordinates, round;
  };
  for (const Case &c : {Case{"nearest", "asymmetric", "floor"},
                        Case{"nearest", "half_pixel", "round_prefer_ceil"},
                        Case{"bilinear", "half_pixel", "floor"},
                        Case{"bilinear", "align_corners", "floor"},
                        Case{"average", "half_pixel", "floor"}}) {
    AttributeMap attributes{{"input", Shape{3, 5}},
                            {"output", Shape{7, 4}},
                            {"mode", c.mode},
                            {"coordinates", c.coordinates},
                            {"round", c.round}};
    Tensor x = randomTensor({2, 3, 5, 2}, 1),
           dy = randomTensor({2, 7, 4, 2}, 2);
    expectGradient(
        [&](const Tensor &v) { return apply("resample", attributes, {v}); }, x,
        dy, apply("resample_backward", attributes, {dy}));
  }
}

TEST(ReferenceGradients, OneValueAPosition) {
  Tensor x = randomTensor({2, 3, 2, 5}, 1), dy = randomTensor({2, 3, 2, 1}, 2);
  expectGradient(
      [&](const Tensor &v) { return apply("channel_mean", {}, {v}); }, x, dy,
      apply("channel_mean_backward", {{"channels", int64_t(5)}}, {dy}));
  expectGradient([&](const Tensor &v) { return apply("channel_max", {}, {v}); },
                 x, dy,
                 apply("channel_max_backward", {},
                       {dy, x, apply("channel_max", {}, {x})}));
}

TEST(ReferenceGradients, BranchSoftmax) {
  AttributeMap attributes{{"branches", int64_t(3)}};
  Tensor x = randomTensor({2, 1, 2, 6}, 1), dy = randomTensor(x.shape(), 2);
  Tensor y = apply("branch_softmax", attributes, {x});
  expectGradient(
      [&](const Tensor &v) { return apply("branch_softmax", attributes, {v}); },
      x, dy, apply("branch_softmax_backward", attributes, {dy, y}));
}

TEST(ReferenceGradients, LocalResponseNorm) {
  for (int64_t size : {1, 3, 4, 5, 9}) {
    AttributeMap attributes{
        {"size", size}, {"alpha", 0.7}, {"beta", 0.75}, {"k", 1.5}};
    Tensor x = randomTensor({2, 1, 3, 7}, 1), dy = randomTensor(x.shape(), 2);
    expectGradient(
        [&](const Tensor &v) {
          return apply("local_response_norm", attributes, {v});
        },
        x, dy, apply("local_response_norm_backward", attributes, {dy, x}));
  }
}

TEST(ReferenceGradients, SoftmaxCrossEntropy) {
  Tensor logits = randomTensor({4, 1, 1, 5}, 1);
  Tensor labels = Tensor::fromIntegers(ElementType::I64, {4}, {0, 4, 2, 2});
  Tensor weight({1}, {0.3});
  expectGradient(
      [&](const Tensor &v) {
        return apply("softmax_cross_entropy", {}, {v, labels});
      },
      logits, weight,
      apply("softmax_cross_entropy_backward", {{"weight", 0.3}},
            {logits, labels}));
  AttributeMap like = {
      {"smoothing", 0.2},
      {"class_weights", std::vector<double>{1, 2, 0.5, 3, 0.25}}};
  AttributeMap backward = like;
  backward["weight"] = 0.3;
  expectGradient(
      [&](const Tensor &v) {
        return apply("softmax_cross_entropy", like, {v, labels});
      },
      logits, weight,
      apply("softmax_cross_entropy_backward", backward, {logits, labels}));
}

TEST(ReferenceGradients, PointwiseOps) {
  Tensor x = randomTensor({3, 2, 3, 5}, 1), dy = randomTensor(x.shape(), 2);
  Tensor y = apply("relu", {}, {x});
  expectGradient([&](const Tensor &v) { return apply("relu", {}, {v}); }, x, dy,
                 apply("relu_backward", {}, {dy, y}));
  Tensor random = Tensor::fromIntegers(ElementType::I64, {2}, {7, 2});
  Tensor samples = Tensor::fromIntegers(ElementType::I64, {3}, {5, 0, 9});
  AttributeMap attributes{{"rate", 0.4}, {"ordinal", int64_t(1)}};
  auto dropout = [&](const Tensor &v) {
    return apply("dropout", attributes, {v, random, samples});
  };
  expectGradient(dropout, x, dy, dropout(dy));
}

TEST(ReferenceGradients, Activations) {
  Tensor x = randomTensor({3, 2, 3, 5}, 1), dy = randomTensor(x.shape(), 2);
  for (double &value : x.reals)
    value *= 3;
  struct Case {
    std::string name;
    AttributeMap attributes;
  };
  for (const Case &c :
       {Case{"clip", {{"min", -1.0}, {"max", 2.5}}},
        Case{"clip", {{"min", -1.0}}}, Case{"clip", {{"max", 2.5}}},
        Case{"sigmoid", {}},
        Case{"hard_sigmoid", {{"alpha", 0.2}, {"beta", 0.4}}},
        Case{"hard_swish", {}}, Case{"leaky_relu", {{"alpha", 0.1}}},
        Case{"elu", {{"alpha", 1.7}, {"scale", 1.05}, {"input_scale", 0.6}}},
        Case{"gelu", {{"form", std::string("erf")}}},
        Case{"gelu", {{"form", std::string("tanh")}}}, Case{"silu", {}},
        Case{"softplus", {}}, Case{"mish", {}}}) {
    bool ofInput = c.name == "hard_swish" || c.name == "gelu" ||
                   c.name == "silu" || c.name == "mish";
    Tensor y = apply(c.name, c.attributes, {x});
    expectGradient(
        [&](const Tensor &v) { return apply(c.name, c.attributes, {v}); }, x,
        dy, apply(c.name + "_backward", c.attributes, {dy, ofInput ? x : y}));
  }
}

TEST(ReferenceGradients, LearntSlopesAndScales) {
  Tensor x = randomTensor({3, 2, 3, 5}, 1), dy = randomTensor(x.shape(), 2);
  for (int64_t size : {int64_t(5), int64_t(1)}) {
    Tensor slope = randomTensor({size}, 3);
    expectGradient(
        [&](const Tensor &v) { return apply("prelu", {}, {v, slope}); }, x, dy,
        apply("prelu_backward", {}, {dy, x, slope}));
    Tensor product =
        apply("multiply", {}, {dy, apply("clip", {{"max", 0.0}}, {x})});
    if (size == 1)
      product =
          apply("reduce_sum", {{"over", std::string("image")}}, {product});
    expectGradient([&](const Tensor &v) { return apply("prelu", {}, {x, v}); },
                   slope, dy, apply("channel_sum", {}, {product}));
  }
  Tensor scale = randomTensor({5}, 3);
  expectGradient(
      [&](const Tensor &v) { return apply("scale_channels", {}, {v, scale}); },
      x, dy, apply("scale_channels", {}, {dy, scale}));
}

TEST(ReferenceGradients, BordersAndBlocks) {
  Tensor x = randomTensor({2, 4, 6, 4}, 1);
  auto expectUndone = [&](const std::string &name, AttributeMap attributes,
                          const std::string &backward, AttributeMap back) {
    Tensor dy = randomTensor(apply(name, attributes, {x}).shape(), 2);
    expectGradient(
        [&](const Tensor &v) { return apply(name, attributes, {v}); }, x, dy,
        apply(backward, back, {dy}));
  };
  expectUndone("pad", {{"pad", Shape{1, -2, -1, 3}}}, "pad",
               {{"pad", Shape{-1, 2, 1, -3}}});
  AttributeMap border{{"pad", Shape{3, 2, 1, 5}}};
  expectUndone("reflect_pad", border, "reflect_pad_backward", border);
  for (const char *mode : {"dcr", "crd"}) {
    AttributeMap blocks{{"block", int64_t(2)}, {"mode", std::string(mode)}};
    expectUndone("space_to_depth", blocks, "depth_to_space", blocks);
    expectUndone("depth_to_space", blocks, "space_to_depth", blocks);
  }
}

TEST(ReferenceGradients, StandardizedFilters) {
  Tensor w = randomTensor({3, 2, 3, 5}, 1), gain = randomTensor({3}, 2),
         ds = randomTensor(w.shape(), 3);
  AttributeMap epsilon{{"epsilon", 1e-3}};
  expectGradient(
      [&](const Tensor &v) {
        return apply("standardize_filter", epsilon, {v, gain});
      },
      w, ds, apply("standardize_filter_backward", epsilon, {ds, w, gain}));
  expectGradient(
      [&](const Tensor &v) {
        return apply("standardize_filter", epsilon, {w, v});
      },
      gain, ds, apply("standardize_gain_backward", epsilon, {ds, w}));
}

TEST(ReferenceGradients, Multiply) {
  Tensor a = randomTensor({2, 3, 4, 5}, 1), dy = randomTensor(a.shape(), 2);
  struct Case {
    Shape shape;
    std::string over;
  };
  for (const Case &c :
       {Case{{2, 3, 4, 5}, ""}, Case{{2, 1, 1, 5}, "map"},
        Case{{2, 3, 4, 1}, "channels"}, Case{{2, 1, 1, 1}, "image"}}) {
    Tensor b = randomTensor(c.shape, 3);
    expectGradient(
        [&](const Tensor &v) { return apply("multiply", {}, {v, b}); }, a, dy,
        apply("multiply", {}, {dy, b}));
    Tensor db = apply("multiply", {}, {dy, a});
    if (!c.over.empty())
      db = apply("reduce_sum", {{"over", c.over}}, {db});
    expectGradient(
        [&](const Tensor &v) { return apply("multiply", {}, {a, v}); }, b, dy,
        db);
  }
}

TEST(ReferenceGradients, ShuffleAndSlice) {
  Tensor x = randomTensor({2, 3, 1, 6}, 1), dy = randomTensor(x.shape(), 2);
  expectGradient(
      [&](const Tensor &v) {
        return apply("channel_shuffle", {{"groups", int64_t(2)}}, {v});
      },
      x, dy, apply("channel_shuffle", {{"groups", int64_t(3)}}, {dy}));
  AttributeMap slice{{"begin", int64_t(1)}, {"end", int64_t(4)}};
  Tensor part = randomTensor({2, 3, 1, 3}, 3);
  auto pad = makeOp("pad_channels", {{"begins", Shape{1}}});
  pad.results = {{ElementType::F32, {-1, 3, 1, 6}}};
  expectGradient(
      [&](const Tensor &v) { return apply("slice_channels", slice, {v}); }, x,
      part, evaluate(pad, {part})[0]);
}

TEST(ReferenceGradients, ConcatAndSlice) {
  Tensor a = randomTensor({2, 3, 1, 4}, 1), b = randomTensor({2, 3, 1, 3}, 2);
  Tensor dy = randomTensor({2, 3, 1, 7}, 3);
  expectGradient([&](const Tensor &v) { return apply("concat", {}, {a, v}); },
                 b, dy,
                 apply("slice_channels",
                       {{"begin", int64_t(4)}, {"end", int64_t(7)}}, {dy}));
}

} // namespace
