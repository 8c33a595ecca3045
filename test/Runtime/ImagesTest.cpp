//===- ImagesTest.cpp - JPEG and PNG files, resizing, image folders -------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "FakeModel.h"
#include "TestImages.h"
#include "TestSupport.h"
#include "runtime/src/Data.h"
#include "runtime/src/Evaluate.h"
#include "runtime/src/ImageFiles.h"
#include "runtime/src/Loader.h"
#include "runtime/src/Philox.h"
#include "runtime/src/Resample.h"

#include <cmath>
#include <set>

using namespace rootc;
using namespace rootc::test;
namespace fs = std::filesystem;

namespace {
DecodedImage decode(const std::string &file, int64_t channels = 3) {
  return decodeImage(bytesOf(file), channels);
}

double meanDifference(const std::vector<uint8_t> &a,
                      const std::vector<uint8_t> &b) {
  EXPECT_EQ(a.size(), b.size());
  double sum = 0;
  for (size_t i = 0; i < std::min(a.size(), b.size()); ++i)
    sum += std::abs(int(a[i]) - int(b[i]));
  return sum / double(a.size());
}
} // namespace

TEST(Decode, PngIsExact) {
  for (bool interlaced : {false, true}) {
    auto rgb = pattern(13, 17, 3), grey = pattern(13, 17, 1);
    DecodedImage image =
        decode(encodePng(13, 17, {PNG_COLOR_TYPE_RGB, 8, interlaced}, rgb));
    EXPECT_EQ(image.size, (ImageSize{13, 17}));
    EXPECT_EQ(image.stored, image.size);
    EXPECT_EQ(image.pixels, rgb);
    EXPECT_EQ(
        decode(encodePng(13, 17, {PNG_COLOR_TYPE_GRAY, 8, interlaced}, grey), 1)
            .pixels,
        grey);
    // RGBA: alpha goes, colours stay.
    std::vector<uint8_t> rgba, rgb16, indices;
    for (size_t i = 0; i < rgb.size(); ++i) {
      rgba.push_back(rgb[i]);
      rgb16.insert(rgb16.end(), {rgb[i], rgb[i]});
      if (i % 3 == 2)
        rgba.push_back(uint8_t(i));
    }
    EXPECT_EQ(
        decode(encodePng(13, 17, {PNG_COLOR_TYPE_RGBA, 8, interlaced}, rgba))
            .pixels,
        rgb);
    EXPECT_EQ(
        decode(encodePng(13, 17, {PNG_COLOR_TYPE_RGB, 16, interlaced}, rgb16))
            .pixels,
        rgb);
    DecodedImage coloured = decode(
        encodePng(13, 17, {PNG_COLOR_TYPE_PALETTE, 8, interlaced}, grey));
    for (size_t i = 0; i < grey.size(); ++i) {
      EXPECT_EQ(coloured.pixels[3 * i], grey[i]);
      EXPECT_EQ(coloured.pixels[3 * i + 1], 255 - grey[i]);
      EXPECT_EQ(coloured.pixels[3 * i + 2], uint8_t(grey[i] * 7));
    }
  }
  // 1 bit: 0 is black, 1 white.
  EXPECT_EQ(decode(encodePng(1, 4, {PNG_COLOR_TYPE_GRAY, 1}, {0xa0}), 1).pixels,
            (std::vector<uint8_t>{255, 0, 255, 0}));
}

TEST(Decode, JpegIsClose) {
  auto rgb = pattern(45, 60, 3), grey = pattern(45, 60, 1);
  for (bool progressive : {false, true})
    for (bool arithmetic : {false, true}) {
      JpegKind kind{3, progressive, arithmetic, 0};
      EXPECT_LT(
          meanDifference(decode(encodeJpeg(45, 60, kind, rgb)).pixels, rgb), 2);
      kind.components = 1;
      EXPECT_LT(meanDifference(decode(encodeJpeg(45, 60, kind, grey), 1).pixels,
                               grey),
                1);
    }
  // CMYK without black, inverted as Adobe's are: the inks are the colours.
  std::vector<uint8_t> cmyk;
  for (size_t i = 0; i < rgb.size(); ++i) {
    cmyk.push_back(rgb[i]);
    if (i % 3 == 2)
      cmyk.push_back(255);
  }
  EXPECT_LT(meanDifference(decode(encodeJpeg(45, 60, {4}, cmyk)).pixels, rgb),
            3);
  for (size_t i = 3; i < cmyk.size(); i += 4)
    cmyk[i] = 0; // all black
  EXPECT_LT(meanDifference(decode(encodeJpeg(45, 60, {4}, cmyk)).pixels,
                           std::vector<uint8_t>(rgb.size())),
            2);
}

