//===- TestImages.cpp - JPEG and PNG files for tests ----------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What goes in is right, so libpng's and libjpeg's errors, which end the
// process, do not occur.
//
//===----------------------------------------------------------------------===//

#include "TestImages.h"

#include <cstdio>
#include <cstdlib>
#include <jpeglib.h>

using namespace rootc;

std::string test::encodePng(int64_t height, int64_t width, PngKind kind,
                            const std::vector<uint8_t> &rows) {
  std::string file;
  png_structp png =
      png_create_write_struct(PNG_LIBPNG_VER_STRING, nullptr, nullptr, nullptr);
  png_infop info = png_create_info_struct(png);
  png_set_write_fn(
      png, &file,
      [](png_structp png, png_bytep bytes, size_t size) {
        static_cast<std::string *>(png_get_io_ptr(png))
            ->append(reinterpret_cast<char *>(bytes), size);
      },
      nullptr);
  png_set_IHDR(png, info, png_uint_32(width), png_uint_32(height), kind.depth,
               kind.colour,
               kind.interlaced ? PNG_INTERLACE_ADAM7 : PNG_INTERLACE_NONE,
               PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  if (kind.colour == PNG_COLOR_TYPE_PALETTE) {
    png_color palette[256];
    for (int i = 0; i < 1 << kind.depth; ++i)
      palette[i] = {png_byte(i), png_byte(255 - i), png_byte(i * 7)};
    png_set_PLTE(png, info, palette, 1 << kind.depth);
  }
  png_write_info(png, info);
  size_t stride = png_get_rowbytes(png, info);
  std::vector<png_bytep> pointers;
  for (int64_t y = 0; y < height; ++y)
    pointers.push_back(const_cast<png_bytep>(rows.data()) + size_t(y) * stride);
  png_write_image(png, pointers.data());
  png_write_end(png, info);
  png_destroy_write_struct(&png, &info);
  return file;
}

std::string test::encodeJpeg(int64_t height, int64_t width, JpegKind kind,
                             const std::vector<uint8_t> &pixels) {
  jpeg_compress_struct jpeg;
  jpeg_error_mgr errors;
  jpeg.err = jpeg_std_error(&errors);
  jpeg_create_compress(&jpeg);
  unsigned char *memory = nullptr;
  unsigned long size = 0;
  jpeg_mem_dest(&jpeg, &memory, &size);
  jpeg.image_height = JDIMENSION(height);
  jpeg.image_width = JDIMENSION(width);
  jpeg.input_components = kind.components;
  jpeg.in_color_space = kind.components == 1   ? JCS_GRAYSCALE
                        : kind.components == 3 ? JCS_RGB
                                               : JCS_CMYK;
  jpeg_set_defaults(&jpeg);
  if (kind.components == 4)
    jpeg_set_colorspace(&jpeg, JCS_YCCK);
  jpeg_set_quality(&jpeg, 95, TRUE);
  jpeg.arith_code = kind.arithmetic;
  jpeg.restart_interval = unsigned(kind.restart);
  if (kind.progressive)
    jpeg_simple_progression(&jpeg);
  jpeg_start_compress(&jpeg, TRUE);
  while (jpeg.next_scanline < jpeg.image_height) {
    auto row = const_cast<JSAMPROW>(pixels.data()) +
               int64_t(jpeg.next_scanline) * width * kind.components;
    jpeg_write_scanlines(&jpeg, &row, 1);
  }
  jpeg_finish_compress(&jpeg);
  jpeg_destroy_compress(&jpeg);
  std::string file(reinterpret_cast<char *>(memory), size);
  std::free(memory);
  return file;
}
