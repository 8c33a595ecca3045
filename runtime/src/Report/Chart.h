//===- Chart.h - Plots as SVG -----------------------------------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_RUNTIME_REPORT_CHART_H
#define ROOTC_RUNTIME_REPORT_CHART_H

#include "Markup.h"
#include "Numbers.h"

namespace rootc::report {

/// The CSS class that gives the n-th configuration its colour, and its dashes
/// where colours repeat.
std::string seriesClass(size_t series);

/// The n-th configuration's mark, the same everywhere, centred: circle, square,
/// triangle, diamond, cross.
void drawMark(Markup &markup, size_t series, double x, double y, double radius,
              const std::string &style);

struct ScatterPoint {
  double x = 0, y = 0;
  double deviation = 0;     ///< of y
  std::vector<double> each; ///< the values that y is the mean of
  size_t series = 0;
  bool hollow = false; ///< not final
  std::string label, tip;
};

/// Points with labels, some of them joined by lines.
struct Scatter {
  std::string title, xName, xUnit, yName;
  std::vector<ScatterPoint> points;
  std::vector<std::vector<size_t>> lines; ///< indices of points

  /// Returns how many points have no label, for want of room.
  size_t draw(Markup &markup) const;
};

struct Curve {
  size_t series = 0;
  std::string label;
  std::vector<double> x, y;      ///< NaN: a gap
  std::vector<double> low, high; ///< the band around y
  bool dashed = false;
};

struct CurveChart {
  std::string title, xName, xUnit, yName;
  std::vector<Curve> curves;
  bool fromZero = false; ///< the y axis begins at 0
  bool whole = false;    ///< x is a number of something

  /// Whether a curve has two points: a line, not a dot.
  bool hasLine() const;
  void draw(Markup &markup) const;
};

/// Values of the same things under several configurations, a group of bars
/// each; for more things than a table with bars can show at a glance.
struct BarChart {
  struct Bar {
    std::string tip;
    std::vector<double> values; ///< one of each series; NaN: none
  };
  std::string title, xName, yName, yUnit;
  std::vector<size_t> series;
  std::vector<Bar> bars;

  void draw(Markup &markup) const;
};

} // namespace rootc::report

#endif // ROOTC_RUNTIME_REPORT_CHART_H
