//===- HeatMap.cpp - A matrix as a picture --------------------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "HeatMap.h"
#include "PngEncoder.h"
#include "Report/Markup.h"

#include <algorithm>
#include <cmath>
#include <numbers>

using namespace rootc;

namespace {
/// Colours of a picture's palette; the last is that of outlines.
constexpr int64_t colours = 255;
constexpr Colour outline = {255, 96, 64};
/// Pixels of a picture's longer and shorter side, at least.
constexpr int64_t longSide = 576, shortSide = 144;
} // namespace

/// OKLab (Ottosson 2020), in polar form, to linear sRGB.
static std::array<double, 3> linearColour(double lightness, double chroma,
                                          double hue) {
  double a = chroma * std::cos(hue), b = chroma * std::sin(hue);
  auto cube = [](double x) { return x * x * x; };
  double l = cube(lightness + 0.3963377774 * a + 0.2158037573 * b);
  double m = cube(lightness - 0.1055613458 * a - 0.0638541728 * b);
  double s = cube(lightness - 0.0894841775 * a - 1.2914855480 * b);
  return {4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
          -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
          -0.0041960863 * l - 0.7034186147 * m + 1.7076147010 * s};
}

Colour rootc::heatColour(double at) {
  double lightness = 0.14 + 0.83 * at;
  double hue = (300 - 195 * at) * std::numbers::pi / 180; // violet to yellow
  // As colourful as sRGB allows, up to a limit.
  double low = 0, high = 0.15;
  for (int i = 0; i < 30; ++i) {
    double chroma = (low + high) / 2;
    auto rgb = linearColour(lightness, chroma, hue);
    bool shown = std::all_of(rgb.begin(), rgb.end(),
                             [](double c) { return c >= 0 && c <= 1; });
    (shown ? low : high) = chroma;
  }
  Colour result;
  auto rgb = linearColour(lightness, low, hue);
  for (size_t i = 0; i < 3; ++i) {
    double c = std::clamp(rgb[i], 0.0, 1.0);
    c = c <= 0.0031308 ? 12.92 * c : 1.055 * std::pow(c, 1 / 2.4) - 0.055;
    result[i] = uint8_t(std::lround(255 * c));
  }
  return result;
}

double HeatMap::topOf(const Matrix &values) {
  std::vector<double> sorted(size_t(values.size()));
  for (int64_t i = 0; i < values.size(); ++i)
    sorted[size_t(i)] = std::abs(values.data()[i]);
  auto at = sorted.begin() + int64_t(0.995 * double(sorted.size() - 1));
  std::nth_element(sorted.begin(), at, sorted.end());
  // Where nearly all is zero, the rest still has to be told apart.
  return *at > 0 ? *at : *std::max_element(at, sorted.end());
}

int64_t HeatMap::cellSize(int64_t own, int64_t other) {
  auto divide = [](int64_t a, int64_t b) { return (a + b - 1) / b; };
  return std::max(divide(longSide, std::max(own, other)),
                  divide(shortSide, own));
}

int64_t HeatMap::outlineWidth() const {
  if (blocks == 1)
    return 0;
  int64_t side =
      std::min(values.rows() * cellHeight(), values.cols() * cellWidth()) /
      blocks;
  return std::min<int64_t>(2, side / 8);
}

std::string HeatMap::png() const {
  int64_t cellHigh = cellHeight(), cellWide = cellWidth();
  int64_t height = values.rows() * cellHigh, width = values.cols() * cellWide;
  std::vector<uint8_t> pixels(size_t(height * width));
  for (int64_t y = 0; y < height; ++y)
    for (int64_t x = 0; x < width; ++x) {
      double value = values(y / cellHigh, x / cellWide);
      double part = top > 0 ? std::abs(value) / top : 0;
      pixels[size_t(y * width + x)] =
          uint8_t(std::lround(std::min(part, 1.0) * (colours - 1)));
    }
  int64_t thick = outlineWidth();
  for (int64_t b = 0; b < blocks && thick; ++b) {
    int64_t above = b * height / blocks, below = (b + 1) * height / blocks;
    int64_t left = b * width / blocks, right = (b + 1) * width / blocks;
    for (int64_t y = above; y < below; ++y)
      for (int64_t x = left; x < right; ++x)
        if (std::min({y - above, below - 1 - y, x - left, right - 1 - x}) <
            thick)
          pixels[size_t(y * width + x)] = colours;
  }
  std::vector<uint8_t> palette;
  for (int64_t i = 0; i <= colours; ++i) {
    Colour colour =
        i < colours ? heatColour(double(i) / (colours - 1)) : outline;
    palette.insert(palette.end(), colour.begin(), colour.end());
  }
  return encodePng(pixels.data(), {height, width}, 1, palette);
}

