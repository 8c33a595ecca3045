//===- rootc-opt.cpp - Runs rootc's passes on a file ----------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialect/RootDialect.h"
#include "dialect/SourceText.h"
#include "lib/Pipelines/Pipelines.h"
#include "lib/Transforms/Passes.h"
#include "mlir/Support/FileUtilities.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"
#include "llvm/Support/ErrorHandling.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/ToolOutputFile.h"

#include <unistd.h>

static int fail(const std::string &message) {
  llvm::errs() << message << "\n";
  return EXIT_FAILURE;
}

/// Of a library, or of standard output that could not be written.
static void onFatalError(void *, const char *reason, bool) {
  fail(std::string("rootc-opt: error: ") + reason);
  _exit(EXIT_FAILURE);
}

int main(int argc, char **argv) {
  llvm::InitLLVM init(argc, argv);
  llvm::install_fatal_error_handler(onFatalError);
  mlir::DialectRegistry registry;
  registry.insert<rootc::root::RootDialect>();
  rootc::registerRootcPasses();
  rootc::registerPipelines();
  auto [inputName, outputName] = mlir::registerAndParseCLIOptions(
      argc, argv, "rootc's pass driver\n", registry);
  auto config = mlir::MlirOptMainConfig::createFromCLOptions();
  if (config.shouldShowDialects() || config.shouldListPasses())
    return mlir::asMainReturnCode(
        mlir::MlirOptMain(argc, argv, inputName, outputName, registry));

  std::string error;
  auto input = mlir::openInputFile(inputName, &error);
  if (!input)
    return fail("rootc-opt: error: " + error);
  error = rootc::root::checkSourceText(inputName, input->getBuffer());
  if (!error.empty())
    return fail(error);
  auto output = mlir::openOutputFile(outputName, &error);
  if (!output)
    return fail("rootc-opt: error: " + error);
  if (failed(
          mlir::MlirOptMain(output->os(), std::move(input), registry, config)))
    return EXIT_FAILURE;
  llvm::raw_fd_ostream &stream = output->os();
  stream.flush();
  if (stream.has_error()) {
    error = stream.error().message();
    stream.clear_error();
    return fail("rootc-opt: error: cannot write '" + outputName +
                "': " + error);
  }
  output->keep();
  return EXIT_SUCCESS;
}
