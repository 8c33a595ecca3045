//===- TileGradient.cpp - Gradients of filters of bf16 convolutions -------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Sums over pixels, so pixels are a product's terms.
//
//===----------------------------------------------------------------------===//

#include "TileProducts.h"
#include <stdlib.h>

namespace {

const int64_t mostPixels = 256; ///< that are packed at a time
static_assert(mostPixels % tileTerms == 0, "whole products");

/// Two pixels beside each other: [pixels / 2, channels, 2]; null: zeros.
ROOTC_INLINE void pairPixels(const uint16_t *const *pixels, int64_t count,
                             int64_t channels, uint16_t *to) {
  for (int64_t p = 0; p < count; ++p)
    for (int64_t c = 0; c < channels; ++c)
      to[p / 2 * 2 * channels + 2 * c + p % 2] = pixels[p] ? pixels[p][c] : 0;
}

/// From there, each channel's pixels beside each other: [channels, pixels].
ROOTC_INLINE void turnPixels(const uint16_t *pairs, int64_t count,
                             int64_t channels, uint16_t *to) {
  for (int64_t p = 0; p < count; ++p)
    for (int64_t c = 0; c < channels; ++c)
      to[c * count + p] = pairs[p / 2 * 2 * channels + 2 * c + p % 2];
}

#ifdef __x86_64__
#define ROOTC_WIDE __attribute__((target("avx512f,avx512bw")))

ROOTC_WIDE void pairPixelsWide(const uint16_t *const *pixels, int64_t count,
                               int64_t channels, uint16_t *to) {
  const uint16_t zeros[tileTerms] = {};
  const __m512i first = _mm512_set_epi64(11, 10, 3, 2, 9, 8, 1, 0),
                second = _mm512_set_epi64(15, 14, 7, 6, 13, 12, 5, 4);
  for (int64_t p = 0; p < count; p += 2)
    for (int64_t c = 0; c < channels; c += tileTerms) {
      __m512i a = _mm512_loadu_si512(pixels[p] ? pixels[p] + c : zeros),
              b = _mm512_loadu_si512(pixels[p + 1] ? pixels[p + 1] + c : zeros),
              low = _mm512_unpacklo_epi16(a, b),
              high = _mm512_unpackhi_epi16(a, b);
      uint16_t *at = to + p * channels + 2 * c;
      _mm512_storeu_si512(at, _mm512_permutex2var_epi64(low, first, high));
      _mm512_storeu_si512(at + tileTerms,
                          _mm512_permutex2var_epi64(low, second, high));
    }
}

/// Sixteen pairs of pixels, as words, by sixteen channels at a time.
ROOTC_WIDE void turnPixelsWide(const uint16_t *pairs, int64_t count,
                               int64_t channels, uint16_t *to) {
  for (int64_t p = 0; p < count; p += tileTerms)
    for (int64_t c = 0; c < channels; c += tileRows) {
      __m512i a[16], b[16];
      for (int i = 0; i < 16; ++i)
        a[i] = _mm512_loadu_si512(pairs + (p + 2 * i) * channels + 2 * c);
      for (int i = 0; i < 16; i += 2) {
        b[i] = _mm512_unpacklo_epi32(a[i], a[i + 1]);
        b[i + 1] = _mm512_unpackhi_epi32(a[i], a[i + 1]);
      }
      for (int i = 0; i < 16; i += 4)
        for (int j = 0; j < 2; ++j) {
          a[i + 2 * j] = _mm512_unpacklo_epi64(b[i + j], b[i + j + 2]);
          a[i + 2 * j + 1] = _mm512_unpackhi_epi64(b[i + j], b[i + j + 2]);
        }
      for (int i = 0; i < 4; ++i)
        for (int j = 0; j < 16; j += 8) {
          b[i + j] = _mm512_shuffle_i32x4(a[i + j], a[i + j + 4], 0x88);
          b[i + j + 4] = _mm512_shuffle_i32x4(a[i + j], a[i + j + 4], 0xdd);
        }
      for (int i = 0; i < 8; ++i) {
        uint16_t *at = to + (c + i) * count + p;
        _mm512_storeu_si512(at, _mm512_shuffle_i32x4(b[i], b[i + 8], 0x88));
        _mm512_storeu_si512(at + 8 * count,
                            _mm512_shuffle_i32x4(b[i], b[i + 8], 0xdd));
      }
    }
}
#endif

/// Packed pixels of both maps.
struct Packed {
  uint16_t *rows, *columns, *between;
};

void pack(const uint16_t *const *x, const uint16_t *const *dy, int64_t count,
          int64_t ins, int64_t outs, const Packed &to,
          const Products &products) {
#ifdef __x86_64__
  if (products.byWideVectors()) {
    pairPixelsWide(x, count, ins, to.columns);
    pairPixelsWide(dy, count, outs, to.between);
    return turnPixelsWide(to.between, count, outs, to.rows);
  }
#endif
  (void)products;
  pairPixels(x, count, ins, to.columns);
  pairPixels(dy, count, outs, to.between);
  turnPixels(to.between, count, outs, to.rows);
}

} // namespace

