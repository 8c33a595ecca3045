//===- CovarianceTest.cpp - Covariance between layers, and its picture ----===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/src/Covariance.h"
#include "FakeModel.h"
#include "TestSupport.h"
#include "runtime/src/HeatMap.h"
#include "runtime/src/LayerGraph.h"

#include <cmath>
#include <png.h>
#include <random>

using namespace rootc;
using namespace rootc::test;

namespace {
std::vector<float> randomMaps(int64_t count, MapSize size, unsigned seed) {
  std::mt19937 generator(seed);
  std::normal_distribution<float> normal;
  std::vector<float> values(size_t(count * size.pixels() * size.channels));
  for (float &value : values)
    value = normal(generator);
  return values;
}

/// The index of the `size` equal parts whose centre is nearest to that of
/// `place` of `whole`; of two as near, the later.
int64_t nearest(int64_t place, int64_t whole, int64_t size) {
  int64_t best = 0;
  auto distance = [&](int64_t i) {
    return std::abs((2 * place + 1) * size - (2 * i + 1) * whole);
  };
  for (int64_t i = 1; i < size; ++i)
    if (distance(i) <= distance(best))
      best = i;
  return best;
}

/// All samples of a layer, [samples, channels], its maps enlarged.
Matrix samplesOf(int64_t count, const std::vector<float> &values, MapSize size,
                 MapSize other) {
  int64_t height = std::max(size.height, other.height);
  int64_t width = std::max(size.width, other.width);
  Matrix samples(count * height * width, size.channels);
  int64_t row = 0;
  for (int64_t n = 0; n < count; ++n)
    for (int64_t y = 0; y < height; ++y)
      for (int64_t x = 0; x < width; ++x, ++row)
        for (int64_t c = 0; c < size.channels; ++c)
          samples(row, c) = values[size_t(
              ((n * size.height + nearest(y, height, size.height)) *
                   size.width +
               nearest(x, width, size.width)) *
                  size.channels +
              c)];
  return samples;
}

/// In two passes, as in the definition.
Matrix covarianceOf(const Matrix &a, const Matrix &b) {
  Matrix left = a.rowwise() - a.colwise().mean();
  Matrix right = b.rowwise() - b.colwise().mean();
  return left.transpose() * right / double(a.rows());
}

double difference(const Matrix &a, const Matrix &b) {
  return (a - b).cwiseAbs().maxCoeff();
}

Covariance measure(int64_t count, const std::vector<float> &first,
                   MapSize firstSize, const std::vector<float> &second,
                   MapSize secondSize, int threads = 1, int64_t batch = 100) {
  ThreadPool pool(Model::adopt(fake_model()), threads);
  CovarianceSums sums(firstSize, secondSize);
  int64_t a = firstSize.pixels() * firstSize.channels;
  int64_t b = secondSize.pixels() * secondSize.channels;
  for (int64_t begin = 0; begin < count; begin += batch)
    sums.add(std::min(batch, count - begin), first.data() + begin * a,
             second.data() + begin * b, pool);
  return sums.finish();
}
} // namespace

TEST(Covariance, IsThatOfEnlargedMaps) {
  const std::pair<MapSize, MapSize> sizes[] = {
      {{4, 4, 6}, {4, 4, 5}},   {{8, 6, 3}, {4, 3, 40}},
      {{13, 11, 5}, {7, 6, 4}}, {{7, 6, 4}, {13, 11, 5}},
      {{5, 2, 3}, {3, 7, 2}},   {{4, 5, 33}, {1, 1, 70}},
      {{1, 1, 1}, {2, 3, 1}}};
  for (auto [a, b] : sizes) {
    SCOPED_TRACE(fmt::format("{} x {} and {} x {}", a.height, a.width, b.height,
                             b.width));
    const int64_t count = 9;
    std::vector<float> first = randomMaps(count, a, 1),
                       second = randomMaps(count, b, 2);
    Covariance result = measure(count, first, a, second, b);
    Matrix left = samplesOf(count, first, a, b);
    Matrix right = samplesOf(count, second, b, a);
    EXPECT_EQ(result.samples, left.rows());
    EXPECT_LT(difference(result.first, covarianceOf(left, left)), 1e-12);
    EXPECT_LT(difference(result.second, covarianceOf(right, right)), 1e-12);
    EXPECT_LT(difference(result.cross, covarianceOf(left, right)), 1e-12);
    EXPECT_TRUE(result.firstConstant.empty() && result.secondConstant.empty());
  }
}

