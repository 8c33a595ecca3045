//===- Tiles.cpp - Products of bf16 matrices, tile by tile ----------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The sums of a dense convolution whose filter lies in pairs of in channels
// (codegen/Geometry/FilterLayout.h), as a stage of a Halide pipeline. Halide
// knows the matrix unit of x86 (AMX) in one pattern of one tile, so it is
// driven here: two tiles of pixels by two of out channels, from the first tap
// to the last. Without the unit, or where the system refuses it, vectors
// multiply the same values; their sums are rounded in another order.
//
//===----------------------------------------------------------------------===//

#include "Support.h"
#include <stdlib.h>
#ifdef __x86_64__
#include <cpuid.h>
// GCC 12 takes what its own header leaves undefined for a mistake.
#pragma GCC diagnostic push
#ifndef __clang__
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#include <immintrin.h>
#pragma GCC diagnostic pop
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace {

const int tileRows = 16;    ///< pixels of a tile
const int tileColumns = 16; ///< out channels of a tile
const int tileTerms = 32;   ///< in channels that one instruction multiplies

/// Pixels beside each other: `rows` of them, the n-th `step` values behind the
/// first one, its sums `outStep` behind the first one's.
struct Run {
  const uint16_t *in;
  float *out;
  int64_t rows, step, outStep;
};

/// The filter of one block, and where its taps lie from a pixel's first.
struct Taps {
  const uint16_t *filter;
  int32_t rows, columns, chunks; ///< chunks of `tileTerms` in channels
  int64_t rowStep, columnStep;   ///< of the taps in the map, in values
  int32_t block;                 ///< out channels
  bool adds;                     ///< to what the sums are already
};

#define ROOTC_INLINE inline __attribute__((always_inline))

#ifdef __x86_64__

/// What `ldtilecfg` reads.
struct TileConfig {
  uint8_t palette, start, reserved[14];
  uint16_t bytes[16]; ///< of a row of each tile
  uint8_t rows[16];
};

/// Tiles 0 to 3 are sums, 4 and 5 pixels, 6 and 7 the filter. Tile 5 and its
/// sums may have fewer rows than tile 4, and so may both.
void configure(int first, int second) {
  TileConfig config = {};
  config.palette = 1;
  for (int tile = 0; tile < 8; ++tile) {
    config.bytes[tile] = 64;
    bool isSecond = tile == 2 || tile == 3 || tile == 5;
    config.rows[tile] = uint8_t(tile >= 6  ? tileRows
                                : isSecond ? second
                                           : first);
  }
  __asm__ volatile("ldtilecfg %0" ::"m"(config));
}

#define ROOTC_TILE_LOAD(tile, address, stride)                                 \
  __asm__ volatile("tileloadd (%0,%1,1), %%tmm" #tile ::"r"(address),          \
                   "r"(stride)                                                 \
                   : "memory")
#define ROOTC_TILE_STORE(tile, address, stride)                                \
  __asm__ volatile("tilestored %%tmm" #tile ", (%0,%1,1)" ::"r"(address),      \
                   "r"(stride)                                                 \
                   : "memory")
#define ROOTC_TILE_ZERO(tile) __asm__ volatile("tilezero %%tmm" #tile ::)
#define ROOTC_TILE_PRODUCT(filter, pixels, sums)                               \
  __asm__ volatile("tdpbf16ps %%tmm" #filter ", %%tmm" #pixels                 \
                   ", %%tmm" #sums ::)

/// The sums of two tiles of pixels, or one, by two of out channels, or one.
template <bool twoRows, bool twoColumns>
void sumTiles(const Taps &taps, const uint16_t *filter, const uint16_t *in,
              float *out, int64_t step, int64_t outStep) {
  const uint16_t *other = in + tileRows * step;
  int64_t bytes = step * 2, filterBytes = int64_t(taps.block) * 4,
          outBytes = outStep * 4;
  float *below = out + tileRows * outStep;
  ROOTC_TILE_ZERO(0);
  if (twoColumns)
    ROOTC_TILE_ZERO(1);
  if (twoRows)
    ROOTC_TILE_ZERO(2);
  if (twoRows && twoColumns)
    ROOTC_TILE_ZERO(3);
  if (taps.adds) {
    ROOTC_TILE_LOAD(0, out, outBytes);
    if (twoColumns)
      ROOTC_TILE_LOAD(1, out + tileColumns, outBytes);
    if (twoRows)
      ROOTC_TILE_LOAD(2, below, outBytes);
    if (twoRows && twoColumns)
      ROOTC_TILE_LOAD(3, below + tileColumns, outBytes);
  }
  for (int32_t y = 0; y < taps.rows; ++y)
    for (int32_t x = 0; x < taps.columns; ++x) {
      int64_t at = y * taps.rowStep + x * taps.columnStep;
      for (int32_t chunk = 0; chunk < taps.chunks; ++chunk) {
        ROOTC_TILE_LOAD(6, filter, filterBytes);
        ROOTC_TILE_LOAD(4, in + at, bytes);
        ROOTC_TILE_PRODUCT(6, 4, 0);
        if (twoColumns) {
          ROOTC_TILE_LOAD(7, filter + 2 * tileColumns, filterBytes);
          ROOTC_TILE_PRODUCT(7, 4, 1);
        }
        if (twoRows) {
          ROOTC_TILE_LOAD(5, other + at, bytes);
          ROOTC_TILE_PRODUCT(6, 5, 2);
          if (twoColumns)
            ROOTC_TILE_PRODUCT(7, 5, 3);
        }
        at += tileTerms;
        filter += int64_t(tileTerms) * taps.block;
      }
    }
  ROOTC_TILE_STORE(0, out, outBytes);
  if (twoColumns)
    ROOTC_TILE_STORE(1, out + tileColumns, outBytes);
  if (twoRows)
    ROOTC_TILE_STORE(2, below, outBytes);
  if (twoRows && twoColumns)
    ROOTC_TILE_STORE(3, below + tileColumns, outBytes);
}

/// The whole tiles of a run, or what is left of it: at most two tiles.
void sumRun(const Taps &taps, const Run &run, int64_t begin, int64_t end) {
  for (int32_t column = 0; column < taps.block; column += 2 * tileColumns) {
    const uint16_t *filter = taps.filter + 2 * column;
    bool two = column + tileColumns < taps.block;
    for (int64_t row = begin; row < end; row += 2 * tileRows) {
      const uint16_t *in = run.in + row * run.step;
      float *out = run.out + row * run.outStep + column;
      bool both = row + tileRows < end;
      if (both && two)
        sumTiles<true, true>(taps, filter, in, out, run.step, run.outStep);
      else if (both)
        sumTiles<true, false>(taps, filter, in, out, run.step, run.outStep);
      else if (two)
        sumTiles<false, true>(taps, filter, in, out, run.step, run.outStep);
      else
        sumTiles<false, false>(taps, filter, in, out, run.step, run.outStep);
    }
  }
}

/// By the matrix unit.
void sumByTiles(const Taps &taps, const Run &run) {
  int64_t whole = run.rows / (2 * tileRows) * (2 * tileRows);
  if (whole) {
    configure(tileRows, tileRows);
    sumRun(taps, run, 0, whole);
  }
  int rest = int(run.rows - whole);
  if (rest) {
    configure(rest < tileRows ? rest : tileRows,
              rest > tileRows ? rest - tileRows : 1);
    sumRun(taps, run, whole, run.rows);
  }
}

void releaseTiles() { __asm__ volatile("tilerelease" ::); }

/// What multiplies: the best that the CPU has and the system allows.
enum Unit { UnknownUnit, AnyVectors, Avx2, Avx512, MatrixUnit };

Unit detectUnit() {
  uint32_t a, b, c, d, leaf1, low, high;
  const uint32_t fma = 1u << 12, saves = 1u << 27;
  if (!__get_cpuid(1, &a, &b, &leaf1, &d) || !(leaf1 & saves) ||
      !__get_cpuid_count(7, 0, &a, &b, &c, &d))
    return AnyVectors;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  const uint32_t bf16 = 1u << 22, tiles = 1u << 24, tileState = 3u << 17;
  const uint32_t avx2 = 1u << 5, avx512 = 1u << 16, state = 0x6, wide = 0xe6;
  if ((d & (bf16 | tiles)) == (bf16 | tiles) &&
      (low & tileState) == tileState) {
    // The tiles are large, so the system wants to be asked for them once.
    const long request = 0x1023, data = 18; // ARCH_REQ_XCOMP_PERM
    if (syscall(SYS_arch_prctl, request, data) == 0)
      return MatrixUnit;
  }
  if ((b & avx512) && (low & wide) == wide)
    return Avx512;
  return (b & avx2) && (leaf1 & fma) && (low & state) == state ? Avx2
                                                               : AnyVectors;
}

/// Unknown before the first call.
Unit unit;

Unit bestUnit() {
  Unit found = __atomic_load_n(&unit, __ATOMIC_RELAXED);
  if (found == UnknownUnit) {
    found = detectUnit();
    __atomic_store_n(&unit, found, __ATOMIC_RELAXED);
  }
  return found;
}

#endif // __x86_64__

typedef float Floats __attribute__((vector_size(64), may_alias));
typedef uint32_t Words __attribute__((vector_size(64), may_alias));
typedef uint16_t Halves __attribute__((vector_size(32), may_alias));

/// By vectors: a few pixels by one tile of out channels, or two.
template <int pixels, int tiles>
ROOTC_INLINE void sumPixels(const Taps &taps, const uint16_t *filter,
                            const uint16_t *in, float *out, int64_t step,
                            int64_t outStep) {
  Floats sums[pixels][tiles] = {};
  if (taps.adds)
    for (int i = 0; i < pixels; ++i)
      __builtin_memcpy(&sums[i], out + i * outStep, sizeof sums[i]);
  for (int32_t y = 0; y < taps.rows; ++y)
    for (int32_t x = 0; x < taps.columns; ++x) {
      const uint16_t *at = in + y * taps.rowStep + x * taps.columnStep;
      for (int32_t pair = 0; pair < taps.chunks * tileTerms / 2; ++pair) {
        Floats even[tiles], odd[tiles];
        for (int tile = 0; tile < tiles; ++tile) {
          Words both;
          __builtin_memcpy(&both, filter + tile * 2 * tileColumns, sizeof both);
          even[tile] = (Floats)(both << 16);
          odd[tile] = (Floats)(both & 0xffff0000u);
        }
        for (int i = 0; i < pixels; ++i) {
          uint32_t value;
          __builtin_memcpy(&value, at + i * step, sizeof value);
          Words spread = value - Words{};
          Floats first = (Floats)(spread << 16),
                 second = (Floats)(spread & 0xffff0000u);
          for (int tile = 0; tile < tiles; ++tile) {
            sums[i][tile] += first * even[tile];
            sums[i][tile] += second * odd[tile];
          }
        }
        at += 2;
        filter += 2 * taps.block;
      }
    }
  for (int i = 0; i < pixels; ++i)
    __builtin_memcpy(out + i * outStep, &sums[i], sizeof sums[i]);
}

template <int tiles>
ROOTC_INLINE void sumColumns(const Taps &taps, const Run &run, int32_t column) {
  const int pixels = 6;
  const uint16_t *filter = taps.filter + 2 * column;
  int64_t row = 0;
  for (; row + pixels <= run.rows; row += pixels)
    sumPixels<pixels, tiles>(taps, filter, run.in + row * run.step,
                             run.out + row * run.outStep + column, run.step,
                             run.outStep);
  for (; row < run.rows; ++row)
    sumPixels<1, tiles>(taps, filter, run.in + row * run.step,
                        run.out + row * run.outStep + column, run.step,
                        run.outStep);
}

ROOTC_INLINE void sumByVectors(const Taps &taps, const Run &run) {
  int32_t column = 0;
  for (; column + 2 * tileColumns <= taps.block; column += 2 * tileColumns)
    sumColumns<2>(taps, run, column);
  if (column < taps.block)
    sumColumns<1>(taps, run, column);
}

/// The bits of the nearest bf16, of two the even one; NaN stays NaN.
ROOTC_INLINE void narrow(const float *from, uint16_t *to, int64_t count) {
  int64_t i = 0;
  for (; i + 16 <= count; i += 16) {
    Words bits;
    __builtin_memcpy(&bits, from + i, sizeof bits);
    Words nearest = bits + 0x7fffu + (bits >> 16 & 1u),
          isNaN = (Words)((bits & 0x7fffffffu) > 0x7f800000u);
    bits = (isNaN & (bits | 0x400000u)) | (~isNaN & nearest);
    Halves halves = __builtin_convertvector(bits >> 16, Halves);
    __builtin_memcpy(to + i, &halves, sizeof halves);
  }
  for (; i < count; ++i) {
    uint32_t bits;
    __builtin_memcpy(&bits, from + i, sizeof bits);
    bool isNaN = (bits & 0x7fffffffu) > 0x7f800000u;
    bits = isNaN ? bits | 0x400000u : bits + 0x7fffu + (bits >> 16 & 1u);
    to[i] = uint16_t(bits >> 16);
  }
}

#ifdef __x86_64__
__attribute__((target("avx512f"))) void sumByAvx512(const Taps &taps,
                                                    const Run &run) {
  sumByVectors(taps, run);
}
__attribute__((target("avx512f"))) void
narrowByAvx512(const float *from, uint16_t *to, int64_t count) {
  narrow(from, to, count);
}
__attribute__((target("avx2,fma"))) void sumByAvx2(const Taps &taps,
                                                   const Run &run) {
  sumByVectors(taps, run);
}
#endif

#ifdef __x86_64__
void sum(const Taps &taps, const Run &run, Unit unit) {
  switch (unit) {
  case MatrixUnit:
    return sumByTiles(taps, run);
  case Avx512:
    return sumByAvx512(taps, run);
  case Avx2:
    return sumByAvx2(taps, run);
  default:
    return sumByVectors(taps, run);
  }
}
void convert(const float *from, uint16_t *to, int64_t count, Unit unit) {
  unit >= Avx512 ? narrowByAvx512(from, to, count) : narrow(from, to, count);
}
#else
enum Unit { AnyVectors, MatrixUnit };
Unit bestUnit() { return AnyVectors; }
void releaseTiles() {}
void sum(const Taps &taps, const Run &run, Unit) { sumByVectors(taps, run); }
void convert(const float *from, uint16_t *to, int64_t count, Unit) {
  narrow(from, to, count);
}
#endif

/// What the caller knows of the convolution; map and filter beside it.
struct Convolution {
  int32_t rows, columns; ///< of the kernel
  int32_t stride[2], dilation[2], before[2];
  int32_t ins; ///< of a group, or of a row of taps, with zeros among them
  int32_t blocksPerGroup, blocks, block, batch;
};

/// Where the map's values lie, in values.
struct Map {
  const uint16_t *host;
  int64_t min[4], stride[4];

  const uint16_t *at(int64_t c, int64_t x, int64_t y, int64_t n) const {
    return host + (c - min[0]) * stride[0] + (x - min[1]) * stride[1] +
           (y - min[2]) * stride[2] + (n - min[3]) * stride[3];
  }
};

/// A few images of sums, blocks of out channels among them.
void sumRegion(const Convolution &conv, const Map &map,
               const rootc_kernel_buffer *filter,
               const rootc_kernel_buffer *sums, int32_t images, Unit unit) {
  const rootc_kernel_dimension *out = sums->dim;
  const int64_t *in = map.stride;
  Taps taps = {};
  taps.rows = conv.rows;
  taps.columns = conv.columns;
  taps.chunks = conv.ins / tileTerms;
  taps.rowStep = conv.dilation[0] * in[2];
  taps.columnStep = conv.dilation[1] * in[1];
  taps.block = conv.block;
  // Rows, and images, that follow each other alike in both are one run.
  int64_t columnStep = in[1] * conv.stride[1], rowStep = in[2] * conv.stride[0];
  bool joinsRows = rowStep == columnStep * out[1].extent &&
                   out[2].stride == out[1].stride * out[1].extent;
  bool joinsImages = joinsRows && in[3] == rowStep * out[2].extent &&
                     out[3].stride == out[2].stride * out[2].extent;
  int64_t runRows = int64_t(out[1].extent) * (joinsRows ? out[2].extent : 1) *
                    (joinsImages ? images : 1);
  for (int32_t b = 0; b < out[4].extent; ++b) {
    int32_t index = out[4].min + b;
    taps.filter =
        (const uint16_t *)filter->host + int64_t(index) * filter->dim[4].stride;
    for (int32_t n = 0; n < (joinsImages ? 1 : images); ++n)
      for (int32_t y = 0; y < (joinsRows ? 1 : out[2].extent); ++y) {
        Run run = {map.at(index / conv.blocksPerGroup * conv.ins,
                          int64_t(out[1].min) * conv.stride[1],
                          int64_t(out[2].min + y) * conv.stride[0],
                          out[3].min + n),
                   (float *)sums->host + int64_t(y) * out[2].stride +
                       int64_t(n) * out[3].stride + int64_t(b) * out[4].stride,
                   runRows, columnStep, out[1].stride};
        sum(taps, run, unit);
      }
  }
}

/// The same of a map of floats whose rows of taps are products' terms: its
/// rows become bf16, zeros around them.
void sumFloats(const Convolution &conv, const rootc_kernel_buffer *floats,
               const rootc_kernel_buffer *filter,
               const rootc_kernel_buffer *sums, int32_t images, Unit unit) {
  const rootc_kernel_dimension *out = sums->dim, *in = floats->dim;
  int64_t channels = in[0].extent, width = in[1].extent, height = in[2].extent,
          rows = int64_t(out[2].extent - 1) * conv.stride[0] +
                 int64_t(conv.rows - 1) * conv.dilation[0] + 1,
          left = conv.before[1] * channels,
          // Beyond the last pixel's first tap lie the terms of one product.
      row = int64_t(out[1].extent - 1) * conv.stride[1] * channels + conv.ins;
  if (row < left + width * channels)
    row = left + width * channels;
  auto *copy = (uint16_t *)__builtin_alloca(rows * row * sizeof(uint16_t));
  Map map = {copy,
             {0, 0, int64_t(out[2].min) * conv.stride[0], 0},
             {1, channels, row, 0}};
  for (int32_t n = 0; n < images; ++n) {
    map.min[3] = out[3].min + n;
    for (int64_t y = 0; y < rows; ++y) {
      uint16_t *to = copy + y * row;
      int64_t from = map.min[2] + y - conv.before[0];
      bool inside = from >= 0 && from < height;
      int64_t end = inside ? left + width * channels : 0;
      __builtin_memset(to, 0, (inside ? left : row) * sizeof(uint16_t));
      if (!inside)
        continue;
      convert((const float *)floats->host + from * in[2].stride +
                  map.min[3] * in[3].stride,
              to + left, width * channels, unit);
      __builtin_memset(to + end, 0, (row - end) * sizeof(uint16_t));
    }
    rootc_kernel_dimension one[5];
    for (int d = 0; d < 5; ++d)
      one[d] = out[d];
    one[3].min += n;
    one[3].extent = 1;
    rootc_kernel_buffer image = *sums;
    image.host += int64_t(n) * out[3].stride * sizeof(float);
    image.dim = one;
    sumRegion(conv, map, filter, &image, 1, unit);
  }
}

// Gradients of filters: sums over pixels, so pixels are a product's terms.

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
          int64_t ins, int64_t outs, const Packed &to, Unit unit) {
#ifdef __x86_64__
  if (unit == MatrixUnit) {
    pairPixelsWide(x, count, ins, to.columns);
    pairPixelsWide(dy, count, outs, to.between);
    return turnPixelsWide(to.between, count, outs, to.rows);
  }
#endif
  (void)unit;
  pairPixels(x, count, ins, to.columns);
  pairPixels(dy, count, outs, to.between);
  turnPixels(to.between, count, outs, to.rows);
}

} // namespace

