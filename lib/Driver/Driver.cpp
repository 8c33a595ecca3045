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
#include "lib/Driver/Options.h"
#include "llvm/Support/CrashRecoveryContext.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"

#include <unistd.h>

using namespace llvm;

namespace rootc {

static int runMain(int argc, char **argv,
                   std::optional<Options> (*parse)(int argc, char **argv,
                                                   int &exitCode)) {
  prepareForEarlyEnd();
  CrashRecoveryContext::Enable();
  int exitCode = 1;
  std::optional<Options> options = parse(argc, argv, exitCode);
  if (!options)
    return exitCode;
  std::string program =
      sys::fs::getMainExecutable(argv[0], reinterpret_cast<void *>(&runMain));
  CrashRecoveryContext recovery;
  // Deeply nested input recurses deeply in the parser.
  const unsigned stackBytes = 256u << 20;
  bool survived = recovery.RunSafelyOnThread(
      [&] {
        exitCode =
            Compiler(*options, sys::path::parent_path(program).str()).run();
      },
      stackBytes);
  if (survived)
    return exitCode;
  errs() << programName() << ": error: the compiler crashed on '"
         << options->input << "'; please report it with this file\n";
  codegen::runCleanups();
  _exit(1);
}

int rootcMain(int argc, char **argv) {
  return runMain(argc, argv, parseOptions);
}

int rootcTuneMain(int argc, char **argv) {
  setProgramName("rootc-tune");
  return runMain(argc, argv, parseTuneOptions);
}

} // namespace rootc
