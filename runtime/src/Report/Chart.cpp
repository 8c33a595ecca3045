//===- Chart.cpp - Plots as SVG -------------------------------------------===//
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

namespace {
struct Box {
  double left, top, right, bottom;

  double width() const { return right - left; }
  double height() const { return bottom - top; }
  bool meets(const Box &other) const {
    return left < other.right && other.left < right && top < other.bottom &&
           other.top < bottom;
  }
  bool holds(const Box &other) const {
    return left <= other.left && other.right <= right && top <= other.top &&
           other.bottom <= bottom;
  }
};
} // namespace

// In units of the view box, which a narrow phone scales by about 0.8; the
// page's style sets the same size.
static constexpr double fontSize = 13;
static constexpr double viewWidth = 440, viewHeight = 300;
static constexpr Box plot{48, 32, viewWidth - 14, viewHeight - 44};

std::string rootc::report::seriesClass(size_t series) {
  return fmt::format("s{} d{}", series % 8, series / 8 % 4);
}

void rootc::report::drawMark(Markup &markup, size_t series, double x, double y,
                             double radius, const std::string &style) {
  double r = radius;
  switch (series % 5) {
  case 0:
    markup.empty("circle", {{"class", style},
                            {"cx", coordinate(x)},
                            {"cy", coordinate(y)},
                            {"r", coordinate(r)}});
    return;
  case 1:
    markup.empty("rect", {{"class", style},
                          {"x", coordinate(x - 0.88 * r)},
                          {"y", coordinate(y - 0.88 * r)},
                          {"width", coordinate(1.76 * r)},
                          {"height", coordinate(1.76 * r)}});
    return;
  case 2:
    markup.empty("path",
                 {{"class", style},
                  {"d", fmt::format("M{:.1f} {:.1f}l{:.1f} {:.1f}h-{:.1f}z", x,
                                    y - 1.15 * r, 1.15 * r, 2 * r, 2.3 * r)}});
    return;
  case 3:
    markup.empty(
        "path",
        {{"class", style},
         {"d",
          fmt::format("M{:.1f} {:.1f}l{:.1f} {:.1f}l-{:.1f} {:.1f}l-{:.1f} "
                      "-{:.1f}z",
                      x, y - 1.3 * r, 1.3 * r, 1.3 * r, 1.3 * r, 1.3 * r,
                      1.3 * r, 1.3 * r)}});
    return;
  default:
    markup.empty(
        "path",
        {{"class", style},
         {"d", fmt::format("M{0:.1f} {1:.1f}h{2:.1f}v{3:.1f}h{3:.1f}v{2:.1f}h-"
                           "{3:.1f}v{3:.1f}h-{2:.1f}v-{3:.1f}h-{3:.1f}v-"
                           "{2:.1f}h{3:.1f}z",
                           x - 0.4 * r, y - 1.2 * r, 0.8 * r, 0.8 * r)}});
  }
}

static void drawText(Markup &markup, const char *style, double x, double y,
                     const std::string &text) {
  markup.leaf("text",
              {{"class", style}, {"x", coordinate(x)}, {"y", coordinate(y)}},
              text);
}

static void drawLine(Markup &markup, const std::string &style, double x1,
                     double y1, double x2, double y2) {
  markup.empty("line", {{"class", style},
                        {"x1", coordinate(x1)},
                        {"y1", coordinate(y1)},
                        {"x2", coordinate(x2)},
                        {"y2", coordinate(y2)}});
}

/// "parameters, M"
static std::string nameOf(const std::string &name, const Axis &axis,
                          const std::string &unit) {
  std::string suffix = axis.unit + unit;
  return suffix.empty() ? name : name + ", " + suffix;
}

namespace {
/// The frame of a plot, and where values lie in it.
struct Frame {
  Axis x, y;

