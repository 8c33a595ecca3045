//===- ChannelOrder.cpp - How channel orders and shuffles combine ---------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lib/Analysis/ChannelOrder.h"

#include <cassert>

using namespace rootc;

std::optional<int64_t> ChannelOrders::after(int64_t from,
                                            int64_t factor) const {
  int64_t product = times(from, factor);
  if (channels % product != 0)
    return std::nullopt;
  return product;
}

bool ChannelOrders::find(int64_t factor, int count,
                         std::vector<int64_t> &groups) const {
  if (count == 0)
    return factor == 1;
  if (count == 1) {
    if (channels % factor != 0)
      return false;
    groups.push_back(factor);
    return true;
  }
  for (int64_t first = 2; first <= channels / 2; ++first) {
    if (channels % first != 0)
      continue;
    groups.push_back(first);
    if (find(times(factor, channels / first), count - 1, groups))
      return true;
    groups.pop_back();
  }
  return false;
}

std::vector<int64_t> ChannelOrders::shuffles(int64_t factor) const {
  std::vector<int64_t> groups;
  for (int count = 0; count <= 3; ++count)
    if (find(factor, count, groups))
      return groups;
  assert(false && "no product of three divisors");
  return groups;
}
