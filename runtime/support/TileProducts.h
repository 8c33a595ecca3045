//===- TileProducts.h - Products of bf16 matrices, tile by tile -*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Halide knows the matrix unit of x86 (AMX) in one pattern of one tile, so it
// is driven here: two tiles of pixels by two of out channels, from the first
// tap to the last. Without the unit, or where the system refuses it, vectors
// multiply the same values; their sums are rounded in another order.
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_SUPPORT_TILEPRODUCTS_H
#define ROOTC_SUPPORT_TILEPRODUCTS_H

#include "Support.h"
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

/// Of several runs, first what fills two tiles of pixels, then the rests: tiles
/// of another height take long to configure.
enum Part { WholePart, RestPart };
const Part allParts[] = {WholePart, RestPart};

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

/// Part of one or of several runs by the matrix unit. `configured`: the pixels
/// that the tiles are configured for.
void sumByTiles(const Taps &taps, const Run &run, Part part, int &configured) {
  int64_t whole = run.rows / (2 * tileRows) * (2 * tileRows),
          begin = part == WholePart ? 0 : whole,
          end = part == WholePart ? whole : run.rows;
  if (begin == end)
    return;
  int pixels = part == WholePart ? 2 * tileRows : int(end - begin);
  if (pixels != configured)
    configure(pixels < tileRows ? pixels : tileRows,
              pixels > tileRows ? pixels - tileRows : 1);
  configured = pixels;
  sumRun(taps, run, begin, end);
}

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
  const uint32_t avx2 = 1u << 5, state = 0x6, wide = 0xe6;
  const uint32_t avx512 = 1u << 16 | 1u << 30; // F and BW
  if ((d & (bf16 | tiles)) == (bf16 | tiles) &&
      (low & tileState) == tileState) {
    // The tiles are large, so the system wants to be asked for them once.
    const long request = 0x1023, data = 18; // ARCH_REQ_XCOMP_PERM
    if (syscall(SYS_arch_prctl, request, data) == 0)
      return MatrixUnit;
  }
  if ((b & avx512) == avx512 && (low & wide) == wide)
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

#else
enum Unit { AnyVectors };
Unit bestUnit() { return AnyVectors; }
#endif // __x86_64__

typedef float Floats __attribute__((vector_size(64), may_alias));
typedef uint32_t Words __attribute__((vector_size(64), may_alias));
typedef uint16_t Halves __attribute__((vector_size(32), may_alias));

/// Of `pixels` pixels, `tileTerms` in channels each.
template <int pixels>
ROOTC_INLINE void widen(const uint16_t *in, int64_t step,
                        float (&wide)[pixels][tileTerms]) {
  const int lanes = sizeof(Halves) / sizeof(uint16_t);
#pragma GCC unroll 16
  for (int i = 0; i < pixels; ++i)
#pragma GCC unroll 2
    for (int c = 0; c < tileTerms; c += lanes) {
      Halves narrow;
      __builtin_memcpy(&narrow, in + i * step + c, sizeof narrow);
      Words bits = __builtin_convertvector(narrow, Words) << 16;
      __builtin_memcpy(&wide[i][c], &bits, sizeof bits);
    }
}

/// By vectors: a few pixels by one tile of out channels, or two. The pixels are
/// widened first, so that beside a multiply-add stands no more than its load.
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
      for (int32_t chunk = 0; chunk < taps.chunks; ++chunk) {
        alignas(64) float wide[pixels][tileTerms];
        widen<pixels>(at, step, wide);
        for (int term = 0; term < tileTerms; term += 2) {
          Floats even[tiles], odd[tiles];
#pragma GCC unroll 2
          for (int tile = 0; tile < tiles; ++tile) {
            Words both;
            __builtin_memcpy(&both, filter + tile * 2 * tileColumns,
                             sizeof both);
            even[tile] = (Floats)(both << 16);
            odd[tile] = (Floats)(both & 0xffff0000u);
          }
#pragma GCC unroll 16
          for (int i = 0; i < pixels; ++i)
#pragma GCC unroll 2
            for (int tile = 0; tile < tiles; ++tile) {
              sums[i][tile] += wide[i][term] * even[tile];
              sums[i][tile] += wide[i][term + 1] * odd[tile];
            }
          filter += 2 * taps.block;
        }
        at += tileTerms;
      }
    }
  for (int i = 0; i < pixels; ++i)
    __builtin_memcpy(out + i * outStep, &sums[i], sizeof sums[i]);
}

