//===- Compile.h - Kernels to files -----------------------------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_CODEGEN_COMPILE_H
#define ROOTC_CODEGEN_COMPILE_H

#include "codegen/Kernel.h"

#include <map>
#include <string>

namespace rootc::codegen {

/// `Cpp` is C++17 that needs neither Halide nor LLVM, without vectors and
/// threads. Every file begins with the same preamble, which is not guarded: to
/// put several kernels in one source file, keep it once. `Ptx` is what a target
/// with a GPU of NVIDIA's runs there, `Cuda` the same as source (CudaSource.h).
/// A kernel for tensor cores is such a source as `Object` as well, which nvcc
/// compiles (TensorCoreSource.h).
enum class OutputKind { Object, Stmt, Llvm, Assembly, Cpp, Ptx, Cuda };

/// From "object", "stmt", "llvm", "asm", "cpp", "ptx" or "cuda"; throws
/// std::invalid_argument.
OutputKind outputKind(const std::string &name);

/// Compiles a kernel for a Halide target string to the file `output`, which
/// appears whole or not at all. Throws std::exception with a message that says
/// what is wrong; a fatal error inside LLVM ends the process.
void compileKernel(const Kernel &kernel, OutputKind kind,
                   const std::string &target, const std::string &output);

/// Halide's version and a hash of this library's sources: equal texts compile
/// equal kernels to equal code.
std::string codegenVersion();

/// Halide's version as "Halide", and a hash of the sources of each part
/// (codegen/SourceHash.cmake), "" being those that matter for all kernels.
std::map<std::string, std::string> sourceHashes();

} // namespace rootc::codegen

#endif // ROOTC_CODEGEN_COMPILE_H