TEST(Covariance, HasTheSameBitsForAnyThreadsAndBatches) {
  MapSize a{9, 7, 70}, b{5, 4, 45};
  std::vector<float> first = randomMaps(11, a, 3),
                     second = randomMaps(11, b, 4);
  Covariance one = measure(11, first, a, second, b);
  for (int threads : {1, 2, 5})
    for (int64_t batch : {1, 4, 11}) {
      Covariance other = measure(11, first, a, second, b, threads, batch);
      EXPECT_EQ(one.first, other.first);
      EXPECT_EQ(one.second, other.second);
      EXPECT_EQ(one.cross, other.cross);
    }
}

TEST(Covariance, SurvivesLargeMeans) {
  MapSize size{3, 3, 4};
  std::vector<float> values = randomMaps(50, size, 5);
  for (float &value : values)
    value = std::round(value * 64) / 64; // exact beside the offset, too
  std::vector<float> shifted = values;
  for (float &value : shifted)
    value += 65536;
  Covariance result = measure(50, shifted, size, values, size);
  Matrix samples = samplesOf(50, values, size, size);
  EXPECT_LT(difference(result.first, covarianceOf(samples, samples)), 1e-12);
  EXPECT_LT(difference(result.cross, covarianceOf(samples, samples)), 1e-12);
}

TEST(Covariance, OfConstantChannelsIsZero) {
  MapSize size{5, 3, 6};
  std::vector<float> values = randomMaps(20, size, 6);
  for (size_t i = 0; i < values.size(); i += 6) {
    values[i] = 0;
    values[i + 2] = 0.1f;
    values[i + 5] = i % 4 ? 1000.f : std::nextafter(1000.f, 0.f);
  }
  Covariance result = measure(20, values, size, values, size);
  EXPECT_EQ(result.firstConstant, (std::vector<int64_t>{0, 2, 5}));
  EXPECT_EQ(result.secondConstant, result.firstConstant);
  for (int64_t channel : {0, 2, 5}) {
    EXPECT_EQ(result.cross.row(channel).cwiseAbs().sum(), 0);
    EXPECT_EQ(result.cross.col(channel).cwiseAbs().sum(), 0);
  }
  Whitening whitening = whiten(result.first, 1e-10);
  EXPECT_EQ(whitening.dropped, 0);
  EXPECT_LT(whitening.error, 1e-12);
  EXPECT_EQ(whitening.matrix.row(2).cwiseAbs().sum(), 0);
  EXPECT_GT(whitening.matrix(1, 1), 0.5);
}

TEST(Covariance, OfInfiniteResponsesIsAnError) {
  MapSize size{2, 2, 3};
  std::vector<float> values = randomMaps(3, size, 7);
  for (float bad : {INFINITY, NAN}) {
    std::vector<float> other = values;
    other[17] = bad;
    EXPECT_CONTAINS(errorOf([&] { measure(3, values, size, other, size); }),
                    "infinite or not a number");
  }
}

TEST(Whitening, MakesTheIdentity) {
  MapSize size{8, 8, 24};
  std::vector<float> values = randomMaps(10, size, 8);
  Matrix samples = samplesOf(10, values, size, size);
  // Variances over six decades, mixed.
  for (int64_t c = 0; c < 24; ++c)
    samples.col(c) *= std::pow(10.0, -0.13 * double(c));
  Matrix mixing = Matrix::Random(24, 24);
  samples *= mixing;
  Matrix covariance = covarianceOf(samples, samples);
  Whitening whitening = whiten(covariance, 1e-14);
  EXPECT_EQ(whitening.dropped, 0);
  EXPECT_LT(whitening.error, 1e-6);
  Matrix identity = whitening.matrix * covariance * whitening.matrix;
  EXPECT_LT(difference(identity, Matrix::Identity(24, 24)), 1e-6);
  EXPECT_LT(difference(whitening.matrix, whitening.matrix.transpose()), 1e-9);
}

