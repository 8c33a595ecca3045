//===- CudaCompiler.cpp - CUDA C++ to PTX by nvcc -------------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/Emit/CudaCompiler.h"
#include "codegen/Emit/KernelCache.h"
#include "codegen/Emit/OutputFile.h"
#include "codegen/Emit/TemporaryFolder.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Process.h"
#include "llvm/Support/Program.h"

using namespace llvm;

namespace rootc::codegen {

int64_t computeCapability(const TargetInfo &target) {
  StringRef rest = StringRef(target.halide).split("cuda_capability_").second;
  int64_t capability = 0;
  return rest.consumeInteger(10, capability) ? 80 : capability;
}

static std::string findNvcc() {
  ErrorOr<std::string> found = std::error_code();
  if (auto home = sys::Process::GetEnv("CUDA_HOME"))
    found = sys::findProgramByName("nvcc", {*home + "/bin"});
  else if (found = sys::findProgramByName("nvcc"); !found)
    found = sys::findProgramByName("nvcc", {"/usr/local/cuda/bin"});
  return found ? *found : "";
}

static Expected<std::string> readText(const std::string &path) {
  auto file = MemoryBuffer::getFile(path, false, false);
  if (!file)
    return createStringError(path + ": " + file.getError().message());
  return (*file)->getBuffer().str();
}

Expected<std::string> compileCuda(const std::string &source,
                                  const TargetInfo &target,
                                  const std::string &cacheDirectory) {
  std::string nvcc = findNvcc();
  if (nvcc.empty())
    return createStringError(
        "kernels for tensor cores are compiled by nvcc, which is neither in "
        "CUDA_HOME nor, where that is not set, in PATH or /usr/local/cuda; "
        "install the CUDA toolkit, write CUDA C++ (-o NET.cu) and compile that "
        "elsewhere, or leave --precision out");
  std::string architecture =
      "-arch=compute_" + std::to_string(computeCapability(target));
  KernelCache cache(cacheDirectory);
  std::string key;
  if (cache.isUsed()) {
    key = hashText(source + "\n" + architecture + "\n" + cache.hashFile(nvcc));
    if (auto known = cache.lookup(key))
      return *known;
  }
  Expected<TemporaryFolder> folder = TemporaryFolder::create();
  if (!folder)
    return folder.takeError();
  std::string input = folder->path() + "/kernels.cu",
              output = folder->path() + "/kernels.ptx",
              messages = folder->path() + "/messages";
  if (Error error = writeOutput(input, source))
    return error;
  std::string problem;
  int code = sys::ExecuteAndWait(
      nvcc,
      {nvcc, "-std=c++17", "-O2", architecture, "-ptx", input, "-o", output},
      std::nullopt, {StringRef(""), StringRef(messages), StringRef(messages)},
      0, 0, &problem);
  if (code != 0) {
    auto said = readText(messages);
    if (said && problem.empty())
      problem = *said;
    consumeError(said.takeError());
    return createStringError(nvcc +
                             " fails for kernels of tensor cores: " + problem);
  }
  Expected<std::string> ptx = readText(output);
  if (ptx && cache.isUsed()) {
    cache.store(key, *ptx);
    cache.trim();
  }
  return ptx;
}

} // namespace rootc::codegen
