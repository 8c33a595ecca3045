//===- Convolution.h - Grouped convolution on plain filters -----*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_LIB_REFERENCE_CONVOLUTION_H
#define ROOTC_LIB_REFERENCE_CONVOLUTION_H

#include "lib/Reference/Support.h"

namespace rootc::reference {

/// The conv attributes of an op, checked, and what follows from them.
struct Geometry {
  std::vector<int64_t> kernel, stride, pad, dilation, input;
  int64_t groups, filters;
  int64_t inOrder = 1, outOrder = 1; ///< as in codegen::ConvShape
  int64_t outputHeight, outputWidth;

  explicit Geometry(const codegen::Op &op);
  Geometry oneGroup() const {
    Geometry one = *this;
    one.filters /= groups;
    one.groups = one.inOrder = one.outOrder = 1;
    return one;
  }
};

/// On filters [O, kh, kw, I/g] and maps in the standard order. Grouped ones
/// split their operands, recurse with one group and concatenate.
Tensor convolve(const Tensor &x, const Tensor &filter,
                const Geometry &geometry);
Tensor convolveBackwardData(const Tensor &dy, const Tensor &filter,
                            const Geometry &geometry);
Tensor convolveBackwardFilter(const Tensor &x, const Tensor &dy,
                              const Geometry &geometry);

/// Between [O, kh, kw, I/g] and the layout that
/// codegen/Geometry/FilterLayout.h defines. `packFilter` takes the direction
/// from the op's attributes; `unpackFilter` is told it, and `inputs`, which is
/// I/g. Filters transformed for Winograd's convolution are transformed back.
Tensor packFilter(const codegen::Op &op, const Tensor &filter);
Tensor unpackFilter(const codegen::Op &op, const Tensor &given,
                    const std::string &direction, int64_t inputs);

} // namespace rootc::reference

#endif // ROOTC_LIB_REFERENCE_CONVOLUTION_H
