//===- Driver.cpp - The compiler's commands ------------------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lib/Driver/Driver.h"
#include "codegen/Emit/Cleanup.h"
#include "lib/Driver/Compiler.h"
#include "lib/Driver/Diagnostics.h"
#include "lib/Driver/EarlyEnd.h"
#include "lib/Driver/FormatCommand.h"
#include "lib/Driver/Options.h"
#include "llvm/Support/CrashRecoveryContext.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"

#include <unistd.h>

using namespace llvm;

namespace rootc {

/// Runs what may crash on `input`; returns its exit code.
static int runSafely(StringRef input, function_ref<int()> run) {
  int exitCode = 1;
  CrashRecoveryContext recovery;
  // Deeply nested input recurses deeply in the parser.
  const unsigned stackBytes = 256u << 20;
  if (recovery.RunSafelyOnThread([&] { exitCode = run(); }, stackBytes))
    return exitCode;
  errs() << programName() << ": error: the compiler crashed on '" << input
         << "'; please report it with this file\n";
  codegen::runCleanups();
  _exit(1);
}

static int runMain(int argc, char **argv,
                   std::optional<Options> (*parse)(int argc, char **argv,
                                                   int &exitCode)) {
  int exitCode = 1;
  std::optional<Options> options = parse(argc, argv, exitCode);
  if (!options)
    return exitCode;
  std::string program =
      sys::fs::getMainExecutable(argv[0], reinterpret_cast<void *>(&runMain));
  return runSafely(options->input, [&] {
    return Compiler(*options, sys::path::parent_path(program).str()).run();
  });
}

int rootcMain(int argc, char **argv) {
  prepareForEarlyEnd();
  CrashRecoveryContext::Enable();
  if (argc < 2 || StringRef(argv[1]) != "fmt")
    return runMain(argc, argv, parseOptions);
  // What LLVM calls the program, too.
  static char name[] = "rootc fmt";
  argv[1] = name;
  setProgramName(name);
  std::optional<FormatOptions> options = parseFormatOptions(argc - 1, argv + 1);
  if (!options)
    return 1;
  int exitCode = 0;
  for (const std::string &input : options->inputs)
    exitCode |=
        runSafely(input, [&] { return formatFile(input, options->mode); });
  return exitCode;
}

int rootcTuneMain(int argc, char **argv) {
  prepareForEarlyEnd();
  CrashRecoveryContext::Enable();
  setProgramName("rootc-tune");
  return runMain(argc, argv, parseTuneOptions);
}

} // namespace rootc
