//===- ChannelOrderTest.cpp - Channel orders against permutations ---------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lib/Analysis/ChannelOrder.h"

#include <gtest/gtest.h>

#include <numeric>

using rootc::ChannelOrders;
using Channels = std::vector<int64_t>;

namespace {

/// The channels of a map in the standard order.
Channels standard(int64_t channels) {
  Channels map(channels);
  std::iota(map.begin(), map.end(), 0);
  return map;
}

/// `channel_shuffle`.
Channels shuffle(const Channels &map, int64_t groups) {
  int64_t columns = map.size() / groups;
  Channels shuffled(map.size());
  for (int64_t i = 0; i < groups; ++i)
    for (int64_t j = 0; j < columns; ++j)
      shuffled[j * groups + i] = map[i * columns + j];
  return shuffled;
}

/// The channel at each position, as the definition of an order has it.
Channels inOrder(int64_t channels, int64_t order) {
  Channels map(channels);
  for (int64_t i = 0; i < channels / order; ++i)
    for (int64_t g = 0; g < order; ++g)
      map[i * order + g] = g * (channels / order) + i;
  return map;
}

TEST(ChannelOrders, AreMadeByShuffles) {
  for (int64_t channels : {1, 2, 3, 4, 6, 7, 12, 30, 36, 64, 96, 120})
    for (int64_t from = 1; from <= channels; ++from)
      for (int64_t to = 1; to <= channels; ++to) {
        if (channels % from != 0 || channels % to != 0)
          continue;
        ChannelOrders orders(channels);
        std::vector<int64_t> groups = orders.shuffles(orders.factor(from, to));
        EXPECT_LE(groups.size(), 2u) << from << " to " << to;
        EXPECT_EQ(groups.empty(), orders.ofGroups(from) == orders.ofGroups(to));
        Channels map = inOrder(channels, from);
        for (int64_t count : groups)
          map = shuffle(map, count);
        EXPECT_EQ(map, inOrder(channels, to))
            << channels << ": " << from << " to " << to;
      }
}

// The bytes of a shuffled map are those of the map in another order.
TEST(ChannelOrders, TakeInShuffles) {
  const int64_t channels = 96;
  ChannelOrders orders(channels);
  for (int64_t groups : {2, 3, 8, 32, 48}) {
    // What the network shuffles has channel p of the result at position p.
    Channels result = shuffle(standard(channels), groups);
    // The result in that order, and its operand in the standard one.
    std::optional<int64_t> order = orders.after(1, orders.factor(groups, 1));
    ASSERT_TRUE(order);
    Channels lying;
    for (int64_t channel : inOrder(channels, *order))
      lying.push_back(result[channel]);
    EXPECT_EQ(lying, standard(channels)) << groups;
    // In that order the operand is the result in the standard one.
    EXPECT_EQ(inOrder(channels, groups), result) << groups;
  }
  EXPECT_EQ(orders.after(4, 8), 32);
  EXPECT_EQ(orders.after(32, 32), std::nullopt);
}

// Three shuffles that no two could do.
TEST(ChannelOrders, CombineAnyThreeShuffles) {
  for (int64_t channels : {36, 60, 64})
    for (int64_t a : {2, 3, 4, 6})
      for (int64_t b : {2, 4, 12})
        for (int64_t c : {3, 4}) {
          if (channels % a != 0 || channels % b != 0 || channels % c != 0)
            continue;
          ChannelOrders orders(channels);
          Channels map = standard(channels);
          for (int64_t groups :
               orders.shuffles(orders.times(orders.times(a, b), c)))
            map = shuffle(map, groups);
          EXPECT_EQ(map,
                    shuffle(shuffle(shuffle(standard(channels), a), b), c));
        }
}

} // namespace