TEST(Whitening, LeavesOutWhatDoesNotVary) {
  Matrix samples = Matrix::Random(500, 6);
  samples.col(4) = samples.col(1) - 2 * samples.col(3);
  Matrix covariance = covarianceOf(samples, samples);
  Whitening whitening = whiten(covariance, 1e-10);
  EXPECT_EQ(whitening.dropped, 1);
  EXPECT_LT(whitening.error, 1e-10);
  // A projection: nothing is left in the direction that does not vary.
  Matrix projection = whitening.matrix * covariance * whitening.matrix;
  EXPECT_LT(difference(projection * projection, projection), 1e-10);
  EXPECT_NEAR(projection.trace(), 5, 1e-10);
  EXPECT_EQ(whiten(Matrix::Zero(3, 3), 1e-10).matrix, Matrix::Zero(3, 3));
}

TEST(Blocks, MeansInsideAndOutside) {
  Matrix matrix{{4, -2, 1, 0, 0, 1}, {-1, 1, 0, 2, 1, 0}};
  BlockMeans means = blockMeans(matrix, 2);
  EXPECT_DOUBLE_EQ(means.inside, (4 + 2 + 1 + 2 + 1 + 0) / 6.0);
  EXPECT_DOUBLE_EQ(means.outside, (0 + 0 + 1 + 1 + 1 + 0) / 6.0);
  EXPECT_DOUBLE_EQ(*means.ratio, 10.0 / 3);
  means = blockMeans(matrix, 1);
  EXPECT_DOUBLE_EQ(means.inside, 13.0 / 12);
  EXPECT_FALSE(means.ratio);
  EXPECT_FALSE(blockMeans(Matrix::Identity(4, 4), 2).ratio);
}

/// Groups of a layer that reads strongly correlated channels: whitening shows
/// them, as it takes the correlation out.
TEST(Blocks, WhiteningShowsGroups) {
  const int64_t channels = 16, groups = 4, width = channels / groups;
  MapSize size{6, 6, channels};
  std::vector<float> first = randomMaps(200, size, 9), second(first.size());
  std::vector<float> common = randomMaps(200, {6, 6, 1}, 10);
  std::mt19937 generator(11);
  std::normal_distribution<float> normal;
  float filter[channels][width];
  for (auto &row : filter)
    for (float &weight : row)
      weight = normal(generator);
  for (size_t pixel = 0; pixel < common.size(); ++pixel) {
    float *x = &first[pixel * channels], *y = &second[pixel * channels];
    for (int64_t c = 0; c < channels; ++c)
      x[c] += 3 * common[pixel];
    for (int64_t c = 0; c < channels; ++c)
      for (int64_t i = 0; i < width; ++i)
        y[c] += filter[c][i] * x[c / width * width + i];
  }
  Covariance result = measure(200, first, size, second, size, 2);
  double plain = *blockMeans(result.cross, groups).ratio;
  Matrix whitened = whiten(result.first, 1e-10).matrix * result.cross *
                    whiten(result.second, 1e-10).matrix;
  double ratio = *blockMeans(whitened, groups).ratio;
  EXPECT_LT(plain, 1.5);
  EXPECT_GT(ratio, 4);
  // Blocks where there are none.
  EXPECT_LT(*blockMeans(Matrix(whitened.rowwise().reverse()), groups).ratio, 1);
}

TEST(HeatMap, ColoursGrowLighter) {
  double last = -1;
  for (int i = 0; i <= 64; ++i) {
    double luminance = 0;
    Colour colour = heatColour(i / 64.0);
    const double parts[] = {0.2126, 0.7152, 0.0722};
    for (size_t j = 0; j < 3; ++j)
      luminance += parts[j] * std::pow(colour[j] / 255.0, 2.2);
    EXPECT_GT(luminance, last) << i;
    last = luminance;
  }
  EXPECT_LT(heatColour(0)[0], 40);
  EXPECT_GT(heatColour(1)[1], 220);
}

