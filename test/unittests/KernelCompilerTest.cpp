//===- KernelCompilerTest.cpp - Worker processes and the kernel cache -----===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Shell scripts stand in for the kernel compiler.
//
//===----------------------------------------------------------------------===//

#include "codegen/Emit/KernelCompiler.h"
#include "codegen/Emit/KernelCache.h"
#include "codegen/Emit/Progress.h"
#include "codegen/Emit/TemporaryFolder.h"
#include "codegen/Emit/WorkerPool.h"

#include <csignal>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

using namespace rootc::codegen;
using testing::HasSubstr;

namespace {

void writeText(const std::string &path, const std::string &text) {
  std::ofstream(path) << text;
}

std::string readText(const std::string &path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// A folder with a script in the kernel compiler's place.
class StandIn {
public:
  explicit StandIn(const std::string &script)
      : folder(llvm::cantFail(TemporaryFolder::create())) {
    options.program = folder.path() + "/worker";
    writeText(options.program, "#!/bin/sh\n" + script + "\n");
    std::filesystem::permissions(options.program,
                                 std::filesystem::perms::owner_all);
    options.jobs = 1;
  }

  /// Compiles kernels that differ in their number of channels.
  std::string compile(int count = 1) {
    std::vector<Kernel> kernels;
    for (int i = 0; i < count; ++i) {
      TensorType map{ElementType::F32, {-1, 1, 1, i + 1}};
      Kernel relu;
      relu.name = "relu" + std::to_string(i);
      relu.inputs = {map};
      relu.ops = {{"relu", {0}, {}, {map}}};
      relu.outputs = {1};
      kernels.push_back(relu);
    }
    auto results = compileKernels(kernels, options);
    if (!results)
      return llvm::toString(results.takeError());
    std::string text;
    for (const std::string &result : *results)
      text += result;
    return text;
  }

  /// How often the script of `counting` was asked for a kernel.
  size_t compiled() const {
    std::string log = readText(folder.path() + "/log");
    return std::count(log.begin(), log.end(), '\n');
  }

  TemporaryFolder folder;
  KernelCompilerOptions options;
};

/// Answers each job with "k" as the kernel, after `work`; `files` are what it
/// says to be made of.
std::string counting(const std::string &work = ":",
                     const std::string &files = "") {
  return R"sh(
cd "$(dirname "$0")"
answer='{"ok":true,"files":[)sh" +
         files + R"sh(]}'
while read -r job; do
  case "$job" in
  *identity*) ;;
  *)
    )sh" +
         work +
         R"sh(
    output=${job#*'"output":"'}
    printf k > "${output%%'"'*}"
    echo "$output" >> log ;;
  esac
  echo "$answer"
done)sh";
}

/// What became of a kernel that `script` was to compile.
std::string failureOf(const std::string &script, unsigned timeout) {
  StandIn compiler(script);
  compiler.options.timeoutSeconds = timeout;
  return compiler.compile();
}

TEST(KernelCompiler, FailuresOfWorkersAreReported) {
  EXPECT_THAT(failureOf("read job; echo last words >&2; kill -SEGV $$", 60),
              AllOf(HasSubstr("ended by signal 11"), HasSubstr("last words")));
  EXPECT_THAT(failureOf("read job; exit 3", 60),
              HasSubstr("it ended with code 3"));
  EXPECT_THAT(failureOf("read job; exec sleep 100", 1),
              HasSubstr("it took more than 1 s"));
  EXPECT_THAT(failureOf("while read job; do echo nonsense; done", 60),
              HasSubstr("answered 'nonsense'"));
  EXPECT_THAT(failureOf("while read job; do echo '{\"ok\": false, \"error\": "
                        "\"too hard\"}'; done",
                        60),
              HasSubstr("too hard"));
}

TEST(KernelCompiler, OnlyProcessorTimeCounts) {
  // A loaded machine: little is computed in a long time, by a child.
  EXPECT_THAT(failureOf("read -r job; for i in 1 2 3 4 5; do sleep 0.5; "
                        "(n=0; while [ $n -lt 20000 ]; do n=$((n+1)); done); "
                        "done; echo '{\"ok\": false, \"error\": \"came\"}'",
                        1),
              HasSubstr("came"));
  EXPECT_THAT(failureOf("read -r job; (n=0; while [ $n -lt 10000000 ]; do "
                        "n=$((n+1)); [ -d /proc/$$ ] || exit; done)",
                        1),
              HasSubstr("it took more than 1 s of processor time"));
}

TEST(KernelCompiler, AFullDiskIsOneErrorThatNamesTheFolder) {
  StandIn compiler("while read -r job; do echo '{\"ok\": false, \"error\": "
                   "\"IO failure: No space left on device\"}'; done");
  EXPECT_EQ(
      compiler.compile(3),
      "intermediate files cannot be written to '" +
          std::filesystem::path(compiler.folder.path()).parent_path().string() +
          "': No space left on device; set TMPDIR to a folder with more "
          "room");
}

