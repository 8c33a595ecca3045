//===- rootc-kernel.cpp - The worker that compiles kernels ----------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Halide and its LLVM run here, apart from the compiler: a fatal error in them
// ends this process only. Standard input carries one job a line, as JSON,
//
//   {"kernel": {...}, "kind": "object", "target": "host", "output": "k.o"}
//
// and standard output one line for each, {"ok": true} or {"ok": false,
// "error": "..."}, in order. Kinds: object, stmt, llvm, asm, cpp, ptx, cuda.
// The job {"kind": "identity"} asks for what decides the code of kernels
// besides.
//
//===----------------------------------------------------------------------===//

#include "codegen/Compile.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <iostream>
#include <link.h>
#include <nlohmann/json.hpp>
#include <string>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

using nlohmann::json;

namespace {
/// Whatever the libraries print goes to standard error; the returned stream
/// alone is the answer channel.
FILE *takeStandardOutput() {
  int answers = dup(STDOUT_FILENO);
  if (answers < 0 || dup2(STDERR_FILENO, STDOUT_FILENO) < 0)
    return nullptr;
  return fdopen(answers, "w");
}

/// The files that this process has loaded, and what Halide reads of the
/// environment.
json identity() {
  std::vector<std::string> files;
  dl_iterate_phdr(
      [](dl_phdr_info *info, size_t, void *files) {
        // The program itself has no name; what has no path is the kernel's.
        std::string name =
            info->dlpi_name[0] ? info->dlpi_name : "/proc/self/exe";
        std::error_code error;
        auto path = std::filesystem::canonical(name, error);
        if (name.find('/') != std::string::npos)
          static_cast<std::vector<std::string> *>(files)->push_back(
              error ? name : path.string());
        return 0;
      },
      &files);
  std::vector<std::string> environment;
  for (char **variable = environ; *variable; ++variable)
    if (std::strncmp(*variable, "HL_", 3) == 0)
      environment.push_back(*variable);
  std::sort(environment.begin(), environment.end());
  return {{"ok", true},
          {"version", rootc::codegen::codegenVersion()},
          {"parts", rootc::codegen::sourceHashes()},
          {"files", files},
          {"environment", environment}};
}

json answer(const std::string &line) {
  try {
    json job = json::parse(line);
    if (job.at("kind") == "identity")
      return identity();
    rootc::codegen::compileKernel(
        rootc::codegen::kernelFromJson(job.at("kernel").dump()),
        rootc::codegen::outputKind(job.at("kind").get<std::string>()),
        job.at("target").get<std::string>(),
        job.at("output").get<std::string>());
    return {{"ok", true}};
  } catch (const std::bad_alloc &) {
    return {{"ok", false}, {"error", "memory ran out"}};
  } catch (const std::exception &error) {
    return {{"ok", false}, {"error", error.what()}};
  }
}

bool write(const json &answer, FILE *answers) {
  std::string text =
      answer.dump(-1, ' ', false, json::error_handler_t::replace);
  return std::fprintf(answers, "%s\n", text.c_str()) >= 0 &&
         std::fflush(answers) == 0;
}

/// A child does it: Halide numbers the names it makes up, and so a kernel's
/// code would depend on the jobs before it. Zero, or how the child failed.
int runJob(const std::string &line, FILE *answers) {
  pid_t child = fork();
  if (child < 0) {
    std::string reason = std::strerror(errno);
    return !write({{"ok", false},
                   {"error", "no process can be started for it: " + reason}},
                  answers);
  }
  if (child == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    _exit(write(answer(line), answers) ? 0 : 1);
  }
  int status = 0;
  while (waitpid(child, &status, 0) < 0)
    if (errno != EINTR)
      return 1;
  if (WIFSIGNALED(status)) {
    // As if it had happened here.
    signal(WTERMSIG(status), SIG_DFL);
    raise(WTERMSIG(status));
  }
  return WEXITSTATUS(status);
}
} // namespace

int main(int argc, char **argv) {
  if (argc == 2 && std::string(argv[1]) == "--version") {
    std::printf("%s\n", rootc::codegen::codegenVersion().c_str());
    return std::fflush(stdout) == 0 ? 0 : 1;
  }
  if (argc != 1) {
    std::fprintf(stderr, "usage: rootc-kernel [--version] < jobs\n"
                         "Compiles kernels; started by rootc.\n");
    return 1;
  }
  // Nobody is left to answer to, and the files' folder may be gone.
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  FILE *answers = takeStandardOutput();
  if (!answers) {
    std::perror("rootc-kernel: cannot take over standard output");
    return 1;
  }
  std::string line;
  while (std::getline(std::cin, line))
    if (int failed = runJob(line, answers))
      return failed;
  return 0;
}
