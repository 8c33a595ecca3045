//===- ImageDecode.h - JPEG and PNG files to pixels -------------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The bytes decide the format, not the file's name. What a file claims is
// checked against its size and against maximumPixels before memory is taken.
//
// Colours are taken as they are stored: no colour profile, no gamma; alpha is
// dropped; 16 bits are rounded to 8; palettes and CMYK become RGB. An image
// lies as its EXIF orientation says.
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_RUNTIME_IMAGEDECODE_H
#define ROOTC_RUNTIME_IMAGEDECODE_H

#include "Support.h"

namespace rootc {

/// Larger images are refused.
constexpr int64_t maximumPixels = 100'000'000;
/// Larger files are refused.
constexpr int64_t maximumImageBytes = int64_t(1) << 28;

struct ImageSize {
  int64_t height = 0, width = 0;
  bool operator==(const ImageSize &) const = default;
};

/// 8 bits a channel.
struct DecodedImage {
  ImageSize size; ///< of the file's image, its orientation regarded
  /// Of the pixels: `size`, or less where the decoder halved a JPEG.
  ImageSize stored;
  int64_t channels = 0;
  std::vector<uint8_t> pixels; ///< [stored.height, stored.width, channels]
};

enum class ImageFormat { None, Jpeg, Png };

/// What a file is by its first 8 bytes.
ImageFormat imageFormat(const std::vector<char> &file);

/// The size that the caller wants an image in, given the file's.
using WantedSize = std::function<ImageSize(ImageSize)>;

/// Decodes a JPEG or PNG file to `channels` = 1 (grey) or 3 (RGB). With
/// `wanted`, a JPEG may be decoded at 1/2, 1/4 or 1/8 of its size, as long as
/// neither side becomes smaller than what is wanted: that is faster. Throws an
/// Error that says what is wrong with the file, without its name, for anything
/// but a complete image.
DecodedImage decodeImage(const std::vector<char> &file, int64_t channels,
                         const WantedSize &wanted = nullptr);

/// The orientation, 1 to 8, of EXIF data that begins with its TIFF header; 1 if
/// it holds none.
int exifOrientation(const uint8_t *data, size_t size);

// The formats, for decodeImage: `orientation` is what the file says, and the
// image's sizes do not regard it yet. `wanted` is never null.

DecodedImage decodeJpeg(const std::vector<char> &file, int64_t channels,
                        const WantedSize &wanted, int &orientation);
DecodedImage decodePng(const std::vector<char> &file, int64_t channels,
                       int &orientation);

/// Throws if a claimed size is zero, beyond maximumPixels, or impossible in
/// a file of this many bytes, of which each makes at most `pixelsOfByte`.
void checkClaim(int64_t height, int64_t width, size_t bytes,
                int64_t pixelsOfByte);

/// The grey of a colour (ITU-R BT.601); exact where the three are equal.
inline uint8_t greyOf(const uint8_t *rgb) {
  return uint8_t(
      (rgb[0] * 19595u + rgb[1] * 38470u + rgb[2] * 7471u + 32768u) >> 16);
}

} // namespace rootc

#endif // ROOTC_RUNTIME_IMAGEDECODE_H
