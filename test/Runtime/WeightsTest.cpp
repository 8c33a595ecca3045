//===- WeightsTest.cpp - Weights by name, initialisation, checkpoints -----===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "FakeModel.h"
#include "TestSupport.h"
#include "runtime/src/Checkpoint.h"
#include "runtime/src/WeightsFile.h"

#include <cmath>

using namespace rootc;
using namespace rootc::test;

namespace {
/// The fake model with a table of tensors of its own.
struct TableModel {
  std::vector<rootc_tensor> tensors;
  rootc_model table = *fake_model();
  Model model() {
    table.tensors = tensors.data();
    table.tensor_count = int64_t(tensors.size());
    return Model::adopt(&table);
  }
};

/// A convolution of 4 filters and 8 input channels in 4 groups.
struct Grouped : testing::Test {
  TemporaryFolder folder;
  TableModel grouped;
  std::string path = folder.file("w.safetensors");
  void SetUp() override {
    grouped.tensors = {{"c.filter", "filter", 4, 0, {4, 1, 2, 2}, 0, 4}};
    grouped.table.description = R"({"layers": [{"name": "c", "groups": 4}]})";
  }
  /// Writes a filter of `channels` inputs; value = 100 filter + 10 tap + input.
  void write(int channels) {
    std::vector<float> data;
    for (int filter = 0; filter < 4; ++filter)
      for (int tap = 0; tap < 2; ++tap)
        for (int input = 0; input < channels; ++input)
          data.push_back(float(100 * filter + 10 * tap + input));
    SafetensorsWriter writer;
    writer.add("c.filter", {4, 1, 2, channels}, data.data());
    writer.write(path);
  }
};
} // namespace

TEST_F(Grouped, DenseWeightsAreRefused) {
  write(8);
  std::string message = errorOf([&] { Weights::load(grouped.model(), path); });
  EXPECT_CONTAINS(message, "'c.filter' has shape [4,1,2,8] (1 groups)");
  EXPECT_CONTAINS(message, "[4,1,2,2] in fake (4 groups)");
  EXPECT_CONTAINS(message, "--slice-weights");
}

TEST_F(Grouped, DenseWeightsAreCutToDiagonalBlocks) {
  write(8);
  std::string said;
  Weights weights =
      Weights::load(grouped.model(), path, true,
                    [&](const std::string &text) { said += text; });
  EXPECT_CONTAINS(said, "'c.filter' cut from [4,1,2,8]");
  EXPECT_CONTAINS(said, "16 of 64 weights kept");
  for (int filter = 0; filter < 4; ++filter)
    for (int tap = 0; tap < 2; ++tap)
      for (int input = 0; input < 2; ++input)
        EXPECT_EQ(weights.parameters[size_t((filter * 2 + tap) * 2 + input)],
                  100 * filter + 10 * tap + 2 * filter + input);
}

TEST_F(Grouped, FewerGroupsAreCutWithinTheirGroup) {
  // Two groups of 4 inputs: filters 0, 1 see inputs 0-3; 2, 3 see 4-7.
  write(4);
  Weights weights = Weights::load(grouped.model(), path, true);
  for (int filter = 0; filter < 4; ++filter)
    for (int input = 0; input < 2; ++input)
      EXPECT_EQ(weights.parameters[size_t(filter * 4 + input)],
                100 * filter + filter % 2 * 2 + input);
}

TEST_F(Grouped, WithoutGroupsNothingIsCut) {
  write(8);
  grouped.table.description = "{}";
  EXPECT_CONTAINS(errorOf([&] { Weights::load(grouped.model(), path, true); }),
                  "are these the weights of this network?");
  write(7);
  grouped.table.description = R"({"layers": [{"name": "c", "groups": 4}]})";
  EXPECT_CONTAINS(errorOf([&] { Weights::load(grouped.model(), path, true); }),
                  "'c.filter' has shape [4,1,2,7], and [4,1,2,2] in fake");
}

TEST_F(Grouped, MissingAndForeignTensors) {
  SafetensorsWriter writer;
  std::vector<float> data(16);
  writer.add("d.filter", {4, 1, 2, 2}, data.data());
  writer.write(path);
  EXPECT_CONTAINS(errorOf([&] { Weights::load(grouped.model(), path); }),
                  "has no tensor 'c.filter' [4,1,2,2]");
  writer.add("c.filter", {4, 1, 2, 2}, data.data());
  writer.write(path);
  EXPECT_CONTAINS(errorOf([&] { Weights::load(grouped.model(), path); }),
                  "has a tensor 'd.filter' [4,1,2,2], which fake does not");
  grouped.table.has_training = 0;
  EXPECT_EQ(errorOf([&] { Weights::load(grouped.model(), path); }), "");
}

