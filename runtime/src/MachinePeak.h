//===- MachinePeak.h - What the machine can do at most ----------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Measured in a fraction of a second, by loops that do nothing else. What other
// programs do meanwhile lowers it.
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_RUNTIME_MACHINEPEAK_H
#define ROOTC_RUNTIME_MACHINEPEAK_H

#include <vector>

namespace rootc {

/// Of all threads together.
struct MachinePeak {
  /// Bytes a second where the threads go through so many bytes again and again:
  /// of a cache, or of memory.
  struct Bandwidth {
    double bytes;
    double read, written;
  };

  double flops = 0;                 ///< of fp32 multiply-adds, a second
  std::vector<Bandwidth> bandwidth; ///< by bytes, which increase

  /// The least time of a kernel: that of its arithmetic or of its bytes,
  /// whichever is longer.
  double seconds(double flops, double read, double written) const;
};

/// With vectors of 128 bits (no fused multiply-adds), 256 (AVX2) or 512
/// (AVX-512), which the machine must have.
MachinePeak measurePeak(int threads, int vectorBits);

} // namespace rootc

#endif // ROOTC_RUNTIME_MACHINEPEAK_H
