//===- ChannelOrder.h - How channel orders and shuffles combine -*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A map of C channels in order G, a divisor of C, has channel g * (C / G) + i
// at position i * G + g. That is position channel * G modulo C - 1, the last
// channel being the last in each order: so orders are numbers that multiply.
// `channel_shuffle` in G groups multiplies by G whatever order it is given, and
// in C / G groups divides by it. Order C is order 1, the standard one.
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_ANALYSIS_CHANNELORDER_H
#define ROOTC_ANALYSIS_CHANNELORDER_H

#include <cstdint>
#include <optional>
#include <vector>

namespace rootc {

/// The orders of maps of some number of channels, at least 1.
class ChannelOrders {
public:
  explicit ChannelOrders(int64_t channels) : channels(channels) {}

  /// The order in which `groups`, a divisor of the channels, lie innermost.
  int64_t ofGroups(int64_t groups) const {
    return groups == channels ? 1 : groups;
  }
  /// What `from` is multiplied by to become `to`, 1 if they are the same.
  int64_t factor(int64_t from, int64_t to) const {
    return times(to, channels / from);
  }
  int64_t times(int64_t a, int64_t b) const {
    return channels < 3 ? 1 : a * b % (channels - 1);
  }
  /// The order that `factor` makes of `from`; none where that is no order.
  std::optional<int64_t> after(int64_t from, int64_t factor) const;

  /// Groups of the fewest shuffles, one after another, that multiply by
  /// `factor`, a product of at most three divisors of the channels; none if
  /// that is 1.
  std::vector<int64_t> shuffles(int64_t factor) const;

private:
  bool find(int64_t factor, int count, std::vector<int64_t> &groups) const;

  int64_t channels;
};

} // namespace rootc

#endif // ROOTC_ANALYSIS_CHANNELORDER_H
