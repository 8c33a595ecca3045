//===- TensorCorePoints.h - Ops around a convolution ------------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What stands before and behind a convolution by tensor cores, as expressions
// of one point: loads of the kernel's inputs, and what the convolution is
// there.
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_CODEGEN_TENSORCOREPOINTS_H
#define ROOTC_CODEGEN_TENSORCOREPOINTS_H

#include "codegen/Schedules/Schedules.h"

#include <set>
#include <string>
#include <vector>

namespace rootc::codegen {

/// Where a pixel of a map is, or a weight of a filter, by dimension.
inline const char *const places[] = {"c", "x", "y", "image"};
/// The variable of that name.
Halide::Expr placeOf(size_t dimension);

/// The convolution's result at the point, without its bias.
inline const char sumName[] = "sum";

/// A vector of the kernel's that each block computes once: array and length.
struct SharedVector {
  std::string array;
  Halide::Func func;
  int64_t size;
};

/// Puts the values of Funcs where they are called, down to loads of the
/// kernel's inputs and of vectors, and a variable for what the anchor computes.
class AtPoint : public Halide::Internal::IRMutator {
public:
  AtPoint(const Kernel &kernel, const ScheduleContext &context,
          const std::vector<SharedVector> &vectors);
  using IRMutator::mutate;
  std::set<std::string> used; ///< arrays

private:
  using IRMutator::visit;
  const Kernel &kernel;
  const std::vector<SharedVector> &vectors;
  std::string anchor;
  Halide::Func bias;

  Halide::Expr visit(const Halide::Internal::Call *call) override;
  Halide::Expr visit(const Halide::Internal::Variable *v) override;
  Halide::Expr sum(const Halide::Internal::Call *call);
  Halide::Expr load(const Halide::Internal::Call *call);
};

} // namespace rootc::codegen

#endif // ROOTC_CODEGEN_TENSORCOREPOINTS_H
