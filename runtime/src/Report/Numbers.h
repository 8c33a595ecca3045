//===- Numbers.h - Numbers for readers --------------------------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_RUNTIME_REPORT_NUMBERS_H
#define ROOTC_RUNTIME_REPORT_NUMBERS_H

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace rootc::report {

/// 1234567 -> "1,234,567"
std::string grouped(int64_t value);
/// Three significant digits and k, M, G, T: 222487946 -> "222 M". "-" if the
/// value is not finite.
std::string compact(double value);
/// Three significant digits, without an exponent where one is not needed.
std::string significant(double value, int digits = 3);
/// One decimal, fine enough for a picture.
std::string coordinate(double value);
/// A part of one as percent: 0.0789 -> "7.89"; a part of few samples reads as
/// well: always two decimals.
std::string percent(double part);
/// plural(1, "run") is "1 run", plural(2, "run") "2 runs".
std::string plural(int64_t count, const char *what);
/// Seconds: "41 s", "3 min 20 s", "2 h 05 min".
std::string duration(double seconds);

/// Mean and, of two values or more, the sample standard deviation (n - 1).
struct Spread {
  double mean = 0;
  double deviation = 0;
  size_t count = 0;
};
/// Of the finite values; nothing if there are none.
std::optional<Spread> spreadOf(const std::vector<double> &values);

struct Tick {
  double value;
  std::string label;
};

/// An axis that covers values, from a round number to a round number.
struct Axis {
  double low = 0, high = 1;
  bool logarithmic = false;
  std::string unit; ///< the factor that all labels share: "", "k", "M", ...
  std::vector<Tick> ticks;

  /// Where a value lies: 0 at low, 1 at high.
  double at(double value) const;
};

enum class Scale {
  Linear,
  /// Linear, with ticks at whole numbers only.
  Whole,
  /// Logarithmic where the values are positive and span more than a factor of
  /// 30, else linear.
  Auto,
};

/// Values that are not finite do not count. About `count` ticks, never more
/// than twice as many. With `fromZero`, a linear axis begins at 0.
Axis makeAxis(const std::vector<double> &values, Scale scale, int count,
              bool fromZero = false);

} // namespace rootc::report

#endif // ROOTC_RUNTIME_REPORT_NUMBERS_H
