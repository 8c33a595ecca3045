//===- Moves.cpp - From one schedule of a kernel to others ----------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/Tune/Moves.h"
#include "codegen/Geometry/Gather.h"

#include "llvm/ADT/STLFunctionalExtras.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <stdexcept>

namespace rootc::codegen {

namespace {

/// Of the machine: wider ones of a schedule are several.
int64_t vectorsOfBlock(const Problem &problem, int64_t lanes) {
  auto block = problem.anchor->attributes.find("block");
  return block == problem.anchor->attributes.end()
             ? 1
             : std::get<int64_t>(block->second) /
                   std::min(lanes, problem.lanes());
}

struct Accumulators {
  const Problem &problem;

  int64_t operator()(const ConvolutionSchedule &s) const {
    return vectorsOfBlock(problem, s.lanes) * s.tileX * s.tileY * s.tileN;
  }
  int64_t operator()(const WinogradSchedule &s) const {
    return vectorsOfBlock(problem, s.lanes) * s.tileX * s.tileY;
  }
  int64_t operator()(const FilterGradientSchedule &s) const {
    return s.vectors * s.tileI * s.tileKx;
  }
  int64_t operator()(const AcrossInsGradientSchedule &s) const {
    return s.vectors * s.tileO;
  }
  int64_t operator()(const GroupLanesSchedule &s) const {
    return s.tileO * s.tileX * s.tileY;
  }
  int64_t operator()(const GroupLanesGradientSchedule &s) const {
    return s.tileI * s.tileO * s.tileKx * s.tileKy;
  }
  int64_t operator()(const LinearGradientSchedule &s) const {
    return s.vectors * s.tileO;
  }
  template <typename Other> int64_t operator()(const Other &) const {
    return 0;
  }
};

std::string familyName(const TypedSchedule &schedule) {
  return std::visit([](const auto &family) { return family.name(); }, schedule);
}

/// What a legal point is.
struct Reading {
  std::string family;
  int64_t vectors; ///< accumulators
};

/// Nothing where the kernel cannot have the point.
std::optional<Reading> read(const Problem &problem, const Schedule &point) {
  try {
    Kernel kernel = atPoint(problem.kernel, point);
    Problem there(kernel, problem.target);
    ReadSchedule read = readSchedule(there);
    if (read.error.empty())
      return Reading{familyName(read.schedule),
                     accumulators(read.schedule, there)};
  } catch (const std::invalid_argument &) { // no such layout
  }
  return std::nullopt;
}

/// Calls `judge` with other values that a key might have, until it has found
/// the nearest legal ones.
void vary(int64_t value, llvm::function_ref<bool(int64_t)> judge) {
  std::map<int64_t, bool> known;
  auto isLegal = [&](int64_t other) {
    auto [entry, isNew] = known.try_emplace(other);
    if (isNew)
      entry->second = judge(other);
    return entry->second;
  };
  for (int64_t other : {value * 2, value / 2})
    if (other != value)
      isLegal(other);
  const int64_t most = 2;
  for (int64_t other = value + 1, count = 0;
       other <= 4 * value + 4 && count < most; ++other)
    count += isLegal(other);
  for (int64_t other = value - 1, count = 0; other >= 0 && count < most;
       --other)
    count += isLegal(other);
}

std::string how(int64_t before, int64_t after) {
  return after >= 2 * before  ? " much more"
         : after > before     ? " more"
         : 2 * after > before ? " less"
                              : " much less";
}

} // namespace

int64_t accumulators(const TypedSchedule &schedule, const Problem &problem) {
  return std::visit(Accumulators{problem}, schedule);
}

std::vector<Move> neighbours(const Problem &problem, const Schedule &from,
                             bool packsOnce) {
  std::vector<Move> moves;
  auto here = read(problem, from);
  if (!here)
    return moves;
  int64_t most = std::max(here->vectors, problem.target.registers);
  auto add = [&](const Schedule &point, const std::string &what) {
    auto there = read(problem, point);
    if (there && there->vectors <= most)
      moves.push_back({point, there->family + " " + what});
    return there.has_value();
  };
  const std::set<std::string> layoutKeys = {"block", "winograd"};
  for (const auto &[key, value] : from)
    if (!layoutKeys.count(key))
      vary(value, [&, &key = key, value = value](int64_t other) {
        Schedule point = from;
        point[key] = other;
        return add(point, key + how(value, other));
      });
  for (const Schedule &point : layoutPoints(problem, packsOnce)) {
    int64_t block = point.at("block"), winograd = point.at("winograd");
    if (from.count("block") &&
        (block != from.at("block") || winograd != from.at("winograd")))
      add(point, winograd != from.at("winograd")
                     ? "instead"
                     : "block" + how(from.at("block"), block));
  }
  return moves;
}

std::optional<Move> randomMove(const Problem &problem, const Schedule &from,
                               bool packsOnce, std::mt19937_64 &random) {
  Move move{from, ""};
  for (uint64_t steps = 2 + random() % 2; steps > 0; --steps) {
    std::vector<Move> next = neighbours(problem, move.point, packsOnce);
    if (next.empty())
      break;
    move = next[random() % next.size()];
  }
  if (move.point == from)
    return std::nullopt;
  move.kind.clear();
  return move;
}

} // namespace rootc::codegen
