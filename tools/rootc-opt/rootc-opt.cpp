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
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/ToolOutputFile.h"

static int fail(const std::string &message) {
  llvm::errs() << message << "\n";
  return EXIT_FAILURE;
}

int main(int argc, char **argv) {
  llvm::InitLLVM init(argc, argv);
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
    return fail("rootc-opt: " + error);
  error = rootc::root::checkSourceText(inputName, input->getBuffer());
  if (!error.empty())
    return fail(error);
  auto output = mlir::openOutputFile(outputName, &error);
  if (!output)
    return fail("rootc-opt: " + error);
  if (failed(
          mlir::MlirOptMain(output->os(), std::move(input), registry, config)))
    return EXIT_FAILURE;
  output->keep();
  return EXIT_SUCCESS;
}
