//===- Philox.h - Counter-based random numbers ------------------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Philox4x32-10: four random words as a function of a key and a counter. Every
// use is keyed by what it is for, so no state has to be saved or shared, and
// nothing depends on the order of calls.
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_RUNTIME_PHILOX_H
#define ROOTC_RUNTIME_PHILOX_H

#include "codegen/Philox.h"

#include <array>
#include <cstdint>

namespace rootc {

using PhiloxBlock = std::array<uint32_t, 4>;

/// The last counter word of each use. Dropouts count from 0.
enum class RandomUse : uint32_t {
  Shuffle = 0xffff0001,
  Augment = 0xffff0002,
  Initialise = 0xffff0003,
  Benchmark = 0xffff0004,
  MixShare = 0xffff0005,
  MixPartners = 0xffff0006
};

inline PhiloxBlock philox(PhiloxBlock counter, uint64_t key) {
  return codegen::philox(counter, {uint32_t(key), uint32_t(key >> 32)});
}

/// A number in [0, bound) from a random word.
inline uint32_t below(uint32_t word, uint32_t bound) {
  return uint32_t(uint64_t(word) * bound >> 32);
}

} // namespace rootc

#endif // ROOTC_RUNTIME_PHILOX_H
