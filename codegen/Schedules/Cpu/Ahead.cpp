//===- Ahead.cpp - Prefetching the next strip -----------------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/Schedules/Cpu/Ahead.h"
#include "codegen/Schedules/Cpu/Prefetch.h"

#include <algorithm>

using namespace Halide;
using namespace Halide::Internal;

namespace rootc::codegen {

void AheadLoops::addInputs(const ScheduleContext &context,
                           const TensorType &map, int64_t skipped,
                           int64_t rows) {
  int64_t row = map.shape[2] * map.shape[3];
  for (const std::string &input : context.inputsLike(map))
    maps[input] = {skipped * row, rows * row};
}

Ahead::Ahead(AheadLoops loops) : loops(std::move(loops)) {
  // Halide takes loops of one turn off.
  std::vector<std::pair<std::string, int64_t>> &turns = this->loops.turns;
  while (turns.size() > 1 && turns.back().second == 1)
    turns.pop_back();
}

/// Whether a lowered loop is a stage's loop over a variable, which splits have
/// put names in front of: partial.s1.o.ot is partial.s1.ot.
static bool isLoop(const std::string &loop, const std::string &name) {
  size_t dot = name.rfind('.');
  return starts_with(loop, name.substr(0, dot + 1)) &&
         ends_with(loop, name.substr(dot));
}

Expr Ahead::turn() const {
  Expr result = 0;
  for (const auto &[name, count] : loops.turns) {
    Expr index = static_cast<int>(count - 1);
    for (const std::string &loop : around)
      if (isLoop(loop, name))
        index = Variable::make(Int(32), loop);
    result = result * static_cast<int>(count) + index;
  }
  return result;
}

bool Ahead::isStrips(const std::string &loop) const {
  return std::any_of(
      loops.strips.begin(), loops.strips.end(),
      [&](const std::string &name) { return isLoop(loop, name); });
}

bool Ahead::inStrip() const {
  return std::any_of(around.begin(), around.end(),
                     [&](const std::string &loop) { return isStrips(loop); });
}

void Ahead::record(const std::string &map, Expr index) {
  if (inStrip() && loops.maps.count(map) && !begin.count(map)) {
    if (const auto *ramp = index.as<Ramp>())
      index = ramp->base;
    if (!index.type().is_scalar()) // lanes that are clamped, or of two pixels
      return;
    index = substitute(lets, index);
    for (auto inner = around.rbegin(); !isStrips(*inner); ++inner)
      index = substitute(*inner, 0, index);
    begin[map] = simplify(index);
  }
}

Expr Ahead::visit(const Load *load) {
  record(load->name, load->index);
  return IRMutator::visit(load);
}

Stmt Ahead::visit(const Store *store) {
  record(store->name, store->index);
  return IRMutator::visit(store);
}

Stmt Ahead::visit(const LetStmt *let) {
  Expr value = mutate(let->value);
  if (inStrip())
    lets[let->name] = substitute(lets, value);
  scope.push_back(let->name);
  Stmt body = mutate(let->body);
  scope.pop_back();
  lets.erase(let->name);
  return LetStmt::make(let->name, value, body);
}

Stmt Ahead::visit(const For *loop) {
  if (isStrips(loop->name))
    begin.clear();
  around.push_back(loop->name);
  scope.push_back(loop->name);
  Stmt body = mutate(loop->body);
  if (isLoop(loop->name, loops.turns.back().first)) {
    int64_t all = 1;
    for (const auto &[name, count] : loops.turns)
      all *= count;
    for (const auto &[map, at] : begin) {
      if (!usesOnly(at, scope))
        continue;
      // What is written is read first.
      auto [offset, elements] = loops.maps.at(map);
      body = Block::make(
          fetchShare(map, at + static_cast<int>(offset), turn(), all, elements),
          body);
    }
  }
  scope.pop_back();
  around.pop_back();
  if (isStrips(loop->name))
    begin.clear();
  return For::make(loop->name, loop->min, loop->extent, loop->for_type,
                   loop->partition_policy, loop->device_api, body);
}

} // namespace rootc::codegen
