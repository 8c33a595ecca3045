//===- ImageDecode.cpp - JPEG and PNG files to pixels ---------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ImageDecode.h"

#include <algorithm>
#include <cstring>

using namespace rootc;

void rootc::checkClaim(int64_t height, int64_t width, size_t bytes,
                       int64_t pixelsOfByte) {
  if (height < 1 || width < 1)
    fail("claims {} x {} pixels", width, height);
  auto pixels = multiply(height, width);
  if (!pixels || *pixels > maximumPixels)
    fail("claims {} x {} pixels, more than the {} that are read", width, height,
         maximumPixels);
  if (*pixels / pixelsOfByte > int64_t(bytes))
    fail("is truncated: it claims {} x {} pixels, and has {} bytes", width,
         height, bytes);
}

int rootc::exifOrientation(const uint8_t *data, size_t size) {
  constexpr uint32_t orientationTag = 0x112, shortType = 3;
  if (size < 8 || (std::memcmp(data, "II*\0", 4) != 0 &&
                   std::memcmp(data, "MM\0*", 4) != 0))
    return 1;
  bool little = data[0] == 'I';
  auto number = [&](size_t at, size_t bytes) {
    uint32_t value = 0;
    for (size_t i = 0; i < bytes; ++i)
      value = value << 8 | data[at + (little ? bytes - 1 - i : i)];
    return value;
  };
  size_t at = number(4, 4);
  if (at > size || size - at < 2)
    return 1;
  size_t entries = number(at, 2);
  at += 2;
  for (size_t i = 0; i < entries && size - at >= 12; ++i, at += 12)
    if (number(at, 2) == orientationTag && number(at + 2, 2) == shortType &&
        number(at + 4, 4) == 1) {
      uint32_t value = number(at + 8, 2);
      return value >= 1 && value <= 8 ? int(value) : 1;
    }
  return 1;
}

/// Turns and mirrors the pixels so that the image lies as `orientation` says.
static void orient(DecodedImage &image, int orientation) {
  if (orientation == 1)
    return;
  // Where the stored image's first row and column belong: 1 top, left; 2 top,
  // right; 3 bottom, right; 4 bottom, left; 5 left, top; 6 right, top;
  // 7 right, bottom; 8 left, bottom.
  bool swap = orientation >= 5;
  bool flipRows = orientation == 3 || orientation == 4 || orientation == 6 ||
                  orientation == 7;
  bool flipColumns = orientation == 2 || orientation == 3 || orientation >= 7;
  ImageSize from = image.stored, to = from;
  if (swap) {
    std::swap(image.size.height, image.size.width);
    std::swap(to.height, to.width);
  }
  std::vector<uint8_t> turned(image.pixels.size());
  uint8_t *out = turned.data();
  for (int64_t y = 0; y < to.height; ++y)
    for (int64_t x = 0; x < to.width; ++x, out += image.channels) {
      int64_t row = swap ? x : y, column = swap ? y : x;
      row = flipRows ? from.height - 1 - row : row;
      column = flipColumns ? from.width - 1 - column : column;
      std::copy_n(image.pixels.data() +
                      (row * from.width + column) * image.channels,
                  image.channels, out);
    }
  image.pixels = std::move(turned);
  image.stored = to;
}

ImageFormat rootc::imageFormat(const std::vector<char> &file) {
  std::string_view bytes(file.data(), file.size());
  if (bytes.starts_with("\xff\xd8\xff"))
    return ImageFormat::Jpeg;
  if (bytes.starts_with("\x89PNG\r\n\x1a\n"))
    return ImageFormat::Png;
  return ImageFormat::None;
}

DecodedImage rootc::decodeImage(const std::vector<char> &file, int64_t channels,
                                const WantedSize &wanted) {
  int orientation = 1;
  DecodedImage image;
  if (file.empty())
    fail("is empty");
  switch (imageFormat(file)) {
  case ImageFormat::Jpeg:
    image = decodeJpeg(
        file, channels, wanted ? wanted : [](ImageSize size) { return size; },
        orientation);
    break;
  case ImageFormat::Png:
    image = decodePng(file, channels, orientation);
    break;
  case ImageFormat::None:
    fail("is neither a JPEG nor a PNG file");
  }
  orient(image, orientation);
  return image;
}
