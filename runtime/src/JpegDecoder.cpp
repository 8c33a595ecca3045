//===- JpegDecoder.cpp - JPEG files to pixels -----------------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ImageDecode.h"

#include <csetjmp>
#include <cstdio> // jpeglib.h needs it
#include <cstring>
#include <jpeglib.h>

#include <jerror.h> // whose list depends on jpeglib.h

using namespace rootc;

namespace {
constexpr int exifMarker = JPEG_APP0 + 1;
constexpr int maximumScans = 100;

/// Whether a warning means that pixels are missing or wrong. The others (bytes
/// between two segments, odd colour profiles) leave the image as it was meant.
bool isDamage(int code) {
  return code == JWRN_ARITH_BAD_CODE || code == JWRN_HIT_MARKER ||
         code == JWRN_HUFF_BAD_CODE || code == JWRN_JPEG_EOF ||
         code == JWRN_MUST_RESYNC;
}

/// One file's decoder. libjpeg leaves its functions by longjmp, so these two
/// own no object whose destructor would be left out.
class JpegReader {
public:
  JpegReader(const std::vector<char> &file, int64_t channels);
  ~JpegReader() { jpeg_destroy_decompress(&jpeg); }
  JpegReader(const JpegReader &) = delete;
  JpegReader &operator=(const JpegReader &) = delete;

  /// Reads up to the first scan and chooses the output's channels.
  bool readHeader();
  /// Reads the image, scaled as jpeg.scale_num says; `row` is scratch for a
  /// row of CMYK.
  bool readPixels(uint8_t *pixels, uint8_t *row);

  jpeg_decompress_struct jpeg = {};
  char message[JMSG_LENGTH_MAX] = {};

private:
  void convert(const uint8_t *cmyk, uint8_t *out) const;
  static void stop(j_common_ptr common);
  static void note(j_common_ptr common, int level);
  static void countScans(j_common_ptr common);
  static JpegReader &of(j_common_ptr common) {
    return *static_cast<JpegReader *>(common->client_data);
  }

  const std::vector<char> &file;
  int64_t channels;
  jpeg_error_mgr errors;
  jpeg_progress_mgr progress = {};
  std::jmp_buf escape;
};
} // namespace

JpegReader::JpegReader(const std::vector<char> &file, int64_t channels)
    : file(file), channels(channels) {
  jpeg.err = jpeg_std_error(&errors);
  jpeg.client_data = this;
  errors.error_exit = stop;
  errors.emit_message = note;
  errors.output_message = [](j_common_ptr) {};
  progress.progress_monitor = countScans;
}

/// An error, or a warning that counts as one: leaves libjpeg.
void JpegReader::stop(j_common_ptr common) {
  JpegReader &reader = of(common);
  (*common->err->format_message)(common, reader.message);
  std::longjmp(reader.escape, 1);
}

void JpegReader::note(j_common_ptr common, int level) {
  if (level < 0 && isDamage(common->err->msg_code))
    stop(common);
}

/// A small file may hold any number of scans that each cover all pixels.
void JpegReader::countScans(j_common_ptr common) {
  JpegReader &reader = of(common);
  if (reader.jpeg.input_scan_number <= maximumScans)
    return;
  std::snprintf(reader.message, sizeof(reader.message), "more than %d scans",
                maximumScans);
  std::longjmp(reader.escape, 1);
}

bool JpegReader::readHeader() {
  if (setjmp(escape))
    return false;
  jpeg_create_decompress(&jpeg);
  jpeg.progress = &progress;
  jpeg_mem_src(&jpeg, reinterpret_cast<const unsigned char *>(file.data()),
               file.size());
  jpeg_save_markers(&jpeg, exifMarker, 0xffff);
  jpeg_read_header(&jpeg, TRUE);
  switch (jpeg.jpeg_color_space) {
  case JCS_CMYK:
  case JCS_YCCK:
    jpeg.out_color_space = JCS_CMYK;
    break;
  case JCS_GRAYSCALE:
    jpeg.out_color_space = channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
    break;
  default:
    jpeg.out_color_space = JCS_RGB;
  }
  return true;
}

