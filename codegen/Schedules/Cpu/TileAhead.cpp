//===- TileAhead.cpp - Prefetching for register tiles ---------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/Schedules/Cpu/TileAhead.h"
#include "codegen/Geometry/ConvShape.h"
#include "codegen/Schedules/Cpu/Prefetch.h"

#include <algorithm>
#include <bit>
#include <optional>

using namespace Halide;
using namespace Halide::Internal;

namespace rootc::codegen {

/// So many lines a tile are fetched at once.
static constexpr int64_t fewLines = 32;

bool TileAhead::isOver(const For *loop,
                       const std::vector<std::string> &variables) const {
  return std::any_of(variables.begin(), variables.end(),
                     [&](const auto &variable) {
                       return ends_with(loop->name, "." + variable);
                     });
}

void TileAhead::Turn::inside(const For *loop) {
  const auto *extent = loop->extent.as<IntImm>();
  if (!extent || !is_const_zero(loop->min)) {
    all = 0;
    return;
  }
  before = before * static_cast<int>(extent->value) +
           Variable::make(Int(32), loop->name);
  all *= extent->value;
}

bool TileAhead::inScope(const Expr &index) const {
  return usesOnly(index, scope);
}

Expr TileAhead::visit(const Load *load) {
  if (!around.empty() && starts_with(load->name, "in")) {
    Expr index = load->index;
    if (const auto *ramp = index.as<Ramp>())
      index = ramp->base;
    around.back().lines.emplace_back(load->name, substitute(lets, index));
  }
  return IRMutator::visit(load);
}

Stmt TileAhead::visit(const Store *store) {
  if (!around.empty() && starts_with(store->name, "output"))
    if (const auto *ramp = store->index.as<Ramp>()) {
      around.back().stores = true;
      around.back().lines.emplace_back(store->name,
                                       substitute(lets, ramp->base));
    }
  return IRMutator::visit(store);
}

Stmt TileAhead::visit(const LetStmt *let) {
  Expr value = mutate(let->value);
  if (!around.empty())
    lets[let->name] = substitute(lets, value);
  else
    scope.push_back(let->name);
  Stmt body = mutate(let->body);
  if (!around.empty())
    lets.erase(let->name);
  else
    scope.pop_back();
  return LetStmt::make(let->name, value, body);
}

namespace {
/// Lines of a buffer: `perPixel` after one another, `stride` elements apart.
struct Pixels {
  std::string buffer;
  Expr first;
  int64_t count, perPixel, stride;
};

/// How many loops lie inside one another.
int depth(const Stmt &stmt) {
  class Visitor : public IRVisitor {
  public:
    int most = 0;

  private:
    using IRVisitor::visit;
    void visit(const For *loop) override {
      most = std::max(most, ++inside);
      IRVisitor::visit(loop);
      --inside;
    }
    int inside = 0;
  } visitor;
  stmt.accept(&visitor);
  return visitor.most;
}

/// Has the loop of a tile's sum, or that and one over blocks of it, fetch
/// lines, some of its pixels at a time: all at once would keep the sum's own
/// loads waiting.
class Spread : public IRMutator {
public:
  explicit Spread(const std::vector<Pixels> &outputs) : outputs(outputs) {}
  using IRMutator::visit;

private:
  Stmt visit(const For *loop) override {
    const auto *extent = loop->extent.as<IntImm>();
    Expr turnsBefore = before;
    int64_t turnsAround = turns;
    before = (extent ? before * loop->extent : before) +
             Variable::make(Int(32), loop->name) - loop->min;
    turns = extent ? turns * extent->value : 0;
    Stmt body = depth(loop->body) > 0 ? mutate(loop->body) : loop->body;
    if (depth(loop->body) == 0)
      for (const Pixels &pixels : outputs)
        body = Block::make(
            fetches(pixels, simplify(before), turns > 0 ? turns : pixels.count),
            body);
    before = turnsBefore;
    turns = turnsAround;
    return For::make(loop->name, loop->min, loop->extent, loop->for_type,
                     loop->partition_policy, loop->device_api, body);
  }

  static Stmt fetches(const Pixels &pixels, const Expr &turn, int64_t turns) {
    // Done a while before the tile is written.
    int64_t each = ceilDiv(pixels.count, std::max<int64_t>(turns * 3 / 4, 1)),
            slots = ceilDiv(pixels.count, each),
            pause = std::bit_floor(static_cast<uint64_t>(
                std::max<int64_t>(turns * 3 / 4 / slots, 1)));
    auto turnOf = static_cast<int>(pause);
    Expr pixel = turn / turnOf * static_cast<int>(each);
    Stmt result;
    for (int64_t i = 0; i < each * pixels.perPixel; ++i) {
      int64_t offset = i / pixels.perPixel * pixels.stride +
                       i % pixels.perPixel * lineElements;
      Stmt fetch =
          prefetch(pixels.buffer,
                   pixels.first + pixel * static_cast<int>(pixels.stride) +
                       static_cast<int>(offset),
                   starts_with(pixels.buffer, "output"));
      result = result.defined() ? Block::make(result, fetch) : fetch;
    }
    Expr when = const_true();
    if (pause > 1)
      when = turn % turnOf == 0;
    if (slots * pause < turns)
      when = when && turn < static_cast<int>(slots * pause);
    return is_const_one(when) ? result : IfThenElse::make(when, result);
  }

