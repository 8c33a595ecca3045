//===- CudaLowering.h - What of a kernel becomes CUDA C++ -------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_CODEGEN_CUDALOWERING_H
#define ROOTC_CODEGEN_CUDALOWERING_H

#include "codegen/Pipeline.h"

#include <map>
#include <string>
#include <vector>

namespace rootc::codegen {

struct CudaLowering {
  /// Loops over blocks, and what stands between them: allocations (one ends
  /// where halide_device_free is called), lets, loops.
  Halide::Internal::Stmt stmt;
  std::vector<std::string> buffers; ///< inputs, then outputs
  std::map<std::string, TensorType> types;
};

/// What Halide has lowered, before it gives loops over blocks away to one of
/// its own code generators.
CudaLowering lowerForCuda(const Kernel &kernel, BuiltPipeline &built,
                          const Halide::Target &target);

} // namespace rootc::codegen

#endif // ROOTC_CODEGEN_CUDALOWERING_H
