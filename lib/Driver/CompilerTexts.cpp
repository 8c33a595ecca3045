//===- CompilerTexts.cpp - Costs, explanations, ONNX, tables -------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/Emit/OutputFile.h"
#include "codegen/Tune/Bundle.h"
#include "codegen/Tune/Shipped.h"
#include "codegen/Tune/Tune.h"
#include "dialect/Frozen.h"
#include "lib/Driver/Compiler.h"
#include "lib/Driver/Diagnostics.h"
#include "lib/Driver/SuggestRoot.h"
#include "lib/Driver/ThisMachine.h"
#include "lib/Driver/TrainingCost.h"
#include "lib/Explain/Explain.h"
#include "lib/Onnx/Export.h"
#include "lib/Translation/Translation.h"
#include "mlir/IR/Diagnostics.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/WithColor.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;
using namespace rootc;

LogicalResult Compiler::write(StringRef content) {
  Error error = codegen::writeOutput(options.output, content);
  if (!error)
    return success();
  reportError(toString(std::move(error)));
  return failure();
}

LogicalResult
Compiler::emitText(function_ref<LogicalResult(raw_ostream &)> print) {
  std::string text;
  raw_string_ostream stream(text);
  if (failed(print(stream)))
    return failure();
  return write(text);
}

CostFormat Compiler::costFormat() const {
  return options.format == "json"  ? CostFormat::Json
         : options.format == "csv" ? CostFormat::Csv
                                   : CostFormat::Text;
}

LogicalResult Compiler::emitTrainingCosts(mlir::ModuleOp module,
                                          const PipelineOptions &pipeline) {
  mlir::OwningOpRef<mlir::ModuleOp> whole;
  std::optional<codegen::Model> compared;
  if (!options.freeze.empty()) {
    whole = module.clone();
    whole->walk(
        [](mlir::Operation *op) { op->removeAttr(root::frozenAttrName); });
    mlir::ScopedDiagnosticHandler once(
        &context, [](mlir::Diagnostic &diagnostic) {
          return success(diagnostic.getSeverity() !=
                         mlir::DiagnosticSeverity::Error);
        });
    if (failed(runPasses(*whole, buildModelPipeline, pipeline)))
      return failure();
    auto translated = translateToModel(*whole);
    if (failed(translated))
      return failure();
    compared = std::move(translated->model);
  }
  if (failed(runPasses(module, buildModelPipeline, pipeline)))
    return failure();
  auto translated = translateToModel(module);
  if (failed(translated))
    return failure();
  return emitText([&](raw_ostream &stream) {
    emitTrainingCost(translated->model, compared ? &*compared : nullptr,
                     options.batch ? options.batch : 32, costFormat(), stream);
    return success();
  });
}

LogicalResult Compiler::emitExplanation(mlir::ModuleOp module) {
  auto report = [](Error error) {
    reportError(toString(std::move(error)));
    return failure();
  };
  ExplainOptions from;
  from.program = options.explain;
  from.batch = 1;
  from.target = target;
  int64_t threads = usualThreads();
  if (!options.profile.empty()) {
    Expected<Profile> profile = readProfile(options.profile);
    if (!profile)
      return report(profile.takeError());
    if (from.program.empty())
      from.program = profile->program;
    from.batch = profile->batch;
    threads = profile->machine.threads;
    if (from.program != profile->program ||
        (options.batch && options.batch != from.batch) ||
        (options.threads && options.threads != threads)) {
      reportError(formatv("--profile={0}: it is of '{1}', batch {2}, {3} "
                          "threads; ask for these, or leave them out",
                          options.profile, profile->program, profile->batch,
                          threads));
      return failure();
    }
    from.profile = std::move(*profile);
  }
  if (options.batch)
    from.batch = options.batch;
  if (options.threads)
    threads = options.threads;
  if (!options.machine.empty()) {
    Expected<Profile> profile = readProfile(options.machine);
    if (!profile)
      return report(profile.takeError());
    if (profile->machine.threads != threads) {
      reportError(formatv("--machine={0}: it was measured with {1} threads, "
                          "not {2}",
                          options.machine, profile->machine.threads, threads));
      return failure();
    }
    from.machine = std::move(profile->machine);
  } else {
    from.machine = from.profile ? from.profile->machine
                                : codegen::typicalMachine(target, threads);
  }
  Expected<Explanation> explanation = explain(module, from);
  if (!explanation)
    return report(explanation.takeError());
  return emitText([&](raw_ostream &stream) {
    if (options.format == "json")
      printJson(*explanation, stream);
    else
      printText(*explanation, stream);
    return success();
  });
}