  double left(double value) const {
    return plot.left + plot.width() * x.at(value);
  }
  double top(double value) const {
    return plot.bottom - plot.height() * y.at(value);
  }
  void draw(Markup &markup, const std::string &xName,
            const std::string &yName) const {
    for (const Tick &tick : y.ticks) {
      drawLine(markup, "grid", plot.left, top(tick.value), plot.right,
               top(tick.value));
      drawText(markup, "tick end", plot.left - 7, top(tick.value) + 4,
               tick.label);
    }
    double before = -INFINITY;
    for (const Tick &tick : x.ticks) {
      double at = left(tick.value);
      drawLine(markup, "grid faint", at, plot.top, at, plot.bottom);
      // Labels that would touch are left out.
      double half = 0.3 * fontSize * double(characters(tick.label));
      at = std::min(at, viewWidth - half);
      if (at - half < before + 4)
        continue;
      drawText(markup, "tick middle", at, plot.bottom + 17, tick.label);
      before = at + half;
    }
    drawLine(markup, "axis", plot.left, plot.bottom, plot.right, plot.bottom);
    drawText(markup, "name", plot.left - 42, plot.top - 14, yName);
    drawText(markup, "name end", plot.right, plot.bottom + 36, xName);
  }
};

/// Places labels beside points so that none lies on another or on a point, and
/// if there is room not on a line.
class Labels {
public:
  Labels(const std::vector<Box> &marks, const std::vector<Box> &lines)
      : taken(marks), lines(lines) {}

  /// Whether there was room.
  bool place(Markup &markup, double x, double y, const std::string &text) {
    double width = 0.55 * fontSize * double(characters(text));
    double height = 1.05 * fontSize;
    // Beside, above, below, then farther away with a line to the point; on
    // another line only where there is no other place.
    for (auto [distance, onLines] : places)
      for (auto [dx, dy] : directions) {
        double centre = x + dx * (distance + width / 2);
        double middle = y + dy * distance * (dx != 0 ? 0.8 : 1.2);
        Box box{centre - width / 2, middle - height / 2, centre + width / 2,
                middle + height / 2};
        if (!area.holds(box) || !isFree(box, taken) ||
            (!onLines && !isFree(box, lines)))
          continue;
        if (distance > 9)
          drawLine(markup, "leader", x + dx * 5, y + dy * 5,
                   dx == 0 ? centre : centre - dx * (width / 2 + 1),
                   dx == 0 ? middle - dy * height / 2 : middle);
        drawText(markup, "label middle", centre, middle + 4, text);
        taken.push_back(box);
        return true;
      }
    return false;
  }

private:
  static bool isFree(const Box &box, const std::vector<Box> &boxes) {
    return std::none_of(boxes.begin(), boxes.end(),
                        [&](const Box &other) { return other.meets(box); });
  }

  /// Distances from the point, and whether a line may lie below.
  static constexpr std::pair<double, bool> places[] = {
      {9, false},  {18, false}, {30, false}, {44, false},
      {60, false}, {80, false}, {9, true},   {18, true},
      {30, true},  {44, true},  {60, true}};
  static constexpr std::pair<double, double> directions[] = {
      {1, 0}, {-1, 0}, {0, -1}, {0, 1}, {1, -1}, {-1, -1}, {1, 1}, {-1, 1}};
  static constexpr Box area{plot.left + 2, plot.top - 8, viewWidth - 2,
                            plot.bottom - 1};
  std::vector<Box> taken, lines;
};

/// <svg> with a title for those who do not see it.
struct Drawing {
  Drawing(Markup &markup, const std::string &title)
      : scope(
            (markup.open("svg", {{"viewBox", fmt::format("0 0 {} {}", viewWidth,
                                                         viewHeight)},
                                 {"role", "img"},
                                 {"aria-label", title}}),
             markup)) {}
  Markup::Scope scope;
};
} // namespace