TEST(KernelCompiler, TheCacheKnowsWhatCompilersAreMadeOf) {
  StandIn library("");
  StandIn compiler(counting(":", "\"" + library.options.program + "\""));
  compiler.options.cacheDirectory = compiler.folder.path() + "/cache";
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(compiler.compile(3), "kkk");
    EXPECT_EQ(compiler.compiled(), 3u);
  }
  writeText(library.options.program, "another");
  EXPECT_EQ(compiler.compile(3), "kkk");
  EXPECT_EQ(compiler.compiled(), 6u);
}

TEST(KernelCompiler, CompilersWithOneCacheSplitTheWork) {
  StandIn compiler(counting("sleep 0.1"));
  compiler.options.cacheDirectory = compiler.folder.path() + "/cache";
  std::vector<std::thread> compilers;
  for (int i = 0; i < 3; ++i)
    compilers.emplace_back([&] { EXPECT_EQ(compiler.compile(8), "kkkkkkkk"); });
  for (std::thread &thread : compilers)
    thread.join();
  EXPECT_EQ(compiler.compiled(), 8u);
}

/// Starts a compiler in a process of its own, whose worker waits for long.
pid_t startStuckCompiler(StandIn &compiler) {
  writeText(compiler.folder.path() + "/stuck", "");
  pid_t child = fork();
  if (child == 0) {
    // It will be killed, and leave its folder in that of the test.
    setenv("TMPDIR", compiler.folder.path().c_str(), 1);
    compiler.compile(2);
    _exit(0);
  }
  while (!std::filesystem::exists(compiler.folder.path() + "/waits"))
    usleep(1000);
  std::filesystem::remove(compiler.folder.path() + "/stuck");
  return child;
}

TEST(KernelCompiler, StuckAndKilledCompilersHoldNobodyUp) {
  StandIn compiler(
      counting("if [ -e stuck ]; then touch waits; exec sleep 10; fi"));
  compiler.options.cacheDirectory = compiler.folder.path() + "/cache";
  pid_t stuck = startStuckCompiler(compiler);
  compiler.options.patienceSeconds = 1;
  auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(compiler.compile(2), "kk");
  EXPECT_GE(std::chrono::steady_clock::now() - begin, std::chrono::seconds(1));

  // What it claimed, and never stored, is free once it is dead.
  std::filesystem::remove_all(compiler.options.cacheDirectory);
  kill(stuck, SIGKILL);
  waitpid(stuck, nullptr, 0);
  std::filesystem::remove(compiler.folder.path() + "/waits");
  stuck = startStuckCompiler(compiler);
  kill(stuck, SIGKILL);
  waitpid(stuck, nullptr, 0);
  compiler.options.patienceSeconds = 600;
  EXPECT_EQ(compiler.compile(2), "kk");
}

/// The answers of `cat` to 40 jobs, where a process may open so many files.
std::string answersWith(int files, std::vector<std::string> &warnings) {
  std::vector<std::string> jobs;
  for (int i = 0; i < 40; ++i)
    jobs.push_back(std::to_string(i));
  std::vector<std::string> answers(jobs.size());
  WorkerPoolOptions options;
  options.program = "/bin/cat";
  options.workers = 16;
  options.warn = [&](const std::string &text) { warnings.push_back(text); };
  int firstFree = open("/dev/null", O_RDONLY);
  close(firstFree);
  rlimit before;
  getrlimit(RLIMIT_NOFILE, &before);
  rlimit fewer = {rlim_t(firstFree + files), before.rlim_max};
  setrlimit(RLIMIT_NOFILE, &fewer);
  size_t next = 0;
  std::string error = runJobs(
      options,
      [&]() -> WorkerJob {
        if (next == jobs.size())
          return {};
        size_t job = next++;
        return {WorkerJob::Kind::Job, job, jobs[job]};
      },
      [&](size_t job, WorkerAnswer got) {
        answers[job] = got.answered ? got.text : "lost: " + got.text;
      });
  setrlimit(RLIMIT_NOFILE, &before);
  EXPECT_TRUE(!error.empty() || answers == jobs);
  return error;
}

TEST(KernelCompiler, FewerProcessesThanAskedForWillDo) {
  std::vector<std::string> warnings;
  EXPECT_EQ(answersWith(200, warnings), "");
  EXPECT_EQ(warnings.size(), 0u);
  EXPECT_EQ(answersWith(9, warnings), "");
  ASSERT_EQ(warnings.size(), 1u);
  EXPECT_THAT(warnings[0], HasSubstr("processes of /bin/cat can be started: "));
  EXPECT_THAT(warnings[0], HasSubstr("going on with these"));
  EXPECT_EQ(answersWith(0, warnings), strerror(EMFILE));
}

TEST(KernelCache, RemovesItsOwnFilesAlone) {
  auto folder = llvm::cantFail(TemporaryFolder::create());
  KernelCache cache(folder.path(), /*limit=*/100);
  std::string key = hashText("a kernel");
  EXPECT_TRUE(cache.store(key, std::string(200, 'x')));
  std::vector<std::string> others = {"mine.kernel", "x" + key + ".kernel",
                                     key + ".txt",
                                     std::string(32, 'k') + ".kernel"};
  for (const std::string &name : others)
    std::ofstream(folder.path() + "/" + name) << std::string(200, 'x');
  EXPECT_TRUE(cache.lookup(key).has_value());
  cache.trim();
  EXPECT_FALSE(cache.lookup(key).has_value());
  for (const std::string &name : others)
    EXPECT_TRUE(std::filesystem::exists(folder.path() + "/" + name)) << name;
}

