//===- Target.h - What the kernels are compiled for ---------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_CODEGEN_EMIT_TARGET_H
#define ROOTC_CODEGEN_EMIT_TARGET_H

#include "codegen/Kernel.h"
#include "llvm/Support/Error.h"

#include <string>

namespace rootc::codegen {

/// Reads the value of --target: "host", "x86-64-v3", "x86-64-v4" or a Halide
/// target string for x86-64 Linux. The result's string has its features
/// sorted and those they imply added. An unknown target is an error that lists
/// what is known.
llvm::Expected<TargetInfo> parseTarget(llvm::StringRef text);

/// The bits of rootc_cpu_feature that a parsed target needs.
uint64_t cpuFeatures(const TargetInfo &target);

} // namespace rootc::codegen

#endif // ROOTC_CODEGEN_EMIT_TARGET_H