namespace {
/// Two layers, of which a file has one in another shape.
struct Mismatched : Grouped {
  std::string said;
  void SetUp() override {
    grouped.tensors = {{"c.filter", "filter", 4, 0, {4, 1, 2, 2}, 0, 4},
                       {"fc.weight", "weight", 2, 0, {2, 3}, 16, 3},
                       {"fc.bias", "bias", 1, 0, {2}, 32, 0}};
    grouped.table.description = R"({"layers": [{"name": "c", "groups": 4}]})";
  }
  void write(int channels, int classes, bool bias = true) {
    SafetensorsWriter writer;
    std::vector<float> ones(size_t(8 * channels), 1), twos(15, 2);
    writer.add("c.filter", {4, 1, 2, channels}, ones.data());
    writer.add("fc.weight", {classes, 3}, twos.data());
    if (bias)
      writer.add("fc.bias", {classes}, twos.data());
    writer.write(path);
  }
  Weights read(bool slice, Mismatch mismatch) {
    Weights weights(grouped.model());
    std::fill(weights.parameters.begin(), weights.parameters.end(), 7.f);
    said.clear();
    readWeightsInto(weights, grouped.model(), Safetensors::read(path), slice,
                    mismatch,
                    [&](const std::string &text) { said += text + "\n"; });
    return weights;
  }
};
} // namespace

TEST_F(Mismatched, LayersThatDoNotFitKeepTheirValues) {
  write(2, 5);
  EXPECT_CONTAINS(errorOf([&] { read(false, Mismatch::OfferSkip); }),
                  "'fc.weight' has shape [5,3], and [2,3] in fake");
  EXPECT_CONTAINS(errorOf([&] { read(false, Mismatch::OfferSkip); }),
                  "pass --skip-mismatched");
  Weights weights = read(false, Mismatch::Skip);
  EXPECT_EQ(said, "layer 'fc' is skipped, it begins anew: 'fc.weight' is "
                  "[5,3] in " +
                      path + ", and [2,3] in fake\n");
  EXPECT_EQ(weights.parameters[15], 1);
  EXPECT_EQ(weights.parameters[16], 7);
  EXPECT_EQ(weights.parameters[33], 7);
  // A layer is skipped as a whole.
  write(2, 2, /*bias=*/false);
  weights = read(false, Mismatch::Skip);
  EXPECT_CONTAINS(said, "has no 'fc.bias'");
  EXPECT_EQ(weights.parameters[16], 7);
}

TEST_F(Mismatched, FiltersOfFewerGroupsAreCutOrSkipped) {
  write(8, 5);
  EXPECT_CONTAINS(errorOf([&] { read(false, Mismatch::OfferSkip); }),
                  "pass --slice-weights to keep the diagonal blocks only, or "
                  "pass --skip-mismatched");
  EXPECT_EQ(read(true, Mismatch::Skip).parameters[0], 1);
  // Nothing is left that fits.
  EXPECT_CONTAINS(errorOf([&] { read(false, Mismatch::Skip); }),
                  "no layer of fake fits");
}

TEST(FirstNotFinite, IsOfTheNetworksOrder) {
  Model model = Model::open(ROOTC_FAKE_MODEL);
  Weights weights = Weights::initialise(model, 3);
  auto first = [&] {
    return firstNotFinite(model, weights.parameters.data(),
                          weights.statistics.data());
  };
  EXPECT_EQ(first(), "");
  weights.parameters[30730] = NAN; // padding
  EXPECT_EQ(first(), "");
  weights.statistics[16] = -INFINITY;
  EXPECT_EQ(first(), "'fc.variance' holds -inf");
  weights.statistics[9] = -NAN;
  EXPECT_EQ(first(), "'fc.mean' holds nan");
  weights.parameters[30729] = INFINITY;
  EXPECT_EQ(first(), "'fc.bias' holds inf");
  weights.parameters[30719] = NAN;
  EXPECT_EQ(first(), "'fc.weight' holds nan");
  EXPECT_EQ(firstNotFinite(model, nullptr, weights.statistics.data()),
            "'fc.mean' holds nan");
}

