//===- KernelCompiler.cpp - Kernels through worker processes --------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/Emit/KernelCompiler.h"
#include "codegen/Emit/KernelCache.h"
#include "codegen/Emit/KernelGenerator.h"
#include "codegen/Emit/TemporaryFolder.h"
#include "codegen/Emit/WorkerPool.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/MemoryBuffer.h"

#include <chrono>
#include <map>
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

/// The object that a worker answered with, or why there is none.
Expected<json::Object> parseAnswer(const WorkerAnswer &answer) {
  if (!answer.answered)
    return createStringError("the kernel compiler failed: " + answer.text);
  Expected<json::Value> value = json::parse(answer.text);
  json::Object *object = value ? value->getAsObject() : nullptr;
  if (!object) {
    consumeError(value.takeError());
    return createStringError("the kernel compiler answered '" + answer.text +
                             "'");
  }
  if (!object->getBoolean("ok").value_or(false))
    return createStringError(
        object->getString("error").value_or("the kernel compiler failed"));
  return std::move(*object);
}

WorkerPoolOptions poolOptions(const KernelCompilerOptions &options) {
  WorkerPoolOptions pool;
  pool.program = options.program;
  pool.workers =
      options.jobs ? options.jobs : std::thread::hardware_concurrency();
  pool.timeoutSeconds = options.timeoutSeconds;
  pool.warn = options.warn;
  return pool;
}

/// What the kernel compiler says of itself.
struct Identity {
  std::string text;
  json::Object object;
};

Expected<Identity> askIdentity(const KernelCompilerOptions &options) {
  WorkerAnswer answer;
  std::string problem =
      runJob(poolOptions(options), "{\"kind\":\"identity\"}", answer);
  if (!problem.empty())
    return createStringError(options.program +
                             " cannot be started: " + problem);
  auto object = parseAnswer(answer);
  if (!object)
    return object.takeError();
  return Identity{std::move(answer.text), std::move(*object)};
}

class Compilation {
public:
  Compilation(const std::vector<Kernel> &kernels,
              const KernelCompilerOptions &options, TemporaryFolder folder)
      : kernels(kernels), options(options), cache(options.cacheDirectory),
        folder(std::move(folder)), results(kernels.size()),
        keys(kernels.size()) {}

  Expected<std::vector<std::string>> run() {
    if (options.times)
      options.times->begin("kernels");
    if (std::error_code error =
            sys::fs::access(options.program, sys::fs::AccessMode::Exist))
      return createStringError(
          "the kernel compiler is missing: " + options.program + ": " +
          error.message() + "; rootc-kernel belongs beside rootc");
    if (cache.isUsed())
      if (Error error = makeKeys())
        return error;
    for (size_t i = 0; i < kernels.size(); ++i)
      if (!take(i))
        pending.push_back(i);
      else if (options.times)
        options.times->addCached();
    if (!pending.empty()) {
      report();
      compile();
      cache.trim();
    }
    if (!cache.problem().empty() && options.warn)
      options.warn("the kernel cache is not used: " + cache.problem());
    if (byRule != 0 && options.warn)
      options.warn(
          "Halide's autoscheduler fails for " + std::to_string(byRule) +
          (byRule == 1 ? " kernel, which has" : " kernels, which have") +
          " rootc's schedule");
    if (errors)
      return std::move(errors);
    return std::move(results);
  }

private:
  using Clock = std::chrono::steady_clock;

  Error runPool(const std::function<WorkerJob()> &next,
                const std::function<void(size_t, WorkerAnswer)> &done) {
    std::string problem = runJobs(poolOptions(options), next, done);
    if (problem.empty())
      return Error::success();
    return createStringError(options.program +
                             " cannot be started: " + problem);
  }

  /// Hashes of all that decides the results.
  Error makeKeys() {
    Expected<std::string> described = describeCompiler();
    if (!described)
      return described.takeError();
    compiler = std::move(*described);
    for (size_t i = 0; i < kernels.size(); ++i)
      keys[i] = makeKey(kernels[i]);
    return Error::success();
  }
  std::string makeKey(const Kernel &kernel) const {
    return hashText(toJson(kernel) + "\n" + options.target + "\n" +
                    options.kind + "\n" + compiler);
  }

  /// What the kernel compiler says that it is made of, and the content of the
  /// files that it names: itself and the libraries that it has loaded.
  Expected<std::string> describeCompiler() {
    auto identity = askIdentity(options);
    if (!identity)
      return identity.takeError();
    std::string text = identity->text;
    if (const json::Array *files = identity->object.getArray("files"))
      for (const json::Value &file : *files)
        text += "\n" + cache.hashFile(file.getAsString().value_or("").str());
    return text;
  }

  /// Takes a kernel's result from the cache, if it is there.
  bool take(size_t kernel) {
    auto content = cache.lookup(keys[kernel]);
    if (!content)
      return false;
    results[kernel] = std::move(*content);
    ++ready;
    return true;
  }

  std::string labelOf(size_t kernel) const {
    return options.label ? options.label(kernel)
                         : "kernel " + std::to_string(kernel);
  }

