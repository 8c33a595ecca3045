//===- Compiler.cpp - From a network to what is asked for ----------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lib/Driver/Compiler.h"
#include "codegen/Emit/KernelCache.h"
#include "codegen/Emit/OutputFile.h"
#include "codegen/Emit/TemporaryFolder.h"
#include "codegen/Schedules/Backend.h"
#include "codegen/Schedules/Families.h"
#include "dialect/LossAttributes.h"
#include "dialect/Remarks.h"
#include "dialect/RootDialect.h"
#include "dialect/SourceText.h"
#include "lib/Analysis/LayerGraph.h"
#include "lib/Driver/Diagnostics.h"
#include "lib/Driver/ThisMachine.h"
#include "lib/Driver/TrainingCost.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/SourceMgr.h"
#include "llvm/Support/WithColor.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;
using namespace rootc;

void rootc::reportError(const Twine &message) {
  WithColor::error(errs(), programName()) << message << "\n";
}

/// A protocol buffer that begins with a small number as field 1, which is the
/// version of ONNX's format. No text begins with such bytes.
static bool isOnnx(StringRef bytes) {
  return bytes.size() > 1 && bytes[0] == '\b' && bytes[1] > 0 && bytes[1] < ' ';
}

Compiler::Compiler(const Options &options, std::string programFolder)
    : options(options), programFolder(std::move(programFolder)) {
  compileFor(options.target);
  context.disableMultithreading(); // aborts where threads cannot be started
  context.loadDialect<root::RootDialect>();
  context.printOpOnDiagnostic(false);
}

void Compiler::compileFor(const codegen::TargetInfo &next) {
  target = next;
  target.batch = options.batch;
  target.threads = threads();
}

/// A library, or what one is linked of.
static bool isBinary(OutputKind kind) {
  return kind == OutputKind::SharedLibrary ||
         kind == OutputKind::StaticLibrary || kind == OutputKind::Object;
}

int Compiler::run() {
  times.begin("reading");
  int code = runOnce();
  if (options.time)
    errs() << times.table();
  return code;
}

int Compiler::runOnce() {
  if (!options.tune.take.empty())
    return succeeded(take()) ? 0 : 1;
  if (!options.tune.exported.empty())
    return succeeded(exportRecords()) ? 0 : 1;
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
  std::string problem = root::checkSourceText((*buffer)->getBufferIdentifier(),
                                              (*buffer)->getBuffer());
  if (!problem.empty()) {
    errs() << problem << "\n";
    return 1;
  }
  SourceMgr sources;
  sources.AddNewSourceBuffer(std::move(*buffer), SMLoc());
  mlir::ScopedDiagnosticHandler handler(&context,
                                        [&](mlir::Diagnostic &diagnostic) {
                                          printDiagnostic(diagnostic, sources);
                                          return success();
                                        });
  auto module = mlir::parseSourceFile<mlir::ModuleOp>(sources, &context);
  if (!module)
    return 1;
  if (options.kind == OutputKind::Suggestion)
    return succeeded(suggest()) ? 0 : 1;
  if (options.targets.size() > 1 && isBinary(options.kind))
    return succeeded(compileForSeveral(*module)) ? 0 : 1;
  return succeeded(compile(*module)) ? 0 : 1;
}

LogicalResult Compiler::compileForSeveral(mlir::ModuleOp module) {
  Expected<codegen::TemporaryFolder> folder =
      codegen::TemporaryFolder::create();
  if (!folder) {
    reportError(toString(folder.takeError()));
    return failure();
  }
  variantFolder = folder->path();
  for (const codegen::TargetInfo &next : options.targets) {
    compileFor(next);
    mlir::OwningOpRef<mlir::ModuleOp> copy = module.clone();
    if (failed(compile(*copy)))
      return failure();
  }
  Error error = joinVariants();
  if (!error)
    return success();
  reportError(toString(std::move(error)));
  return failure();
}

