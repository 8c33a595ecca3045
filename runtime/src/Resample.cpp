//===- Resample.cpp - Resize and crop an image ----------------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Resample.h"
#include "Philox.h"

#include <algorithm>
#include <cmath>

using namespace rootc;

ImageSize rootc::resizedSize(ImageSize image, ImageSize model) {
  if (image == model)
    return image;
  double factor = std::max(double(model.height) / double(image.height),
                           double(model.width) / double(image.width)) *
                  256 / 224;
  auto scaled = [&](int64_t side, int64_t least) {
    return std::max(least, int64_t(std::llround(double(side) * factor)));
  };
  return {scaled(image.height, model.height), scaled(image.width, model.width)};
}

Window rootc::cropWindow(ImageSize resized, ImageSize model,
                         const CropWords *crop) {
  int64_t down = resized.height - model.height,
          right = resized.width - model.width;
  if (!crop)
    return {down / 2, right / 2, model};
  auto place = [](uint32_t word, int64_t room) {
    return int64_t(
        below(word, uint32_t(std::min<int64_t>(room, INT32_MAX)) + 1));
  };
  return {place(crop->down, down), place(crop->right, right), model};
}

namespace {
/// The weights with which pixels of a line make some pixels of a resized one.
struct Taps {
  struct Range {
    int64_t first, count;
    size_t weights; ///< index of the first weight
  };
  std::vector<Range> ranges; ///< of each output
  std::vector<float> weights;
  int64_t begin = INT64_MAX, end = 0; ///< the pixels that are read

  /// Outputs [first, first + count) of a line of `from` pixels resized to `to`.
  Taps(int64_t from, int64_t to, int64_t first, int64_t count) {
    double scale = double(from) / double(to), width = std::max(scale, 1.0);
    std::vector<double> line;
    for (int64_t i = first; i < first + count; ++i) {
      double centre = (double(i) + 0.5) * scale;
      auto low = std::clamp<int64_t>(std::llround(centre - width), 0, from - 1);
      auto high =
          std::clamp<int64_t>(std::llround(centre + width), low + 1, from);
      line.clear();
      double sum = 0;
      for (int64_t x = low; x < high; ++x) {
        double distance = std::abs((double(x) + 0.5 - centre) / width);
        line.push_back(std::max(0.0, 1 - distance));
        sum += line.back();
      }
      ranges.push_back({low, high - low, weights.size()});
      for (double weight : line)
        weights.push_back(float(weight / sum));
      begin = std::min(begin, low);
      end = std::max(end, high);
    }
  }
};
} // namespace

/// out[i] = sum over a row's taps of input[i], for `count` values a row.
static void combineRows(const Taps::Range &range, const float *weights,
                        const uint8_t *rows, int64_t stride, int64_t count,
                        float *out) {
  std::fill_n(out, count, 0.f);
  for (int64_t k = 0; k < range.count; ++k) {
    const uint8_t *row = rows + (range.first + k) * stride;
    float weight = weights[k];
    for (int64_t i = 0; i < count; ++i)
      out[i] += weight * float(row[i]);
  }
}

template <int channels>
static void combineColumns(const Taps &taps, const float *row, uint8_t *out) {
  for (const Taps::Range &range : taps.ranges) {
    const float *weights = taps.weights.data() + range.weights;
    const float *in = row + (range.first - taps.begin) * channels;
    float sums[channels] = {};
    for (int64_t k = 0; k < range.count; ++k)
      for (int c = 0; c < channels; ++c)
        sums[c] += weights[k] * in[k * channels + c];
    for (int c = 0; c < channels; ++c)
      *out++ = uint8_t(std::min(sums[c] + 0.5f, 255.f));
  }
}

void rootc::resample(const DecodedImage &image, ImageSize resized,
                     const Window &window, uint8_t *out) {
  Taps down(image.stored.height, resized.height, window.top,
            window.size.height);
  Taps across(image.stored.width, resized.width, window.left,
              window.size.width);
  int64_t channels = image.channels;
  int64_t stride = image.stored.width * channels;
  int64_t count = (across.end - across.begin) * channels;
  std::vector<float> row(static_cast<size_t>(count));
  for (const Taps::Range &range : down.ranges) {
    combineRows(range, down.weights.data() + range.weights,
                image.pixels.data() + across.begin * channels, stride, count,
                row.data());
    if (channels == 1)
      combineColumns<1>(across, row.data(), out);
    else
      combineColumns<3>(across, row.data(), out);
    out += window.size.width * channels;
  }
}