TEST(KernelCache, EntriesHoldTheirKey) {
  auto folder = llvm::cantFail(TemporaryFolder::create());
  KernelCache cache(folder.path());
  std::string key = hashText("one"), other = hashText("other");
  auto path = [&](const std::string &key) {
    return folder.path() + "/" + key + ".kernel";
  };
  ASSERT_TRUE(cache.store(key, "content"));
  std::filesystem::copy_file(path(key), path(other));
  EXPECT_EQ(cache.lookup(other), std::nullopt);
  EXPECT_FALSE(std::filesystem::exists(path(other)));
  EXPECT_EQ(cache.lookup(key), "content");
  writeText(path(key), "short");
  EXPECT_EQ(cache.lookup(key), std::nullopt);
  EXPECT_FALSE(std::filesystem::exists(path(key)));
}

TEST(KernelCache, OneCompilerHasAClaim) {
  auto folder = llvm::cantFail(TemporaryFolder::create());
  std::string key = hashText("one"), other = hashText("other");
  KernelCache second(folder.path());
  {
    KernelCache first(folder.path());
    EXPECT_TRUE(first.claim(key));
    EXPECT_FALSE(second.claim(key));
    EXPECT_TRUE(second.claim(other));
    first.release(key);
    EXPECT_TRUE(second.claim(key));
    second.release(key);
    EXPECT_TRUE(first.claim(key));
  }
  EXPECT_TRUE(second.claim(key));
  KernelCache none("");
  EXPECT_TRUE(none.claim(key));
  KernelCache impossible("/dev/null/cache");
  EXPECT_TRUE(impossible.claim(key));
}

TEST(KernelCache, HashesOfFilesFollowTheirContent) {
  auto folder = llvm::cantFail(TemporaryFolder::create());
  KernelCache cache(folder.path() + "/cache");
  std::string path = folder.path() + "/file";
  writeText(path, "one");
  EXPECT_EQ(cache.hashFile(path), hashText("one"));
  EXPECT_EQ(cache.hashFile(path), hashText("one"));
  struct stat before;
  ASSERT_EQ(stat(path.c_str(), &before), 0);
  usleep(20000); // a step of the file system's clock
  writeText(path, "two");
  timespec times[] = {before.st_atim, before.st_mtim};
  ASSERT_EQ(utimensat(AT_FDCWD, path.c_str(), times, 0), 0);
  EXPECT_EQ(cache.hashFile(path), hashText("two"));
  EXPECT_EQ(cache.hashFile(folder.path() + "/missing"), "");
}

TEST(KernelCache, TrimRemovesWhatKilledCompilersBegan) {
  auto folder = llvm::cantFail(TemporaryFolder::create());
  std::string old = folder.path() + "/" + hashText("old") + ".kernel.abcdef";
  std::string young =
      folder.path() + "/" + hashText("young") + ".kernel.abcdef";
  std::string foreign = folder.path() + "/mine.kernel.abcdef";
  writeText(old, "half");
  writeText(foreign, "half");
  writeText(young, "half");
  timespec times[] = {{1000000, 0}, {1000000, 0}};
  for (const std::string &path : {old, foreign})
    ASSERT_EQ(utimensat(AT_FDCWD, path.c_str(), times, 0), 0);
  KernelCache(folder.path()).trim();
  EXPECT_FALSE(std::filesystem::exists(old));
  EXPECT_TRUE(std::filesystem::exists(young));
  EXPECT_TRUE(std::filesystem::exists(foreign));
}

/// What is written while two things are done, the first for long.
std::string progressOf(bool isTerminal) {
  using namespace std::chrono_literals;
  int ends[2];
  if (pipe(ends))
    return "";
  {
    Progress progress({ends[1], isTerminal, 10ms, 20ms});
    using Clock = std::chrono::steady_clock;
    progress.say({"compiling kernels", "conv1 forward", Clock::now() - 7s});
    std::this_thread::sleep_for(200ms);
    progress.erase();
    progress.say("linking");
  }
  close(ends[1]);
  std::string text;
  char bytes[4096];
  for (ssize_t count; (count = read(ends[0], bytes, sizeof bytes)) > 0;)
    text.append(bytes, count);
  close(ends[0]);
  return text;
}

TEST(Progress, SaysWhatTakesLong) {
  EXPECT_THAT(progressOf(false),
              testing::StartsWith("rootc: note: after 0 s: compiling kernels; "
                                  "'conv1 forward' takes 7 s so far\n"));
  std::string line = "rootc: compiling kernels; 'conv1 forward' takes 7 s so "
                     "far (0 s)";
  EXPECT_THAT(
      progressOf(true),
      AllOf(testing::StartsWith(line + "\r" + std::string(line.size(), ' ') +
                                "\r" + line),
            testing::EndsWith(" \r"), Not(HasSubstr("\n"))));
}

} // namespace
