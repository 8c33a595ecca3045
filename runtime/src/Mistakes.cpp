//===- Mistakes.cpp - What a network takes for what -----------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Mistakes.h"
#include "PngEncoder.h"
#include "Report/Markup.h"
#include "Resample.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

using namespace rootc;
using Json = nlohmann::ordered_json;

namespace {
constexpr size_t kept = 16;
constexpr int64_t pictureSide = 96; ///< pixels, at most
} // namespace

/// Larger losses first; of equal ones the earlier image.
static bool isWorse(const WorstImage &a, const WorstImage &b) {
  return a.loss != b.loss ? a.loss > b.loss : a.sample < b.sample;
}

void Mistakes::add(WorstImage one, const float *image,
                   const ImageSource &source,
                   const Normalisation &normalisation) {
  ++confusion[{one.label, one.predicted}];
  // What is not finite ends a run, which says so.
  if (!std::isfinite(one.loss) ||
      (worst.size() == kept && !isWorse(one, worst.front())))
    return;
  one.pixels.resize(size_t(source.imageSize()));
  auto channels = size_t(source.channels);
  for (size_t i = 0; i < one.pixels.size(); ++i)
    one.pixels[i] = uint8_t(std::lround(std::clamp(
        image[i] * normalisation.scale[i % channels] + normalisation.mean[i],
        0.f, 255.f)));
  if (worst.size() == kept) {
    std::pop_heap(worst.begin(), worst.end(), isWorse);
    worst.pop_back();
  }
  worst.push_back(std::move(one));
  std::push_heap(worst.begin(), worst.end(), isWorse);
}

/// A PNG file, shrunk where that is enough to see what it shows; "" for images
/// that have no colours.
static std::string pictureOf(const WorstImage &one, const ImageSource &source) {
  if (source.channels != 1 && source.channels != 3)
    return "";
  DecodedImage image;
  image.size = image.stored = {source.height, source.width};
  image.channels = source.channels;
  image.pixels = one.pixels;
  double factor = std::min(
      1.0, double(pictureSide) / double(std::max(source.height, source.width)));
  auto shrunk = [&](int64_t side) {
    return std::max<int64_t>(1, std::lround(double(side) * factor));
  };
  ImageSize size{shrunk(source.height), shrunk(source.width)};
  std::vector<uint8_t> pixels(
      size_t(size.height * size.width * image.channels));
  resample(image, size, {0, 0, size}, pixels.data());
  return encodePng(pixels.data(), size, image.channels);
}

std::string Mistakes::toJson(int64_t epoch, const ImageSource &source,
                             const std::vector<std::string> &classNames) const {
  Json counts = Json::array(), images = Json::array();
  int64_t total = 0;
  for (const auto &[classes, count] : confusion) {
    counts.push_back({classes.first, classes.second, count});
    total += count;
  }
  std::vector<WorstImage> sorted = worst;
  std::sort(sorted.begin(), sorted.end(), isWorse);
  for (const WorstImage &one : sorted) {
    Json entry = {{"sample", one.sample},
                  {"label", one.label},
                  {"predicted", one.predicted},
                  {"probability", one.probability},
                  {"loss", one.loss},
                  {"png", report::base64(pictureOf(one, source))}};
    if (std::string path = source.path(one.sample); !path.empty())
      entry["path"] = path;
    images.push_back(std::move(entry));
  }
  Json all = {{"epoch", epoch},
              {"images", total},
              {"classes", classNames},
              {"confusion", counts},
              {"worst", images}};
  // A path need not be UTF-8.
  return all.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}
