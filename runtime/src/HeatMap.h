//===- HeatMap.h - A matrix as a picture ------------------------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_RUNTIME_HEATMAP_H
#define ROOTC_RUNTIME_HEATMAP_H

#include "Covariance.h"

#include <array>

namespace rootc {

using Colour = std::array<uint8_t, 3>; ///< red, green, blue

/// From near black to pale yellow, `at` from 0 to 1: lightness rises linearly
/// (in OKLab), so that equal steps look equal, and in black and white too.
Colour heatColour(double at);

/// The magnitudes of a matrix, row 0 on top.
struct HeatMap {
  const Matrix &values;
  int64_t blocks = 1; ///< those on the diagonal are outlined, if more than 1
  double top = 0;     ///< magnitudes from here on have the brightest colour
  /// Texts of the figure.
  std::string title, subtitle, caption, rows, columns, scale;

  /// The value that 99.5% of all magnitudes do not exceed, so that a few large
  /// ones do not darken the rest.
  static double topOf(const Matrix &values);

  /// A PNG file: each value is cellHeight() x cellWidth() pixels.
  std::string png() const;
  /// An SVG file around such a PNG file: titles, axes and the scale of colours.
  std::string svg(const std::string &png) const;
  /// Square cells, but where a side would be too short to be seen.
  int64_t cellHeight() const { return cellSize(values.rows(), values.cols()); }
  int64_t cellWidth() const { return cellSize(values.cols(), values.rows()); }
  /// Whether blocks are large enough for an outline that leaves them visible.
  bool outlinesBlocks() const { return outlineWidth() > 0; }

private:
  static int64_t cellSize(int64_t own, int64_t other);
  int64_t outlineWidth() const;
};

} // namespace rootc

#endif // ROOTC_RUNTIME_HEATMAP_H
