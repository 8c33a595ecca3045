//===- Fragments.h - What tensor cores compute ------------------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// D += A B of a warp, from the registers of its 32 threads: after the tables of
// the PTX ISA (9.x: 9.7.14.5.7, "Matrix Fragments for mma.m16n8k8", .tf32, and
// 9.7.14.5.8, "... mma.m16n8k16 with floating point type", .bf16), element by
// element, and not after the code that is played.
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_TEST_CUDA_FRAGMENTS_H
#define ROOTC_TEST_CUDA_FRAGMENTS_H

#include <cstdint>
#include <cstring>

namespace rootc_played {

/// What one thread brings to a product, and where it takes its part of it.
struct Fragments {
  float *d;
  const uint32_t *a, *b;
  bool bf16;
  int line;
};

inline float floatOf(uint32_t bits) {
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

/// Element `i` of a fragment of bf16, two in a register, the first one low.
inline float bf16Element(const uint32_t *registers, int i) {
  return floatOf(registers[i / 2] >> (i % 2 * 16) << 16);
}
/// TF32: the lowest 13 bits of a float are not looked at.
inline float tf32Element(const uint32_t *registers, int i) {
  return floatOf(registers[i] & ~uint32_t(0x1fff));
}

inline void multiplyFragments(Fragments *const *warp) {
  float a[16][16], b[16][8];
  const int terms = warp[0]->bf16 ? 16 : 8;
  for (int lane = 0; lane < 32; ++lane) {
    const Fragments &of = *warp[lane];
    const int groupID = lane >> 2, threadIDInGroup = lane % 4;
    if (of.bf16) {
      for (int i = 0; i < 8; ++i) {
        bool upper = (0 <= i && i < 2) || (4 <= i && i < 6);
        int row = upper ? groupID : groupID + 8;
        int column = threadIDInGroup * 2 + (i & 1) + (i < 4 ? 0 : 8);
        a[row][column] = bf16Element(of.a, i);
      }
      for (int i = 0; i < 4; ++i) {
        int row = threadIDInGroup * 2 + (i & 1) + (i < 2 ? 0 : 8);
        b[row][groupID] = bf16Element(of.b, i);
      }
    } else {
      for (int i = 0; i < 4; ++i) {
        int row = i == 0 || i == 2 ? groupID : groupID + 8;
        int column = i == 0 || i == 1 ? threadIDInGroup : threadIDInGroup + 4;
        a[row][column] = tf32Element(of.a, i);
      }
      for (int i = 0; i < 2; ++i)
        b[i == 0 ? threadIDInGroup : threadIDInGroup + 4][groupID] =
            tf32Element(of.b, i);
    }
  }
  for (int lane = 0; lane < 32; ++lane)
    for (int i = 0; i < 4; ++i) {
      int row = i < 2 ? lane >> 2 : (lane >> 2) + 8;
      int column = lane % 4 * 2 + (i & 1);
      float sum = 0;
      for (int k = 0; k < terms; ++k)
        sum += a[row][k] * b[k][column];
      warp[lane]->d[i] += sum;
    }
}

} // namespace rootc_played

#endif // ROOTC_TEST_CUDA_FRAGMENTS_H