size_t Scatter::draw(Markup &markup) const {
  std::vector<double> xs, ys;
  for (const ScatterPoint &point : points) {
    xs.push_back(point.x);
    ys.insert(ys.end(), {point.y - point.deviation, point.y + point.deviation});
    ys.insert(ys.end(), point.each.begin(), point.each.end());
  }
  Frame frame{makeAxis(xs, Scale::Auto, 5), makeAxis(ys, Scale::Linear, 5)};
  Drawing drawing(markup, title);
  frame.draw(markup,
             nameOf(xName, frame.x, xUnit) +
                 (frame.x.logarithmic ? " (logarithmic)" : ""),
             yName);
  std::vector<Box> strokes;
  for (size_t i = 0; i < lines.size(); ++i) {
    std::string path;
    for (size_t j = 0; j < lines[i].size(); ++j) {
      const ScatterPoint &to = points[lines[i][j]];
      const ScatterPoint &from = points[lines[i][j ? j - 1 : j]];
      double x = frame.left(to.x), y = frame.top(to.y);
      path += fmt::format("{:.1f},{:.1f} ", x, y);
      for (int part = 0; part < 64; ++part) {
        double at = part / 64.0;
        double left = x + at * (frame.left(from.x) - x);
        double top = y + at * (frame.top(from.y) - y);
        strokes.push_back({left - 2, top - 2, left + 2, top + 2});
      }
    }
    markup.empty("polyline", {{"class", fmt::format("family d{}", i % 4)},
                              {"points", path}});
  }
  std::vector<Box> marks;
  for (const ScatterPoint &point : points) {
    double x = frame.left(point.x), y = frame.top(point.y);
    auto group =
        markup.in("g", {{"class", "point " + seriesClass(point.series)}});
    markup.leaf("title", point.tip);
    double above = frame.top(point.y + point.deviation);
    double below = frame.top(point.y - point.deviation);
    if (point.deviation > 0) {
      drawLine(markup, "whisker", x, above, x, below);
      drawLine(markup, "whisker", x - 3, above, x + 3, above);
      drawLine(markup, "whisker", x - 3, below, x + 3, below);
    }
    if (point.each.size() > 1)
      for (double value : point.each)
        drawMark(markup, 0, x, frame.top(value), 1.8, "single");
    drawMark(markup, point.series, x, y, 5,
             point.hollow ? "mark hollow" : "mark");
    marks.push_back({x - 6, y - 6, x + 6, y + 6});
    if (point.deviation > 0)
      marks.push_back({x - 3, above, x + 3, below});
  }
  Labels labels(marks, strokes);
  size_t without = 0;
  for (const ScatterPoint &point : points)
    without += !labels.place(markup, frame.left(point.x), frame.top(point.y),
                             shorten(point.label, 26));
  return without;
}

/// The runs of finite points of a curve: [first, last).
static std::vector<std::pair<size_t, size_t>>
piecesOf(const std::vector<double> &x, const std::vector<double> &y) {
  std::vector<std::pair<size_t, size_t>> pieces;
  for (size_t i = 0; i < x.size(); ++i) {
    if (!std::isfinite(x[i]) || !std::isfinite(y[i]))
      continue;
    if (pieces.empty() || pieces.back().second != i)
      pieces.push_back({i, i});
    pieces.back().second = i + 1;
  }
  return pieces;
}

bool CurveChart::hasLine() const {
  return std::any_of(curves.begin(), curves.end(), [](const Curve &curve) {
    size_t points = 0;
    for (auto [first, last] : piecesOf(curve.x, curve.y))
      points += last - first;
    return points > 1;
  });
}

void CurveChart::draw(Markup &markup) const {
  std::vector<double> xs{0}, ys;
  for (const Curve &curve : curves)
    for (auto [first, last] : piecesOf(curve.x, curve.y))
      for (size_t i = first; i < last; ++i) {
        xs.push_back(curve.x[i]);
        ys.insert(ys.end(), {curve.y[i], curve.low[i], curve.high[i]});
      }
  Frame frame{makeAxis(xs, whole ? Scale::Whole : Scale::Linear, 6, true),
              makeAxis(ys, Scale::Linear, 5, fromZero)};
  Drawing drawing(markup, title);
  frame.draw(markup, nameOf(xName, frame.x, xUnit), yName);
  for (const Curve &curve : curves) {
    auto group = markup.in("g", {{"class", seriesClass(curve.series)}});
    markup.leaf("title", curve.label);
    for (auto [first, last] : piecesOf(curve.x, curve.y)) {
      std::string line, band;
      bool spread = false;
      for (size_t i = first; i < last; ++i) {
        double x = frame.left(curve.x[i]);
        line += fmt::format("{:.1f},{:.1f} ", x, frame.top(curve.y[i]));
        band += fmt::format("{:.1f},{:.1f} ", x, frame.top(curve.high[i]));
        spread |= curve.high[i] > curve.low[i];
      }
      for (size_t i = last; i-- > first;)
        band += fmt::format("{:.1f},{:.1f} ", frame.left(curve.x[i]),
                            frame.top(curve.low[i]));
      if (spread)
        markup.empty("polygon", {{"class", "band"}, {"points", band}});
      if (last - first > 1)
        markup.empty("polyline",
                     {{"class", curve.dashed ? "curve dashed" : "curve"},
                      {"points", line}});
      // The mark tells the curve where colours do not.
      drawMark(markup, curve.series, frame.left(curve.x[last - 1]),
               frame.top(curve.y[last - 1]), 4, "mark");
    }
  }
}
