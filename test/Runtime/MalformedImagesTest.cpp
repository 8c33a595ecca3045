//===- MalformedImagesTest.cpp - Damaged PNG and JPEG files ---------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "MalformedFiles.h"
#include "TestImages.h"

#include <cstring>
#include <random>
#include <zlib.h>

using namespace rootc;
using namespace rootc::test;

namespace {
struct MalformedImages : MalformedFiles {
  /// The error of decoding a file; "" if it is read. What is read is complete.
  std::string decode(const std::string &file, int64_t channels = 3) {
    return errorOfReading([&] {
      DecodedImage image =
          decodeImage(bytesOf(file), channels, [](ImageSize size) {
            return ImageSize{size.height / 2, size.width / 2};
          });
      EXPECT_EQ(int64_t(image.pixels.size()),
                image.stored.height * image.stored.width * channels);
    });
  }
};

void putBig(std::string &file, size_t at, uint32_t value, int bytes = 4) {
  for (int i = 0; i < bytes; ++i)
    file[at + size_t(i)] = char(value >> 8 * (bytes - 1 - i));
}

/// Sets a chunk's checksum to what its bytes say; `at` is of its length.
void sign(std::string &png, size_t at) {
  uint32_t size = 0;
  for (size_t i = 0; i < 4; ++i)
    size = size << 8 | uint8_t(png[at + i]);
  auto bytes = reinterpret_cast<const Bytef *>(png.data() + at + 4);
  putBig(png, at + 8 + size, uint32_t(crc32(0, bytes, size + 4)));
}

/// A PNG file that claims a size and a kind.
std::string claiming(uint32_t height, uint32_t width, int depth, int colour,
                     int interlace = 0) {
  std::string png = encodePng(4, 4, {}, pattern(4, 4, 3));
  putBig(png, 16, width);
  putBig(png, 20, height);
  png[24] = char(depth);
  png[25] = char(colour);
  png[28] = char(interlace);
  sign(png, 8);
  return png;
}

std::vector<std::string> pngs() {
  std::vector<std::string> files;
  for (bool interlaced : {false, true}) {
    auto rgb = pattern(20, 23, 3);
    files.push_back(
        encodePng(20, 23, {PNG_COLOR_TYPE_RGB, 8, interlaced}, rgb));
    files.push_back(encodePng(20, 23, {PNG_COLOR_TYPE_PALETTE, 8, interlaced},
                              pattern(20, 23, 1)));
    files.push_back(
        encodePng(10, 23, {PNG_COLOR_TYPE_GRAY, 16, interlaced}, rgb));
  }
  return files;
}

std::vector<std::string> jpegs() {
  std::vector<std::string> files;
  for (JpegKind kind : {JpegKind{}, JpegKind{1}, JpegKind{4}, JpegKind{3, true},
                        JpegKind{3, false, true}, JpegKind{3, false, false, 1}})
    files.push_back(encodeJpeg(20, 23, kind, pattern(20, 23, kind.components)));
  return files;
}
} // namespace

TEST_F(MalformedImages, Truncated) {
  for (const auto &files : {pngs(), jpegs()})
    for (const std::string &good : files) {
      EXPECT_EQ(decode(good), "");
      for (size_t size = 0; size < good.size(); size += 1 + size / 60)
        EXPECT_NE(decode(good.substr(0, size)), "")
            << size << " of " << good.size();
      EXPECT_NE(decode(good.substr(0, good.size() - 1)), "");
    }
  EXPECT_EQ(refused, tried - 12);
}

TEST_F(MalformedImages, OversizedPng) {
  for (uint32_t side :
       {20'000u, 65'536u, 1'000'000u, 0x7fffffffu, 0x80000000u, 0xffffffffu})
    for (int depth : {1, 8, 16}) {
      EXPECT_NE(decode(claiming(side, side, depth, 0)), "") << side;
      EXPECT_NE(decode(claiming(1, side, depth, 0)), "") << side;
      EXPECT_NE(decode(claiming(side, 1, depth, 0, 1)), "") << side;
    }
  EXPECT_CONTAINS(decode(claiming(20'000, 20'000, 8, 2)), "100000000");
  EXPECT_CONTAINS(decode(claiming(9'000, 9'000, 8, 2)), "is truncated");
  EXPECT_CONTAINS(decode(claiming(1, 90'000'000, 16, 6)), "is truncated");
}

