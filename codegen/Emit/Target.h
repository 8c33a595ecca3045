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
#include <vector>

namespace rootc::codegen {

/// Reads one target: "host", "x86-64-v3", "x86-64-v4", "arm-64-linux" or a
/// Halide target string for x86-64 Linux. The result's string has its features
/// sorted and those they imply added. An unknown target is an error that lists
/// what is known.
llvm::Expected<TargetInfo> parseTarget(llvm::StringRef text);

/// Reads the value of --target: one target, or several of one architecture with
/// commas between, which come back in the order in which a library tries them:
/// those for a CPU with the most features first, then those for devices.
llvm::Expected<std::vector<TargetInfo>> parseTargets(llvm::StringRef text);

enum class Architecture { X86, Arm };
Architecture architectureOf(const TargetInfo &target);

/// What a parsed target's kernels run on: "cpu", "cuda" or "opencl".
const char *deviceKind(const TargetInfo &target);

/// The bits of rootc_cpu_feature that a parsed target needs.
uint64_t cpuFeatures(const TargetInfo &target);

} // namespace rootc::codegen

#endif // ROOTC_CODEGEN_EMIT_TARGET_H
