//===- KernelCompiler.cpp - Kernels through worker processes --------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/Emit/KernelCompiler.h"
#include "codegen/Emit/KernelCache.h"
#include "codegen/Emit/TemporaryFolder.h"
#include "codegen/Emit/WorkerPool.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/MemoryBuffer.h"

#include <thread>

using namespace llvm;

namespace rootc::codegen {

char KernelError::ID;

std::string kernelSymbol(const Kernel &kernel) {
  return "rootc_k_" + hashText(signature(kernel));
}

namespace {

Expected<std::string> readFile(const std::string &path) {
  auto file = MemoryBuffer::getFile(path, false, false);
  if (!file)
    return createStringError(path + ": " + file.getError().message());
  return (*file)->getBuffer().str();
}

std::string quote(StringRef text) {
  std::string out;
  raw_string_ostream(out) << json::Value(json::fixUTF8(text));
  return out;
}

class Compilation {
public:
  Compilation(const std::vector<Kernel> &kernels,
              const KernelCompilerOptions &options)
      : kernels(kernels), options(options), cache(options.cacheDirectory),
        results(kernels.size()) {}

  Expected<std::vector<std::string>> run() {
    Expected<std::string> compiler = readFile(options.program);
    if (!compiler)
      return createStringError(
          "the kernel compiler is missing: " + toString(compiler.takeError()) +
          "; rootc-kernel belongs beside rootc");
    // Any change of the kernel compiler makes other kernels.
    std::string version = hashText(*compiler);
    Expected<TemporaryFolder> folder = TemporaryFolder::create();
    if (!folder)
      return folder.takeError();
    for (size_t i = 0; i < kernels.size(); ++i) {
      keys.push_back(hashText(toJson(kernels[i]) + "\n" + options.target +
                              "\n" + options.kind + "\n" + version));
      if (auto content = cache.lookup(keys[i]))
        results[i] = std::move(*content);
      else
        addJob(i, folder->path());
    }
    if (!jobs.empty())
      if (std::string problem = compile(); !problem.empty())
        return createStringError(options.program +
                                 " cannot be started: " + problem);
    if (!jobs.empty())
      cache.trim();
    if (!cache.problem().empty() && options.warn)
      options.warn("the kernel cache is not used: " + cache.problem());
    if (errors)
      return std::move(errors);
    return std::move(results);
  }

private:
  void addJob(size_t kernel, const std::string &folder) {
    std::string output = folder + "/" + std::to_string(kernel);
    jobs.push_back("{\"kernel\":" + toJson(kernels[kernel]) +
                   ",\"kind\":" + quote(options.kind) +
                   ",\"target\":" + quote(options.target) +
                   ",\"output\":" + quote(output) + "}");
    outputs.push_back(std::move(output));
    kernelOfJob.push_back(kernel);
  }

  std::string compile() {
    WorkerPoolOptions pool;
    pool.program = options.program;
    pool.workers =
        options.jobs ? options.jobs : std::thread::hardware_concurrency();
    pool.timeoutSeconds = options.timeoutSeconds;
    pool.warn = options.warn;
    return runJobs(jobs, pool, [this](size_t job, WorkerAnswer answer) {
      if (Error error = accept(job, std::move(answer)))
        errors = joinErrors(std::move(errors),
                            make_error<KernelError>(
                                kernelOfJob[job], toString(std::move(error))));
    });
  }

  Error accept(size_t job, const WorkerAnswer &answer) {
    if (!answer.answered)
      return createStringError("the kernel compiler failed: " + answer.text);
    Expected<json::Value> value = json::parse(answer.text);
    const json::Object *object = value ? value->getAsObject() : nullptr;
    if (!object) {
      consumeError(value.takeError());
      return createStringError("the kernel compiler answered '" + answer.text +
                               "'");
    }
    if (!object->getBoolean("ok").value_or(false))
      return createStringError(
          object->getString("error").value_or("the kernel compiler failed"));
    Expected<std::string> content = readFile(outputs[job]);
    if (!content)
      return content.takeError();
    (void)sys::fs::remove(outputs[job]); // goes with its folder otherwise
    size_t kernel = kernelOfJob[job];
    results[kernel] = std::move(*content);
    cache.store(keys[kernel], results[kernel]);
    return Error::success();
  }

  const std::vector<Kernel> &kernels;
  const KernelCompilerOptions &options;
  KernelCache cache;
  std::vector<std::string> results, keys, jobs, outputs;
  std::vector<size_t> kernelOfJob;
  Error errors = Error::success();
};

} // namespace

Expected<std::vector<std::string>>
compileKernels(const std::vector<Kernel> &kernels,
               const KernelCompilerOptions &options) {
  return Compilation(kernels, options).run();
}

} // namespace rootc::codegen
