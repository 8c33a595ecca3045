//===- TensorCoreObject.h - Kernels by tensor cores -------------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Kernels of which isForTensorCores() is true are CUDA C++ that nvcc
// compiles. A library has them as one module of PTX, which the support code
// launches (rootc_products, runtime/support/Device.h).
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_CODEGEN_EMIT_TENSORCOREOBJECT_H
#define ROOTC_CODEGEN_EMIT_TENSORCOREOBJECT_H

#include "codegen/Kernel.h"
#include "llvm/Support/Error.h"

#include <string>
#include <vector>

namespace rootc::codegen {

/// One source of kernels' texts, of which the host's parts are left out.
std::string joinDeviceCode(const std::vector<Kernel> &kernels,
                           const std::vector<std::string> &texts);

/// An object with the `_argv` functions of the kernels, whose module is `ptx`.
llvm::Expected<std::string> tensorCoreObject(const std::vector<Kernel> &kernels,
                                             const std::string &ptx,
                                             const TargetInfo &target);

} // namespace rootc::codegen

#endif // ROOTC_CODEGEN_EMIT_TENSORCOREOBJECT_H
