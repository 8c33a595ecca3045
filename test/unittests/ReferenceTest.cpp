//===- ReferenceTest.cpp - Values of the oracle, kernels, programs --------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ReferenceHelpers.h"
#include "codegen/MixedLabel.h"
#include "codegen/Philox.h"

#include <gtest/gtest.h>

#include <cmath>
#include <stdexcept>

using namespace rootc::reference;
using namespace rootc::codegen;

namespace {

using Values = std::vector<double>;
using Bytes = std::vector<int64_t>;

TEST(Philox, KnownAnswers) {
  using Four = std::array<uint32_t, 4>;
  EXPECT_EQ(philox({0, 0, 0, 0}, {0, 0}),
            (Four{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  uint32_t ones = 0xffffffff;
  EXPECT_EQ(philox({ones, ones, ones, ones}, {ones, ones}),
            (Four{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
                   {0xa4093822, 0x299f31d0}),
            (Four{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(Reference, ConvolutionByHand) {
  ConvCase conv{1, 2, 3, 1, 1, {2, 2}, {1, 2}, {1, 0, 0, 1}};
  Tensor x({1, 2, 3, 1}, {1, 2, 3, 4, 5, 6});
  Tensor filter({1, 2, 2, 1}, {1, 10, 100, 1000});
  Tensor y = conv.forward(x, filter);
  EXPECT_EQ(y.shape(), (Shape{1, 2, 2, 1}));
  EXPECT_EQ(y.reals, (Values{100 + 2000, 300, 1 + 20 + 400 + 5000, 3 + 600}));
}

TEST(Reference, GroupedConvolutionIsABlockDiagonalOne) {
  for (int64_t groups : {1, 2, 3, 6}) {
    ConvCase grouped{2,      5,     4, 6, 12, {3, 2}, {2, 1}, {1, 1, 0, 1},
                     {1, 2}, groups};
    ConvCase dense = grouped;
    dense.groups = 1;
    Tensor x = randomTensor(grouped.inputShape(), 1);
    Tensor filter = randomTensor(grouped.filterShape(), 2);
    Tensor diagonal({ElementType::F32, dense.filterShape()});
    int64_t outs = 12 / groups, ins = 6 / groups;
    for (int64_t o = 0; o < 12; ++o)
      for (int64_t ky = 0; ky < 3; ++ky)
        for (int64_t kx = 0; kx < 2; ++kx)
          for (int64_t i = 0; i < ins; ++i)
            diagonal.at(o, ky, kx, o / outs * ins + i) =
                filter.at(o, ky, kx, i);
    Tensor expected = dense.forward(x, diagonal),
           y = grouped.forward(x, filter);
    ASSERT_EQ(y.shape(), expected.shape());
    for (int64_t i = 0; i < y.size(); ++i)
      ASSERT_NEAR(y.reals[i], expected.reals[i], 1e-12);
  }
}

TEST(Reference, PackedFiltersByHand) {
  ConvCase conv{1, 1, 2, 1, 2, {1, 2}};
  Tensor filter({2, 1, 2, 1}, {1, 2, 3, 4});
  Tensor packed = conv.pack(filter, "forward");
  EXPECT_EQ(packed.shape(), (Shape{1, 1, 2, 1, 4}));
  EXPECT_EQ(packed.reals, (Values{1, 3, 0, 0, 2, 4, 0, 0}));
  packed = conv.pack(filter, "backward_data");
  EXPECT_EQ(packed.shape(), (Shape{1, 1, 2, 2, 4}));
  EXPECT_EQ(packed.reals,
            (Values{2, 0, 0, 0, 4, 0, 0, 0, 1, 0, 0, 0, 3, 0, 0, 0}));
}

// Orders change where channels lie, and nothing else.
TEST(Reference, ConvolutionsInChannelOrders) {
  auto shuffle = [](const Tensor &x, int64_t groups) {
    return apply("channel_shuffle", {{"groups", groups}}, {x});
  };
  struct Orders {
    int64_t groups, in, out;
  };
  for (auto [groups, in, out] :
       {Orders{1, 3, 4}, Orders{1, 1, 6}, Orders{3, 3, 3}, Orders{6, 6, 6}}) {
    ConvCase plain{2,      5,     4, 6, 12, {3, 2}, {2, 1}, {1, 1, 0, 1},
                   {1, 2}, groups};
    ConvCase ordered = plain;
    ordered.inOrder = in;
    ordered.outOrder = out;
    if (groups > 1)
      ordered.block = 12;
    Tensor x = randomTensor(plain.inputShape(), 1);
    Tensor filter = randomTensor(plain.filterShape(), 2);
    Tensor y = plain.forward(x, filter);
    EXPECT_EQ(ordered.forward(shuffle(x, in), filter).reals,
              shuffle(y, out).reals);
    EXPECT_EQ(ordered.backwardFilter(shuffle(x, in), shuffle(y, out)).reals,
              plain.backwardFilter(x, y).reals);
    if (groups > 1)
      ordered.block = 6;
    EXPECT_EQ(ordered.backwardData(shuffle(y, out), filter).reals,
              shuffle(plain.backwardData(y, filter), in).reals);
  }
}

// The packed filter of a dense convolution takes in the orders.
TEST(Reference, DensePackedFiltersAreInOrder) {
  ConvCase conv{1, 1, 1, 4, 4, {1, 1}};
  conv.inOrder = conv.outOrder = 2;
  Tensor filter({4, 1, 1, 4},
                {0, 1, 2, 3, 10, 11, 12, 13, 20, 21, 22, 23, 30, 31, 32, 33});
  Values packed = conv.pack(filter, "forward").reals;
  EXPECT_EQ(packed, (Values{0, 20, 10, 30, 2, 22, 12, 32, 1, 21, 11, 31, 3, 23,
                            13, 33}));
}

TEST(Reference, MaxPoolTakesTheFirstOfEqualOnes) {
  AttributeMap attributes{{"kernel", Shape{2, 2}},
                          {"stride", Shape{1, 1}},
                          {"pad", Shape{1, 1, 0, 0}},
                          {"input", Shape{2, 2}},
                          {"output", Shape{2, 2}}};
  Tensor x({1, 2, 2, 1}, {-3, -3, -3, -1});
  auto y = evaluate(makeOp("max_pool_with_index", attributes), {x});
  EXPECT_EQ(y[0].reals, (Values{-3, -3, -3, -1}));
  EXPECT_EQ(y[1].integers, (Bytes{3, 2, 1, 3}));
  Tensor dy({1, 2, 2, 1}, {1, 10, 100, 1000});
  EXPECT_EQ(apply("max_pool_backward", attributes, {dy, y[1]}).reals,
            (Values{111, 0, 0, 1000}));
}

TEST(Reference, AverageDividesByTheClippedWindow) {
  AttributeMap attributes{
      {"kernel", Shape{1, 3}},    {"stride", Shape{1, 2}},
      {"pad", Shape{0, 1, 0, 1}}, {"input", Shape{1, 4}},
      {"output", Shape{1, 3}},    {"exclude_pad", int64_t(0)}};
  Tensor x({1, 1, 4, 1}, {6, 12, 18, 24});
  // Windows [-1,2), [1,4), [3,6) on a padded map [-1,5).
  EXPECT_EQ(apply("average_pool", attributes, {x}).reals, (Values{6, 18, 12}));
  attributes["exclude_pad"] = int64_t(1);
  EXPECT_EQ(apply("average_pool", attributes, {x}).reals, (Values{9, 18, 24}));
}

TEST(Reference, StatisticsOfOneValueAreNotDividedByZero) {
  auto s = evaluate(makeOp("batch_norm_statistics", {}),
                    {Tensor({1, 1, 1, 2}, {3, -4})});
  EXPECT_EQ(s[0].reals, (Values{3, -4}));
  EXPECT_EQ(s[1].reals, (Values{0, 0}));
  EXPECT_EQ(s[2].reals, (Values{0, 0}));
  s = evaluate(makeOp("batch_norm_statistics", {}),
               {Tensor({1, 2, 1, 1}, {1, 3})});
  EXPECT_EQ(s[1].reals, (Values{1}));
  EXPECT_EQ(s[2].reals, (Values{2}));
}

TEST(Reference, FoldedBatchNormEqualsBatchNorm) {
  ConvCase conv{1, 4, 4, 4, 6, {3, 3}, {1, 1}, {1, 1, 1, 1}, {1, 1}, 2};
  AttributeMap epsilon{{"epsilon", 1e-5}};
  Tensor x = randomTensor(conv.inputShape(), 1);
  Tensor filter = randomTensor(conv.filterShape(), 2),
         bias = randomTensor({6}, 3);
  Tensor mean = randomTensor({6}, 4), variance = randomTensor({6}, 5);
  Tensor scale = randomTensor({6}, 6), offset = randomTensor({6}, 7);
  for (double &value : variance.reals)
    value = value * value + 0.1;
  Tensor plain = apply("conv2d", conv.attributes(),
                       {x, conv.pack(filter, "forward"), bias});
  Tensor expected = apply("batch_norm_normalize", epsilon,
                          {plain, mean, variance, scale, offset});
  Tensor multiplier = apply("fold_multiplier", epsilon, {scale, variance});
  Tensor folded = apply("fold_bias", {}, {mean, multiplier, offset, bias});
  Tensor scaled = apply("scale_filter", {}, {filter, multiplier});
  Tensor y = apply("conv2d", conv.attributes(),
                   {x, conv.pack(scaled, "forward"), folded});
  for (int64_t i = 0; i < y.size(); ++i)
    ASSERT_NEAR(y.reals[i], expected.reals[i], 1e-12);
}

TEST(Reference, ActivationsByHand) {
  Tensor x({1, 1, 1, 5}, {-1e30, -2, 0, 2, 1e30});
  EXPECT_EQ(
      apply("sigmoid", {}, {x}).reals,
      (Values{0, 1 / (1 + std::exp(2.0)), 0.5, 1 / (1 + std::exp(-2.0)), 1}));
  EXPECT_EQ(apply("clip", {{"min", 0.0}, {"max", 6.0}}, {x}).reals,
            (Values{0, 0, 0, 2, 6}));
  EXPECT_EQ(apply("hard_sigmoid", {{"alpha", 0.25}, {"beta", 0.5}}, {x}).reals,
            (Values{0, 0, 0.5, 1, 1}));
  EXPECT_EQ(apply("hard_swish", {}, {x}).reals,
            (Values{0, -2 * (-2 / 6.0 + 0.5), 0, 2 * (2 / 6.0 + 0.5), 1e30}));
  // On a kink nothing passes a clip or a hard sigmoid; a hard swish ends there.
  Tensor ones({1, 1, 1, 3}, {1, 1, 1});
  EXPECT_EQ(apply("clip_backward", {{"min", 0.0}, {"max", 6.0}},
                  {ones, Tensor({1, 1, 1, 3}, {0, 1, 6})})
                .reals,
            (Values{0, 1, 0}));
  EXPECT_EQ(apply("hard_sigmoid_backward", {{"alpha", 0.25}, {"beta", 0.5}},
                  {ones, Tensor({1, 1, 1, 3}, {0, 0.5, 1})})
                .reals,
            (Values{0, 0.25, 0}));
  EXPECT_EQ(
      apply("hard_swish_backward", {}, {ones, Tensor({1, 1, 1, 3}, {-3, 0, 3})})
          .reals,
      (Values{0, 0.5, 1}));
}

TEST(Reference, SmoothActivationsByHand) {
  auto at = [](const std::string &name, AttributeMap attributes, double x) {
    return apply(name, attributes, {Tensor({1, 1, 1, 1}, {x})}).reals[0];
  };
  AttributeMap erf{{"form", std::string("erf")}},
      tanh{{"form", std::string("tanh")}};
  EXPECT_NEAR(at("gelu", erf, 1), 0.8413447460685429, 1e-15);
  EXPECT_NEAR(at("gelu", erf, -2), -0.0455002638963584, 1e-15);
  EXPECT_NEAR(at("gelu", tanh, 1),
              0.5 * (1 + std::tanh(std::sqrt(2 / M_PI) * 1.044715)), 1e-15);
  EXPECT_NEAR(at("silu", {}, -1), -1 / (1 + std::exp(1.0)), 1e-15);
  EXPECT_NEAR(at("softplus", {}, 2), std::log(1 + std::exp(2.0)), 1e-15);
  EXPECT_NEAR(at("mish", {}, 1), std::tanh(std::log(1 + std::exp(1.0))), 1e-15);
  AttributeMap elu{{"alpha", 2.0}, {"scale", 3.0}, {"input_scale", 0.5}};
  EXPECT_NEAR(at("elu", elu, -1), 6 * (std::exp(-0.5) - 1), 1e-15);
  EXPECT_EQ(at("elu", elu, 2), 6);
  EXPECT_EQ(at("leaky_relu", {{"alpha", 0.25}}, -2), -0.5);
  Tensor x({1, 1, 2, 2}, {-1, -2, 3, -4});
  EXPECT_EQ(apply("prelu", {}, {x, Tensor({2}, {2, 3})}).reals,
            (Values{-2, -6, 3, -12}));
  EXPECT_EQ(apply("prelu", {}, {x, Tensor({1}, {2})}).reals,
            (Values{-2, -4, 3, -8}));
}

TEST(Reference, BordersAndBlocksByHand) {
  Tensor x({1, 2, 3, 1}, {1, 2, 3, 4, 5, 6});
  EXPECT_EQ(apply("pad", {{"pad", Shape{-1, 1, 0, -1}}}, {x}).reals,
            (Values{0, 4, 5}));
  EXPECT_EQ(apply("reflect_pad", {{"pad", Shape{1, 2, 0, 0}}}, {x}).reals,
            (Values{6, 5, 4, 5, 6, 3, 2, 1, 2, 3, 6, 5, 4, 5, 6}));
  // Channels of a pixel: the first one at all four places, then the second.
  Tensor deep({1, 1, 1, 8}, {0, 1, 2, 3, 4, 5, 6, 7});
  auto blocks = [&](const char *mode) {
    return apply("depth_to_space",
                 {{"block", int64_t(2)}, {"mode", std::string(mode)}}, {deep});
  };
  EXPECT_EQ(blocks("crd").reals, (Values{0, 4, 1, 5, 2, 6, 3, 7}));
  EXPECT_EQ(blocks("dcr").reals, (Values{0, 1, 2, 3, 4, 5, 6, 7}));
  for (const char *mode : {"crd", "dcr"})
    EXPECT_EQ(apply("space_to_depth",
                    {{"block", int64_t(2)}, {"mode", std::string(mode)}},
                    {blocks(mode)})
                  .reals,
              deep.reals);
}

std::vector<bool> nans(const Tensor &tensor) {
  std::vector<bool> result;
  for (double value : tensor.reals)
    result.push_back(std::isnan(value));
  return result;
}

TEST(Reference, WhatIsNotANumberStaysSo) {
  using Bools = std::vector<bool>;
  const Bools first{true, false, false, false};
  AttributeMap line{{"alpha", 0.25}, {"beta", 0.5}},
      bounds{{"min", 0.0}, {"max", 6.0}};
  Tensor x({1, 2, 2, 1}, {NAN, 1, -2, 9}), dy({1, 2, 2, 1}, {1, 2, 3, 4});
  for (const auto &[name, attributes] :
       {std::pair{"relu", AttributeMap{}}, std::pair{"clip", bounds},
        std::pair{"sigmoid", AttributeMap{}}, std::pair{"hard_sigmoid", line},
        std::pair{"hard_swish", AttributeMap{}}})
    EXPECT_EQ(nans(apply(name, attributes, {x})), first) << name;
  // What is not known to be flat passes a gradient.
  EXPECT_EQ(apply("relu_backward", {}, {dy, x}).reals, (Values{1, 2, 0, 4}));
  EXPECT_EQ(apply("clip_backward", bounds, {dy, x}).reals,
            (Values{1, 2, 0, 0}));
  EXPECT_EQ(apply("hard_sigmoid_backward", line, {dy, x}).reals,
            (Values{0.25, 0, 0, 0}));
  // Nor is a bound that is absent.
  EXPECT_EQ(apply("clip_backward", {{"min", 0.0}},
                  {dy, Tensor({1, 2, 2, 1}, {INFINITY, -1, 0, 9})})
                .reals,
            (Values{1, 0, 0, 4}));
  for (const char *name : {"sigmoid_backward", "hard_swish_backward"})
    EXPECT_EQ(nans(apply(name, {}, {dy, x})), first) << name;
  // A gradient that is not a number does not pass where all is flat.
  EXPECT_EQ(
      apply("relu_backward", {}, {x, Tensor({1, 2, 2, 1}, {0, 1, 1, 1})}).reals,
      (Values{0, 1, -2, 9}));

  AttributeMap window{{"kernel", Shape{1, 2}},
                      {"stride", Shape{1, 1}},
                      {"pad", Shape{0, 0, 0, 0}},
                      {"output", Shape{1, 3}}};
  auto pooled = evaluate(makeOp("max_pool_with_index", window),
                         {Tensor({1, 1, 4, 1}, {1, NAN, 9, NAN})});
  EXPECT_EQ(nans(pooled[0]), (Bools{true, true, true}));
  EXPECT_EQ(pooled[1].integers, (Bytes{1, 0, 1}));

  auto integers = [](Bytes values) {
    Shape shape{int64_t(values.size())};
    return Tensor::fromIntegers(ElementType::I64, shape, std::move(values));
  };
  EXPECT_EQ(nans(apply("dropout", {{"rate", 0.9}, {"ordinal", int64_t(0)}},
                       {Tensor({1, 1, 1, 4}, {NAN, NAN, NAN, NAN}),
                        integers({1, 2}), integers({3})})),
            (Bools{true, true, true, true}));
  Tensor logits({2, 1, 1, 2}, {1, NAN, 1, 2});
  EXPECT_EQ(
      nans(apply("softmax_cross_entropy", {}, {logits, integers({0, 0})})),
      (Bools{true}));
  EXPECT_EQ(nans(apply("softmax_cross_entropy_backward", {{"weight", 1.0}},
                       {logits, integers({0, 0})})),
            (Bools{true, true, false, false}));
}

TEST(Reference, LossIsThatOfPyTorch) {
  // torch.nn.functional.cross_entropy(x, y, weight=..., label_smoothing=...) in
  // float64, x of n, k being 3 sin(1 + 5 n + k).
  Values values;
  for (int i = 0; i < 20; ++i)
    values.push_back(3 * std::sin(1 + i));
  Tensor logits({4, 1, 1, 5}, values);
  Tensor labels = Tensor::fromIntegers(ElementType::I64, {4}, {0, 4, 2, 2});
  Attribute smoothing = 0.2;
  Attribute weights = Values{1, 2, 0.5, 3, 0.25};
  auto loss = [&](const AttributeMap &like) {
    return apply("softmax_cross_entropy", like, {logits, labels}).reals[0];
  };
  EXPECT_NEAR(loss({{"smoothing", smoothing}}), 3.262374361939369, 1e-12);
  EXPECT_NEAR(loss({{"class_weights", weights}}), 2.560018284963153, 1e-12);
  EXPECT_NEAR(loss({{"smoothing", smoothing}, {"class_weights", weights}}),
              3.500686496898802, 1e-12);
}

TEST(Reference, LossOfMixedLabelsIsTheSumOfTwo) {
  Values values;
  for (int i = 0; i < 20; ++i)
    values.push_back(3 * std::sin(1 + i));
  Tensor logits({4, 1, 1, 5}, values);
  auto labels = [](std::vector<int64_t> integers) {
    return Tensor::fromIntegers(ElementType::I64, {4}, integers);
  };
  // Partners are a permutation, so that both have the same weights.
  std::vector<int64_t> own = {0, 4, 2, 2}, other = {2, 2, 4, 0}, mixed;
  double share = 0.3125;
  for (size_t i = 0; i < 4; ++i)
    mixed.push_back(ROOTC_MIXED_LABEL(own[i], other[i], share * (1 << 21)));
  AttributeMap plain = {{"weight", 0.7}}, all = plain;
  all["smoothing"] = 0.2;
  all["class_weights"] = Values{1, 2, 0.5, 3, 0.25};
  for (const AttributeMap &like : {plain, all})
    for (const char *op :
         {"softmax_cross_entropy", "softmax_cross_entropy_backward"}) {
      auto of = [&](const std::vector<int64_t> &integers) {
        return apply(op, like, {logits, labels(integers)}).reals;
      };
      Values first = of(own), second = of(other), both = of(mixed);
      for (size_t i = 0; i < both.size(); ++i)
        EXPECT_NEAR(both[i], (1 - share) * first[i] + share * second[i], 1e-12);
    }
}

TEST(Reference, LossOfLargeLogits) {
  for (double logit : {1e8, -1e20}) {
    Tensor logits({1, 1, 1, 3}, {logit, logit, logit});
    Tensor label = Tensor::fromIntegers(ElementType::I64, {1}, {1});
    EXPECT_NEAR(apply("softmax_cross_entropy", {}, {logits, label}).reals[0],
                std::log(3), 1e-12);
  }
}

TEST(Reference, DropoutOfARateNextToOneDropsEverything) {
  auto integers = [](Bytes values) {
    Shape shape{int64_t(values.size())};
    return Tensor::fromIntegers(ElementType::I64, shape, std::move(values));
  };
  EXPECT_EQ(apply("dropout", {{"rate", 1 - 0x1p-53}, {"ordinal", int64_t(0)}},
                  {Tensor({1, 4, 4, 4}, Values(64, 1)), integers({1, 2}),
                   integers({3})})
                .reals,
            Values(64, 0));
}

TEST(Reference, ChannelsByHand) {
  Tensor x({1, 1, 1, 6}, {0, 1, 2, 3, 4, 5});
  EXPECT_EQ(apply("channel_shuffle", {{"groups", int64_t(2)}}, {x}).reals,
            (Values{0, 3, 1, 4, 2, 5}));
  EXPECT_EQ(apply("channel_shuffle", {{"groups", int64_t(3)}},
                  {Tensor({6}, {0, 1, 2, 3, 4, 5})})
                .reals,
            (Values{0, 2, 4, 1, 3, 5}));
  auto pad = makeOp("pad_channels", {{"begins", Shape{1, 4}}});
  pad.results = {{ElementType::F32, {-1, 1, 1, 6}}};
  EXPECT_EQ(evaluate(pad, {Tensor({1, 1, 1, 2}, {7, 8}),
                           Tensor({1, 1, 1, 1}, {9})})[0]
                .reals,
            (Values{0, 7, 8, 0, 9, 0}));
  pad.attributes["begins"] = Shape{1, 2};
  EXPECT_THROW(
      evaluate(pad, {Tensor({1, 1, 1, 2}, {7, 8}), Tensor({1, 1, 1, 1}, {9})}),
      std::invalid_argument);
}

TEST(Reference, DropoutDependsOnSampleNotOnItsPlaceInTheBatch) {
  AttributeMap attributes{{"rate", 0.25}, {"ordinal", int64_t(3)}};
  auto integers = [](Bytes values) {
    Shape shape{int64_t(values.size())};
    return Tensor::fromIntegers(ElementType::I64, shape, std::move(values));
  };
  Tensor two({2, 5, 5, 3}, Values(150, 3)), one({1, 5, 5, 3}, Values(75, 3));
  Tensor both =
      apply("dropout", attributes, {two, integers({-5, 1}), integers({8, 41})});
  Tensor second =
      apply("dropout", attributes, {one, integers({-5, 1}), integers({41})});
  EXPECT_EQ(Values(both.reals.begin() + 75, both.reals.end()), second.reals);
  EXPECT_NE(Values(both.reals.begin(), both.reals.begin() + 75), second.reals);
  int64_t kept = 0;
  for (double value : both.reals) {
    EXPECT_TRUE(value == 0 || value == 4) << value;
    kept += value == 4;
  }
  EXPECT_NEAR(kept, 112, 20);
  // Another epoch, seed or ordinal gives another mask.
  for (Bytes random : {Bytes{-5, 2}, Bytes{-5 + (int64_t(1) << 32), 1}})
    EXPECT_NE(
        apply("dropout", attributes, {one, integers(random), integers({41})})
            .reals,
        second.reals);
  attributes["ordinal"] = int64_t(4);
  EXPECT_NE(
      apply("dropout", attributes, {one, integers({-5, 1}), integers({41})})
          .reals,
      second.reals);
}

TEST(Reference, Updates) {
  for (double nesterov : {0, 1}) {
    auto r =
        evaluate(makeOp("sgd", {}),
                 {Tensor({2}, {1, 2}), Tensor({2}, {3, 4}),
                  Tensor({2}, {10, 20}), Tensor({4}, {0.5, 0.1, 2, nesterov})});
    EXPECT_EQ(r[1].reals, (Values{1 + 3 + 2, 2 + 4 + 4}));
    EXPECT_EQ(r[0].reals, nesterov ? (Values{1 - 0.5 * (5 + 0.1 * 6),
                                             2 - 0.5 * (8 + 0.1 * 10)})
                                   : (Values{1 - 3, 2 - 5}));
  }
  auto r = evaluate(makeOp("adamw", {}),
                    {Tensor({1}, {1}), Tensor({1}, {2}), Tensor({1}, {4}),
                     Tensor({1}, {0}), Tensor({6}, {0.5, 3, 0.5, 0.25, 2, 1})});
  EXPECT_EQ(r[0].reals, (Values{0.5 - 3 * 3.0 / (2 * 1 + 1)}));
  EXPECT_EQ(r[1].reals, (Values{3}));
  EXPECT_EQ(r[2].reals, (Values{1}));
  for (double most : {2.5, 6.0}) {
    auto clipped = evaluate(makeOp("clip_norm", {}),
                            {Tensor({2}, {3, 4}), Tensor({1}, {most})});
    EXPECT_NEAR(clipped[0].reals[1], most < 5 ? 2 : 4, 1e-6);
  }
  auto average =
      evaluate(makeOp("moving_average", {}),
               {Tensor({1}, {1}), Tensor({1}, {3}), Tensor({1}, {0.25})});
  EXPECT_EQ(average[0].reals, (Values{1.5}));
}

TEST(Reference, MalformedOpsAreRefused) {
  Tensor x = randomTensor({1, 2, 2, 4}, 1);
  EXPECT_THROW(apply("no_such_op", {}, {x}), std::invalid_argument);
  EXPECT_THROW(apply("add", {}, {x, randomTensor({1, 2, 2, 3}, 1)}),
               std::invalid_argument);
  EXPECT_THROW(apply("conv2d", {}, {x, x}), std::invalid_argument);
  EXPECT_THROW(apply("softmax_cross_entropy", {},
                     {randomTensor({1, 1, 1, 3}, 1),
                      Tensor::fromIntegers(ElementType::I64, {1}, {3})}),
               std::invalid_argument);
  EXPECT_THROW(apply("softmax_cross_entropy", {},
                     {randomTensor({1, 1, 1, 3}, 1),
                      Tensor::fromIntegers(ElementType::I64, {1},
                                           {ROOTC_MIXED_LABEL(0, 3, 1)})}),
               std::invalid_argument);
  // A partner without a share is a label far out of range.
  EXPECT_THROW(apply("softmax_cross_entropy", {},
                     {randomTensor({1, 1, 1, 3}, 1),
                      Tensor::fromIntegers(ElementType::I64, {1},
                                           {ROOTC_MIXED_LABEL(0, 1, 0)})}),
               std::invalid_argument);
  EXPECT_THROW(apply("dropout", {{"rate", 0.5}, {"ordinal", int64_t(0)}},
                     {x, Tensor({2}, {1, 2}), Tensor({1}, {1})}),
               std::invalid_argument);
  Op relu = makeOp("relu", {});
  relu.results = {{ElementType::F32, {-1, 2, 2, 5}}};
  EXPECT_THROW(evaluate(relu, {x}), std::invalid_argument);
}

/// image -> (relu, then add of itself) through the workspace -> logits.
Model twoCalls() {
  TensorType image{ElementType::F32, {-1, 1, 1, 2}};
  Kernel relu, twice;
  relu.name = "relu";
  relu.inputs = {image};
  relu.ops = {makeOp("relu", {})};
  relu.ops[0].operands = {0};
  relu.ops[0].results = {image};
  relu.outputs = {1};
  twice = relu;
  twice.name = "twice";
  twice.ops[0].name = "add";
  twice.ops[0].operands = {0, 0};
  Model model;
  model.kernels = {relu, twice};
  BufferRef in{Arena::Image, 0, image},
      middle{Arena::WorkspaceBatch, 64, image}, out{Arena::Logits, 0, image};
  model.programs = {{ProgramKind::Infer,
                     {{0, {in, middle}, "relu"}, {1, {middle, out}, "twice"}},
                     128,
                     64}};
  return model;
}

Arenas imageAndLogits() {
  Arenas arenas;
  arenas[Arena::Image] = toBytes(std::vector<float>{1, -2, 3, 4});
  arenas[Arena::Logits].resize(16);
  return arenas;
}

TEST(ReferenceRun, ExecutesCallsOnPlannedBuffers) {
  Arenas arenas = imageAndLogits();
  run(twoCalls(), ProgramKind::Infer, 2, arenas);
  EXPECT_EQ(fromBytes<float>(arenas[Arena::Logits]),
            (std::vector<float>{2, 0, 6, 8}));
}

TEST(ReferenceRun, ReadingWhatNoCallWroteGivesNaN) {
  Model model = twoCalls();
  model.programs[0].calls[1].buffers[0].offset = 0;
  Arenas arenas = imageAndLogits();
  run(model, ProgramKind::Infer, 2, arenas);
  EXPECT_TRUE(std::isnan(fromBytes<float>(arenas[Arena::Logits])[0]));
}

TEST(ReferenceRun, RefusesBuffersOutsideTheirArena) {
  Model model = twoCalls();
  model.programs[0].calls[0].buffers[1].offset = 128;
  Arenas arenas = imageAndLogits();
  EXPECT_THROW(run(model, ProgramKind::Infer, 2, arenas),
               std::invalid_argument);
  arenas[Arena::Logits].resize(12);
  EXPECT_THROW(run(twoCalls(), ProgramKind::Infer, 2, arenas),
               std::invalid_argument);
  EXPECT_THROW(run(twoCalls(), ProgramKind::Train, 2, arenas),
               std::invalid_argument);
}

TEST(ReferenceRun, RefusesOutputsOverInputsUnlessElementwise) {
  Model model = twoCalls();
  auto &buffers = model.programs[0].calls[1].buffers;
  buffers[1] = buffers[0];
  Arenas arenas = imageAndLogits();
  EXPECT_NO_THROW(run(model, ProgramKind::Infer, 2, arenas));
  buffers[1].offset += 4;
  EXPECT_THROW(run(model, ProgramKind::Infer, 2, arenas),
               std::invalid_argument);
  buffers[1].offset -= 4;
  model.kernels[1].ops[0].name = "local_response_norm";
  EXPECT_THROW(run(model, ProgramKind::Infer, 2, arenas),
               std::invalid_argument);
}

} // namespace
