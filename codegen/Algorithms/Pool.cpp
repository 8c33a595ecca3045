//===- Pool.cpp - Maximum and average over windows ------------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// Windows are clipped to the image. The backward ops are in gather form: an
// input position looks at the at most ceil(kernel / stride) windows a
// dimension that cover it, and at all windows where these are fewer. Positions,
// of which the verifier's rules bound the largest, and sums of a few of them
// fit 32 bits.
//
//===----------------------------------------------------------------------===//

#include "codegen/Algorithms/Algorithms.h"

#include <limits>
#include <stdexcept>

using namespace Halide;

namespace rootc::codegen {

namespace {
using Operands = std::vector<Value>;

/// One dimension of the windows.
struct Axis {
  int kernel, stride, before, after, input, output;

  Expr start(Expr window) const { return window * stride - before; }
  Expr inside(Expr position) const { return position >= 0 && position < input; }
  Expr clampInput(Expr position) const { return clamp(position, 0, input - 1); }
  Expr clampOutput(Expr window) const { return clamp(window, 0, output - 1); }
  /// How many windows can cover a position, and the i-th of them.
  int covering() const { return std::min((kernel - 1) / stride + 1, output); }
  Expr window(Expr position, Expr i) const {
    return min((position + before) / stride, output - 1) - i;
  }
  /// Where in its i-th window a position lies; may exceed the kernel.
  Expr tap(Expr position, Expr i) const {
    return position + before - window(position, i) * stride;
  }
  Expr valid(Expr position, Expr i) const {
    return tap(position, i) < kernel && window(position, i) >= 0;
  }
  /// Positions that the average of a window divides by, in this dimension.
  Expr count(Expr window, bool excludePad) const {
    Expr first = start(window);
    if (excludePad)
      return min(first + kernel, input) - max(first, 0);
    return min(first + kernel, input + after) - first;
  }
};

struct Window {
  Axis x, y;
  int64_t taps() const { return int64_t(x.kernel) * y.kernel; }
};

Window window(const Op &op, int64_t inputHeight, int64_t inputWidth) {
  auto kernel = integersAttribute(op, "kernel", 2);
  auto stride = integersAttribute(op, "stride", 2);
  auto pad = integersAttribute(op, "pad", 4);
  auto output = integersAttribute(op, "output", 2);
  auto axis = [&](int d, int64_t input) {
    if (kernel[d] < 1 || stride[d] < 1 || pad[d] < 0 || pad[d + 2] < 0 ||
        output[d] < 1 || input < 1)
      throw std::invalid_argument("op '" + op.name + "': absurd window");
    // A stride beside one window may be of any size.
    for (int64_t size : {kernel[d], pad[d], pad[d + 2], input, output[d]})
      if (size > std::numeric_limits<int32_t>::max() / 4)
        throw std::invalid_argument("op '" + op.name +
                                    "': a window too large for indices of 32 "
                                    "bits");
    return Axis{static_cast<int>(kernel[d]), static_cast<int>(stride[d]),
                static_cast<int>(pad[d]),    static_cast<int>(pad[d + 2]),
                static_cast<int>(input),     static_cast<int>(output[d])};
  };
  return {axis(1, inputWidth), axis(0, inputHeight)};
}

Window forwardWindow(const Op &op, const Value &x) {
  return window(op, x.height(), x.width());
}

Window backwardWindow(const Op &op) {
  auto input = integersAttribute(op, "input", 2);
  return window(op, input[0], input[1]);
}

/// x at a tap of the window of output (v[1], v[2]), `outside` off the image.
Expr tapValue(const Value &x, const Window &w, const std::vector<Var> &v,
              const RDom &r, float outside) {
  Expr ix = w.x.start(v[1]) + r.x, iy = w.y.start(v[2]) + r.y;
  return select(w.x.inside(ix) && w.y.inside(iy),
                x.func(v[0], w.x.clampInput(ix), w.y.clampInput(iy), v[3]),
                outside);
}

const float lowest = -std::numeric_limits<float>::infinity();

Lowered maxPool(const Op &op, const Operands &in) {
  Window w = forwardWindow(op, in.at(0));
  std::vector<Var> v = imageVars(4);
  RDom r(0, w.x.kernel, 0, w.y.kernel, "r");
  Func largest("largest"), result(op.name);
  largest(v) = lowest;
  largest(v) = larger(largest(v), tapValue(in[0], w, v, r, lowest));
  result(v) = Expr(largest(v));
  return {{result}, {{"accumulator", largest}}};
}

Lowered maxPoolWithIndex(const Op &op, const Operands &in) {
  Window w = forwardWindow(op, in.at(0));
  bool wide = op.results.at(1).element == ElementType::I32;
  if (w.taps() > (wide ? std::numeric_limits<int32_t>::max() : 256))
    throw std::invalid_argument("op '" + op.name +
                                "': its index is too narrow for the window");
  std::vector<Var> v = imageVars(4);
  RDom r(0, w.x.kernel, 0, w.y.kernel, "r");
  Func largest("largest"), result("pooled"), index("index");
  // The index is kept as wide as the value, so both fill the same vectors.
  largest(v) = Tuple(lowest, 0);
  Expr value = tapValue(in[0], w, v, r, lowest);
  // NaN is the largest of all, and the first of them stays. See larger().
  Expr best = largest(v)[0];
  Expr better = strict_float(best == best) && !isAtMost(value, best);
  largest(v) = Tuple(select(better, value, best),
                     select(better, r.y * w.x.kernel + r.x, largest(v)[1]));
  result(v) = largest(v)[0];
  index(v) = cast(wide ? Int(32) : UInt(8), largest(v)[1]);
  return {{result, index}, {{"accumulator", largest}}};
}

Lowered maxPoolBackward(const Op &op, const Operands &in) {
  Window w = backwardWindow(op);
  std::vector<Var> v = imageVars(4);
  RDom r(0, w.x.covering(), 0, w.y.covering(), "r");
  Expr wx = w.x.clampOutput(w.x.window(v[1], r.x));
  Expr wy = w.y.clampOutput(w.y.window(v[2], r.y));
  Expr tap = w.y.tap(v[2], r.y) * w.x.kernel + w.x.tap(v[1], r.x);
  Expr chosen = cast<int>(in.at(1).func(v[0], wx, wy, v[3])) == tap &&
                w.x.valid(v[1], r.x) && w.y.valid(v[2], r.y);
  Func sum("sum"), result(op.name);
  sum(v) += select(chosen, in.at(0).func(v[0], wx, wy, v[3]), 0.0f);
  result(v) = Expr(sum(v));
  return {{result}, {{"accumulator", sum}}};
}

/// What so many terms are summed in: where many lose digits, in double.
Type sumType(int64_t terms) { return terms > 1024 ? Float(64) : Float(32); }

Lowered averagePool(const Op &op, const Operands &in) {
  Window w = forwardWindow(op, in.at(0));
  bool excludePad = integerAttribute(op, "exclude_pad") != 0;
  std::vector<Var> v = imageVars(4);
  RDom r(0, w.x.kernel, 0, w.y.kernel, "r");
  Func sum("sum"), result(op.name);
  Type type = sumType(w.taps());
  sum(v) = cast(type, 0.0f);
  sum(v) += cast(type, tapValue(in[0], w, v, r, 0.0f));
  result(v) = cast<float>(sum(v)) / cast<float>(w.x.count(v[1], excludePad) *
                                                w.y.count(v[2], excludePad));
  return {{result}, {{"accumulator", sum}}};
}

Lowered averagePoolBackward(const Op &op, const Operands &in) {
  Window w = backwardWindow(op);
  bool excludePad = integerAttribute(op, "exclude_pad") != 0;
  std::vector<Var> v = imageVars(4);
  RDom r(0, w.x.covering(), 0, w.y.covering(), "r");
  Expr wx = w.x.clampOutput(w.x.window(v[1], r.x));
  Expr wy = w.y.clampOutput(w.y.window(v[2], r.y));
  Expr count = w.x.count(wx, excludePad) * w.y.count(wy, excludePad);
  Func sum("sum"), result(op.name);
  Type type = sumType(int64_t(w.x.covering()) * w.y.covering());
  sum(v) = cast(type, 0.0f);
  sum(v) +=
      cast(type, select(w.x.valid(v[1], r.x) && w.y.valid(v[2], r.y),
                        in.at(0).func(v[0], wx, wy, v[3]) / cast<float>(count),
                        0.0f));
  result(v) = cast<float>(sum(v));
  return {{result}, {{"accumulator", sum}}};
}
} // namespace

void addPools(OpRegistry &registry) {
  registry["average_pool"] = {averagePool};
  registry["average_pool_backward"] = {averagePoolBackward};
  registry["max_pool"] = {maxPool};
  registry["max_pool_backward"] = {maxPoolBackward};
  registry["max_pool_with_index"] = {maxPoolWithIndex};
}

} // namespace rootc::codegen