/// Indices to label on an axis drawn with `length` pixels, at least `room`
/// pixels apart: where blocks begin, else round numbers.
static std::vector<int64_t> ticksOf(int64_t count, int64_t blocks,
                                    double length, double room) {
  int64_t unit = blocks > 1 ? count / blocks : 1, step = unit;
  auto tooClose = [&] { return double(step) * length / double(count) < room; };
  for (; tooClose(); unit *= 10)
    for (int64_t factor : {2, 5, 10})
      if (tooClose())
        step = factor * unit;
  std::vector<int64_t> ticks;
  for (int64_t i = 0; i <= count; i += step)
    ticks.push_back(i);
  return ticks;
}

std::string HeatMap::svg(const std::string &png) const {
  // Pictures of many pixels keep them; what is around grows with them.
  double high = double(values.rows() * cellHeight());
  double wide = double(values.cols() * cellWidth());
  double zoom = std::max(1.0, std::max(high, wide) / 768);
  double height = high / zoom, width = wide / zoom;
  constexpr double left = 72, above = 84, right = 128, below = 56;
  // Long lines may be wider than the picture.
  constexpr double letter = 6.5, boldLetter = 9.5;
  double total = std::max(
      {left + width + right, left + boldLetter * double(title.size()),
       left + letter * double(std::max(subtitle.size(), caption.size()))});
  std::string text =
      fmt::format("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{:.6g}\" "
                  "height=\"{:.6g}\" viewBox=\"0 0 {:.6g} {:.6g}\" "
                  "font-family=\"sans-serif\" font-size=\"12\">\n"
                  "<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n",
                  total * zoom, (above + height + below) * zoom, total,
                  above + height + below);
  auto label = [&](double x, double y, const char *anchor,
                   const std::string &content, const std::string &more = "") {
    text += fmt::format(
        "<text x=\"{:.6g}\" y=\"{:.6g}\" text-anchor=\"{}\"{}>{}</text>\n", x,
        y, anchor, more, report::escape(content));
  };
  auto upright = [&](double x, double y, const std::string &content) {
    label(x, y, "middle", content,
          fmt::format(" transform=\"rotate(-90 {:.6g} {:.6g})\"", x, y));
  };
  auto tick = [&](double x, double y, double dx, double dy) {
    text += fmt::format(
        "<path d=\"M{:.6g} {:.6g}l{:.6g} {:.6g}\" stroke=\"black\"/>\n", x, y,
        dx, dy);
  };
  label(left, 26, "start", title, " font-size=\"16\" font-weight=\"bold\"");
  label(left, 48, "start", subtitle);
  label(left, 66, "start", caption);
  text += fmt::format("<image x=\"{:.6g}\" y=\"{:.6g}\" width=\"{:.6g}\" "
                      "height=\"{:.6g}\" preserveAspectRatio=\"none\" "
                      "style=\"image-rendering:pixelated\" "
                      "href=\"data:image/png;base64,{}\"/>\n",
                      left, above, width, height, report::base64(png));
  for (int64_t row : ticksOf(values.rows(), blocks, height, 16)) {
    double y = above + double(row) * height / double(values.rows());
    tick(left, y, -5, 0);
    label(left - 8, y + 4, "end", std::to_string(row));
  }
  for (int64_t column : ticksOf(values.cols(), blocks, width, 36)) {
    double x = left + double(column) * width / double(values.cols());
    tick(x, above + height, 0, 5);
    label(x, above + height + 18, "middle", std::to_string(column));
  }
  label(left + width / 2, above + height + 42, "middle", columns);
  upright(20, above + height / 2, rows);
  // The scale of colours, bottom to top.
  constexpr int stops = 16;
  text += "<linearGradient id=\"scale\" x1=\"0\" y1=\"1\" x2=\"0\" y2=\"0\">\n";
  for (int i = 0; i <= stops; ++i) {
    Colour colour = heatColour(double(i) / stops);
    text += fmt::format(
        "<stop offset=\"{}\" stop-color=\"#{:02x}{:02x}{:02x}\"/>\n",
        double(i) / stops, colour[0], colour[1], colour[2]);
  }
  double bar = left + width + 24;
  text += fmt::format("</linearGradient>\n<rect x=\"{:.6g}\" y=\"{:.6g}\" "
                      "width=\"16\" height=\"{:.6g}\" fill=\"url(#scale)\"/>\n",
                      bar, above, height);
  for (int quarter = 0; quarter <= 4; ++quarter) {
    double y = above + height * (1 - quarter / 4.0);
    tick(bar + 16, y, 5, 0);
    label(bar + 25, y + 4, "start",
          fmt::format("{}{:.3g}", quarter == 4 ? "\u2265 " : "",
                      top * quarter / 4));
  }
  upright(bar + 90, above + height / 2, scale);
  return text + "</svg>\n";
}
