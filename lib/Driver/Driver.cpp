//===- Driver.cpp - The compiler's command --------------------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lib/Driver/Driver.h"
#include "codegen/Emit/Cleanup.h"
#include "codegen/Emit/Emit.h"
#include "codegen/Emit/HostCode.h"
#include "codegen/Emit/KernelCache.h"
#include "codegen/Emit/OutputFile.h"
#include "codegen/Emit/Progress.h"
#include "codegen/Emit/TemporaryFolder.h"
#include "codegen/Schedules/Backend.h"
#include "codegen/Schedules/Families.h"
#include "codegen/Tune/Tune.h"
#include "codegen/Tune/Tuned.h"
#include "dialect/Frozen.h"
#include "dialect/LossAttributes.h"
#include "dialect/Remarks.h"
#include "dialect/RootDialect.h"
#include "dialect/SourceText.h"
#include "lib/Analysis/Cost.h"
#include "lib/Analysis/LayerGraph.h"
#include "lib/Driver/Diagnostics.h"
#include "lib/Driver/EarlyEnd.h"
#include "lib/Driver/EmbedWeights.h"
#include "lib/Driver/Options.h"
#include "lib/Driver/SuggestRoot.h"
#include "lib/Driver/ThisMachine.h"
#include "lib/Driver/TrainingCost.h"
#include "lib/Explain/Explain.h"
#include "lib/Onnx/Export.h"
#include "lib/Pipelines/Pipelines.h"
#include "lib/Translation/Translation.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "llvm/Support/CrashRecoveryContext.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/SourceMgr.h"
#include "llvm/Support/WithColor.h"
#include "llvm/Support/raw_ostream.h"

#include <unistd.h>

using namespace llvm;

namespace rootc {

namespace {

void reportError(const Twine &message) {
  WithColor::error(errs(), programName()) << message << "\n";
}

/// A protocol buffer that begins with a small number as field 1, which is the
/// version of ONNX's format. No text begins with such bytes.
bool isOnnx(StringRef bytes) {
  return bytes.size() > 1 && bytes[0] == '\b' && bytes[1] > 0 && bytes[1] < ' ';
}

std::optional<codegen::EmitKind> emitKind(OutputKind kind) {
  switch (kind) {
  case OutputKind::SharedLibrary:
    return codegen::EmitKind::SharedLibrary;
  case OutputKind::StaticLibrary:
    return codegen::EmitKind::StaticLibrary;
  case OutputKind::Object:
    return codegen::EmitKind::Object;
  case OutputKind::Header:
    return codegen::EmitKind::Header;
  case OutputKind::Cpp:
    return codegen::EmitKind::Cpp;
  case OutputKind::LLVM:
    return codegen::EmitKind::LLVM;
  case OutputKind::Assembly:
    return codegen::EmitKind::Assembly;
  case OutputKind::Stmt:
    return codegen::EmitKind::Stmt;
  case OutputKind::Ptx:
    return codegen::EmitKind::Ptx;
  case OutputKind::Cuda:
    return codegen::EmitKind::Cuda;
  case OutputKind::Mlir:
  case OutputKind::Onnx:
  case OutputKind::Cost:
  case OutputKind::Explain:
  case OutputKind::Tuning:
  case OutputKind::Suggestion:
    return std::nullopt;
  }
  return std::nullopt;
}

class Compiler {
public:
  Compiler(const Options &options, std::string programFolder)
      : options(options), programFolder(std::move(programFolder)),
        target(options.target) {
    context.disableMultithreading(); // aborts where threads cannot be started
    context.loadDialect<root::RootDialect>();
    context.printOpOnDiagnostic(false);
  }

