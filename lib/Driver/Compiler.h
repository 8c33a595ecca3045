//===- Compiler.h - One run of rootc or rootc-tune -----------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_DRIVER_COMPILER_H
#define ROOTC_DRIVER_COMPILER_H

#include "codegen/Emit/Emit.h"
#include "codegen/Emit/Progress.h"
#include "codegen/Tune/Tuned.h"
#include "dialect/RootDialect.h"
#include "lib/Analysis/Cost.h"
#include "lib/Driver/Options.h"
#include "lib/Driver/ThisMachine.h"
#include "lib/Pipelines/Pipelines.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/MLIRContext.h"

namespace rootc {

/// Prints "program: error: message".
void reportError(const llvm::Twine &message);

/// Compiles what options name, once; errors are printed.
class Compiler {
public:
  /// `programFolder`: where rootc-kernel and rootc-time lie.
  Compiler(const Options &options, std::string programFolder);

  /// The exit code.
  int run();

private:
  // Compiler.cpp
  int runOnce();
  /// One library with code for each target.
  llvm::LogicalResult compileForSeveral(mlir::ModuleOp module);
  llvm::LogicalResult compile(mlir::ModuleOp module);
  /// The batch and the threads that are expected included.
  void compileFor(const codegen::TargetInfo &next);
  /// Says on the network's output what its loss is like.
  llvm::LogicalResult setLoss(root::NetworkOp network);
  llvm::LogicalResult runPasses(mlir::ModuleOp module,
                                void (*build)(mlir::OpPassManager &,
                                              const PipelineOptions &),
                                const PipelineOptions &pipeline);
  /// What the model says about itself: the cost of its layers, who reads whom,
  /// what is left out, and the options it was made with. To be called while the
  /// network is there.
  llvm::LogicalResult describe(mlir::ModuleOp module, std::string &description);
  /// Lets kernels take their schedules from --tuned or an autoscheduler.
  llvm::LogicalResult useSchedules(PipelineOptions &pipeline);
  /// Whose records of a database are meant, but for the kernel generator. For a
  /// device of which there are none, the name is empty. Throws as TuneDatabase
  /// does.
  codegen::TuneMachine tuneMachine(const std::string &database) const;
  codegen::KernelCompilerOptions
  compilerOptions(codegen::Progress &progress) const;
  std::string kernelProgram() const { return programFolder + "/rootc-kernel"; }
  int64_t threads() const {
    return options.threads ? options.threads : usualThreads();
  }

  // CompilerTexts.cpp
  llvm::LogicalResult write(llvm::StringRef content);
  llvm::LogicalResult
  emitText(llvm::function_ref<llvm::LogicalResult(llvm::raw_ostream &)> print);
  CostFormat costFormat() const;
  /// What is frozen is compared with a copy of the network in which nothing is.
  llvm::LogicalResult emitTrainingCosts(mlir::ModuleOp module,
                                        const PipelineOptions &pipeline);
  llvm::LogicalResult emitExplanation(mlir::ModuleOp module);
  llvm::LogicalResult emitOnnx(mlir::ModuleOp module,
                               const std::string &description);
  /// What rootc-tune prints of something that takes long.
  llvm::LogicalResult
  emitTable(llvm::function_ref<llvm::Expected<std::string>(codegen::Progress &)>
                make);
  llvm::LogicalResult suggest();
  llvm::LogicalResult tune(mlir::ModuleOp module);
  llvm::LogicalResult take();
  llvm::LogicalResult exportRecords();

  // CompilerCode.cpp
  /// The first target behind that of `index` whose programs run on a device.
  std::optional<size_t> nextDevice(size_t index) const;
  /// Gives the model the weights that its library is to hold.
  llvm::LogicalResult embed(codegen::Model &model,
                            const codegen::KernelCompilerOptions &kernels);
  llvm::LogicalResult emitCode(mlir::ModuleOp module,
                               const std::string &description);
  llvm::Error joinVariants();

  const Options &options;
  std::string programFolder;
  codegen::TargetInfo target; ///< that is compiled for now
  mlir::MLIRContext context;
  std::optional<codegen::TunedSchedules> tuned;
  mutable codegen::CompileTimes times;

  /// Where a variant of the library that is compiled goes; empty: it is none.
  std::string variantFolder;
  /// Of the variants that have been compiled, and the last one's model without
  /// its code.
  std::vector<std::string> variants;
  codegen::Model variantModel;
};

} // namespace rootc

#endif // ROOTC_DRIVER_COMPILER_H