#pragma GCC visibility push(hidden)
/// A stage too: the gradient of a 1x1 convolution's filter, (in, out, chunk of
/// the batch), from x and dy.
extern "C" int rootc_support_gradient(rootc_kernel_buffer *x,
                                      rootc_kernel_buffer *dy, int32_t height,
                                      int32_t width, int32_t strideY,
                                      int32_t strideX, int32_t imagesOfChunk,
                                      int32_t batch,
                                      rootc_kernel_buffer *sums) {
  const rootc_kernel_dimension *out = sums->dim; // in, out, chunk
  auto begin = [&](int64_t chunk) {
    int64_t image = chunk * imagesOfChunk;
    return image < batch ? image : batch;
  };
  int64_t first = begin(out[2].min), last = begin(out[2].min + out[2].extent);
  if (!x->host || !dy->host || !sums->host) {
    auto reads = [&](rootc_kernel_buffer *map, int d, int32_t rows,
                     int32_t columns) {
      if (map->host)
        return;
      int32_t images = int32_t(last - first);
      int32_t min[] = {out[d].min, 0, 0,
                       int32_t(images ? first : int64_t(batch) - 1)},
              extent[] = {out[d].extent, columns, rows, images ? images : 1};
      for (int i = 0; i < 4; ++i) {
        map->dim[i].min = min[i];
        map->dim[i].extent = extent[i];
      }
    };
    reads(x, 0, (height - 1) * strideY + 1, (width - 1) * strideX + 1);
    reads(dy, 1, height, width);
    return 0;
  }
  Products products;
  int64_t ins = out[0].extent, outs = out[1].extent;
  auto at = [](const rootc_kernel_buffer *map, int64_t c, int64_t column,
               int64_t row, int64_t n) {
    const rootc_kernel_dimension *in = map->dim;
    return (const uint16_t *)map->host + (c - in[0].min) +
           (column - in[1].min) * in[1].stride +
           (row - in[2].min) * in[2].stride + (n - in[3].min) * in[3].stride;
  };
  auto *memory = (uint16_t *)malloc((ins + 2 * outs) * mostPixels * 2 + 64);
  if (!memory)
    return -11; // halide_error_code_out_of_memory
  auto *aligned = (uint16_t *)(((uintptr_t)memory + 63) / 64 * 64);
  Packed packed = {aligned, aligned + 2 * outs * mostPixels,
                   aligned + outs * mostPixels};
  const uint16_t *pixels[2][mostPixels];
  for (int64_t k = 0; k < out[2].extent; ++k) {
    auto *to = (float *)sums->host + k * out[2].stride;
    Taps taps = {};
    taps.filter = packed.columns;
    taps.rows = taps.columns = 1;
    taps.block = int32_t(ins);
    int64_t count = 0;
    auto flush = [&] {
      int64_t whole = (count + tileTerms - 1) / tileTerms * tileTerms;
      for (; count < whole; ++count)
        pixels[0][count] = pixels[1][count] = nullptr;
      pack(pixels[0], pixels[1], count, ins, outs, packed, products);
      taps.chunks = int32_t(count / tileTerms);
      Run run = {packed.rows, to, outs, count, out[1].stride};
      for (Part part : allParts)
        products.sum(taps, run, part);
      taps.adds = true;
      count = 0;
    };
    int64_t chunk = out[2].min + k;
    for (int64_t n = begin(chunk); n < begin(chunk + 1); ++n)
      for (int64_t row = 0; row < height; ++row)
        for (int64_t column = 0; column < width; ++column) {
          pixels[0][count] =
              at(x, out[0].min, column * strideX, row * strideY, n);
          pixels[1][count++] = at(dy, out[1].min, column, row, n);
          if (count == mostPixels)
            flush();
        }
    if (count || !taps.adds)
      flush();
  }
  free(memory);
  return 0;
}
#pragma GCC visibility pop
