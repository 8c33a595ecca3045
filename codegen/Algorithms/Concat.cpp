//===- Concat.cpp - Channels one after another ----------------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/Algorithms/Algorithms.h"

#include <stdexcept>

using namespace Halide;

namespace rootc::codegen {

namespace {
/// A map with the operands' channels from their begins on, zeros between them.
Lowered join(const Op &op, const std::vector<Value> &in,
             const std::vector<int64_t> &begins, int64_t channels) {
  std::vector<Var> v = imageVars(4);
  Func joined("joined"), result(op.name);
  joined(v) = undef<float>();
  int64_t end = 0;
  auto fillUpTo = [&](int64_t begin) {
    if (begin < end || begin > channels)
      throw std::invalid_argument("op '" + op.name + "': no room at channel " +
                                  std::to_string(begin));
    if (begin == end)
      return;
    RDom r(static_cast<int>(end), static_cast<int>(begin - end), "r");
    joined(r, v[1], v[2], v[3]) = 0.0f;
  };
  for (size_t i = 0; i < in.size(); ++i) {
    fillUpTo(begins[i]);
    RDom r(0, static_cast<int>(in[i].channels()), "r");
    joined(static_cast<int>(begins[i]) + r, v[1], v[2], v[3]) =
        in[i].func(r, v[1], v[2], v[3]);
    end = begins[i] + in[i].channels();
  }
  fillUpTo(channels);
  result(v) = joined(v);
  return {{result}, {{"joined", joined}}};
}

Lowered concat(const Op &op, const std::vector<Value> &in) {
  std::vector<int64_t> begins;
  int64_t channels = 0;
  for (const Value &x : in) {
    begins.push_back(channels);
    channels += x.channels();
  }
  return join(op, in, begins, channels);
}

Lowered padChannels(const Op &op, const std::vector<Value> &in) {
  return join(op, in, integersAttribute(op, "begins", in.size()),
              op.results.at(0).shape.at(3));
}
} // namespace

void addConcat(OpRegistry &registry) {
  registry["concat"] = {concat};
  registry["pad_channels"] = {padChannels};
}

} // namespace rootc::codegen