  const std::vector<Pixels> &outputs;
  Expr before = 0;   ///< turns of the loops around
  int64_t turns = 1; ///< of all; 0: not known
};

/// How the lines at these indices lie, if pixel after pixel.
std::optional<Pixels> pixelsOf(const std::string &buffer,
                               const std::vector<Expr> &lines) {
  std::vector<int64_t> offsets;
  for (const Expr &line : lines) {
    auto offset = as_const_int(simplify(line - lines[0]));
    if (!offset)
      return {};
    offsets.push_back(*offset);
  }
  std::sort(offsets.begin(), offsets.end());
  auto count = static_cast<int64_t>(lines.size());
  int64_t together = 1;
  while (together < count && offsets[together] == together * lineElements)
    ++together;
  if (together == count)
    return Pixels{buffer, lines[0], count, 1, lineElements};
  int64_t stride = offsets[together];
  for (int64_t i = 0; i < count; ++i)
    if (offsets[i] != i / together * stride + i % together * lineElements)
      return {};
  return Pixels{buffer, lines[0], ceilDiv(count, together), together, stride};
}
} // namespace

Stmt TileAhead::withOutputs(Stmt body) const {
  const Loop &tile = around.back();
  std::map<std::string, std::vector<Expr>> fetched;
  for (const auto &[buffer, index] : tile.lines) {
    Expr at = simplify(index);
    std::vector<Expr> &lines = fetched[buffer];
    if (inScope(at) && expr_uses_var(at, tile.loop->name) &&
        std::none_of(lines.begin(), lines.end(),
                     [&](const Expr &line) { return equal(line, at); }))
      lines.push_back(at);
  }
  // A few lines, and those of a long sum, need not be spread over it.
  const size_t few = 32;
  size_t count = 0;
  for (const auto &[buffer, lines] : fetched)
    count += lines.size();
  bool spreads = count > few && depth(body) <= 2;
  std::vector<Pixels> spread;
  for (const auto &[buffer, lines] : fetched) {
    if (lines.empty())
      continue;
    std::optional<Pixels> pixels = pixelsOf(buffer, lines);
    if (pixels && spreads) {
      spread.push_back(*pixels);
      continue;
    }
    for (auto line = lines.rbegin(); line != lines.rend(); ++line)
      body = Block::make(prefetch(buffer, *line, starts_with(buffer, "output")),
                         body);
  }
  return Spread(spread).mutate(body);
}

Stmt TileAhead::fetches(const InputAhead &input) const {
  const For *parallel = nullptr;
  bool inTerms = around.back().inner;
  Turn turn;
  int64_t tileTurns = 1;
  Expr strip;
  std::vector<std::string> terms; // loops of
  for (const Loop &around : this->around) {
    const For *loop = around.loop;
    if (loop->is_parallel()) {
      parallel = loop;
      Expr task = Variable::make(Int(32), loop->name);
      auto tasks = static_cast<int>(stripTasks);
      strip = task / tasks;
      if (input.of == InputAhead::Strip)
        turn = {task % tasks, tasks};
    } else if (isOver(loop, {blocks})) {
      if (input.of == InputAhead::Strip)
        turn.inside(loop);
    } else if (isOver(loop, tiles)) {
      if (input.of != InputAhead::Tile)
        turn.inside(loop);
    } else {
      if (terms.empty())
        tileTurns = turn.all;
      terms.push_back(loop->name);
      turn.inside(loop);
    }
  }
  if (terms.empty())
    tileTurns = turn.all;
  bool few = input.of == InputAhead::Strip &&
             input.elements <= fewLines * lineElements * tileTurns;
  if (!parallel || turn.all == 0 || inTerms == few)
    return Stmt();
  Expr begin;
  if (input.of == InputAhead::Strip) {
    // What nothing reads has no name.
    if (!inScope(Variable::make(Handle(), input.name)))
      return Stmt();
    begin = (strip + 1) * static_cast<int>(input.elements);
  } else {
    const Lines &lines = around.back().lines;
    auto first =
        std::find_if(lines.begin(), lines.end(), [&](const auto &line) {
          return line.first == input.name;
        });
    if (first == lines.end())
      return Stmt();
    begin = first->second;
    for (const std::string &loop : terms)
      begin = substitute(loop, 0, begin);
    if (!inScope(begin))
      return Stmt();
    begin = simplify(begin + static_cast<int>(input.distance));
  }
  Stmt result =
      fetchShare(input.name, begin, turn.before, turn.all, input.elements);
  Expr tasks = parallel->extent, when = const_true();
  if (input.leastTasks > 0)
    when = tasks >= static_cast<int>(input.leastTasks);
  if (input.mostTasks < INT32_MAX)
    when = when && tasks <= static_cast<int>(input.mostTasks);
  return is_const_one(when) ? result : IfThenElse::make(when, result);
}

Stmt TileAhead::withInputs(Stmt body) const {
  for (const InputAhead &input : inputs)
    if (Stmt stmt = fetches(input); stmt.defined())
      body = Block::make(stmt, body);
  return body;
}

Stmt TileAhead::visit(const ProducerConsumer *part) {
  return part->is_producer && part->name == inner ? Stmt(part)
                                                  : IRMutator::visit(part);
}

Stmt TileAhead::visit(const For *loop) {
  if (!around.empty())
    around.back().inner = false;
  around.push_back({loop});
  scope.push_back(loop->name);
  Stmt body = mutate(loop->body);
  // An update sums; other loops copy strips.
  bool sums = loop->name.find(".s1.") != std::string::npos;
  if (around.back().inner && sums)
    body = withInputs(body);
  else if (!around.back().inner && around.back().stores)
    body = withInputs(withOutputs(body));
  scope.pop_back();
  around.pop_back();
  return For::make(loop->name, loop->min, loop->extent, loop->for_type,
                   loop->partition_policy, loop->device_api, body);
}

} // namespace rootc::codegen