#pragma GCC visibility push(hidden)
extern "C" int
rootc_support_tiles(rootc_kernel_buffer *map, rootc_kernel_buffer *filter,
                    int32_t rows, int32_t columns, int32_t strideY,
                    int32_t strideX, int32_t dilationY, int32_t dilationX,
                    int32_t beforeY, int32_t beforeX, int32_t mapIns,
                    int32_t ins, int32_t blocksPerGroup, int32_t blocks,
                    int32_t block, int32_t batch, rootc_kernel_buffer *sums) {
  Convolution conv = {rows,
                      columns,
                      {strideY, strideX},
                      {dilationY, dilationX},
                      {beforeY, beforeX},
                      ins,
                      blocksPerGroup,
                      blocks,
                      block,
                      batch};
  const rootc_kernel_dimension *out = sums->dim; // lane, x, y, n, block
  int32_t images = out[3].extent;
  if (out[3].min + images > batch)
    images = batch - out[3].min; // none, where a tile lies beyond them
  if (!map->host || !filter->host || !sums->host) {
    // Halide asks what is read of buffers that are not there yet. A row of taps
    // that is one product reads columns up to its last term.
    int32_t firstGroup = out[4].min / blocksPerGroup,
            lastGroup = (out[4].min + out[4].extent - 1) / blocksPerGroup;
    bool rowTaps = mapIns != ins;
    auto reads = [](rootc_kernel_buffer *buffer, int32_t dimension, int32_t min,
                    int32_t extent) {
      if (buffer->host)
        return;
      buffer->dim[dimension].min = min;
      buffer->dim[dimension].extent = extent;
    };
    reads(map, 0, firstGroup * mapIns, (lastGroup - firstGroup + 1) * mapIns);
    reads(map, 1, out[1].min * strideX,
          (out[1].extent - 1) * strideX +
              (rowTaps ? (ins + mapIns - 1) / mapIns
                       : (columns - 1) * dilationX + 1));
    reads(map, 2, out[2].min * strideY,
          (out[2].extent - 1) * strideY + (rows - 1) * dilationY + 1);
    reads(map, 3, images > 0 ? out[3].min : batch - 1, images > 0 ? images : 1);
    const int32_t shape[] = {2 * block, ins / 2, columns, rows, blocks};
    for (int32_t d = 0; d < 5; ++d)
      reads(filter, d, 0, shape[d]);
    return 0;
  }
  if (images <= 0)
    return 0;
  Unit unit = bestUnit();
  const uint32_t bits = map->type >> 8 & 0xff;
  if (bits == 32) {
    sumFloats(conv, map, filter, sums, images, unit);
  } else {
    Map narrow = {(const uint16_t *)map->host, {}, {}};
    for (int d = 0; d < 4; ++d) {
      narrow.min[d] = map->dim[d].min;
      narrow.stride[d] = map->dim[d].stride;
    }
    sumRegion(conv, narrow, filter, sums, images, unit);
  }
  if (unit == MatrixUnit)
    releaseTiles();
  return 0;
}

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
  Unit unit = bestUnit();
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
      pack(pixels[0], pixels[1], count, ins, outs, packed, unit);
      taps.chunks = int32_t(count / tileTerms);
      Run run = {packed.rows, to, outs, count, out[1].stride};
      sum(taps, run, unit);
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
  if (unit == MatrixUnit)
    releaseTiles();
  return 0;
}
#pragma GCC visibility pop
