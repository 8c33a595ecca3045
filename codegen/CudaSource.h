//===- CudaSource.h - A kernel as CUDA C++ ----------------------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Of one kernel: a __global__ function for each of its loops over blocks, with
// the tiles and threads that the schedule has, and the function
//
//   static int NAME_argv(void **arguments)
//
// that launches them in order: a rootc_kernel whose first argument is a
// rootc_cuda_device (runtime/support/Cuda.cpp), the others addresses on the
// device.
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_CODEGEN_CUDASOURCE_H
#define ROOTC_CODEGEN_CUDASOURCE_H

#include "codegen/Pipeline.h"

#include <string>

namespace rootc::codegen {

/// Throws std::invalid_argument where the schedule leaves something to the host
/// or uses what CUDA C++ has no form for, Halide::Error for what Halide
/// refuses.
std::string cudaSource(const Kernel &kernel, BuiltPipeline &built,
                       const Halide::Target &target);

} // namespace rootc::codegen

#endif // ROOTC_CODEGEN_CUDASOURCE_H
