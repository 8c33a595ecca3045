//===- SlotAssignmentTest.cpp - Buffers that share an arena ---------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lib/Analysis/SlotAssignment.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

using namespace rootc;

/// Marks, call by call, who owns each byte.
static bool overlaps(const std::vector<LiveBuffer> &buffers, int64_t arena,
                     int64_t calls) {
  for (int64_t call = 0; call < calls; ++call) {
    std::vector<bool> taken(arena);
    for (const LiveBuffer &buffer : buffers) {
      if (call < buffer.first || call > buffer.last)
        continue;
      for (int64_t byte = 0; byte < buffer.bytes; ++byte) {
        if (buffer.offset + byte >= arena || taken[buffer.offset + byte])
          return true;
        taken[buffer.offset + byte] = true;
      }
    }
  }
  return false;
}

TEST(SlotAssignmentTest, RandomLifetimesNeverOverlap) {
  std::mt19937 random(7);
  for (int round = 0; round < 200; ++round) {
    int64_t calls = 1 + random() % 20;
    std::vector<LiveBuffer> buffers(1 + random() % 40);
    for (LiveBuffer &buffer : buffers) {
      buffer.first = random() % calls;
      buffer.last = buffer.first + random() % (calls - buffer.first);
      buffer.bytes = 1 + random() % 300;
    }
    int64_t arena = assignOffsets(buffers, 64);
    EXPECT_FALSE(overlaps(buffers, arena, calls));
    EXPECT_EQ(checkOffsets(buffers, arena, 64), "");
    EXPECT_GE(arena, peakLiveBytes(buffers));
    // Large enough for all at once is what sharing must beat.
    EXPECT_LE(arena, static_cast<int64_t>(buffers.size()) * 320);
  }
}

TEST(SlotAssignmentTest, RandomOffsetsAreCheckedRightly) {
  std::mt19937 random(8);
  int good = 0;
  for (int round = 0; round < 2000; ++round) {
    const int64_t calls = 1 + random() % 10, arena = 1024;
    std::vector<LiveBuffer> buffers(1 + random() % 6);
    std::vector<int64_t> bytes(calls);
    for (LiveBuffer &buffer : buffers) {
      buffer.first = random() % calls;
      buffer.last = buffer.first + random() % (calls - buffer.first);
      buffer.bytes = 1 + random() % 200;
      buffer.offset = random() % 13 * 64;
      for (int64_t call = buffer.first; call <= buffer.last; ++call)
        bytes[call] += buffer.bytes;
    }
    bool right = !overlaps(buffers, arena, calls);
    EXPECT_EQ(checkOffsets(buffers, arena, 64).empty(), right);
    EXPECT_EQ(peakLiveBytes(buffers),
              *std::max_element(bytes.begin(), bytes.end()));
    good += right;
  }
  EXPECT_GT(good, 200);
  EXPECT_LT(good, 1800);
}

TEST(SlotAssignmentTest, AChainNeedsTwoBuffers) {
  std::vector<LiveBuffer> buffers;
  for (int64_t call = 0; call < 10; ++call)
    buffers.push_back({call, call + 1, 128, -1});
  EXPECT_EQ(assignOffsets(buffers, 64), 256);
  EXPECT_EQ(peakLiveBytes(buffers), 256);
}

TEST(SlotAssignmentTest, TheSmallestGapIsTaken) {
  // Once the short-lived are gone, 640 and 512 bytes are free.
  std::vector<LiveBuffer> buffers = {{0, 0, 640, -1},
                                     {0, 9, 600, -1},
                                     {0, 0, 500, -1},
                                     {0, 9, 400, -1},
                                     {5, 6, 300, -1}};
  assignOffsets(buffers, 64);
  EXPECT_EQ(buffers[4].offset, buffers[2].offset);
}

TEST(SlotAssignmentTest, ChecksFindEachMistake) {
  std::vector<LiveBuffer> buffers = {{0, 2, 64, 0}, {2, 3, 64, 64}};
  EXPECT_EQ(checkOffsets(buffers, 128, 64), "");
  EXPECT_NE(checkOffsets(buffers, 127, 64), "");
  buffers[1].offset = 32;
  EXPECT_NE(checkOffsets(buffers, 128, 64), "");
  EXPECT_NE(checkOffsets(buffers, 128, 32), "");
  buffers[1].first = 3;
  EXPECT_EQ(checkOffsets(buffers, 128, 32), "");
  buffers[1].offset = -64;
  EXPECT_NE(checkOffsets(buffers, 128, 64), "");
}

// Large buffers first would need 448 bytes: the one of call 4 comes to lie
// where the one that lives until then must.
TEST(SlotAssignmentTest, LongLivedBuffersMayComeFirst) {
  std::vector<LiveBuffer> buffers = {
      {4, 4, 192, -1}, {1, 4, 128, -1}, {1, 3, 128, -1}, {3, 3, 128, -1}};
  EXPECT_EQ(assignOffsets(buffers, 64), 384);
  EXPECT_EQ(peakLiveBytes(buffers), 384);
}
