//===- Compile.cpp - Kernels to files -------------------------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/Compile.h"
#include "codegen/CudaSource.h"
#include "codegen/Pipeline.h"
#include "codegen/SourceHash.h"
#include "codegen/TensorCoreSource.h"
#include "runtime/support/Support.h"

#include <HalideRuntime.h>
#include <cstddef>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <system_error>
#include <unistd.h>

using namespace Halide;

namespace rootc::codegen {

// The support code of generated libraries fills these, without Halide's header.
#define ROOTC_SAME(own, field, halide, theirs)                                 \
  static_assert(offsetof(own, field) == offsetof(halide, theirs) &&            \
                sizeof(own::field) == sizeof(halide::theirs))
ROOTC_SAME(rootc_kernel_dimension, min, halide_dimension_t, min);
ROOTC_SAME(rootc_kernel_dimension, extent, halide_dimension_t, extent);
ROOTC_SAME(rootc_kernel_dimension, stride, halide_dimension_t, stride);
ROOTC_SAME(rootc_kernel_dimension, flags, halide_dimension_t, flags);
static_assert(sizeof(rootc_kernel_dimension) == sizeof(halide_dimension_t));
ROOTC_SAME(rootc_kernel_buffer, device, halide_buffer_t, device);
ROOTC_SAME(rootc_kernel_buffer, device_interface, halide_buffer_t,
           device_interface);
ROOTC_SAME(rootc_kernel_buffer, host, halide_buffer_t, host);
ROOTC_SAME(rootc_kernel_buffer, flags, halide_buffer_t, flags);
ROOTC_SAME(rootc_kernel_buffer, type, halide_buffer_t, type);
static_assert(offsetof(halide_type_t, bits) == 1 &&
              offsetof(halide_type_t, lanes) == 2 && halide_type_int == 0 &&
              halide_type_uint == 1 && halide_type_float == 2);
ROOTC_SAME(rootc_kernel_buffer, dimensions, halide_buffer_t, dimensions);
ROOTC_SAME(rootc_kernel_buffer, dim, halide_buffer_t, dim);
static_assert(sizeof(rootc_kernel_buffer) == sizeof(halide_buffer_t));
#undef ROOTC_SAME

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
  if (name == "ptx")
    return OutputKind::Ptx;
  if (name == "cuda")
    return OutputKind::Cuda;
  throw std::invalid_argument("unknown kind of output '" + name +
                              "': use object, stmt, llvm, asm, cpp, ptx or "
                              "cuda");
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
  case OutputKind::Ptx:
    return OutputFileType::device_code;
  case OutputKind::Cuda:
    break; // none of Halide's
  }
  throw std::invalid_argument("unknown kind of output");
}

void writeText(const std::string &path, const std::string &text) {
  std::ofstream file(path);
  file << text;
  file.close();
  if (!file)
    throw std::runtime_error("cannot write '" + path + "'");
}

/// Some dozens of assertions stand before a kernel's loops. GCC takes each for
/// a branch that is often taken, the loops for code that hardly ever runs, and
/// optimises them for size: tell it. And one of its passes makes branches, that
/// are taken or not by chance, of maxima with a constant, as a ReLU has them.
void suitCompilers(const std::string &path, const std::string &name) {
  std::stringstream read;
  read << std::ifstream(path).rdbuf();
  std::string text = read.str(), last = "\n}\n";
  size_t begin = text.find("HALIDE_FUNCTION_ATTRS\nint " + name + "("),
         end = text.find(last, begin);
  if (begin == std::string::npos || end == std::string::npos)
    throw std::runtime_error("its C++ is not as expected");
  end += last.size();
  std::istringstream kernel(text.substr(begin, end - begin));
  std::ostringstream suited;
  const char gcc[] = "#if defined(__GNUC__) && !defined(__clang__)\n";
  suited << text.substr(0, begin) << gcc
         << "#pragma GCC push_options\n"
            "#pragma GCC optimize(\"no-gcse\")\n#endif\n";
  for (std::string line; std::getline(kernel, line); suited << line << '\n') {
    size_t first = line.find_first_not_of(' ');
    if (first != std::string::npos && line.compare(first, 5, "if (!") == 0 &&
        line.back() == ')')
      line = line.substr(0, first) + "if (__builtin_expect(" +
             line.substr(first + 4, line.size() - first - 5) + ", 0))";
  }
  suited << gcc << "#pragma GCC pop_options\n#endif\n" << text.substr(end);
  writeText(path, suited.str());
}
} // namespace

/// What the exception being handled says.
static std::string reason() {
  try {
    throw;
  } catch (const Error &error) { // not a std::exception
    // What Halide says of an allocation of 2^31 bytes names its own variables.
    std::string text = error.what();
    return text.find("exceeds 2^31 - 1") == std::string::npos
               ? text
               : "its intermediate results would take more than 2^31 - 1 bytes "
                 "at once; make this layer smaller";
  } catch (const std::bad_alloc &) {
    return "memory ran out";
  } catch (const std::exception &error) {
    return error.what();
  }
}

void compileKernel(const Kernel &kernel, OutputKind kind,
                   const std::string &target, const std::string &output) {
  Target machine = kernelTarget(target);
  // C++ has no other arithmetic, and so all kernels' declarations are the same.
  if (kind == OutputKind::Cpp)
    machine.set_feature(Target::StrictFloat);
  // Written beside and renamed, so that nobody reads half a file.
  std::string aside = output + ".tmp" + std::to_string(getpid());
  try {
    if ((kind == OutputKind::Cuda || kind == OutputKind::Object) &&
        isForTensorCores(kernel)) {
      writeText(aside, tensorCoreSource(kernel, machine));
    } else {
      BuiltPipeline built =
          buildPipeline(kernel, machine, kind == OutputKind::Cpp);
      if (kind == OutputKind::Cuda)
        writeText(aside, cudaSource(kernel, built, machine));
      else
        built.pipeline.compile_to({{fileType(kind), aside}}, built.arguments(),
                                  kernel.name, machine);
    }
    if (kind == OutputKind::Cpp)
      suitCompilers(aside, kernel.name);
    std::filesystem::rename(aside, output);
  } catch (...) {
    std::error_code ignored;
    std::filesystem::remove(aside, ignored);
    throw std::runtime_error("kernel '" + kernel.name + "': " + reason());
  }
}

static std::string halideVersion() {
  return std::to_string(HALIDE_VERSION_MAJOR) + "." +
         std::to_string(HALIDE_VERSION_MINOR) + "." +
         std::to_string(HALIDE_VERSION_PATCH);
}

std::string codegenVersion() {
  return "Halide " + halideVersion() + " codegen " ROOTC_SOURCE_HASH;
}

std::map<std::string, std::string> sourceHashes() {
  return {{"Halide", halideVersion()}, ROOTC_PART_HASHES};
}

} // namespace rootc::codegen