TEST(HeatMap, IsAPngOfItsValues) {
  Matrix values{{4, -2, 1, 0, 0, 1}, {-1, 1, 0, 2, 1, -9}};
  HeatMap map{values, 2, 4, "a < b", "", "", "rows", "columns & more", ""};
  std::string file = map.png();
  png_image image = {};
  image.version = PNG_IMAGE_VERSION;
  ASSERT_TRUE(
      png_image_begin_read_from_memory(&image, file.data(), file.size()));
  int64_t scale = map.cellWidth();
  EXPECT_EQ(scale, map.cellHeight());
  EXPECT_GE(scale * 6, 500);
  ASSERT_EQ(image.width, 6 * scale);
  ASSERT_EQ(image.height, 2 * scale);
  image.format = PNG_FORMAT_RGB;
  std::vector<uint8_t> pixels(PNG_IMAGE_SIZE(image));
  ASSERT_TRUE(
      png_image_finish_read(&image, nullptr, pixels.data(), 0, nullptr));
  auto colourAt = [&](int64_t x, int64_t y) {
    const uint8_t *pixel = &pixels[size_t((y * 6 * scale + x) * 3)];
    return Colour{pixel[0], pixel[1], pixel[2]};
  };
  auto colourOf = [](double part) {
    return heatColour(std::round(part * 254) / 254);
  };
  for (int64_t row = 0; row < 2; ++row)
    for (int64_t column = 0; column < 6; ++column)
      EXPECT_EQ(colourAt(column * scale + scale / 2, row * scale + scale / 2),
                colourOf(std::min(std::abs(values(row, column)) / 4, 1.0)))
          << row << " " << column;
  // The outline of the first block, three columns wide; none of one block.
  EXPECT_EQ(colourAt(0, 0), (Colour{255, 96, 64}));
  EXPECT_EQ(colourAt(3 * scale - 1, scale / 2), (Colour{255, 96, 64}));
  EXPECT_EQ(colourAt(3 * scale, scale / 2), colourOf(0));
  EXPECT_NE((HeatMap{values, 1, 4, "", "", "", "", "", ""}.png()), file);

  std::string svg = map.svg(file);
  EXPECT_CONTAINS(svg, ">a &lt; b</text>");
  EXPECT_CONTAINS(svg, ">columns &amp; more</text>");
  EXPECT_CONTAINS(svg, "href=\"data:image/png;base64,iVBORw0KGgo");
}

namespace {
/// The numbers along an axis of a figure: texts with this anchor.
std::vector<std::string> ticks(const std::string &svg, const char *anchor) {
  std::vector<std::string> result;
  std::string start = fmt::format("text-anchor=\"{}\">", anchor);
  for (size_t at = 0; (at = svg.find(start, at)) != std::string::npos;) {
    at += start.size();
    result.push_back(svg.substr(at, svg.find('<', at) - at));
  }
  return result;
}
HeatMap blank(const Matrix &values, int64_t blocks) {
  return {values, blocks, 1, "", "", "", "", "", ""};
}
} // namespace

TEST(HeatMap, DrawsAnyShape) {
  // A narrow matrix is widened, and its labels do not overlap.
  Matrix narrow = Matrix::Zero(192, 10);
  HeatMap map = blank(narrow, 2);
  EXPECT_EQ(map.cellHeight(), 3);
  EXPECT_GE(map.cellWidth() * 10, 100);
  std::string svg = map.svg(map.png());
  EXPECT_EQ(ticks(svg, "end"), (std::vector<std::string>{"0", "96", "192"}));
  std::vector<std::string> columns = ticks(svg, "middle");
  columns.resize(3);
  EXPECT_EQ(columns, (std::vector<std::string>{"0", "5", "10"}));
  EXPECT_EQ(blank(narrow.transpose(), 1).cellHeight(), map.cellWidth());
  // One channel a block: nothing may hide it, and every tenth is labelled.
  Matrix square = Matrix::Identity(192, 192);
  HeatMap channels = blank(square, 192);
  EXPECT_FALSE(channels.outlinesBlocks());
  EXPECT_TRUE(blank(square, 16).outlinesBlocks());
  EXPECT_FALSE(blank(square, 1).outlinesBlocks());
  std::vector<std::string> rows = ticks(channels.svg(channels.png()), "end");
  ASSERT_GE(rows.size(), 10u);
  EXPECT_EQ(rows[1], "10");
  // Large ones keep a pixel for each value.
  Matrix large = Matrix::Zero(2048, 3);
  HeatMap tall = blank(large, 1);
  EXPECT_EQ(tall.cellHeight(), 1);
  EXPECT_LE(ticks(tall.svg(tall.png()), "end").size(), 60u);
  Matrix one = Matrix::Ones(1, 1);
  HeatMap point = blank(one, 1);
  EXPECT_EQ(ticks(point.svg(point.png()), "end"),
            (std::vector<std::string>{"0", "1"}));
}

