//===- Concat.cpp - Channels one after another ----------------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/Algorithms/Algorithms.h"

using namespace Halide;

namespace rootc::codegen {

namespace {
Lowered concat(const Op &op, const std::vector<Value> &in) {
  std::vector<Var> v = imageVars(4);
  Func joined("joined"), result(op.name);
  joined(v) = undef<float>();
  int first = 0;
  for (const Value &x : in) {
    int channels = static_cast<int>(x.channels());
    RDom r(0, channels, "r");
    joined(first + r, v[1], v[2], v[3]) = x.func(r, v[1], v[2], v[3]);
    first += channels;
  }
  result(v) = joined(v);
  return {{result}, {{"joined", joined}}};
}
} // namespace

void addConcat(OpRegistry &registry) { registry["concat"] = {concat}; }

} // namespace rootc::codegen
