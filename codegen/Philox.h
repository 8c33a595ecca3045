//===- Philox.h - Counter-based random numbers ------------------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Philox4x32-10 (Salmon, Moraes, Dror and Shaw: Parallel random numbers, as
// easy as 1, 2, 3; SC 2011): four random words from a key and a counter, so
// any number can be drawn alone, in any order, on any thread.
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_CODEGEN_PHILOX_H
#define ROOTC_CODEGEN_PHILOX_H

#include <array>
#include <cstdint>

namespace rootc::codegen {

inline constexpr uint32_t philoxMultiplier0 = 0xD2511F53;
inline constexpr uint32_t philoxMultiplier1 = 0xCD9E8D57;
inline constexpr uint32_t philoxWeyl0 = 0x9E3779B9;
inline constexpr uint32_t philoxWeyl1 = 0xBB67AE85;
inline constexpr int philoxRounds = 10;

constexpr std::array<uint32_t, 4> philox(std::array<uint32_t, 4> counter,
                                         std::array<uint32_t, 2> key) {
  for (int round = 0; round < philoxRounds; ++round) {
    uint64_t product0 = uint64_t(philoxMultiplier0) * counter[0];
    uint64_t product1 = uint64_t(philoxMultiplier1) * counter[2];
    counter = {
        uint32_t(product1 >> 32) ^ counter[1] ^ key[0], uint32_t(product1),
        uint32_t(product0 >> 32) ^ counter[3] ^ key[1], uint32_t(product0)};
    key[0] += philoxWeyl0;
    key[1] += philoxWeyl1;
  }
  return counter;
}

} // namespace rootc::codegen

#endif // ROOTC_CODEGEN_PHILOX_H