TEST(HeatMap, TopLeavesOutliersOut) {
  Matrix values = Matrix::Constant(40, 50, -0.5);
  values(3, 3) = 100;
  EXPECT_EQ(HeatMap::topOf(values), 0.5);
  values.setZero();
  EXPECT_EQ(HeatMap::topOf(values), 0);
  values(3, 3) = -7;
  EXPECT_EQ(HeatMap::topOf(values), 7);
}

namespace {
// The layers that the fake model stores responses of.
const std::string fakes =
    R"({"name": "cells", "op": "relu", "groups": 1, "inputs": []},
  {"name": "fc", "op": "linear", "groups": 1, "inputs": ["cells"]},)";

LayerGraph graphOf(const std::string &layers) {
  std::string description = "{\"graph\": [" + layers + "]}";
  rootc_model table = *fake_model();
  table.description = description.c_str();
  return LayerGraph(Model::adopt(&table));
}
std::string layer(const std::string &name, const std::string &op,
                  const std::string &inputs) {
  return fmt::format(
      R"({{"name": "{}", "op": "{}", "groups": 1, "inputs": [{}]}})", name, op,
      inputs);
}
} // namespace

TEST(LayerGraph, FollowsLayersWithoutWeights) {
  LayerGraph graph = graphOf(fakes + layer("a", "conv2d", "") + "," +
                             layer("relu_1", "relu", "\"a\"") + "," +
                             layer("b", "conv2d", "\"relu_1\"") + "," +
                             layer("add_1", "add", R"("relu_1", "b")") + "," +
                             layer("cat", "concat", R"("add_1", "b")") + "," +
                             layer("c", "linear", "\"cat\"") + "," +
                             layer("d", "linear", "\"add_1\""));
  EXPECT_TRUE(graph.path("a", "b").found);
  EXPECT_TRUE(graph.path("relu_1", "b").keepsChannels);
  EXPECT_TRUE(graph.path("a", "d").found);
  EXPECT_TRUE(graph.path("b", "d").keepsChannels);
  EXPECT_TRUE(graph.path("a", "c").found);
  EXPECT_FALSE(graph.path("a", "c").keepsChannels);
  EXPECT_FALSE(graph.path("b", "a").found);
  EXPECT_FALSE(graph.path("a", "a").found);
  EXPECT_FALSE(graph.path("c", "d").found);
  EXPECT_EQ(graph.sources("c"), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(graph.sources("add_1", "relu_1"),
            (std::vector<std::string>{"b", "relu_1"}));
  EXPECT_EQ(graph.readers("b"), (std::vector<std::string>{"add_1", "cat"}));
  EXPECT_EQ(graph.find("e"), nullptr);
}

TEST(LayerGraph, DamageIsAnError) {
  EXPECT_CONTAINS(errorOf([] { graphOf("{}"); }), "does not list its layers");
  EXPECT_CONTAINS(errorOf([] { graphOf(layer("a", "relu", "\"a\"")); }),
                  "layer 'a' reads 'a', which is not before it");
  EXPECT_CONTAINS(errorOf([] { graphOf(layer("a", "relu", "")); }),
                  "does not list layer 'cells'");
}
