//===- Moments.h - Means and deviations of images --------------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_CODEGEN_ALGORITHMS_MOMENTS_H
#define ROOTC_CODEGEN_ALGORITHMS_MOMENTS_H

#include "codegen/Algorithms/Algorithms.h"

namespace rootc::codegen {

struct Moments {
  /// (c, n): mean and squared deviations of an image's channel, in double.
  Halide::Func mean, squares;
};

/// Moments of every image of x; adds the stages that they need. Sums are
/// double: a filter before batch norm has a gradient that is a difference of
/// nearly equal sums, and the pass is bound by memory anyway.
Moments imageMoments(const Value &x,
                     std::map<std::string, Halide::Func> &stages);

} // namespace rootc::codegen

#endif // ROOTC_CODEGEN_ALGORITHMS_MOMENTS_H
