//===- PrimConvShape.h - The convolution of a primitive op ------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_TRANSFORMS_PRIMCONVSHAPE_H
#define ROOTC_TRANSFORMS_PRIMCONVSHAPE_H

#include "codegen/Geometry/ConvShape.h"
#include "dialect/RootDialect.h"

namespace rootc {

template <size_t Count>
std::array<int64_t, Count> toArray(llvm::ArrayRef<int64_t> values) {
  std::array<int64_t, Count> result;
  llvm::copy(values, result.begin());
  return result;
}

/// Of one of the three convolutions, whose forward input has `inChannels`.
template <typename ConvOp>
codegen::ConvShape convShapeOf(ConvOp op, int64_t inChannels) {
  codegen::ConvShape shape;
  shape.inHeight = op.getInput()[0];
  shape.inWidth = op.getInput()[1];
  shape.inChannels = inChannels;
  shape.outChannels = op.getFilters();
  shape.groups = op.getGroups();
  shape.kernel = toArray<2>(op.getKernel());
  shape.stride = toArray<2>(op.getStride());
  shape.pad = toArray<4>(op.getPad());
  shape.dilation = toArray<2>(op.getDilation());
  shape.inOrder = op.getInOrder().value_or(1);
  shape.outOrder = op.getOutOrder().value_or(1);
  return shape;
}

} // namespace rootc

#endif // ROOTC_TRANSFORMS_PRIMCONVSHAPE_H
