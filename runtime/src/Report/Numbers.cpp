//===- Numbers.cpp - Numbers for readers ----------------------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Numbers.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>

using namespace rootc::report;

static constexpr const char *missing = "-";

std::string rootc::report::grouped(int64_t value) {
  std::string digits = fmt::format("{}", value);
  size_t first = value < 0 ? 1 : 0;
  for (size_t i = digits.size(); i > first + 3; i -= 3)
    digits.insert(i - 3, ",");
  return digits;
}

std::string rootc::report::significant(double value, int digits) {
  if (!std::isfinite(value))
    return missing;
  if (value == 0)
    return "0";
  // The exponent after rounding: 9.996 has two digits before the point.
  std::string rounded = fmt::format("{:.{}e}", value, digits - 1);
  int exponent = std::stoi(rounded.substr(rounded.find('e') + 1));
  if (exponent < -6 || exponent > 14)
    return rounded;
  if (exponent >= digits)
    return fmt::format("{:.0f}", std::stod(rounded));
  return fmt::format("{:.{}f}", value, std::max(0, digits - 1 - exponent));
}

/// The largest power of 1000 that is not above the value, and its letter.
static std::pair<double, const char *> factorOf(double value) {
  static constexpr std::pair<double, const char *> factors[] = {
      {1e12, "T"}, {1e9, "G"}, {1e6, "M"}, {1e3, "k"}};
  for (auto factor : factors)
    if (value >= factor.first)
      return factor;
  return {1, ""};
}

std::string rootc::report::compact(double value) {
  if (!std::isfinite(value))
    return missing;
  double size = std::fabs(value);
  auto [factor, letter] = factorOf(size);
  // 999,950 is 1.00 M, not 1000 k.
  if (size / factor >= 999.5)
    std::tie(factor, letter) = factorOf(factor * 1000);
  if (!*letter)
    return value == std::floor(value) ? fmt::format("{:.0f}", value)
                                      : significant(value);
  return significant(value / factor) + " " + letter;
}

std::string rootc::report::coordinate(double value) {
  return fmt::format("{:.1f}", value);
}

std::string rootc::report::percent(double part) {
  return std::isfinite(part) ? fmt::format("{:.2f}", 100 * part) : missing;
}

std::string rootc::report::plural(int64_t count, const char *what) {
  return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

std::string rootc::report::duration(double seconds) {
  if (!std::isfinite(seconds) || seconds < 0 || seconds > 1e12)
    return missing;
  if (seconds < 59.95)
    return significant(seconds, seconds < 10 ? 2 : 3) + " s";
  auto whole = int64_t(std::llround(seconds));
  if (whole < 3600)
    return fmt::format("{} min {:02} s", whole / 60, whole % 60);
  int64_t minutes = (whole + 30) / 60;
  return fmt::format("{} h {:02} min", minutes / 60, minutes % 60);
}

std::optional<Spread>
rootc::report::spreadOf(const std::vector<double> &values) {
  Spread spread;
  for (double value : values)
    if (std::isfinite(value)) {
      // Welford's recurrence.
      ++spread.count;
      double delta = value - spread.mean;
      spread.mean += delta / double(spread.count);
      spread.deviation += delta * (value - spread.mean);
    }
  if (spread.count == 0)
    return std::nullopt;
  spread.deviation =
      spread.count > 1 ? std::sqrt(spread.deviation / double(spread.count - 1))
                       : 0;
  return spread;
}

double Axis::at(double value) const {
  if (logarithmic)
    return std::log(value / low) / std::log(high / low);
  return (value - low) / (high - low);
}

static void labelTicks(Axis &axis, double step) {
  double largest = std::max(std::fabs(axis.low), std::fabs(axis.high));
  auto [factor, letter] = factorOf(largest);
  axis.unit = letter;
  for (Tick &tick : axis.ticks) {
    if (axis.logarithmic) {
      tick.label = compact(tick.value);
      continue;
    }
    int decimals = 0;
    for (double unit = step / factor;
         decimals < 12 &&
         (unit < 0.9 || std::fabs(unit - std::round(unit)) > 1e-6);
         unit *= 10)
      ++decimals;
    tick.label = fmt::format("{:.{}f}", tick.value / factor, decimals);
    if (tick.label.find_first_not_of("-0.") == std::string::npos)
      tick.label = "0";
  }
  if (axis.logarithmic)
    axis.unit.clear();
}

/// 1, 2, 2.5 or 5 times a power of ten, not below `least`.
static double roundStep(double least) {
  double power = std::pow(10, std::floor(std::log10(least)));
  for (double factor : {1.0, 2.0, 2.5, 5.0})
    if (factor * power >= least * (1 - 1e-9))
      return factor * power;
  return 10 * power;
}

static Axis logarithmicAxis(double low, double high, int count) {
  Axis axis;
  axis.logarithmic = true;
  auto firstPower = int(std::floor(std::log10(low)));
  auto lastPower = int(std::ceil(std::log10(high)));
  // 1, 2, 5, 10, ... where there is room, else powers of ten.
  bool fine = lastPower - firstPower <= count / 2;
  int stride = std::max(1, (lastPower - firstPower + count - 1) / count);
  std::vector<double> marks;
  for (int power = firstPower; power <= lastPower; power += fine ? 1 : stride)
    for (double factor : {1.0, 2.0, 5.0})
      if (fine || factor == 1)
        marks.push_back(factor * std::pow(10, power));
  if (!fine && marks.back() < high)
    marks.push_back(marks.back() * std::pow(10, stride));
  auto above = std::upper_bound(marks.begin(), marks.end(), low * (1 + 1e-9));
  auto first = above == marks.begin() ? above : above - 1;
  auto last = std::lower_bound(marks.begin(), marks.end(), high * (1 - 1e-9));
  axis.low = *first;
  axis.high = *last;
  for (auto mark = first; mark <= last; ++mark)
    axis.ticks.push_back({*mark, ""});
  labelTicks(axis, 0);
  return axis;
}

Axis rootc::report::makeAxis(const std::vector<double> &values, Scale scale,
                             int count, bool fromZero) {
  double low = INFINITY, high = -INFINITY;
  for (double value : values)
    if (std::isfinite(value)) {
      low = std::min(low, value);
      high = std::max(high, value);
    }
  if (low > high)
    low = 0, high = 1;
  if (scale == Scale::Auto && low > 0 && high / low > 30)
    return logarithmicAxis(low, high, count);
  if (fromZero)
    low = std::min(low, 0.0), high = std::max(high, 0.0);
  // One value, or values too near for doubles to tell ticks apart.
  double size = std::max(std::fabs(low), std::fabs(high));
  if (high - low <= 1e-9 * size || high == low) {
    double margin = size > 0 ? 0.05 * size : 0.5;
    if (!fromZero || low < 0)
      low -= margin;
    high += margin;
  }
  Axis axis;
  double step = roundStep((high / count) - (low / count));
  if (scale == Scale::Whole)
    step = std::ceil(step);
  double first = std::floor(low / step + 1e-9);
  double last = std::ceil(high / step - 1e-9);
  for (double index = first; index <= last; ++index)
    axis.ticks.push_back({index * step, ""});
  axis.low = first * step;
  axis.high = last * step;
  labelTicks(axis, step);
  return axis;
}
