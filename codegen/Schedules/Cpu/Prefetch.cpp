//===- Prefetch.cpp - Fetching a cache line -------------------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/Schedules/Cpu/Prefetch.h"
#include "codegen/Geometry/ConvShape.h"

#include <algorithm>

using namespace Halide;
using namespace Halide::Internal;

namespace rootc::codegen {

Stmt prefetch(const std::string &buffer, const Expr &index, bool write) {
  const int l2 = 2, data = 1;
  Expr address = reinterpret<uint64_t>(Variable::make(Handle(), buffer)) +
                 cast<uint64_t>(index) * 4;
  return Evaluate::make(Call::make(
      Int(32), "llvm.prefetch.p0",
      {reinterpret(Handle(), address), write ? 1 : 0, l2, data}, Call::Extern));
}

Stmt fetchShare(const std::string &buffer, const Expr &begin, const Expr &turn,
                int64_t turns, int64_t elements) {
  const int64_t mostLines = 64;
  int64_t share = ceilDiv(elements, turns),
          lines = ceilDiv(share, lineElements);
  if (lines > 1)
    share = lines * lineElements;
  Stmt result;
  for (int64_t line = 0; line < std::min(lines, mostLines); ++line) {
    Stmt fetch = prefetch(buffer,
                          begin + turn * static_cast<int>(share) +
                              static_cast<int>(line * lineElements),
                          false);
    result = result.defined() ? Block::make(result, fetch) : fetch;
  }
  return result;
}

bool usesOnly(const Expr &expr, const std::vector<std::string> &names) {
  class Visitor : public IRVisitor {
  public:
    explicit Visitor(const std::vector<std::string> &names) : names(names) {}
    bool only = true;

  private:
    using IRVisitor::visit;
    void visit(const Variable *variable) override {
      only = only && std::find(names.begin(), names.end(), variable->name) !=
                         names.end();
    }
    const std::vector<std::string> &names;
  } visitor(names);
  expr.accept(&visitor);
  return visitor.only;
}

namespace {
/// Indices of a loop's loads of whole vectors; nothing of a loop with others
/// inside.
class Vectors : public IRVisitor {
public:
  explicit Vectors(const std::map<std::string, int64_t> &maps) : maps(maps) {}
  std::vector<std::pair<std::string, Expr>> loads;
  bool inner = true;

private:
  using IRVisitor::visit;
  void visit(const For *) override { inner = false; }
  void visit(const LetStmt *let) override {
    let->value.accept(this);
    lets[let->name] = substitute(lets, let->value);
    let->body.accept(this);
    lets.erase(let->name);
  }
  void visit(const Load *load) override {
    const auto *ramp = load->index.as<Ramp>();
    if (!ramp || !maps.count(load->name))
      return;
    Expr index = simplify(substitute(lets, ramp->base));
    if (std::none_of(loads.begin(), loads.end(), [&](const auto &other) {
          return other.first == load->name && equal(other.second, index);
        }))
      loads.emplace_back(load->name, index);
  }
  const std::map<std::string, int64_t> &maps;
  std::map<std::string, Expr> lets;
};
} // namespace

Stmt PixelsAhead::visit(const For *loop) {
  Stmt body = mutate(loop->body);
  Vectors vectors(maps);
  body.accept(&vectors);
  if (vectors.inner)
    for (const auto &[map, index] : vectors.loads)
      if (expr_uses_var(index, loop->name))
        body = Block::make(
            prefetch(map, index + static_cast<int>(maps.at(map)), false), body);
  return For::make(loop->name, loop->min, loop->extent, loop->for_type,
                   loop->partition_policy, loop->device_api, body);
}

Expr NarrowPrefetches::visit(const Call *call) {
  if (!starts_with(call->name, "llvm.prefetch"))
    return IRMutator::visit(call);
  halves = std::any_of(buffers.begin(), buffers.end(),
                       [&](const std::string &buffer) {
                         return expr_uses_var(call->args[0], buffer);
                       });
  Expr result = IRMutator::visit(call);
  halves = false;
  return result;
}

Expr NarrowPrefetches::visit(const Mul *product) {
  if (!halves || product->type != UInt(64))
    return IRMutator::visit(product);
  return product->a * make_const(UInt(64), 2); // was 4
}

} // namespace rootc::codegen
