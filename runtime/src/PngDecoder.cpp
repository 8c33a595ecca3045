//===- PngDecoder.cpp - PNG files to pixels -------------------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ImageDecode.h"

#include <csetjmp>
#include <cstdio>
#include <cstring>
#include <png.h>

using namespace rootc;

namespace {
/// One file's decoder. libpng leaves its functions by longjmp, so the two that
/// call it own no object whose destructor would be left out.
class PngReader {
public:
  explicit PngReader(const std::vector<char> &file) : file(file) {}
  ~PngReader() { png_destroy_read_struct(&png, &info, nullptr); }
  PngReader(const PngReader &) = delete;
  PngReader &operator=(const PngReader &) = delete;

  /// Reads up to the pixels and asks for 8 bits, grey or RGB.
  bool readHeader();
  /// Reads the pixels into rows of `stride` bytes.
  bool readPixels(uint8_t *pixels, size_t stride);
  int orientation() const;

  png_structp png = nullptr;
  png_infop info = nullptr;
  int64_t height = 0, width = 0, channels = 0;
  char message[256] = {};

private:
  [[noreturn]] static void stop(png_structp png, png_const_charp text);
  static void read(png_structp png, png_bytep out, size_t size);

  const std::vector<char> &file;
  size_t position = 0;
};
} // namespace

void PngReader::stop(png_structp png, png_const_charp text) {
  auto &reader = *static_cast<PngReader *>(png_get_error_ptr(png));
  std::snprintf(reader.message, sizeof(reader.message), "%s", text);
  png_longjmp(png, 1);
}

void PngReader::read(png_structp png, png_bytep out, size_t size) {
  auto &reader = *static_cast<PngReader *>(png_get_io_ptr(png));
  if (size > reader.file.size() - reader.position)
    png_error(png, "it is truncated");
  std::memcpy(out, reader.file.data() + reader.position, size);
  reader.position += size;
}

bool PngReader::readHeader() {
  png = png_create_read_struct(PNG_LIBPNG_VER_STRING, this, stop,
                               [](png_structp, png_const_charp) {});
  info = png ? png_create_info_struct(png) : nullptr;
  if (!info)
    throw std::bad_alloc();
  if (setjmp(png_jmpbuf(png)))
    return false;
  png_set_read_fn(png, this, read);
  // Texts and profiles are not looked at: they may unpack to any size.
  static const uint8_t passedOver[] = "iCCP\0iTXt\0tEXt\0zTXt\0sPLT\0hIST";
  png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, passedOver, 6);
  png_set_user_limits(png, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
  png_read_info(png, info);
  height = png_get_image_height(png, info);
  width = png_get_image_width(png, info);
  // A byte of deflate makes at most 1032 bytes. libpng takes memory for rows
  // from here on.
  checkClaim(height, width, file.size(),
             1032 * 8 /
                 (png_get_bit_depth(png, info) * png_get_channels(png, info)));
  png_set_expand(png); // palettes, fewer than 8 bits
  png_set_scale_16(png);
  png_set_strip_alpha(png);
  png_set_interlace_handling(png);
  png_read_update_info(png, info);
  channels = png_get_channels(png, info);
  return true;
}

bool PngReader::readPixels(uint8_t *pixels, size_t stride) {
  if (setjmp(png_jmpbuf(png)))
    return false;
  // Each pass of an interlaced image fills in some of the pixels.
  int passes = png_get_interlace_type(png, info) == PNG_INTERLACE_ADAM7 ? 7 : 1;
  for (int pass = 0; pass < passes; ++pass)
    for (int64_t y = 0; y < height; ++y)
      png_read_row(png, pixels + size_t(y) * stride, nullptr);
  png_read_end(png, info);
  return true;
}

int PngReader::orientation() const {
  png_uint_32 size = 0;
  png_bytep data = nullptr;
  return png_get_eXIf_1(png, info, &size, &data) && data
             ? exifOrientation(data, size)
             : 1;
}

DecodedImage rootc::decodePng(const std::vector<char> &file, int64_t channels,
                              int &orientation) {
  PngReader reader(file);
  if (!reader.readHeader())
    fail("is a damaged PNG file: {}", reader.message);
  if (reader.channels != 1 && reader.channels != 3)
    fail("is a PNG file of {} channels", reader.channels);
  DecodedImage image;
  image.size = image.stored = {reader.height, reader.width};
  image.channels = reader.channels;
  size_t pixels = size_t(reader.height * reader.width);
  image.pixels.resize(pixels * size_t(reader.channels));
  if (!reader.readPixels(image.pixels.data(),
                         size_t(reader.width * reader.channels)))
    fail("is a damaged PNG file: {}", reader.message);
  orientation = reader.orientation();
  if (channels == reader.channels)
    return image;
  std::vector<uint8_t> converted(pixels * size_t(channels));
  for (size_t i = 0; i < pixels; ++i)
    if (channels == 1)
      converted[i] = greyOf(image.pixels.data() + 3 * i);
    else
      std::memset(converted.data() + 3 * i, image.pixels[i], 3);
  image.pixels = std::move(converted);
  image.channels = channels;
  return image;
}