LogicalResult Compiler::compile(mlir::ModuleOp module) {
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
  times.begin("passes over the network");
  if (failed(runPasses(module, buildNetworkPipeline, pipeline)) ||
      failed(useSchedules(pipeline)))
    return failure();
  if (options.kind == OutputKind::Explain)
    root::askForRemarks(module);
  std::string description;
  if (options.kind != OutputKind::Cost && failed(describe(module, description)))
    return failure();
  times.begin("passes over the programs");
  if (options.kind != OutputKind::Cost && options.kind != OutputKind::Onnx &&
      failed(runPasses(module, buildModelPipeline, pipeline)))
    return failure();
  if (tuned && !tuned->problem().empty()) {
    reportError("--tuned: " + tuned->problem());
    return failure();
  }
  if (tuned && !tuned->remark().empty())
    WithColor::remark(errs(), programName()) << tuned->remark() << "\n";
  times.begin("writing");
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

LogicalResult Compiler::setLoss(root::NetworkOp network) {
  mlir::Builder builder(&context);
  auto [smoothing, weights] = root::lossAttributeNames;
  mlir::Operation *output = network.getOutput();
  if (options.labelSmoothing > 0)
    output->setAttr(smoothing, builder.getF64FloatAttr(options.labelSmoothing));
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

LogicalResult Compiler::runPasses(mlir::ModuleOp module,
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

LogicalResult Compiler::describe(mlir::ModuleOp module,
                                 std::string &description) {
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
                   {"precision", options.operandBits == 19             ? "tf32"
                                 : options.operandBits || options.bf16 ? "bf16"
                                                                       : "f32"},
                   {"keep_responses", options.keepResponses}};
  description = formatv("{0}", *value);
  return success();
}

LogicalResult Compiler::useSchedules(PipelineOptions &pipeline) {
  tuned.reset();
  if (options.operandBits)
    pipeline.schedules = codegen::fromTensorCores(options.operandBits, target);
  // In a library for a CPU as well they are meant for that.
  if (options.autoscheduler &&
      (variantFolder.empty() || !codegen::backendOf(target).device)) {
    codegen::AutoscheduledSchedule schedule;
    schedule.autoscheduler = options.autoscheduler;
    schedule.threads = threads();
    if (options.batch)
      schedule.batch = options.batch;
    pipeline.schedules = codegen::fromAutoscheduler(schedule);
  }
  // A search begins with the rules; C++ source has loops of its own.
  if (pipeline.schedules || !options.useRecords ||
      options.kind == OutputKind::Tuning || options.kind == OutputKind::Cpp)
    return success();
  // What comes with rootc is for the kernels of CPUs.
  if (options.tuned.empty() &&
      (codegen::backendOf(target).device || options.kind == OutputKind::Cost ||
       options.kind == OutputKind::Onnx))
    return success();
  auto generator = codegen::KernelGenerator::of(kernelProgram());
  if (!generator) {
    // What needs that program will say so; without a database, rules do.
    if (options.tuned.empty()) {
      consumeError(generator.takeError());
      return success();
    }
    reportError(toString(generator.takeError()));
    return failure();
  }
  try {
    tuned.emplace(options.tuned, std::move(*generator), target,
                  tuneMachine(options.tuned), options.batch,
                  codegen::ShippedRecords::builtIn());
  } catch (const std::exception &error) {
    reportError("--tuned: " + Twine(error.what()));
    return failure();
  }
  pipeline.schedules = [this](const codegen::Kernel &kernel, bool packsOnce) {
    return tuned->find(kernel, packsOnce);
  };
  return success();
}

codegen::TuneMachine Compiler::tuneMachine(const std::string &database) const {
  codegen::TuneMachine machine{target.halide, options.measuredOn, threads()};
  bool device = codegen::backendOf(target).device;
  if (device)
    machine.threads = 1;
  if (!machine.cpu.empty())
    return machine;
  if (!device) {
    machine.cpu = cpuModel();
    return machine;
  }
  if (!sys::fs::exists(database))
    return machine;
  using codegen::TuneDatabase;
  std::vector<std::string> names =
      TuneDatabase(database, TuneDatabase::Mode::Read).machines(target.halide);
  if (names.size() > 1)
    throw std::runtime_error(database + ": has records of several devices: '" +
                             join(names, "', '") +
                             "'; say with --measured-on which are meant");
  if (!names.empty())
    machine.cpu = names.front();
  return machine;
}

codegen::KernelCompilerOptions
Compiler::compilerOptions(codegen::Progress &progress) const {
  codegen::KernelCompilerOptions compiler;
  compiler.program = kernelProgram();
  compiler.jobs = options.jobs;
  compiler.cacheDirectory = codegen::KernelCache::defaultDirectory();
  compiler.progress = [&](const codegen::Activity &now) { progress.say(now); };
  compiler.times = options.time ? &times : nullptr;
  compiler.warn = [&](const std::string &message) {
    progress.erase();
    WithColor::warning(errs(), programName()) << message << "\n";
  };
  return compiler;
}
