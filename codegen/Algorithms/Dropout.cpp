//===- Dropout.cpp - Counter-based dropout --------------------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// The mask of an element depends on nothing but (seed, epoch, sample, which
// dropout, element): Philox4x32-10 (Salmon et al., 2011), a counter-based
// generator, so forward and backward, any batch and any thread agree.
//
//===----------------------------------------------------------------------===//

#include "codegen/Algorithms/Algorithms.h"
#include "codegen/Philox.h"

#include <cmath>
#include <stdexcept>

using namespace Halide;

namespace rootc::codegen {

namespace {
Expr low(Expr value) { return cast<uint32_t>(value); }
Expr high(Expr value) { return cast<uint32_t>(value >> 32); }
Expr word(uint32_t value) { return cast<uint32_t>(Expr(value)); }

/// The four words of a counter; codegen/Philox.h in Halide's terms.
std::vector<Expr> philoxWords(std::vector<Expr> counter, Expr key0, Expr key1) {
  for (int round = 0; round < philoxRounds; ++round) {
    Expr product0 =
        cast<uint64_t>(counter[0]) * cast<uint64_t>(word(philoxMultiplier0));
    Expr product1 =
        cast<uint64_t>(counter[2]) * cast<uint64_t>(word(philoxMultiplier1));
    counter = {
        cast<uint32_t>(product1 >> 32) ^ counter[1] ^ key0, low(product1),
        cast<uint32_t>(product0 >> 32) ^ counter[3] ^ key1, low(product0)};
    key0 = key0 + word(philoxWeyl0);
    key1 = key1 + word(philoxWeyl1);
  }
  return counter;
}

Lowered dropout(const Op &op, const std::vector<Value> &in) {
  const Value &x = in.at(0);
  Func random = in.at(1).func, samples = in.at(2).func;
  double rate = realAttribute(op, "rate");
  int64_t ordinal = integerAttribute(op, "ordinal");
  if (!(rate >= 0 && rate < 1))
    throw std::invalid_argument("op 'dropout': rate is not in [0, 1)");
  std::vector<Var> v = imageVars(4);
  int width = static_cast<int>(x.width());
  int channels = static_cast<int>(x.channels());
  Expr position = v[2] * width + v[1];
  auto words = [&](Expr counter) {
    return philoxWords({cast<uint32_t>(counter), low(samples(v[3])),
                        low(random(1)), word(static_cast<uint32_t>(ordinal))},
                       low(random(0)), high(random(0)));
  };
  // word * 2^-32 >= rate, in integers; no word is if a rate is nearly 1.
  auto threshold = static_cast<uint64_t>(std::ceil(std::ldexp(rate, 32)));
  auto masked = [&](Expr chosen) {
    Expr kept = threshold >> 32
                    ? Internal::const_false()
                    : chosen >= word(static_cast<uint32_t>(threshold));
    // A product, so that NaN is not dropped.
    return strict_float(x.func(asExprs(v)) *
                        select(kept, static_cast<float>(1 / (1 - rate)), 0.0f));
  };
  Func result(op.name);
  if (channels % 4 != 0) {
    Expr element = position * channels + v[0];
    result(v) = masked(mux(element % 4, words(element / 4)));
    return {{result}, {}};
  }
  // A counter's four words belong to four channels of one position: computed
  // ahead they cost a quarter.
  Var w("w"), quad("quad");
  Func chosen("words");
  chosen(w, quad, v[1], v[2], v[3]) =
      mux(w, words(position * (channels / 4) + quad));
  result(v) = masked(chosen(v[0] % 4, v[0] / 4, v[1], v[2], v[3]));
  return {{result}, {{"words", chosen}}};
}
} // namespace

void addDropout(OpRegistry &registry) { registry["dropout"] = {dropout, true}; }

} // namespace rootc::codegen
