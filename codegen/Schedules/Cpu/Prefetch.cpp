//===- Prefetch.cpp - Fetching a cache line -------------------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/Schedules/Cpu/Prefetch.h"

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

} // namespace rootc::codegen
