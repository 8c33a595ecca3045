//===- rootc-time.cpp - The process in which kernels are timed ------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Without arguments it is started by rootc-tune, and answers each line with
// one. With a folder it times a bundle of rootc-tune's, on a machine that may
// have nothing else of rootc.
//
//===----------------------------------------------------------------------===//

#include "runtime/src/KernelBundle.h"
#include "runtime/src/KernelTimes.h"
#include "runtime/src/Support.h"

#include <CLI/CLI.hpp>
#include <csignal>
#include <iostream>
#include <sys/prctl.h>
#include <unistd.h>

using namespace rootc;

static int answerLines() {
  // Nobody is left to answer to.
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  for (std::string line; std::getline(std::cin, line);)
    if (!(std::cout << timeKernels(line) << std::endl))
      return 1;
  return 0;
}

static int timeFolder(BundleOptions options) {
  bool isTerminal = isatty(STDERR_FILENO);
  options.progress = [&](size_t done, size_t all) {
    if (isTerminal || done == all || done % 20 == 0)
      fmt::print(stderr, "{}rootc-time: {} of {} timed{}",
                 isTerminal ? "\r" : "", done, all,
                 isTerminal && done < all ? "" : "\n");
  };
  try {
    timeBundle(options);
  } catch (const std::exception &error) {
    fmt::print(stderr, "rootc-time: error: {}\n", error.what());
    return 1;
  }
  return 0;
}

int main(int argc, char **argv) {
  prepareProcess();
  CLI::App app("Times kernels for rootc-tune: those of a bundle, or, without "
               "one, what standard input says");
  BundleOptions options;
  app.add_option("BUNDLE", options.folder,
                 "A folder that rootc-tune --bundle filled; the times go to "
                 "times.jsonl in it, for rootc-tune --take");
  app.add_option("--threads", options.threads,
                 "Threads of the kernels; default one a core")
      ->check(CLI::Range(1, 1024));
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success &asked) {
    return app.exit(asked);
  } catch (const CLI::ParseError &error) {
    fmt::print(stderr, "rootc-time: error: {}\n", error.what());
    return 1;
  }
  return options.folder.empty() ? answerLines() : timeFolder(options);
}