  /// The exit code.
  int run() {
    auto buffer = MemoryBuffer::getFileOrSTDIN(options.input);
    if (!buffer) {
      reportError("cannot read '" + options.input +
                  "': " + buffer.getError().message());
      return 1;
    }
    if (isOnnx((*buffer)->getBuffer())) {
      reportError("'" + options.input +
                  "' is an ONNX file; rootc-import makes a network of it: "
                  "rootc-import NET.onnx -o NET.mlir");
      return 1;
    }
    if (Error error = codegen::checkOutput(options.output)) {
      reportError(toString(std::move(error)));
      return 1;
    }
    std::string problem = root::checkSourceText(
        (*buffer)->getBufferIdentifier(), (*buffer)->getBuffer());
    if (!problem.empty()) {
      errs() << problem << "\n";
      return 1;
    }
    SourceMgr sources;
    sources.AddNewSourceBuffer(std::move(*buffer), SMLoc());
    mlir::ScopedDiagnosticHandler handler(
        &context, [&](mlir::Diagnostic &diagnostic) {
          printDiagnostic(diagnostic, sources);
          return success();
        });
    auto module = mlir::parseSourceFile<mlir::ModuleOp>(sources, &context);
    if (!module)
      return 1;
    if (options.kind == OutputKind::Suggestion)
      return succeeded(suggest()) ? 0 : 1;
    if (options.targets.size() > 1 && isBinary())
      return succeeded(compileForSeveral(*module)) ? 0 : 1;
    return succeeded(compile(*module)) ? 0 : 1;
  }

private:
  const Options &options;
  std::string programFolder;
  codegen::TargetInfo target; ///< that is compiled for now
  mlir::MLIRContext context;
  std::optional<codegen::TunedSchedules> tuned;

  bool isBinary() const {
    return options.kind == OutputKind::SharedLibrary ||
           options.kind == OutputKind::StaticLibrary ||
           options.kind == OutputKind::Object;
  }

  /// Where a variant of the library that is compiled goes; empty: it is none.
  std::string variantFolder;
  /// Of the variants that have been compiled, and the last one's model without
  /// its code.
  std::vector<std::string> variants;
  codegen::Model variantModel;

  /// The first target behind that of `index` whose programs run on a device.
  std::optional<size_t> nextDevice(size_t index) const {
    while (++index < options.targets.size())
      if (codegen::backendOf(options.targets[index]).device)
        return index;
    return std::nullopt;
  }

  /// One library with code for each target.
  LogicalResult compileForSeveral(mlir::ModuleOp module) {
    Expected<codegen::TemporaryFolder> folder =
        codegen::TemporaryFolder::create();
    if (!folder) {
      reportError(toString(folder.takeError()));
      return failure();
    }
    variantFolder = folder->path();
    for (const codegen::TargetInfo &next : options.targets) {
      target = next;
      mlir::OwningOpRef<mlir::ModuleOp> copy = module.clone();
      if (failed(compile(*copy)))
        return failure();
    }
    codegen::EmitOptions emit;
    emit.kind = *emitKind(options.kind);
    emit.output = options.output;
    emit.target = options.target;
    Error error = codegen::joinVariants(variantModel, variants, emit);
    if (!error)
      return success();
    reportError(toString(std::move(error)));
    return failure();
  }