/// A pixel of CMYK. Adobe's files, which are all that are met, hold inverted
/// inks: 255 is none.
void JpegReader::convert(const uint8_t *cmyk, uint8_t *out) const {
  uint8_t rgb[3];
  for (int c = 0; c < 3; ++c) {
    unsigned ink = jpeg.saw_Adobe_marker ? cmyk[c] : 255u - cmyk[c];
    unsigned black = jpeg.saw_Adobe_marker ? cmyk[3] : 255u - cmyk[3];
    rgb[c] = uint8_t((ink * black + 127) / 255);
  }
  if (channels == 1)
    *out = greyOf(rgb);
  else
    std::memcpy(out, rgb, 3);
}

bool JpegReader::readPixels(uint8_t *pixels, uint8_t *row) {
  if (setjmp(escape))
    return false;
  jpeg_start_decompress(&jpeg);
  bool direct = jpeg.output_components == channels;
  while (jpeg.output_scanline < jpeg.output_height) {
    uint8_t *out = pixels + int64_t(jpeg.output_scanline) *
                                int64_t(jpeg.output_width) * channels;
    JSAMPROW target = direct ? out : row;
    if (jpeg_read_scanlines(&jpeg, &target, 1) != 1)
      return false;
    for (JDIMENSION x = 0; !direct && x < jpeg.output_width; ++x) {
      const uint8_t *pixel = row + size_t(x) * jpeg.output_components;
      if (jpeg.output_components == 4)
        convert(pixel, out + x * channels);
      else
        out[x] = greyOf(pixel);
    }
  }
  jpeg_finish_decompress(&jpeg);
  return true;
}

static int orientationOf(const jpeg_decompress_struct &jpeg) {
  constexpr std::string_view name("Exif\0\0", 6);
  for (jpeg_saved_marker_ptr marker = jpeg.marker_list; marker;
       marker = marker->next)
    if (marker->marker == exifMarker && marker->data_length > name.size() &&
        std::memcmp(marker->data, name.data(), name.size()) == 0)
      return exifOrientation(marker->data + name.size(),
                             marker->data_length - name.size());
  return 1;
}

DecodedImage rootc::decodeJpeg(const std::vector<char> &file, int64_t channels,
                               const WantedSize &wanted, int &orientation) {
  JpegReader reader(file, channels);
  jpeg_decompress_struct &jpeg = reader.jpeg;
  if (!reader.readHeader())
    fail("is a damaged JPEG file: {}", reader.message);
  DecodedImage image;
  image.size = {jpeg.image_height, jpeg.image_width};
  image.channels = channels;
  // Huffman codes: a block, of 16 x 16 pixels where it is subsampled, takes at
  // least a bit. Arithmetic codes have no such bound.
  checkClaim(image.size.height, image.size.width, file.size(),
             jpeg.arith_code ? maximumPixels : 16 * 16 * 8);
  orientation = orientationOf(jpeg);
  ImageSize turned = image.size;
  if (orientation >= 5)
    std::swap(turned.height, turned.width);
  ImageSize least = wanted(turned);
  if (orientation >= 5)
    std::swap(least.height, least.width);
  jpeg.scale_denom = 8;
  jpeg.scale_num = 8;
  auto scaled = [](int64_t side, int64_t eighths) {
    return (side * eighths + 7) / 8;
  };
  for (int64_t eighths : {4, 2, 1})
    if (scaled(image.size.height, eighths) >= least.height &&
        scaled(image.size.width, eighths) >= least.width)
      jpeg.scale_num = unsigned(eighths);
  image.stored = {scaled(image.size.height, jpeg.scale_num),
                  scaled(image.size.width, jpeg.scale_num)};
  image.pixels.resize(
      size_t(image.stored.height * image.stored.width * channels));
  std::vector<uint8_t> row(size_t(image.stored.width) * 4);
  if (!reader.readPixels(image.pixels.data(), row.data()))
    fail("is a damaged JPEG file: {}", reader.message);
  return image;
}