LogicalResult Compiler::emitOnnx(mlir::ModuleOp module,
                                 const std::string &description) {
  if (options.weights.empty() && !options.seed)
    WithColor::warning(errs(), "rootc")
        << "without --weights the file has untrained ones, those of `rootrun "
           "init --seed 0`\n";
  OnnxExportOptions from;
  from.weights = options.weights;
  from.sliceWeights = options.sliceWeights;
  from.seed = options.seed.value_or(0);
  from.pixels = options.pixels;
  from.description = description;
  from.version = ROOTC_VERSION;
  auto file = exportOnnx(*module.getOps<root::NetworkOp>().begin(), from);
  return failed(file) ? failure() : write(*file);
}

LogicalResult Compiler::emitTable(
    function_ref<Expected<std::string>(codegen::Progress &)> make) {
  auto shown = codegen::ProgressOptions::standardError();
  shown.program = programName();
  codegen::Progress progress(shown);
  auto table = make(progress);
  progress.erase();
  if (!table) {
    reportError(toString(table.takeError()));
    return failure();
  }
  return write(*table);
}

LogicalResult Compiler::suggest() {
  return emitTable([&](codegen::Progress &progress) {
    return suggestRoot(options, programFolder, progress);
  });
}

LogicalResult Compiler::take() {
  try {
    codegen::TuneDatabase database(options.tune.database,
                                   codegen::TuneDatabase::Mode::Write);
    return write(codegen::takeBundle(options.tune.take, database));
  } catch (const std::exception &error) {
    reportError(error.what());
    return failure();
  }
}

LogicalResult Compiler::exportRecords() {
  const std::string &path = options.tune.exported;
  try {
    std::string before;
    if (sys::fs::exists(path)) {
      auto buffer = MemoryBuffer::getFile(path);
      if (!buffer)
        throw std::runtime_error(path + ": " + buffer.getError().message());
      before = (*buffer)->getBuffer().str();
    }
    codegen::ShippedRecords records(before);
    records.take(codegen::TuneDatabase(options.tune.database,
                                       codegen::TuneDatabase::Mode::Read));
    return write(records.text());
  } catch (const std::exception &error) {
    reportError("--export: " + Twine(error.what()));
    return failure();
  }
}

LogicalResult Compiler::tune(mlir::ModuleOp module) {
  auto translated = translateToModel(module);
  if (failed(translated))
    return failure();
  codegen::TuneOptions from;
  from.database = options.tune.database;
  from.replay = options.tune.replay;
  from.target = target;
  try {
    codegen::TuneMachine machine = tuneMachine(from.database);
    from.cpu = machine.cpu;
    from.threads = machine.threads;
  } catch (const std::exception &error) {
    reportError(error.what());
    return failure();
  }
  from.bundle = options.tune.bundle;
  from.batch = options.batch;
  from.seed = options.tune.seed;
  from.random = options.tune.random;
  from.trials = options.tune.trials;
  from.budget = options.tune.budget;
  from.timingProgram = programFolder + "/rootc-time";
  return emitTable([&](codegen::Progress &progress) {
    from.compiler = compilerOptions(progress);
    return codegen::tuneModel(translated->model, from);
  });
}