  LogicalResult compile(mlir::ModuleOp module) {
    auto networks = module.getOps<root::NetworkOp>();
    size_t count = std::distance(networks.begin(), networks.end());
    if (count != 1)
      return mlir::emitError(
                 mlir::FileLineColLoc::get(&context, options.input, 1, 1))
             << "the file holds " << count
             << " networks; rootc compiles exactly one `root.network`";
    if (failed(setLoss(*networks.begin())))
      return failure();
    PipelineOptions pipeline;
    pipeline.image = options.image;
    pipeline.root = options.root;
    pipeline.topology = options.topology;
    pipeline.groups = options.groups;
    pipeline.classes = options.classes;
    pipeline.freeze = options.freeze;
    pipeline.inferOnly = options.inferOnly;
    pipeline.recompute = options.recompute;
    pipeline.keepResponses = options.keepResponses;
    pipeline.winograd = options.winograd;
    pipeline.bf16 = options.bf16;
    // C++ source, devices and Halide's autoschedulers know no matrix unit.
    pipeline.matrices = options.kind != OutputKind::Cpp &&
                        !codegen::backendOf(target).device &&
                        !options.autoscheduler;
    pipeline.target = target;
    if (failed(runPasses(module, buildNetworkPipeline, pipeline)) ||
        failed(useSchedules(pipeline)))
      return failure();
    if (options.kind == OutputKind::Explain)
      root::askForRemarks(module);
    std::string description;
    if (options.kind != OutputKind::Cost &&
        failed(describe(module, description)))
      return failure();
    if (options.kind != OutputKind::Cost && options.kind != OutputKind::Onnx &&
        failed(runPasses(module, buildModelPipeline, pipeline)))
      return failure();
    if (tuned && !tuned->problem().empty()) {
      reportError("--tuned: " + tuned->problem());
      return failure();
    }
    if (tuned && !tuned->remark().empty())
      WithColor::remark(errs(), programName()) << tuned->remark() << "\n";
    switch (options.kind) {
    case OutputKind::Tuning:
      return tune(module);
    case OutputKind::Cost:
      if (options.costTraining)
        return emitTrainingCosts(module, pipeline);
      warnUnused(*module.getOps<root::NetworkOp>().begin());
      return emitText([&](raw_ostream &stream) {
        return emitCost(*module.getOps<root::NetworkOp>().begin(), costFormat(),
                        stream);
      });
    case OutputKind::Mlir:
      return emitText([&](raw_ostream &stream) {
        module.print(stream);
        return success();
      });
    case OutputKind::Onnx:
      return emitOnnx(module, description);
    case OutputKind::Explain:
      return emitExplanation(module);
    default:
      return emitCode(module, description);
    }
  }

  /// Says on the network's output what its loss is like.
  LogicalResult setLoss(root::NetworkOp network) {
    mlir::Builder builder(&context);
    auto [smoothing, weights] = root::lossAttributeNames;
    mlir::Operation *output = network.getOutput();
    if (options.labelSmoothing > 0)
      output->setAttr(smoothing,
                      builder.getF64FloatAttr(options.labelSmoothing));
    size_t given = options.classWeights.size();
    int64_t classes =
        options.classes ? options.classes : int64_t(network.getClasses());
    if (given && int64_t(given) != classes)
      return network.emitError()
             << "--class-weights has " << given << " numbers, and the network "
             << classes << " classes";
    if (given)
      output->setAttr(weights,
                      builder.getDenseF64ArrayAttr(options.classWeights));
    return success();
  }

  LogicalResult runPasses(mlir::ModuleOp module,
                          void (*build)(mlir::OpPassManager &,
                                        const PipelineOptions &),
                          const PipelineOptions &pipeline) {
    mlir::PassManager passes(&context);
    if (failed(mlir::applyPassManagerCLOptions(passes)))
      return failure();
    build(passes, pipeline);
    return passes.run(module);
  }

  /// The layers whose tensors a file of weights may hold although the network
  /// leaves them out.
  static json::Array leftOut(root::NetworkOp network) {
    auto used = usedLayers(network, /*training=*/true);
    json::Array names;
    for (mlir::Operation &op : network.getBody().front())
      if (auto name = op.getAttrOfType<mlir::StringAttr>("layer");
          name && !used.contains(&op))
        names.push_back(name.getValue());
    return names;
  }

  /// What the model says about itself: the cost of its layers, who reads whom,
  /// what is left out, and the options it was made with. To be called while the
  /// network is there.
  LogicalResult describe(mlir::ModuleOp module, std::string &description) {
    std::string cost;
    raw_string_ostream stream(cost);
    root::NetworkOp network = *module.getOps<root::NetworkOp>().begin();
    if (failed(emitCost(network, CostFormat::Json, stream)))
      return failure();
    Expected<json::Value> value = json::parse(cost);
    json::Object *object = value ? value->getAsObject() : nullptr;
    if (!object) {
      consumeError(value.takeError());
      reportError("the network's cost is not a JSON object");
      return failure();
    }
    (*object)["graph"] = layerGraph(network);
    (*object)["left_out"] = leftOut(network);
    (*object)["compiler"] = "rootc " ROOTC_VERSION;
    (*object)["options"] =
        json::Object{{"root", options.root},
                     {"topology", options.topology},
                     {"groups", options.groups},
                     {"classes", options.classes},
                     {"freeze", options.freeze},
                     {"label_smoothing", options.labelSmoothing},
                     {"class_weights", json::Array(options.classWeights)},
                     {"image", options.image},
                     {"recompute", options.recompute},
                     {"winograd", options.winograd},
                     {"precision", options.bf16 ? "bf16" : "f32"},
                     {"keep_responses", options.keepResponses}};
    description = formatv("{0}", *value);
    return success();
  }

