//===- Ahead.cpp - Prefetching the next strip -----------------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/Schedules/Cpu/Ahead.h"

using namespace Halide;
using namespace Halide::Internal;

namespace rootc::codegen {

/// Whether a lowered loop is a stage's loop over a variable, which splits have
/// put names in front of: partial.s1.o.ot is partial.s1.ot.
static bool isLoop(const std::string &loop, const std::string &name) {
  size_t dot = name.rfind('.');
  return starts_with(loop, name.substr(0, dot + 1)) &&
         ends_with(loop, name.substr(dot));
}

static int64_t turns(const std::vector<std::pair<std::string, int64_t>> &nest) {
  int64_t product = 1;
  for (const auto &[name, count] : nest)
    product *= count;
  return product;
}

Expr Ahead::turn(
    const std::vector<std::pair<std::string, int64_t>> &nest) const {
  Expr result = 0;
  for (const auto &[name, count] : nest) {
    Expr index = static_cast<int>(count - 1);
    for (const std::string &loop : around)
      if (isLoop(loop, name))
        index = Variable::make(Int(32), loop);
    result = result * static_cast<int>(count) + index;
  }
  return result;
}

Expr Ahead::begin(const std::string &input, const Stmt &body) const {
  class FirstLoad : public IRVisitor {
  public:
    FirstLoad(const std::string &input, std::map<std::string, Expr> lets)
        : input(input), lets(std::move(lets)) {}
    Expr index;

  private:
    using IRVisitor::visit;
    void visit(const LetStmt *let) override {
      lets[let->name] = substitute(lets, let->value);
      IRVisitor::visit(let);
    }
    void visit(const Load *load) override {
      if (load->name == input && !index.defined())
        index = substitute(lets, load->index);
    }
    const std::string &input;
    std::map<std::string, Expr> lets;
  } first(input, lets);
  body.accept(&first);
  Expr index = first.index;
  if (!index.defined())
    return index;
  if (const auto *ramp = index.as<Ramp>())
    index = ramp->base;
  for (const auto *nest : {&loops.tiles, &loops.pixels})
    for (const auto &[name, count] : *nest)
      for (const std::string &loop : around)
        if (isLoop(loop, name))
          index = substitute(loop, 0, index);
  return simplify(index);
}

Stmt Ahead::visit(const LetStmt *let) {
  bool within = false;
  for (const std::string &loop : around)
    for (const std::string &name : loops.strips)
      within = within || isLoop(loop, name);
  if (within)
    lets[let->name] = substitute(lets, let->value);
  Stmt body = mutate(let->body);
  lets.erase(let->name);
  return LetStmt::make(let->name, let->value, body);
}

Stmt Ahead::visit(const For *loop) {
  around.push_back(loop->name);
  Stmt body = mutate(loop->body);
  if (isLoop(loop->name, loops.pixels.back().first)) {
    int64_t pixels = turns(loops.pixels), all = pixels * turns(loops.tiles);
    Expr turn = this->turn(loops.tiles) * static_cast<int>(pixels) +
                this->turn(loops.pixels);
    for (const auto &[input, elements] : loops.inputs) {
      Expr index = begin(input, body);
      if (!index.defined())
        continue;
      index += static_cast<int>(elements) +
               turn * static_cast<int>((elements + all - 1) / all);
      // To be read, kept in the L2 cache, data.
      Expr address = reinterpret<uint64_t>(Variable::make(Handle(), input)) +
                     cast<uint64_t>(index) * 4;
      body = Block::make(
          Evaluate::make(Call::make(Int(32), "llvm.prefetch.p0",
                                    {reinterpret(Handle(), address), 0, 2, 1},
                                    Call::Extern)),
          body);
    }
  }
  around.pop_back();
  return For::make(loop->name, loop->min, loop->extent, loop->for_type,
                   loop->partition_policy, loop->device_api, body);
}

} // namespace rootc::codegen
