//===- SlotAssignment.cpp - Offsets for buffers by liveness ---------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lib/Analysis/SlotAssignment.h"

#include <algorithm>
#include <functional>
#include <map>
#include <numeric>

using namespace rootc;

static int64_t alignUp(int64_t value, int64_t alignment) {
  return (value + alignment - 1) / alignment * alignment;
}

/// Places the buffers in `order`, each in the smallest gap that holds it.
static int64_t placeInOrder(std::vector<LiveBuffer> &buffers,
                            const std::vector<size_t> &order,
                            int64_t alignment) {
  int64_t arena = 0;
  std::vector<LiveBuffer> placed; // by offset
  for (size_t index : order) {
    LiveBuffer &buffer = buffers[index];
    int64_t best = -1, bestGap = INT64_MAX, end = 0;
    for (const LiveBuffer &other : placed) {
      if (other.last < buffer.first || other.first > buffer.last)
        continue;
      int64_t gap = other.offset - end;
      if (gap >= buffer.bytes && gap < bestGap) {
        best = end;
        bestGap = gap;
      }
      end = std::max(end, alignUp(other.offset + other.bytes, alignment));
    }
    buffer.offset = best >= 0 ? best : end;
    arena = std::max(arena, alignUp(buffer.offset + buffer.bytes, alignment));
    placed.insert(std::upper_bound(placed.begin(), placed.end(), buffer,
                                   [](const auto &a, const auto &b) {
                                     return a.offset < b.offset;
                                   }),
                  buffer);
  }
  return arena;
}

int64_t rootc::assignOffsets(std::vector<LiveBuffer> &buffers,
                             int64_t alignment) {
  auto bytes = [](const LiveBuffer &buffer) { return double(buffer.bytes); };
  auto span = [](const LiveBuffer &buffer) {
    return double(buffer.last - buffer.first + 1);
  };
  const std::function<double(const LiveBuffer &)> weights[] = {
      bytes, [&](const auto &buffer) { return bytes(buffer) * span(buffer); },
      span};
  int64_t least = peakLiveBytes(buffers), best = INT64_MAX;
  std::vector<LiveBuffer> trial = buffers;
  for (const auto &weight : weights) {
    std::vector<size_t> order(buffers.size());
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) {
      return weight(buffers[a]) > weight(buffers[b]);
    });
    int64_t arena = placeInOrder(trial, order, alignment);
    if (arena < best) {
      best = arena;
      buffers = trial;
    }
    if (best <= alignUp(least, alignment))
      break;
  }
  return best;
}

/// The buffers in the order in which their lifetimes begin (or end).
static std::vector<const LiveBuffer *>
sorted(const std::vector<LiveBuffer> &buffers, int64_t LiveBuffer::*by) {
  std::vector<const LiveBuffer *> order;
  for (const LiveBuffer &buffer : buffers)
    order.push_back(&buffer);
  std::stable_sort(
      order.begin(), order.end(),
      [&](const auto *a, const auto *b) { return a->*by < b->*by; });
  return order;
}

int64_t rootc::peakLiveBytes(const std::vector<LiveBuffer> &buffers) {
  // What is live is largest where a lifetime has just begun.
  auto ends = sorted(buffers, &LiveBuffer::last);
  size_t ended = 0;
  int64_t peak = 0, bytes = 0;
  for (const LiveBuffer *buffer : sorted(buffers, &LiveBuffer::first)) {
    for (; ends[ended]->last < buffer->first; ++ended)
      bytes -= ends[ended]->bytes;
    bytes += buffer->bytes;
    peak = std::max(peak, bytes);
  }
  return peak;
}

std::string rootc::checkOffsets(const std::vector<LiveBuffer> &buffers,
                                int64_t arenaBytes, int64_t alignment) {
  for (const LiveBuffer &buffer : buffers)
    if (buffer.offset < 0 || buffer.offset % alignment != 0 ||
        buffer.offset > arenaBytes - buffer.bytes)
      return "a buffer of " + std::to_string(buffer.bytes) + " bytes at " +
             std::to_string(buffer.offset) + " leaves its arena of " +
             std::to_string(arenaBytes) + " bytes or is not aligned";
  // What is live at a call, by offset. As long as nothing overlaps, only
  // neighbours can.
  std::map<int64_t, const LiveBuffer *> live;
  auto ends = sorted(buffers, &LiveBuffer::last);
  size_t ended = 0;
  for (const LiveBuffer *buffer : sorted(buffers, &LiveBuffer::first)) {
    for (; ends[ended]->last < buffer->first; ++ended)
      live.erase(ends[ended]->offset);
    auto next = live.lower_bound(buffer->offset);
    int64_t overlap = -1;
    if (next != live.end() && next->first < buffer->offset + buffer->bytes)
      overlap = next->first;
    if (next != live.begin()) {
      const LiveBuffer &before = *std::prev(next)->second;
      if (before.offset + before.bytes > buffer->offset)
        overlap = buffer->offset;
    }
    if (overlap >= 0)
      return "at call " + std::to_string(buffer->first) +
             " buffers overlap at byte " + std::to_string(overlap);
    live[buffer->offset] = buffer;
  }
  return "";
}
