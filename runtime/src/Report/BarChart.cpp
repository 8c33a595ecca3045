//===- BarChart.cpp - Many bars side by side as SVG -----------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Chart.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>

using namespace rootc::report;

void BarChart::draw(Markup &markup) const {
  constexpr double left = 48, right = 12, top = 30, height = 120, below = 42;
  constexpr double slot = 6;
  double width = slot * double(std::max<size_t>(bars.size(), 60));
  double bottom = top + height;
  std::vector<double> values;
  for (const Bar &bar : bars)
    values.insert(values.end(), bar.values.begin(), bar.values.end());
  Axis y = makeAxis(values, Scale::Linear, 4, /*fromZero=*/true);
  auto heightOf = [&](double value) { return height * y.at(value); };
  auto svg = markup.in(
      "svg", {{"viewBox",
               fmt::format("0 0 {} {}", left + width + right, bottom + below)},
              {"style", fmt::format("min-width:{:.0f}px", 0.75 * width)},
              {"role", "img"},
              {"aria-label", title}});
  auto text = [&](const char *style, double x, double at,
                  const std::string &what) {
    markup.leaf("text",
                {{"class", style}, {"x", coordinate(x)}, {"y", coordinate(at)}},
                what);
  };
  auto line = [&](const char *style, double x1, double y1, double x2,
                  double y2) {
    markup.empty("line", {{"class", style},
                          {"x1", coordinate(x1)},
                          {"y1", coordinate(y1)},
                          {"x2", coordinate(x2)},
                          {"y2", coordinate(y2)}});
  };
  for (const Tick &tick : y.ticks) {
    double at = bottom - heightOf(tick.value);
    line("grid", left, at, left + width, at);
    text("tick end", left - 7, at + 4, tick.label);
  }
  std::string unit = y.unit + yUnit;
  text("name", left - 42, top - 14, unit.empty() ? yName : yName + ", " + unit);
  double thick = (slot - 1) / double(std::max<size_t>(series.size(), 1));
  for (size_t i = 0; i < bars.size(); ++i) {
    double x = left + slot * double(i) + 0.5;
    auto group = markup.in("g", {{"class", "bar-of-layer"}});
    markup.leaf("title", bars[i].tip);
    // Bars of a pixel are hard to point at: the whole height answers.
    markup.empty("rect", {{"class", "hit"},
                          {"x", coordinate(x - 0.5)},
                          {"y", coordinate(top)},
                          {"width", coordinate(slot)},
                          {"height", coordinate(height)}});
    for (size_t j = 0; j < series.size(); ++j)
      if (bars[i].values[j] > 0)
        markup.empty(
            "rect",
            {{"class", "fill " + seriesClass(series[j])},
             {"x", fmt::format("{:.2f}", x + thick * double(j))},
             {"y", fmt::format("{:.2f}", bottom - heightOf(bars[i].values[j]))},
             {"width", fmt::format("{:.2f}", thick)},
             {"height", fmt::format("{:.2f}", heightOf(bars[i].values[j]))}});
  }
  line("axis", left, bottom, left + width, bottom);
  for (size_t i = 1; i <= bars.size(); i += i == 1 ? 9 : 10)
    text("tick middle", left + slot * (double(i) - 0.5), bottom + 17,
         fmt::format("{}", i));
  text("name end", left + width, bottom + 36, xName);
}
