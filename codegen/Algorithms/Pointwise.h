//===- Pointwise.h - What elementwise algorithms share ---------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_CODEGEN_ALGORITHMS_POINTWISE_H
#define ROOTC_CODEGEN_ALGORITHMS_POINTWISE_H

#include "codegen/Algorithms/Algorithms.h"

namespace rootc::codegen {

/// A value at the point that is computed.
inline Halide::Expr at(const Value &value) {
  return value.func(asExprs(imageVars(value.type.shape.size())));
}

/// A result of the rank of `like`, one Expr a point.
inline Lowered pointwise(const Op &op, const Value &like,
                         const Halide::Expr &expression) {
  Halide::Func result(op.name);
  result(imageVars(like.type.shape.size())) = expression;
  return {{result}, {}};
}

} // namespace rootc::codegen

#endif // ROOTC_CODEGEN_ALGORITHMS_POINTWISE_H
