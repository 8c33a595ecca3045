//===- Moves.cpp - From one schedule of a kernel to others ----------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/Tune/Moves.h"
#include "codegen/Geometry/Gather.h"

#include <algorithm>
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

/// Judges points of one kernel.
class Space {
public:
  explicit Space(const Problem &problem)
      : kernel(problem.kernel), target(problem.target) {}

  /// The typed schedule, if the point is legal.
  std::optional<TypedSchedule> read(const Schedule &point) const {
    try {
      ReadSchedule read = readSchedule(Problem(atPoint(kernel, point), target));
      if (read.error.empty())
        return read.schedule;
    } catch (const std::invalid_argument &) { // no such layout
    }
    return std::nullopt;
  }
  int64_t vectors(const TypedSchedule &schedule, const Schedule &point) const {
    Kernel other = atPoint(kernel, point);
    return accumulators(schedule, Problem(other, target));
  }

private:
  const Kernel &kernel;
  TargetInfo target;
};

/// Values that a key might have instead.
std::set<int64_t> values(const Space &space, const Schedule &from,
                         const std::string &key) {
  int64_t value = from.at(key);
  std::set<int64_t> found;
  auto isLegal = [&](int64_t other) {
    Schedule schedule = from;
    schedule[key] = other;
    return space.read(schedule).has_value();
  };
  for (int64_t other : {value * 2, value / 2})
    if (other != value && isLegal(other))
      found.insert(other);
  const int64_t most = 2;
  for (int64_t other = value + 1, count = 0;
       other <= 4 * value + 4 && count < most; ++other)
    if (isLegal(other)) {
      found.insert(other);
      ++count;
    }
  for (int64_t other = value - 1, count = 0; other >= 0 && count < most;
       --other)
    if (isLegal(other)) {
      found.insert(other);
      ++count;
    }
  return found;
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
  Space space(problem);
  std::vector<Move> moves;
  auto here = space.read(from);
  if (!here)
    return moves;
  int64_t most = std::max(space.vectors(*here, from), problem.target.registers);
  auto add = [&](const Schedule &point, const std::string &what) {
    auto typed = space.read(point);
    if (typed && space.vectors(*typed, point) <= most)
      moves.push_back({point, familyName(*typed) + " " + what});
  };
  const std::set<std::string> layoutKeys = {"block", "winograd"};
  for (const auto &[key, value] : from) {
    if (layoutKeys.count(key))
      continue;
    for (int64_t other : values(space, from, key)) {
      Schedule point = from;
      point[key] = other;
      add(point, key + how(value, other));
    }
  }
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
