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
// "error": "..."}, in order. Kinds: object, stmt, llvm, asm, cpp.
//
//===----------------------------------------------------------------------===//

#include "codegen/Compile.h"

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <iostream>
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

json answer(const std::string &line) {
  try {
    json job = json::parse(line);
    rootc::codegen::compileKernel(
        rootc::codegen::kernelFromJson(job.at("kernel").dump()),
        rootc::codegen::outputKind(job.at("kind").get<std::string>()),
        job.at("target").get<std::string>(),
        job.at("output").get<std::string>());
    return {{"ok", true}};
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
    return 0;
  }
  if (argc != 1) {
    std::fprintf(stderr, "usage: rootc-kernel [--version] < jobs\n"
                         "Compiles kernels; started by rootc.\n");
    return 1;
  }
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