TEST(Decode, JpegIsHalvedWhileItStaysLargeEnough) {
  std::string file = encodeJpeg(400, 300, {}, pattern(400, 300, 3));
  auto stored = [&](int64_t height, int64_t width) {
    DecodedImage image = decodeImage(
        bytesOf(file), 3, [&](ImageSize) { return ImageSize{height, width}; });
    EXPECT_EQ(image.size, (ImageSize{400, 300}));
    return image.stored;
  };
  EXPECT_EQ(stored(400, 300), (ImageSize{400, 300}));
  EXPECT_EQ(stored(201, 1), (ImageSize{400, 300}));
  EXPECT_EQ(stored(200, 150), (ImageSize{200, 150}));
  EXPECT_EQ(stored(100, 76), (ImageSize{200, 150}));
  EXPECT_EQ(stored(100, 75), (ImageSize{100, 75}));
  EXPECT_EQ(stored(3, 4), (ImageSize{50, 38}));
}

TEST(Decode, Orientation) {
  std::string exif("MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0",
                   22);
  auto of = [](const std::string &text) {
    return exifOrientation(reinterpret_cast<const uint8_t *>(text.data()),
                           text.size());
  };
  EXPECT_EQ(of(exif), 6);
  EXPECT_EQ(of(std::string("II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x05\0"
                           "\0\0",
                           22)),
            5);
  for (size_t size = 0; size < exif.size(); ++size)
    EXPECT_EQ(of(exif.substr(0, size)), 1) << size;
  exif[19] = 9;
  EXPECT_EQ(of(exif), 1);
  exif[4] = char(0xff);
  EXPECT_EQ(of(exif), 1);
}

TEST(Resample, SizesAndCrops) {
  ImageSize model{224, 224};
  EXPECT_EQ(resizedSize({375, 500}, model), (ImageSize{256, 341}));
  EXPECT_EQ(resizedSize({500, 375}, model), (ImageSize{341, 256}));
  EXPECT_EQ(resizedSize({256, 256}, model), (ImageSize{256, 256}));
  EXPECT_EQ(resizedSize({224, 224}, model), model);
  EXPECT_EQ(resizedSize({100, 100}, {299, 299}), (ImageSize{342, 342}));
  EXPECT_EQ(resizedSize({100, 200}, {32, 64}), (ImageSize{37, 73}));
  EXPECT_EQ(resizedSize({1, 100'000'000}, model).height, 256);
  Window centre = cropWindow({256, 341}, model, nullptr);
  EXPECT_EQ(centre.top, 16);
  EXPECT_EQ(centre.left, 58);
  EXPECT_EQ(centre.size, model);
  std::set<int64_t> tops;
  for (uint32_t i = 0; i < 1000; ++i) {
    CropWords words;
    words.down = i * 4294967u;
    words.right = ~0u;
    Window window = cropWindow({256, 341}, model, &words);
    tops.insert(window.top);
    EXPECT_EQ(window.left, 341 - 224);
  }
  EXPECT_EQ(tops.size(), 33u);
  EXPECT_EQ(*tops.begin(), 0);
  EXPECT_EQ(*tops.rbegin(), 32);
}

