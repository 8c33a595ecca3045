//===- KernelWork.h - What a kernel has to do -------------------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The arithmetic and the bytes that no schedule can save: what a profile
// compares times with. No Halide or MLIR here.
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_CODEGEN_KERNELWORK_H
#define ROOTC_CODEGEN_KERNELWORK_H

#include "codegen/Kernel.h"

namespace rootc::codegen {

/// A number of bytes that is linear in the batch.
struct LinearBytes {
  int64_t fixed = 0;
  int64_t perImage = 0;

  double of(int64_t batch) const {
    return double(fixed) + double(perImage) * double(batch);
  }
};

/// Bytes of one element.
int64_t bytesOf(ElementType element);

struct KernelWork {
  /// Of convolutions, for one image, as lib/Analysis/Cost.h counts them
  /// (weights by output positions, but without biases), in whatever direction.
  int64_t multiplyAdds = 0;
  /// Of the inputs: where a convolution steps over pixels, those it reads.
  LinearBytes read;
  LinearBytes written; ///< of the outputs
};

/// Throws std::invalid_argument where a convolution's attributes are not there.
KernelWork workOf(const Kernel &kernel);

/// What `KernelWork::read` counts of one input.
LinearBytes readOf(const Kernel &kernel, size_t input);

} // namespace rootc::codegen

#endif // ROOTC_CODEGEN_KERNELWORK_H
