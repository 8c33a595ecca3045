//===- Noise.h - Differences that say nothing -------------------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_RUNTIME_REPORT_NOISE_H
#define ROOTC_RUNTIME_REPORT_NOISE_H

#include "Comparison.h"

namespace rootc::report {

/// How large a difference has to be to be more than chance; NaN: not known.
struct Noise {
  double size = NAN;
  std::string of; ///< what it is estimated from

  bool hides(double difference) const { return std::fabs(difference) < size; }
};

/// Of two test errors, parts of one: two standard errors of their difference,
/// as the number of test images or the runs' spread gives it, whichever is
/// larger.
Noise errorNoise(const Comparison &all, const Configuration &a,
                 const Configuration &b);

/// Of a quotient of two times, as a part of one: the spread of single
/// measurements, of inference or of training's epochs.
Noise inferenceNoise(const Comparison &all, const Configuration &a,
                     const Configuration &b);
Noise trainingNoise(const Comparison &all, const Configuration &a,
                    const Configuration &b);

} // namespace rootc::report

#endif // ROOTC_RUNTIME_REPORT_NOISE_H