  void report() const {
    if (!options.progress)
      return;
    Activity activity{"compiling kernels: " + std::to_string(ready) + " of " +
                          std::to_string(kernels.size()) + " are ready",
                      "",
                      {}};
    for (const auto &[kernel, begin] : begins)
      if (activity.longest.empty() || begin < activity.since) {
        activity.longest = labelOf(kernel);
        activity.since = begin;
      }
    options.progress(activity);
  }

  void compile() {
    lastMoved = Clock::now();
    fail(runPool([this] { return nextJob(); },
                 [this](size_t kernel, const WorkerAnswer &answer) {
                   accept(kernel, answer);
                 }));
  }

  void fail(Error error) {
    errors = joinErrors(std::move(errors), std::move(error));
  }

  /// The first kernel that nobody else compiles. Others' are asked for again
  /// until they are there, or for too long: a compiler may have been stopped.
  WorkerJob nextJob() {
    bool isImpatient = Clock::now() - lastMoved >
                       std::chrono::seconds(options.patienceSeconds);
    for (size_t i = 0; i < pending.size() && !isFull;) {
      size_t kernel = pending[i];
      if (!cache.claim(keys[kernel]) && !(isImpatient && running == 0)) {
        ++i;
        continue;
      }
      pending.erase(pending.begin() + i);
      // It may have come since it was looked for.
      if (!take(kernel)) {
        ++running;
        begins[kernel] = Clock::now();
        report();
        return {WorkerJob::Kind::Job, kernel,
                "{\"kernel\":" + toJson(kernels[kernel]) +
                    ",\"kind\":" + quote(options.kind) +
                    ",\"target\":" + quote(options.target) +
                    ",\"output\":" + quote(output(kernel)) + "}"};
      }
      cache.release(keys[kernel]);
      lastMoved = Clock::now();
      report();
    }
    if (isFull || (pending.empty() && !mayComeBack()))
      return {};
    return {WorkerJob::Kind::Later, 0, ""};
  }

  /// Whether takeRule() may be asked yet.
  bool mayComeBack() const {
    return running != 0 &&
           std::any_of(kernels.begin(), kernels.end(), [](const Kernel &k) {
             return k.schedule.count("autoscheduler") != 0;
           });
  }

  std::string output(size_t kernel) const {
    return folder.path() + "/" + std::to_string(kernel);
  }

  void accept(size_t kernel, const WorkerAnswer &answer) {
    --running;
    double seconds =
        std::chrono::duration<double>(Clock::now() - begins[kernel]).count();
    begins.erase(kernel);
    if (options.times)
      options.times->addKernel(labelOf(kernel), seconds);
    Error error = keep(kernel, answer);
    cache.release(keys[kernel]);
    lastMoved = Clock::now();
    report();
    if (!error)
      return;
    std::string text = toString(std::move(error));
    if (takeRule(kernel))
      return;
    // A full disk fails each kernel and is no kernel's fault.
    if (!TemporaryFolder::isFull(text))
      fail(make_error<KernelError>(kernel, std::move(text)));
    else if (!std::exchange(isFull, true))
      fail(createStringError(TemporaryFolder::fullText(text)));
  }

  /// Gives a kernel that an autoscheduler fails for the schedule of its rule.
  bool takeRule(size_t kernel) {
    if (isFull || !kernels[kernel].schedule.count("autoscheduler"))
      return false;
    kernels[kernel].schedule.clear();
    if (cache.isUsed())
      keys[kernel] = makeKey(kernels[kernel]);
    pending.push_back(kernel);
    ++byRule;
    return true;
  }

  Error keep(size_t kernel, const WorkerAnswer &answer) {
    auto object = parseAnswer(answer);
    if (!object)
      return object.takeError();
    Expected<std::string> content = readFile(output(kernel));
    if (!content)
      return content.takeError();
    (void)sys::fs::remove(output(kernel)); // goes with its folder otherwise
    results[kernel] = std::move(*content);
    ++ready;
    cache.store(keys[kernel], results[kernel]);
    return Error::success();
  }

  std::vector<Kernel> kernels;
  const KernelCompilerOptions &options;
  KernelCache cache;
  TemporaryFolder folder;
  std::string compiler; ///< what it says of itself, if there is a cache
  std::vector<std::string> results, keys;
  std::vector<size_t> pending;
  size_t ready = 0, running = 0, byRule = 0;
  std::map<size_t, Clock::time_point> begins; ///< of kernels that run
  Clock::time_point lastMoved;
  Error errors = Error::success();
  bool isFull = false; ///< the disk
};

} // namespace

Expected<KernelGenerator> KernelGenerator::of(const std::string &program) {
  KernelCompilerOptions options;
  options.program = program;
  auto identity = askIdentity(options);
  if (!identity)
    return identity.takeError();
  std::map<std::string, std::string> parts;
  if (const json::Object *hashes = identity->object.getObject("parts"))
    for (const auto &[part, hash] : *hashes)
      parts[part.str()] = hash.getAsString().value_or("").str();
  return KernelGenerator(std::move(parts));
}

Expected<std::vector<std::string>>
compileKernels(const std::vector<Kernel> &kernels,
               const KernelCompilerOptions &options) {
  Expected<TemporaryFolder> folder = TemporaryFolder::create();
  if (!folder)
    return folder.takeError();
  return Compilation(kernels, options, std::move(*folder)).run();
}

} // namespace rootc::codegen
