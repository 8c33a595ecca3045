//===- Compile.cpp - Kernels to files -------------------------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/Compile.h"
#include "codegen/Pipeline.h"
#include "codegen/SourceHash.h"

#include <filesystem>
#include <stdexcept>
#include <system_error>
#include <unistd.h>

using namespace Halide;

namespace rootc::codegen {

OutputKind outputKind(const std::string &name) {
  if (name == "object")
    return OutputKind::Object;
  if (name == "stmt")
    return OutputKind::Stmt;
  if (name == "llvm")
    return OutputKind::Llvm;
  if (name == "asm")
    return OutputKind::Assembly;
  if (name == "cpp")
    return OutputKind::Cpp;
  throw std::invalid_argument("unknown kind of output '" + name +
                              "': use object, stmt, llvm, asm or cpp");
}

namespace {
OutputFileType fileType(OutputKind kind) {
  switch (kind) {
  case OutputKind::Object:
    return OutputFileType::object;
  case OutputKind::Stmt:
    return OutputFileType::stmt;
  case OutputKind::Llvm:
    return OutputFileType::llvm_assembly;
  case OutputKind::Assembly:
    return OutputFileType::assembly;
  case OutputKind::Cpp:
    return OutputFileType::c_source;
  }
  throw std::invalid_argument("unknown kind of output");
}
} // namespace

void compileKernel(const Kernel &kernel, OutputKind kind,
                   const std::string &target, const std::string &output) {
  Target machine = kernelTarget(target);
  // Written beside and renamed, so that nobody reads half a file.
  std::string aside = output + ".tmp" + std::to_string(getpid());
  try {
    BuiltPipeline built =
        buildPipeline(kernel, machine, kind == OutputKind::Cpp);
    built.pipeline.compile_to({{fileType(kind), aside}}, built.arguments(),
                              kernel.name, machine);
    std::filesystem::rename(aside, output);
  } catch (const Error &error) { // not a std::exception
    std::error_code ignored;
    std::filesystem::remove(aside, ignored);
    throw std::runtime_error("kernel '" + kernel.name + "': " + error.what());
  } catch (const std::exception &error) {
    std::error_code ignored;
    std::filesystem::remove(aside, ignored);
    throw std::runtime_error("kernel '" + kernel.name + "': " + error.what());
  }
}

std::string codegenVersion() {
  return "Halide " + std::to_string(HALIDE_VERSION_MAJOR) + "." +
         std::to_string(HALIDE_VERSION_MINOR) + "." +
         std::to_string(HALIDE_VERSION_PATCH) + " codegen " ROOTC_SOURCE_HASH;
}

} // namespace rootc::codegen
