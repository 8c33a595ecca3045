//===- CudaCompiler.h - CUDA C++ to PTX by nvcc -----------------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_CODEGEN_EMIT_CUDACOMPILER_H
#define ROOTC_CODEGEN_EMIT_CUDACOMPILER_H

#include "codegen/Kernel.h"
#include "llvm/Support/Error.h"

#include <string>

namespace rootc::codegen {

/// The target's compute capability, 80 for 8.0.
int64_t computeCapability(const TargetInfo &target);

/// PTX of a source for the target's capability, by the nvcc of $CUDA_HOME or,
/// where that is not set, of $PATH or /usr/local/cuda; from the cache in
/// `cacheDirectory` (empty: none) where it has been made before. An error says
/// what is missing.
llvm::Expected<std::string> compileCuda(const std::string &source,
                                        const TargetInfo &target,
                                        const std::string &cacheDirectory);

} // namespace rootc::codegen

#endif // ROOTC_CODEGEN_EMIT_CUDACOMPILER_H