TEST(Resample, PartsOfRandomSize) {
  ImageSize image{375, 500}, model{224, 224};
  double smallest = 1, largest = 0, narrowest = 9, widest = 0;
  for (uint32_t i = 0; i < 2000; ++i) {
    CropWords words;
    words.isResized = true;
    for (uint32_t j = 0; j < words.shapes.size(); ++j) {
      PhiloxBlock random = philox({i, j, 0, 0}, 7);
      words.shapes[j] = {random[0], random[1]};
    }
    ImageSize resized = resizedSize(image, model, &words);
    EXPECT_GE(resized.height, model.height);
    EXPECT_GE(resized.width, model.width);
    double height = 224.0 * 375 / double(resized.height);
    double width = 224.0 * 500 / double(resized.width);
    double area = height * width / (375 * 500);
    smallest = std::min(smallest, area), largest = std::max(largest, area);
    narrowest = std::min(narrowest, width / height);
    widest = std::max(widest, width / height);
  }
  EXPECT_NEAR(smallest, 0.08, 0.005);
  EXPECT_NEAR(largest, 1, 0.05);
  EXPECT_NEAR(narrowest, 3.0 / 4, 0.01);
  EXPECT_NEAR(widest, 4.0 / 3, 0.01);
  // No part of that shape fits: the crop is as without it.
  CropWords words;
  words.isResized = true;
  EXPECT_EQ(resizedSize({10, 1000}, model, &words),
            resizedSize({10, 1000}, model));
}

/// The filter as its definition says, in double, of the whole image.
static std::vector<double> resizeSlowly(const DecodedImage &image,
                                        ImageSize to) {
  auto weight = [](int64_t x, int64_t i, int64_t from, int64_t size) {
    double scale = double(from) / double(size), width = std::max(scale, 1.0);
    return std::max(
        0.0, 1 - std::abs(double(x) + 0.5 - (double(i) + 0.5) * scale) / width);
  };
  int64_t c = image.channels;
  std::vector<double> out;
  for (int64_t i = 0; i < to.height; ++i)
    for (int64_t j = 0; j < to.width; ++j)
      for (int64_t channel = 0; channel < c; ++channel) {
        double sum = 0, weights = 0;
        for (int64_t y = 0; y < image.stored.height; ++y) {
          double down = weight(y, i, image.stored.height, to.height);
          for (int64_t x = 0; down > 0 && x < image.stored.width; ++x) {
            double both = down * weight(x, j, image.stored.width, to.width);
            weights += both;
            sum += both * image.pixels[size_t((y * image.stored.width + x) * c +
                                              channel)];
          }
        }
        out.push_back(sum / weights);
      }
  return out;
}

TEST(Resample, IsTheFilterOfItsDefinition) {
  for (int64_t channels : {1, 3})
    for (ImageSize from : {ImageSize{23, 31}, {5, 4}, {64, 9}, {1, 1}})
      for (ImageSize to : {ImageSize{23, 31}, {12, 17}, {40, 7}, {3, 2}}) {
        DecodedImage image{
            from, from, channels,
            std::vector<uint8_t>(size_t(from.height * from.width * channels))};
        for (size_t i = 0; i < image.pixels.size(); ++i)
          image.pixels[i] = uint8_t(i * 2654435761u >> 13);
        std::vector<double> expected = resizeSlowly(image, to);
        // A window: all but the first row and column.
        Window window{1, 1, {to.height - 1, to.width - 1}};
        std::vector<uint8_t> out(
            size_t(window.size.height * window.size.width * channels), 99);
        resample(image, to, window, out.data());
        size_t at = 0;
        for (int64_t y = 1; y < to.height; ++y)
          for (int64_t x = channels; x < to.width * channels; ++x)
            EXPECT_NEAR(out[at++],
                        expected[size_t(y * to.width * channels + x)], 0.501);
        if (from == to) {
          std::vector<uint8_t> all(image.pixels.size());
          resample(image, to, {0, 0, to}, all.data());
          EXPECT_EQ(all, image.pixels);
        }
      }
}

TEST(Evaluation, LargeLogitsLoseNoDigits) {
  for (float logit : {0.0f, -1e5f, 1e20f, 3e38f}) {
    float logits[] = {logit, logit, logit};
    EXPECT_NEAR(LogSoftmax(logits, 3).of(logit), -std::log(3), 1e-12) << logit;
  }
  float logits[] = {1, NAN, 2};
  EXPECT_TRUE(std::isnan(LogSoftmax(logits, 3).of(1)));
}

TEST(Evaluation, RankOfAClass) {
  float logits[] = {1, 3, 3, NAN, 2};
  EXPECT_EQ(rankOf(logits, 3, 1), 0);
  EXPECT_EQ(rankOf(logits, 3, 2), 1); // the first of equal ones comes first
  EXPECT_EQ(rankOf(logits, 3, 0), 2);
  EXPECT_EQ(rankOf(logits, 5, 3), 4); // not a number: last
}
