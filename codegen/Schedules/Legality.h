//===- Legality.h - What families say of values that do not fit -*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_CODEGEN_SCHEDULES_LEGALITY_H
#define ROOTC_CODEGEN_SCHEDULES_LEGALITY_H

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <string>

namespace rootc::codegen {

/// What a register tile may hold, in vectors: far beyond the registers, for a
/// tuner to find that out, but LLVM takes seconds for more.
inline constexpr int64_t mostVectors = 128;

/// The product of positive factors, if it is at most `mostVectors`; else
/// something beyond that, and no overflow.
inline int64_t unrolledVectors(std::initializer_list<int64_t> factors) {
  int64_t product = 1;
  for (int64_t factor : factors)
    product =
        std::min(product, 2 * mostVectors) * std::min(factor, 2 * mostVectors);
  return product;
}

/// Keeps the first reason against a schedule. Products of numbers that a check
/// has let pass do not overflow, and nothing is checked after a first reason.
class Legality {
public:
  /// `value` is from `least` to `most`.
  Legality &range(const char *key, int64_t value, int64_t least, int64_t most) {
    if (reason.empty() && (value < least || value > most))
      reason = quoted(key, value) + ", not from " + std::to_string(least) +
               " to " + std::to_string(most);
    return *this;
  }
  Legality &flag(const char *key, int64_t value) {
    return range(key, value, 0, 1);
  }
  /// `value` divides `size`, which is `what`. Only after range().
  Legality &divides(const char *key, int64_t value, int64_t size,
                    const char *what) {
    if (reason.empty() && size % value != 0)
      reason = quoted(key, value) + ", which does not divide " + what + ", " +
               std::to_string(size);
    return *this;
  }
  Legality &multiple(const char *key, int64_t value, int64_t of) {
    if (reason.empty() && value % of != 0)
      reason = quoted(key, value) + ", not a multiple of " + std::to_string(of);
    return *this;
  }
  /// Vectors have a power of two of lanes.
  Legality &lanes(int64_t value, int64_t most) {
    range("lanes", value, 1, most < 64 ? most : 64);
    if (reason.empty() && (value & (value - 1)) != 0)
      reason = quoted("lanes", value) + ", not a power of two";
    return *this;
  }
  /// Unrolled code of `value` vectors compiles in good time.
  Legality &unrolled(const char *keys, int64_t value, int64_t most) {
    if (reason.empty() && value > most)
      reason = std::string(keys) + ": more than " + std::to_string(most) +
               " vectors are unrolled";
    return *this;
  }
  bool good() const { return reason.empty(); }
  std::string reason;

private:
  static std::string quoted(const char *key, int64_t value) {
    return "'" + std::string(key) + "' is " + std::to_string(value);
  }
};

} // namespace rootc::codegen

#endif // ROOTC_CODEGEN_SCHEDULES_LEGALITY_H
