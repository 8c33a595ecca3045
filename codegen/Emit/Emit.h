//===- Emit.h - From a model to the files that users get -----*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_CODEGEN_EMIT_EMIT_H
#define ROOTC_CODEGEN_EMIT_EMIT_H

#include "codegen/Emit/KernelCompiler.h"
#include "codegen/Program.h"

namespace rootc::codegen {

enum class EmitKind {
  SharedLibrary, ///< NAME.so
  StaticLibrary, ///< NAME.a, and NAME.h beside it
  Object,        ///< NAME.o, as in the static library
  Header,        ///< C declarations that need no other file
  Cpp,           ///< C++17 source that needs no other file
  LLVM,          ///< of the host code and every kernel
  Assembly,      ///< the same
  Stmt,          ///< Halide's loops, of every kernel
  Ptx,           ///< of every kernel for a GPU of NVIDIA's, as one module
  Cuda,          ///< CUDA C++ source that needs the toolkit's headers alone
};

/// True for kinds that go to standard output where no output is named.
bool isText(EmitKind kind);

struct EmitOptions {
  EmitKind kind = EmitKind::SharedLibrary;
  std::string output; ///< "-": standard output
  TargetInfo target;
  KernelCompilerOptions kernels; ///< target and kind are set here
};

/// Compiles the model's kernels and writes the output, by rename where it is a
/// file. Fails with KernelErrors for kernels, otherwise with one message.
llvm::Error emitModel(const Model &model, const EmitOptions &options);

/// Model::variant of a library's variants.
std::string variantSuffix(int64_t index);

/// Makes one library or object of `objects`, which emitModel wrote of the
/// model's variants, in the order in which they are tried.
llvm::Error joinVariants(const Model &model,
                         const std::vector<std::string> &objects,
                         const EmitOptions &options);

} // namespace rootc::codegen

#endif // ROOTC_CODEGEN_EMIT_EMIT_H
