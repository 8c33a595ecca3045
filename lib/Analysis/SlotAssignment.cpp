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
  std::vector<const LiveBuffer *> placed; // by offset
  for (size_t index : order) {
    LiveBuffer &buffer = buffers[index];
    int64_t best = -1, bestGap = INT64_MAX, end = 0;
    for (const LiveBuffer *other : placed) {
      if (other->last < buffer.first || other->first > buffer.last)
        continue;
      int64_t gap = other->offset - end;
      if (gap >= buffer.bytes && gap < bestGap) {
        best = end;
        bestGap = gap;
      }
      end = std::max(end, alignUp(other->offset + other->bytes, alignment));
    }
    buffer.offset = best >= 0 ? best : end;
    arena = std::max(arena, alignUp(buffer.offset + buffer.bytes, alignment));
    placed.insert(std::upper_bound(placed.begin(), placed.end(), &buffer,
                                   [](const auto *a, const auto *b) {
                                     return a->offset < b->offset;
                                   }),
                  &buffer);
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

/// Calls `visit(call, live buffers)` for each call at which a lifetime starts:
/// what is live is largest there.
template <typename Visitor>
static void forEachCall(const std::vector<LiveBuffer> &buffers, Visitor visit) {
  std::map<int64_t, std::vector<const LiveBuffer *>> calls;
  for (const LiveBuffer &buffer : buffers)
    calls[buffer.first];
  for (auto &[call, live] : calls) {
    for (const LiveBuffer &buffer : buffers)
      if (buffer.first <= call && call <= buffer.last)
        live.push_back(&buffer);
    visit(call, live);
  }
}

int64_t rootc::peakLiveBytes(const std::vector<LiveBuffer> &buffers) {
  int64_t peak = 0;
  forEachCall(buffers, [&](int64_t, const auto &live) {
    int64_t bytes = 0;
    for (const LiveBuffer *buffer : live)
      bytes += buffer->bytes;
    peak = std::max(peak, bytes);
  });
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
  std::string problem;
  forEachCall(buffers, [&](int64_t call, auto &live) {
    std::sort(live.begin(), live.end(), [](const auto *a, const auto *b) {
      return a->offset < b->offset;
    });
    for (size_t i = 1; i < live.size(); ++i)
      if (live[i - 1]->offset + live[i - 1]->bytes > live[i]->offset)
        problem = "at call " + std::to_string(call) +
                  " buffers overlap at byte " + std::to_string(live[i]->offset);
  });
  return problem;
}
