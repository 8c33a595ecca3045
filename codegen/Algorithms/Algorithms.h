//===- Algorithms.h - What each primitive op computes, in Halide *- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// An algorithm turns one op on Halide Funcs into Funcs; it says nothing of how
// they are computed (codegen/Schedules does). Dimensions are reversed with
// respect to TensorType: an image [N,H,W,C] is f(c, x, y, n), a filter
// [O,kh,kw,I] is f(i, kx, ky, o), a vector [C] is f(c).
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_CODEGEN_ALGORITHMS_ALGORITHMS_H
#define ROOTC_CODEGEN_ALGORITHMS_ALGORITHMS_H

#include "Halide.h"
#include "codegen/Kernel.h"

#include <map>
#include <string>
#include <vector>

namespace rootc::codegen {

/// A value of the kernel while its pipeline is built.
struct Value {
  Halide::Func func;
  TensorType type;
  Halide::Expr dynamic; ///< extent of the dynamic dimension, where there is one
  Halide::ImageParam stored = {}; ///< of an input; of bf16 its bits

  /// Extent of a Halide dimension (0: the innermost of `type.shape`).
  Halide::Expr extent(int dimension) const;
  /// The same where it is static; throws std::invalid_argument otherwise.
  int64_t staticExtent(int dimension) const;
  /// Images only: the batch, and positions of one image.
  Halide::Expr batch() const { return extent(3); }
  int64_t channels() const { return staticExtent(0); }
  int64_t width() const { return staticExtent(1); }
  int64_t height() const { return staticExtent(2); }
};

/// What an op became: one Func a result, and the inner Funcs that its
/// schedule needs, under names that the algorithm and the schedule agree on.
/// Pure Funcs that no schedule mentions are inlined.
struct Lowered {
  std::vector<Halide::Func> results;
  std::map<std::string, Halide::Func> stages;
  /// The one result is an update at points of another order than its channels
  /// lie in, each once: what stands behind it may be computed there too.
  bool scatters = false;
};

/// Throws std::invalid_argument where attributes or operands do not fit.
using Algorithm = Lowered (*)(const Op &op, const std::vector<Value> &operands);

struct OpInfo {
  Algorithm algorithm = nullptr;
  /// Computed at one point from one point of each operand (which may be
  /// broadcast or shifted): never an anchor, inlined wherever it stands. Its
  /// stages are vectors [C], computed once before the rest, or, with more
  /// dimensions, values that are cheaper for all channels of a position at
  /// once: inlined unless the family has such a loop.
  bool elementwise = false;
};

using OpRegistry = std::map<std::string, OpInfo>;

/// Every primitive op by name. Thread-safe.
const OpRegistry &opRegistry();
/// The entry of an op; throws std::invalid_argument for an unknown name.
const OpInfo &opInfo(const std::string &name);

// Each file of algorithms adds its ops.
void addActivations(OpRegistry &registry);
void addElementwise(OpRegistry &registry);
void addUpdates(OpRegistry &registry);
void addBatchNorm(OpRegistry &registry);
void addGroupNorm(OpRegistry &registry);
void addLayerNorm(OpRegistry &registry);
void addResample(OpRegistry &registry);
void addReductions(OpRegistry &registry);
void addPools(OpRegistry &registry);
void addLosses(OpRegistry &registry);
void addConcat(OpRegistry &registry);
void addConvolution(OpRegistry &registry);
void addConvolutionGradient(OpRegistry &registry);
void addArrangements(OpRegistry &registry);
void addDropout(OpRegistry &registry);
void addStandardize(OpRegistry &registry);
void addLocalResponseNorm(OpRegistry &registry);

/// The variables that every algorithm uses, by rank: (c), (c, x), (c, x, y),
/// (c, x, y, n); packed filters have a fifth, b.
std::vector<Halide::Var> imageVars(size_t rank);
std::vector<Halide::Expr> asExprs(const std::vector<Halide::Var> &vars);

/// Between float and the bits of bf16: what code for any vectors does, and C++.
Halide::Expr fromBfloat(const Halide::Expr &bits);
/// To nearest, of two the even one; NaN stays NaN.
Halide::Expr toBfloat(const Halide::Expr &value);

/// Rows of an image that a reduction over positions takes at a time: a divisor
/// of the height that keeps them in the first-level cache. It depends on the
/// shape only, and with it every bit of the result.
int64_t rowsPerChunk(const Value &image);

// Kernels are compiled as if every value were a number and real arithmetic's
// laws held, but for what strict_float says. Comparisons that decide what
// becomes of NaN are strict, and so are differences of nearly equal values.

/// Bounds that NaN passes: of max and min, which return the second operand
/// where either is NaN, one instruction.
inline Halide::Expr atLeast(float bound, const Halide::Expr &x) {
  return Halide::strict_float(Halide::max(bound, x));
}
inline Halide::Expr atMost(float bound, const Halide::Expr &x) {
  return Halide::strict_float(Halide::min(bound, x));
}
/// False where either is NaN, as IEEE says. Halide makes !(a > b) of a <= b on
/// x86, which is true there; what stands here becomes one comparison.
inline Halide::Expr isAtMost(const Halide::Expr &a, const Halide::Expr &b) {
  return Halide::strict_float(a < b) || Halide::strict_float(a == b);
}
/// The larger one; NaN if either is. a == a, not !is_nan(a): so AVX-512 masks
/// the maximum, and nothing is blended.
inline Halide::Expr larger(const Halide::Expr &a, const Halide::Expr &b) {
  return Halide::select(Halide::strict_float(a == a),
                        Halide::strict_float(Halide::max(a, b)), a);
}

// Attributes, with an error that names the op and the attribute.
int64_t integerAttribute(const Op &op, const std::string &name);
double realAttribute(const Op &op, const std::string &name);
std::string textAttribute(const Op &op, const std::string &name);
std::vector<int64_t> integersAttribute(const Op &op, const std::string &name,
                                       size_t count);
std::vector<double> realsAttribute(const Op &op, const std::string &name,
                                   size_t count);

} // namespace rootc::codegen

#endif // ROOTC_CODEGEN_ALGORITHMS_ALGORITHMS_H
