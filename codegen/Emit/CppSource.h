//===- CppSource.h - A model as one C++ source ------------------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_CODEGEN_EMIT_CPPSOURCE_H
#define ROOTC_CODEGEN_EMIT_CPPSOURCE_H

#include "codegen/Emit/HostPlan.h"

namespace rootc::codegen {

/// Support code, kernels (`kernels[i]` is Halide's C++ for `model.kernels[i]`)
/// and host code in one C++17 text that needs no other file. Several such
/// models may be linked into one program.
llvm::Expected<std::string> joinCpp(const Model &model, const HostPlan &plan,
                                    const std::vector<std::string> &kernels);

/// The same in CUDA C++, which a CUDA toolkit compiles (`kernels[i]` is that of
/// `model.kernels[i]`; they are called after the layers whose they are).
std::string joinCuda(const Model &model, const HostPlan &plan,
                     const std::vector<std::string> &kernels);

} // namespace rootc::codegen

#endif // ROOTC_CODEGEN_EMIT_CPPSOURCE_H
