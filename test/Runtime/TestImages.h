//===- TestImages.h - JPEG and PNG files for tests --------------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_TEST_RUNTIME_TESTIMAGES_H
#define ROOTC_TEST_RUNTIME_TESTIMAGES_H

#include "runtime/src/ImageDecode.h"

#include <png.h>
#include <string>

namespace rootc::test {

/// Smooth colours that differ everywhere, 8 bits a channel.
inline std::vector<uint8_t> pattern(int64_t height, int64_t width,
                                    int64_t channels, unsigned seed = 0) {
  std::vector<uint8_t> pixels;
  for (int64_t y = 0; y < height; ++y)
    for (int64_t x = 0; x < width; ++x)
      for (int64_t c = 0; c < channels; ++c)
        pixels.push_back(
            uint8_t(40 + 150 * y / height + 50 * x / width + 13 * c + seed));
  return pixels;
}

struct PngKind {
  int colour = PNG_COLOR_TYPE_RGB;
  int depth = 8;
  bool interlaced = false;
};

/// A PNG file of rows as libpng wants them.
std::string encodePng(int64_t height, int64_t width, PngKind kind,
                      const std::vector<uint8_t> &rows);

struct JpegKind {
  int components = 3; ///< 1 grey, 3 YCbCr, 4 Adobe's CMYK (inverted)
  bool progressive = false, arithmetic = false;
  int restart = 0; ///< MCUs between restart markers
};

std::string encodeJpeg(int64_t height, int64_t width, JpegKind kind,
                       const std::vector<uint8_t> &pixels);

inline std::vector<char> bytesOf(const std::string &text) {
  return {text.begin(), text.end()};
}

} // namespace rootc::test

#endif // ROOTC_TEST_RUNTIME_TESTIMAGES_H