TEST_F(MalformedImages, ClaimsOfPng) {
  for (auto [height, width] : {std::pair(0, 4), {4, 0}, {0, 0}})
    EXPECT_NE(decode(claiming(uint32_t(height), uint32_t(width), 8, 2)), "");
  for (int depth : {0, 3, 5, 7, 9, 32, 255})
    EXPECT_NE(decode(claiming(4, 4, depth, 2)), "") << depth;
  for (int colour : {1, 5, 7, 255, 3}) // 3: a palette that is not there
    EXPECT_NE(decode(claiming(4, 4, 8, colour)), "") << colour;
  EXPECT_NE(decode(claiming(4, 4, 8, 2, 2)), ""); // interlaced how?
  EXPECT_NE(decode(claiming(5, 4, 8, 2)), "");    // too few rows
  std::string png = encodePng(4, 4, {}, pattern(4, 4, 3));
  for (uint32_t size : {0u, 1u, 0x7fffffffu, 0xffffffffu})
    for (size_t chunk : {size_t(8), size_t(33)}) {
      std::string bad = png;
      putBig(bad, chunk, size);
      EXPECT_NE(decode(bad), "") << size << " at " << chunk;
    }
}

/// 200 MB of zeros, packed to 200 KB.
static std::string packedZeros() {
  std::string zeros(1 << 20, '\0'), packed(1 << 20, '\0');
  z_stream stream = {};
  deflateInit(&stream, 9);
  stream.next_out = reinterpret_cast<Bytef *>(packed.data());
  stream.avail_out = uInt(packed.size());
  for (int i = 0; i < 200; ++i) {
    stream.next_in = reinterpret_cast<Bytef *>(zeros.data());
    stream.avail_in = uInt(zeros.size());
    deflate(&stream, i < 199 ? Z_NO_FLUSH : Z_FINISH);
  }
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

TEST_F(MalformedImages, CompressedTextsAreNotUnpacked) {
  std::string packed = packedZeros();
  for (const char *kind : {"zTXt", "iCCP"}) {
    std::string body = std::string("name\0\0", 6) + packed;
    std::string chunk(4, '\0');
    putBig(chunk, 0, uint32_t(body.size()));
    chunk += kind + body + "crc!";
    sign(chunk, 0);
    std::string png = encodePng(4, 4, {}, pattern(4, 4, 3));
    png.insert(33, chunk); // behind IHDR
    EXPECT_EQ(decode(png), "");
  }
}

TEST_F(MalformedImages, ClaimsOfJpeg) {
  for (const std::string &good : jpegs()) {
    size_t frame = std::string::npos;
    for (const char *marker : {"\xff\xc0", "\xff\xc1", "\xff\xc2", "\xff\xc9"})
      frame = std::min(frame, good.find(marker));
    ASSERT_NE(frame, std::string::npos);
    bool arithmetic = good[frame + 1] == '\xc9';
    auto with = [&](size_t at, uint32_t value, int bytes) {
      std::string bad = good;
      putBig(bad, frame + at, value, bytes);
      return decode(bad);
    };
    for (uint32_t side : {0u, 65'535u})
      for (size_t at : {size_t(5), size_t(7)})
        EXPECT_NE(with(at, side, 2), "") << side;
    std::string both = good;
    putBig(both, frame + 5, 60'000u << 16 | 60'000u);
    EXPECT_CONTAINS(decode(both), "100000000");
    putBig(both, frame + 5, 9000u << 16 | 9000u);
    if (!arithmetic) { // whose codes have no least size
      EXPECT_CONTAINS(decode(both), "is truncated");
    }
    EXPECT_NE(with(4, 12, 1), ""); // bits
    EXPECT_NE(with(9, 0, 1), "");  // components
    EXPECT_NE(with(9, 255, 1), "");
    EXPECT_NE(with(11, 0xff, 1), ""); // sampling
    EXPECT_NE(with(11, 0, 1), "");
    EXPECT_NE(with(2, 0, 2), ""); // the segment's size
    EXPECT_NE(with(2, 0xffff, 2), "");
  }
}

TEST_F(MalformedImages, ManyScans) {
  // A progressive image whose first scan is repeated: each goes over all
  // blocks.
  std::string good = encodeJpeg(20, 23, {3, true}, pattern(20, 23, 3));
  size_t scan = good.find("\xff\xda");
  size_t end = std::min(good.find("\xff\xda", scan + 2),
                        good.find("\xff\xc4", scan + 2));
  ASSERT_NE(end, std::string::npos);
  std::string first = good.substr(scan, end - scan), bad = good;
  bad.insert(scan, first);
  EXPECT_EQ(decode(bad), "");
  for (int i = 0; i < 200; ++i)
    bad.insert(scan, first);
  EXPECT_CONTAINS(decode(bad), "more than 100 scans");
}

TEST_F(MalformedImages, WrongTypes) {
  for (const char *text :
       {"", "GIF89a", "BM", "RIFF....WEBPVP8 ", "\xff\xd8", "\x89PNG", "<svg/>",
        "\x89PNG\r\n\x1a\n", "\xff\xd8\xff", "\xff\xd8\xff\xd9"})
    EXPECT_NE(decode(text), "") << text;
  EXPECT_CONTAINS(decode("GIF89a"), "neither a JPEG nor a PNG");
  // MNG and JNG data, and a JPEG's body behind PNG's head.
  std::string mixed = "\x89PNG\r\n\x1a\n" + jpegs()[0];
  EXPECT_NE(decode(mixed), "");
  EXPECT_NE(decode("\xff\xd8\xff" + pngs()[0]), "");
}

TEST_F(MalformedImages, Mutated) {
  std::mt19937 random(1);
  for (const auto &files : {pngs(), jpegs()})
    for (const std::string &good : files)
      for (int i = 0; i < 200; ++i) {
        std::string bad = good;
        for (int j = 0; j < 1 + i % 4; ++j)
          switch (random() % 3) {
          case 0: // a bit
            bad[random() % bad.size()] ^= char(1 << random() % 8);
            break;
          case 1: // a byte
            bad[random() % bad.size()] = char(random());
            break;
          case 2: { // a stretch is moved
            size_t from = random() % bad.size(), to = random() % bad.size();
            size_t size = std::min<size_t>(random() % 16,
                                           bad.size() - std::max(from, to));
            bad.replace(to, size, bad.substr(from, size));
          }
          }
        decode(bad, i % 2 ? 1 : 3);
      }
  EXPECT_GT(refused, tried / 3);
  EXPECT_LT(refused, tried);
}

TEST_F(MalformedImages, MutatedPngWithRightChecksums) {
  std::mt19937 random(2);
  for (const std::string &good : pngs())
    for (int i = 0; i < 100; ++i) {
      std::string bad = good;
      std::vector<size_t> chunks; // where their lengths lie
      for (size_t at = 8; at < good.size();) {
        chunks.push_back(at);
        uint32_t size = 0;
        for (size_t k = 0; k < 4; ++k)
          size = size << 8 | uint8_t(good[at + k]);
        at += 12 + size;
      }
      size_t chunk = chunks[random() % (chunks.size() - 1)];
      size_t end = *std::upper_bound(chunks.begin(), chunks.end(), chunk);
      bad[chunk + 8 + random() % (end - chunk - 12)] = char(random());
      sign(bad, chunk);
      decode(bad);
    }
  EXPECT_GT(refused, tried / 3);
}
