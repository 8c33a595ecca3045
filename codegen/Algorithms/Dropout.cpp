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

/// An image's words at a counter: of dropout, and of what drops whole images.
class Words {
public:
  Words(const Op &op, const Value &random, const Value &samples)
      : random(random.func), samples(samples.func),
        rate(realAttribute(op, "rate")),
        ordinal(integerAttribute(op, "ordinal")) {
    if (!(rate >= 0 && rate < 1))
      throw std::invalid_argument("op '" + op.name +
                                  "': rate is not in [0, 1)");
  }
  std::vector<Expr> operator()(const Expr &counter) const {
    return philoxWords({cast<uint32_t>(counter), low(samples(imageVars(4)[3])),
                        low(random(1)), word(static_cast<uint32_t>(ordinal))},
                       low(random(0)), high(random(0)));
  }
  /// 1 / (1 - rate) where the word * 2^-32 >= rate, in integers, else 0; no
  /// word is if a rate is nearly 1.
  Expr factor(const Expr &chosen) const {
    auto threshold = static_cast<uint64_t>(std::ceil(std::ldexp(rate, 32)));
    Expr kept = threshold >> 32
                    ? Internal::const_false()
                    : chosen >= word(static_cast<uint32_t>(threshold));
    return select(kept, static_cast<float>(1 / (1 - rate)), 0.0f);
  }

private:
  Func random, samples;
  double rate;
  int64_t ordinal;
};

Lowered sampleMask(const Op &op, const std::vector<Value> &in) {
  Words words(op, in.at(0), in.at(1));
  Func result(op.name);
  result(imageVars(4)) = words.factor(words(0)[0]);
  return {{result}, {}};
}

Lowered dropout(const Op &op, const std::vector<Value> &in) {
  const Value &x = in.at(0);
  Words words(op, in.at(1), in.at(2));
  std::vector<Var> v = imageVars(4);
  int width = static_cast<int>(x.width());
  int channels = static_cast<int>(x.channels());
  Expr position = v[2] * width + v[1];
  auto masked = [&](const Expr &chosen) {
    // A product, so that NaN is not dropped.
    return strict_float(x.func(asExprs(v)) * words.factor(chosen));
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

void addDropout(OpRegistry &registry) {
  registry["dropout"] = {dropout, true};
  registry["sample_mask"] = {sampleMask, true};
}

} // namespace rootc::codegen
