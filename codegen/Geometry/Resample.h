//===- Resample.h - Rows and columns of a map in another size --*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// One dimension of a resampled map. Row o of the result lies at place
// (factor o + term) / divisor of the input, a fraction of whole numbers, so
// that no rounding decides which rows are read. No Halide or MLIR here.
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_CODEGEN_GEOMETRY_RESAMPLE_H
#define ROOTC_CODEGEN_GEOMETRY_RESAMPLE_H

#include "codegen/Kernel.h"

#include <array>

namespace rootc::codegen {

struct ResampleAxis {
  enum class Mode { Nearest, Bilinear, Average };
  Mode mode = Mode::Nearest;
  int64_t input = 1, output = 1;
  /// Of a row's place; of `Nearest`, the row that is taken is the place's
  /// floor. Not used by `Average`.
  int64_t factor = 0, term = 0, divisor = 1;

  /// The most rows of the input that a row of the result is made of.
  int64_t taps() const;
  /// The first row of the result that may be made of row i of the input is the
  /// floor of (i slope + shift) / per, at least 0, and 0 for row 0.
  int64_t slope() const;
  int64_t shift() const;
  int64_t per() const;
  int64_t firstOutput(int64_t i) const;
  /// How many from there on may be.
  int64_t outputs() const;
};

/// Height and width. Throws std::invalid_argument where attributes do not fit.
std::array<ResampleAxis, 2> resampleAxes(const Op &op);

} // namespace rootc::codegen

#endif // ROOTC_CODEGEN_GEOMETRY_RESAMPLE_H