TEST(WeightsFile, OfAnotherImageSize) {
  // A network of 2 x 2 pixels whose filter fits images of any size.
  TemporaryFolder folder;
  std::string path = folder.file("w.safetensors"), said;
  TableModel pooled;
  pooled.tensors = {{"c.filter", "filter", 4, 0, {4, 1, 1, 3}, 0, 3}};
  pooled.table.height = pooled.table.width = 2;
  std::vector<float> filter(12), mean, scale = {1, 2, 3};
  for (int pixel = 0; pixel < 6; ++pixel)
    for (int channel = 0; channel < 3; ++channel)
      mean.push_back(float(100 * channel + pixel));
  SafetensorsWriter writer;
  writer.add("c.filter", {4, 1, 1, 3}, filter.data());
  writer.add("input.mean", {3, 2, 3}, mean.data());
  writer.add("input.scale", {3}, scale.data());
  writer.write(path);
  Weights weights =
      Weights::load(pooled.model(), path, false,
                    [&](const std::string &text) { said += text; });
  EXPECT_EQ(said, "'input.mean' is of images of 3 x 2, not 2 x 2: each "
                  "channel's mean takes its place");
  ASSERT_EQ(weights.inputMean.size(), 12u);
  for (size_t i = 0; i < 12; ++i)
    EXPECT_EQ(weights.inputMean[i], float(100 * (i % 3)) + 2.5f);
  // Other channels are another network; so is a filter of the image's size.
  pooled.table.channels = 1;
  EXPECT_CONTAINS(errorOf([&] { Weights::load(pooled.model(), path); }),
                  "'input.mean' has shape [3,2,3], and [2,2,1] is needed");
  pooled.tensors[0].shape[1] = 2;
  EXPECT_CONTAINS(errorOf([&] { Weights::load(pooled.model(), path); }),
                  "'c.filter' has shape [4,1,1,3], and [4,2,1,3] in fake; the "
                  "weights are of images of 3 x 2 x 3: compile the network for "
                  "such, with --image=3x2");
}

TEST_F(Grouped, TensorsOfLayersThatAreLeftOut) {
  SafetensorsWriter writer;
  std::vector<float> data(16);
  writer.add("c.filter", {4, 1, 2, 2}, data.data());
  writer.add("unused.filter", {4, 1, 2, 2}, data.data());
  writer.write(path);
  std::string said;
  auto load = [&] {
    Weights::load(grouped.model(), path, false,
                  [&](const std::string &text) { said += text; });
  };
  EXPECT_CONTAINS(errorOf(load), "has a tensor 'unused.filter'");
  grouped.table.description = R"({"left_out": ["unused"]})";
  EXPECT_EQ(errorOf(load), "");
  EXPECT_CONTAINS(said, "'unused.filter' is not used: no output of the network "
                        "depends on its layer");
  writer.add("unused.momentum", {4}, data.data());
  writer.write(path);
  EXPECT_CONTAINS(errorOf(load), "has a tensor 'unused.momentum'");
}

TEST(Initialise, HeNormal) {
  Model model = Model::open(ROOTC_FAKE_MODEL);
  Weights weights = Weights::initialise(model, 3);
  double sum = 0, squares = 0, fourth = 0;
  int64_t count = 30720;
  for (int64_t i = 0; i < count; ++i) {
    double value = weights.parameters[size_t(i)];
    sum += value;
    squares += value * value;
    fourth += value * value * value * value;
  }
  double variance = squares / double(count), expected = 2.0 / 3072;
  EXPECT_NEAR(sum / double(count), 0, 4 * std::sqrt(expected / double(count)));
  EXPECT_NEAR(variance / expected, 1, 0.03);
  EXPECT_NEAR(fourth / double(count) / (variance * variance), 3, 0.15);
  for (int k = 0; k < 10; ++k) {
    EXPECT_EQ(weights.parameters[size_t(30720 + k)], 0);
    EXPECT_EQ(weights.statistics[size_t(k)], 0);
    EXPECT_EQ(weights.statistics[size_t(16 + k)], 1);
  }
  EXPECT_EQ(weights.parameters, Weights::initialise(model, 3).parameters);
  EXPECT_NE(weights.parameters, Weights::initialise(model, 4).parameters);
}

TEST(Initialise, DependsOnTheNameNotOnTheOrder) {
  TableModel one, two;
  one.tensors = {{"a.filter", "filter", 1, 0, {16}, 0, 4},
                 {"b.filter", "filter", 1, 0, {16}, 16, 4}};
  two.tensors = {{"b.filter", "filter", 1, 0, {16}, 0, 4},
                 {"a.filter", "filter", 1, 0, {16}, 16, 4}};
  Weights first = Weights::initialise(one.model(), 5);
  Weights second = Weights::initialise(two.model(), 5);
  for (size_t i = 0; i < 16; ++i) {
    EXPECT_EQ(first.parameters[i], second.parameters[16 + i]);
    EXPECT_NE(first.parameters[i], second.parameters[i]);
  }
}

