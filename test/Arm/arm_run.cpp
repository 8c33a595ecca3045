//===- arm_run.cpp - `rootrun run` and `grad` for another CPU -------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The runtime's core, cross-compiled, to be run under qemu: what images and
// reports need is not there for that CPU.
//
//===----------------------------------------------------------------------===//

#include "runtime/src/Support.h"
#include "runtime/src/Verbs.h"

#include <cstdio>
#include <cstdlib>
#include <map>

int main(int count, char **arguments) {
  try {
    std::map<std::string, std::string> flags;
    for (int i = 3; i + 1 < count; i += 2)
      flags[arguments[i]] = arguments[i + 1];
    std::string verb = count > 2 ? arguments[1] : "";
    rootc::VerbOptions options;
    options.model = count > 2 ? arguments[2] : "";
    options.weights = flags["--weights"];
    options.input = flags["--input"];
    options.output = flags["-o"];
    options.labels = flags["--labels"];
    options.seed = std::strtoull(flags["--seed"].c_str(), nullptr, 10);
    options.threads = 2;
    if (verb == "run")
      rootc::runTensors(options);
    else if (verb == "grad")
      rootc::gradTensors(options);
    else
      rootc::fail("give run or grad");
    return 0;
  } catch (const std::exception &error) {
    std::fprintf(stderr, "arm_run: error: %s\n", error.what());
    return 1;
  }
}