  LogicalResult write(StringRef content) {
    Error error = codegen::writeOutput(options.output, content);
    if (!error)
      return success();
    reportError(toString(std::move(error)));
    return failure();
  }

  LogicalResult emitText(function_ref<LogicalResult(raw_ostream &)> print) {
    std::string text;
    raw_string_ostream stream(text);
    if (failed(print(stream)))
      return failure();
    return write(text);
  }

  CostFormat costFormat() const {
    return options.format == "json"  ? CostFormat::Json
           : options.format == "csv" ? CostFormat::Csv
                                     : CostFormat::Text;
  }

  /// What is frozen is compared with a copy of the network in which nothing is.
  LogicalResult emitTrainingCosts(mlir::ModuleOp module,
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
                       options.batch ? options.batch : 32, costFormat(),
                       stream);
      return success();
    });
  }

  LogicalResult emitExplanation(mlir::ModuleOp module) {
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
                            options.machine, profile->machine.threads,
                            threads));
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

  LogicalResult emitOnnx(mlir::ModuleOp module,
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

  /// Adds what kernels of a training step need of scratch memory.
  static std::string withScratch(const std::string &description,
                                 const codegen::Model &model) {
    int64_t bytes = 0;
    for (const codegen::Program &program : model.programs)
      if (program.kind == codegen::ProgramKind::Train)
        for (const codegen::Call &call : program.calls)
          bytes = std::max(bytes,
                           codegen::scratchBytes(model.kernels[call.kernel]));
    json::Value value = cantFail(json::parse(description));
    (*value.getAsObject())["scratch_bytes"] = bytes;
    return formatv("{0}", value);
  }

  std::string kernelProgram() const { return programFolder + "/rootc-kernel"; }

  int64_t threads() const {
    return options.threads ? options.threads : usualThreads();
  }

  /// Lets kernels take their schedules from --tuned or an autoscheduler.
  LogicalResult useSchedules(PipelineOptions &pipeline) {
    tuned.reset();
    // Of a library for a CPU as well, where they are meant for that.
    if (!variantFolder.empty() && codegen::backendOf(target).device)
      return success();
    if (options.autoscheduler) {
      codegen::AutoscheduledSchedule schedule;
      schedule.autoscheduler = options.autoscheduler;
      schedule.threads = threads();
      if (options.batch)
        schedule.batch = options.batch;
      pipeline.schedules = codegen::fromAutoscheduler(schedule);
    }
    if (options.tuned.empty())
      return success();
    Expected<std::string> generator = codegen::kernelGenerator(kernelProgram());
    if (!generator) {
      reportError(toString(generator.takeError()));
      return failure();
    }
    try {
      tuned.emplace(options.tuned,
                    codegen::TuneMachine{target.halide, cpuModel(), threads(),
                                         *generator},
                    options.batch);
    } catch (const std::exception &error) {
      reportError("--tuned: " + Twine(error.what()));
      return failure();
    }
    pipeline.schedules = [this](const codegen::Kernel &kernel) {
      return tuned->find(kernel);
    };
    return success();
  }

  /// What rootc-tune prints of something that takes long.
  LogicalResult
  emitTable(function_ref<Expected<std::string>(codegen::Progress &)> make) {
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

  LogicalResult suggest() {
    return emitTable([&](codegen::Progress &progress) {
      return suggestRoot(options, programFolder, progress);
    });
  }

  LogicalResult tune(mlir::ModuleOp module) {
    auto translated = translateToModel(module);
    if (failed(translated))
      return failure();
    codegen::TuneOptions from;
    from.database = options.tune.database;
    from.replay = options.tune.replay;
    from.target = target;
    from.cpu = cpuModel();
    from.threads = threads();
    from.batch = options.batch;
    from.seed = options.tune.seed;
    from.trials = options.tune.trials;
    from.budget = options.tune.budget;
    from.timingProgram = programFolder + "/rootc-time";
    return emitTable([&](codegen::Progress &progress) {
      from.compiler = compilerOptions(progress);
      return codegen::tuneModel(translated->model, from);
    });
  }

  codegen::KernelCompilerOptions
  compilerOptions(codegen::Progress &progress) const {
    codegen::KernelCompilerOptions compiler;
    compiler.program = kernelProgram();
    compiler.jobs = options.jobs;
    compiler.cacheDirectory = codegen::KernelCache::defaultDirectory();
    compiler.progress = [&](const std::string &what) { progress.say(what); };
    compiler.warn = [&](const std::string &message) {
      progress.erase();
      WithColor::warning(errs(), programName()) << message << "\n";
    };
    return compiler;
  }

  /// Gives the model the weights that its library is to hold.
  LogicalResult embed(codegen::Model &model,
                      const codegen::KernelCompilerOptions &kernels) {
    if (options.weights.empty())
      return success();
    if (options.kind == OutputKind::Header) {
      model.weights.emplace(); // declarations tell none of them
      return success();
    }
    EmbedOptions from;
    from.file = options.weights;
    from.slice = options.sliceWeights;
    from.kernels = kernels;
    from.message = kernels.warn;
    Expected<codegen::ModelWeights> weights = weightsToEmbed(model, from);
    if (!weights) {
      reportError(toString(weights.takeError()));
      return failure();
    }
    model.weights = std::move(*weights);
    return success();
  }

  LogicalResult emitCode(mlir::ModuleOp module,
                         const std::string &description) {
    auto translated = translateToModel(module);
    if (failed(translated))
      return failure();
    translated->model.description = withScratch(description, translated->model);
    codegen::EmitOptions emit;
    emit.kind = *emitKind(options.kind);
    emit.output = options.output;
    emit.target = target;
    codegen::Progress progress(codegen::ProgressOptions::standardError());
    emit.kernels = compilerOptions(progress);
    if (failed(embed(translated->model, emit.kernels))) {
      progress.erase();
      return failure();
    }
    bool good = true;
    if (!variantFolder.empty()) {
      variantModel.name = translated->model.name;
      if (translated->model.weights)
        variantModel.weights.emplace();
      if (std::optional<size_t> next = nextDevice(variants.size())) {
        variantModel.variant = codegen::variantSuffix(*next);
        translated->model.nextTarget = codegen::entryName(variantModel);
        variantModel.variant.clear();
      }
      translated->model.variant = codegen::variantSuffix(variants.size());
      emit.kind = codegen::EmitKind::Object;
      emit.output =
          variantFolder + "/variant" + translated->model.variant + ".o";
      variants.push_back(emit.output);
    }
    Error error = codegen::emitModel(translated->model, emit);
    progress.erase();
    handleAllErrors(
        std::move(error),
        [&](const codegen::KernelError &error) {
          good = false;
          mlir::emitError(translated->locations[error.kernel])
              << "kernel for '" << labelOf(translated->model, error.kernel)
              << "': " << error.message;
        },
        [&](const ErrorInfoBase &error) {
          good = false;
          reportError(error.message());
        });
    return success(good);
  }

  static std::string labelOf(const codegen::Model &model, size_t kernel) {
    for (const codegen::Program &program : model.programs)
      for (const codegen::Call &call : program.calls)
        if (call.kernel == int64_t(kernel))
          return call.label;
    return model.kernels[kernel].name;
  }
};

} // namespace

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
