//===- KernelCompiler.h - Kernels through worker processes ------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Kernels are compiled by `rootc-kernel` processes, one job at a time each, so
// that a crash or an endless compile in one of them costs one kernel and is
// reported as that kernel's error. Compilers with one cache split the kernels
// that they have in common.
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_CODEGEN_EMIT_KERNELCOMPILER_H
#define ROOTC_CODEGEN_EMIT_KERNELCOMPILER_H

#include "codegen/Emit/CompileTimes.h"
#include "codegen/Emit/Progress.h"
#include "codegen/Kernel.h"
#include "llvm/Support/Error.h"

#include <functional>
#include <string>
#include <vector>

namespace rootc::codegen {

struct KernelCompilerOptions {
  std::string program;           ///< path of rootc-kernel
  std::string target;            ///< Halide target string
  std::string kind = "object";   ///< or stmt, llvm, asm, cpp
  unsigned jobs = 0;             ///< worker processes; 0: one a core
  unsigned timeoutSeconds = 600; ///< of processor time, for one kernel
  std::string cacheDirectory;    ///< empty: no cache
  /// Idle processes wait so long for kernels that other compilers have claimed.
  unsigned patienceSeconds = 60;
  std::function<void(const std::string &)> warn;
  /// Told what is being done, whenever that changes.
  std::function<void(const Activity &)> progress;
  /// What users call a kernel, by its index; null: kernels are numbered.
  std::function<std::string(size_t)> label;
  CompileTimes *times = nullptr; ///< told where the time goes; null: nobody
};

/// A kernel that could not be compiled.
class KernelError : public llvm::ErrorInfo<KernelError> {
public:
  static char ID;
  KernelError(size_t kernel, std::string message)
      : kernel(kernel), message(std::move(message)) {}
  void log(llvm::raw_ostream &stream) const override { stream << message; }
  std::error_code convertToErrorCode() const override {
    return llvm::inconvertibleErrorCode();
  }
  const size_t kernel; ///< index into the kernels
  const std::string message;
};

/// The C symbol of a kernel: equal for kernels of equal signature, whatever the
/// network.
std::string kernelSymbol(const Kernel &kernel);

/// What the compiler made of each kernel, in order: the bytes of objects, or
/// text. Fails with a list of KernelError.
llvm::Expected<std::vector<std::string>>
compileKernels(const std::vector<Kernel> &kernels,
               const KernelCompilerOptions &options);

} // namespace rootc::codegen

#endif // ROOTC_CODEGEN_EMIT_KERNELCOMPILER_H
