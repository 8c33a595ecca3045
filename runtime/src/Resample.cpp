//===- Resample.cpp - Resize and crop an image ----------------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Resample.h"
#include "Philox.h"
#include "runtime/support/Resample.h"

#include <algorithm>
#include <cmath>

using namespace rootc;

static rootc_size plain(ImageSize size) { return {size.height, size.width}; }

ImageSize rootc::resizedSize(ImageSize image, ImageSize model) {
  rootc_size size = rootc_resized_size(plain(image), plain(model));
  return {size.height, size.width};
}

static int64_t resizedSide(int64_t side, double factor) {
  return std::max<int64_t>(side, std::llround(double(side) * factor));
}

ImageSize rootc::resizedSize(ImageSize image, ImageSize model,
                             const CropWords *crop) {
  if (!crop || !crop->isResized)
    return resizedSize(image, model);
  auto part = [](uint32_t word) { return double(word) * 0x1p-32; };
  auto height = double(image.height), width = double(image.width);
  for (auto [area, ratio] : crop->shapes) {
    double pixels = height * width * (0.08 + 0.92 * part(area));
    double wide = 0.75 * std::pow(16.0 / 9, part(ratio)); // to 4/3
    double cropHeight = std::sqrt(pixels / wide);
    double cropWidth = std::sqrt(pixels * wide);
    if (cropHeight <= height && cropWidth <= width)
      return {resizedSide(model.height, height / cropHeight),
              resizedSide(model.width, width / cropWidth)};
  }
  return resizedSize(image, model);
}

Window rootc::cropWindow(ImageSize resized, ImageSize model,
                         const CropWords *crop) {
  int64_t down = resized.height - model.height,
          right = resized.width - model.width;
  if (!crop) {
    rootc_window centre = rootc_centre(plain(resized), plain(model));
    return {centre.top, centre.left, model};
  }
  auto place = [](uint32_t word, int64_t room) {
    return int64_t(
        below(word, uint32_t(std::min<int64_t>(room, INT32_MAX)) + 1));
  };
  return {place(crop->down, down), place(crop->right, right), model};
}

void rootc::resample(const DecodedImage &image, ImageSize resized,
                     const Window &window, uint8_t *out) {
  rootc_pixels pixels = {image.pixels.data(), plain(image.stored),
                         image.stored.width * image.channels, image.channels};
  rootc_window part = {window.top, window.left, plain(window.size)};
  rootc_size size = plain(resized);
  std::vector<char> memory(rootc_resample_bytes(&pixels, size, &part));
  rootc_resample(&pixels, size, &part, out, memory.data());
}
