//===- rootc-time.cpp - The process in which kernels are timed ------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/src/KernelTimes.h"
#include "runtime/src/Support.h"

#include <csignal>
#include <cstdio>
#include <iostream>
#include <sys/prctl.h>

int main(int argc, char **) {
  rootc::prepareProcess();
  if (argc != 1) {
    std::fprintf(stderr, "usage: rootc-time < jobs\n"
                         "Times kernels; started by rootc-tune.\n");
    return 1;
  }
  // Nobody is left to answer to.
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  for (std::string line; std::getline(std::cin, line);)
    if (!(std::cout << rootc::timeKernels(line) << std::endl))
      return 1;
  return 0;
}