namespace {
struct Checkpoints : testing::Test {
  TemporaryFolder folder;
  Model model = Model::open(ROOTC_FAKE_MODEL);
  std::map<std::string, std::string> options = {{"--lr", "0.1"},
                                                {"model", "fake 1"}};
  std::string messages;
  std::string current = folder.file("checkpoint.safetensors");
  std::string previous = folder.file("checkpoint.previous.safetensors");

  TrainingState makeState(int64_t epoch) {
    TrainingState state(model);
    state.weights = Weights::initialise(model, uint64_t(epoch));
    state.weights.inputMean.assign(3072, 120.5f);
    state.weights.inputScale = {60, 61, 62};
    for (size_t i = 0; i < 30720; ++i)
      state.optimizer.velocity[i] = float(i) * float(epoch);
    state.epoch = epoch;
    state.step = 7;
    state.lossSum = 1.0 / 3;
    state.images = 448;
    state.metricsBytes = 99;
    state.options = options;
    return state;
  }
  std::optional<TrainingState> load() {
    return loadCheckpoint(
        folder.path, model, options,
        [&](const std::string &text) { messages += text + "\n"; });
  }
};
} // namespace

TEST_F(Checkpoints, RoundTrip) {
  EXPECT_FALSE(load());
  TrainingState saved = makeState(3);
  saveCheckpoint(folder.path, model, saved);
  std::optional<TrainingState> state = load();
  ASSERT_TRUE(state);
  EXPECT_EQ(state->weights.parameters, saved.weights.parameters);
  EXPECT_EQ(state->weights.statistics, saved.weights.statistics);
  EXPECT_EQ(state->weights.inputMean, saved.weights.inputMean);
  EXPECT_EQ(state->weights.inputScale, saved.weights.inputScale);
  EXPECT_EQ(state->optimizer.velocity, saved.optimizer.velocity);
  EXPECT_EQ(state->epoch, 3);
  EXPECT_EQ(state->step, 7);
  EXPECT_EQ(state->lossSum, saved.lossSum);
  EXPECT_EQ(state->images, 448);
  EXPECT_EQ(state->metricsBytes, 99);
  EXPECT_EQ(messages, "");
  // A checkpoint serves as weights, too.
  EXPECT_EQ(Weights::load(model, current).parameters, saved.weights.parameters);
}

TEST_F(Checkpoints, FallsBackToThePrevious) {
  saveCheckpoint(folder.path, model, makeState(1));
  saveCheckpoint(folder.path, model, makeState(2));
  std::string bytes = readBytes(current);
  bytes[bytes.size() - 1000] ^= 4;
  writeBytes(current, bytes);
  std::optional<TrainingState> state = load();
  ASSERT_TRUE(state);
  EXPECT_EQ(state->epoch, 1);
  EXPECT_CONTAINS(messages, current + ": is damaged");
  EXPECT_CONTAINS(messages, previous);
  // The damaged one must not become the predecessor of the next.
  saveCheckpoint(folder.path, model, makeState(3));
  EXPECT_EQ(load()->epoch, 3);
  std::filesystem::remove(current);
  EXPECT_EQ(load()->epoch, 1);
}

TEST_F(Checkpoints, WhatDivergedIsNotGoneOnFrom) {
  // The running statistics count as weights.
  for (FloatArray Weights::*arena :
       {&Weights::parameters, &Weights::statistics}) {
    saveCheckpoint(folder.path, model, makeState(1));
    TrainingState diverged = makeState(2);
    (diverged.weights.*arena)[3] = NAN;
    saveCheckpoint(folder.path, model, diverged);
    messages.clear();
    std::optional<TrainingState> state = load();
    ASSERT_TRUE(state);
    EXPECT_EQ(state->epoch, 1);
    EXPECT_CONTAINS(messages, current + ": the run diverged");
    EXPECT_CONTAINS(messages, "' holds nan");
  }
}

TEST_F(Checkpoints, NoneReadable) {
  saveCheckpoint(folder.path, model, makeState(1));
  writeBytes(current, readBytes(current).substr(0, 5000));
  EXPECT_CONTAINS(errorOf([&] { load(); }), "none of its checkpoints");
}

TEST_F(Checkpoints, OtherOptionsAreRefused) {
  saveCheckpoint(folder.path, model, makeState(1));
  options["--lr"] = "0.2";
  EXPECT_CONTAINS(errorOf([&] { load(); }), "begun with --lr 0.1, not 0.2");
  options["--lr"] = "0.1";
  options["model"] = "fake 2";
  EXPECT_CONTAINS(errorOf([&] { load(); }), "begun with another model");
}
