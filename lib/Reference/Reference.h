//===- Reference.h - Naive evaluation of primitive ops ----------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The oracle of the kernels: every primitive op of docs/architecture.md as
// plain loops in double precision, whole kernels, and whole programs on their
// planned buffers. Slow, and free of vectors, threads and tricks.
//
// Everything here throws std::invalid_argument on a malformed description or
// operand, naming the op; functions are pure and safe from any thread.
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_LIB_REFERENCE_REFERENCE_H
#define ROOTC_LIB_REFERENCE_REFERENCE_H

#include "codegen/Program.h"

#include <cstddef>
#include <map>
#include <vector>

namespace rootc::reference {

/// A dense row-major tensor whose shape is concrete. F32 tensors hold their
/// values in double and are rounded only by `floats`, so that finite
/// differences of the ops work and kernels meet an oracle without its own
/// rounding. BF16 tensors, of kernels' inputs and outputs alone, hold doubles
/// too, rounded ones. I64, I32 and U8 tensors hold theirs in `integers`.
struct Tensor {
  codegen::TensorType type;
  std::vector<double> reals;
  std::vector<int64_t> integers;

  Tensor() = default;
  /// Zeros.
  explicit Tensor(codegen::TensorType type);
  Tensor(std::vector<int64_t> shape, std::vector<double> values);
  static Tensor fromFloats(std::vector<int64_t> shape,
                           const std::vector<float> &values);
  static Tensor fromIntegers(codegen::ElementType element,
                             std::vector<int64_t> shape,
                             std::vector<int64_t> values);

  const std::vector<int64_t> &shape() const { return type.shape; }
  int64_t dim(size_t i) const { return type.shape[i]; }
  int64_t size() const;
  std::vector<float> floats() const;

  /// Element (n, y, x, c) of a rank 4 tensor: image, filter [o, ky, kx, i].
  double &at(int64_t n, int64_t y, int64_t x, int64_t c) {
    return reals[((n * dim(1) + y) * dim(2) + x) * dim(3) + c];
  }
  double at(int64_t n, int64_t y, int64_t x, int64_t c) const {
    return reals[((n * dim(1) + y) * dim(2) + x) * dim(3) + c];
  }
};

/// Whether its values are `reals`.
inline bool isReal(codegen::ElementType element) {
  return element == codegen::ElementType::F32 ||
         element == codegen::ElementType::BF16;
}
/// The bits of the nearest bf16, of two the even one; NaN stays NaN.
uint16_t toBfloat(double value);
double fromBfloat(uint16_t bits);

/// The results of one op. `op.operands` is ignored: `operands` are the values
/// in their order. `op.results`, unless empty, must agree with the results.
std::vector<Tensor> evaluate(const codegen::Op &op,
                             const std::vector<Tensor> &operands);

/// The outputs of a kernel's body.
std::vector<Tensor> evaluate(const codegen::Kernel &kernel,
                             const std::vector<Tensor> &inputs);

/// The bytes of each arena that a program takes as an argument. The workspace
/// is not among them.
using Arenas = std::map<codegen::Arena, std::vector<std::byte>>;

template <typename T> std::vector<std::byte> toBytes(const std::vector<T> &v) {
  auto *data = reinterpret_cast<const std::byte *>(v.data());
  return std::vector<std::byte>(data, data + v.size() * sizeof(T));
}
template <typename T>
std::vector<T> fromBytes(const std::vector<std::byte> &bytes) {
  std::vector<T> values(bytes.size() / sizeof(T));
  auto *data = reinterpret_cast<const T *>(bytes.data());
  values.assign(data, data + values.size());
  return values;
}

/// Runs a program call by call on its planned buffers, starting from a
/// workspace of NaNs; writes its results into `arenas`. `batch` is what a
/// dynamic dimension stands for (the parameter count for Update). Throws
/// besides, naming the call, if a buffer leaves its arena, or an output of a
/// call overlaps another of its buffers otherwise than an elementwise kernel
/// may do in place.
void run(const codegen::Model &model, codegen::ProgramKind kind, int64_t batch,
         Arenas &arenas);

} // namespace rootc::reference

#endif // ROOTC_LIB_REFERENCE_REFERENCE_H