/// The pixels from `row` on, as many at a time as all tiles have, while there
/// are so many.
template <int pixels, int tiles>
ROOTC_INLINE void sumRows(const Taps &taps, const Run &run, int32_t column,
                          int64_t &row) {
  for (; row + pixels <= run.rows; row += pixels)
    sumPixels<pixels, tiles>(
        taps, taps.filter + 2 * column, run.in + row * run.step,
        run.out + row * run.outStep + column, run.step, run.outStep);
}

/// `most` pixels at a time, which leave registers for the filter; of the rest a
/// half, a quarter, then one.
template <int most, int tiles>
ROOTC_INLINE void sumColumns(const Taps &taps, const Run &run, int32_t column) {
  int64_t row = 0;
  sumRows<most, tiles>(taps, run, column, row);
  sumRows<most / 2, tiles>(taps, run, column, row);
  sumRows<most / 4, tiles>(taps, run, column, row);
  sumRows<1, tiles>(taps, run, column, row);
}

template <int most, int tiles>
ROOTC_INLINE void sumByVectors(const Taps &taps, const Run &run) {
  int32_t column = 0;
  for (; column + tiles * tileColumns <= taps.block;
       column += tiles * tileColumns)
    sumColumns<most, tiles>(taps, run, column);
  for (; column < taps.block; column += tileColumns)
    sumColumns<most, 1>(taps, run, column);
}

void sumByAnyVectors(const Taps &taps, const Run &run) {
  sumByVectors<6, 1>(taps, run);
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
  sumByVectors<14, 2>(taps, run);
}
__attribute__((target("avx512f"))) void
narrowByAvx512(const float *from, uint16_t *to, int64_t count) {
  narrow(from, to, count);
}
__attribute__((target("avx2,fma"))) void sumByAvx2(const Taps &taps,
                                                   const Run &run) {
  sumByVectors<6, 1>(taps, run);
}
#endif

/// What sums the runs of one call.
class Products {
public:
  Products() : unit(bestUnit()) {}
  Products(const Products &) = delete;
  Products &operator=(const Products &) = delete;

#ifdef __x86_64__
  ~Products() {
    if (configured)
      __asm__ volatile("tilerelease" ::);
  }
  bool byTiles() const { return unit == MatrixUnit; }
  bool byWideVectors() const { return unit >= Avx512; }

  void sum(const Taps &taps, const Run &run, Part part) {
    if (byTiles())
      return sumByTiles(taps, run, part, configured);
    if (part == RestPart)
      return;
    if (unit == Avx512)
      sumByAvx512(taps, run);
    else if (unit == Avx2)
      sumByAvx2(taps, run);
    else
      sumByAnyVectors(taps, run);
  }
  void convert(const float *from, uint16_t *to, int64_t count) const {
    byWideVectors() ? narrowByAvx512(from, to, count) : narrow(from, to, count);
  }
#else
  void sum(const Taps &taps, const Run &run, Part part) {
    if (part == WholePart)
      sumByAnyVectors(taps, run);
  }
  void convert(const float *from, uint16_t *to, int64_t count) const {
    narrow(from, to, count);
  }
#endif

private:
  Unit unit;
  int configured = 0;
};

} // namespace

#endif // ROOTC_SUPPORT_TILEPRODUCTS_H
