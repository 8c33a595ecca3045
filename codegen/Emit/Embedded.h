//===- Embedded.h - Files of the runtime that rootc carries -----*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_CODEGEN_EMIT_EMBEDDED_H
#define ROOTC_CODEGEN_EMIT_EMBEDDED_H

#include "llvm/ADT/StringRef.h"

namespace rootc::codegen {

/// runtime/support compiled to one relocatable object.
llvm::StringRef embeddedSupportObject();
/// The same for arm-64; empty if there was no compiler for it.
llvm::StringRef embeddedArmObject();
/// runtime/support/device, which libraries for a device hold besides.
llvm::StringRef embeddedDeviceObject();
/// runtime/support as one C++17 source text, rootc/model.h included.
llvm::StringRef embeddedSupportSource();
/// What takes its place in CUDA C++.
llvm::StringRef embeddedCudaSupport();
/// Of it, what kernels themselves call.
llvm::StringRef embeddedCudaFunctions();
/// What comes behind either for products of matrices by tensor cores.
llvm::StringRef embeddedTensorCores();
/// runtime/include/rootc/model.h.
llvm::StringRef embeddedModelHeader();

} // namespace rootc::codegen

#endif // ROOTC_CODEGEN_EMIT_EMBEDDED_H
