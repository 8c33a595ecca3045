//===- PngEncoder.cpp - Pixels as a PNG file ------------------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "PngEncoder.h"

#include <png.h>

using namespace rootc;

std::string rootc::encodePng(const uint8_t *pixels, ImageSize size,
                             int64_t channels,
                             const std::vector<uint8_t> &palette) {
  png_image image = {};
  image.version = PNG_IMAGE_VERSION;
  image.width = png_uint_32(size.width);
  image.height = png_uint_32(size.height);
  image.format = !palette.empty() ? PNG_FORMAT_RGB_COLORMAP
                 : channels == 1  ? PNG_FORMAT_GRAY
                 : channels == 3  ? PNG_FORMAT_RGB
                                  : PNG_FORMAT_RGBA;
  image.colormap_entries = png_uint_32(palette.size() / 3);
  png_alloc_size_t bytes = 0;
  std::string file;
  auto write = [&](void *to) {
    if (!png_image_write_to_memory(&image, to, &bytes, 0, pixels, 0,
                                   palette.empty() ? nullptr : palette.data()))
      fail("a picture of {} x {} pixels cannot be made: {}", size.width,
           size.height, image.message);
  };
  write(nullptr);
  file.resize(bytes);
  write(file.data());
  file.resize(bytes);
  return file;
}
