//===- CompilerCode.cpp - Libraries and other code -----------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/Emit/HostCode.h"
#include "codegen/Schedules/Backend.h"
#include "lib/Driver/Compiler.h"
#include "lib/Driver/Diagnostics.h"
#include "lib/Driver/EmbedWeights.h"
#include "lib/Translation/Translation.h"
#include "mlir/IR/Diagnostics.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;
using namespace rootc;

static std::optional<codegen::EmitKind> emitKind(OutputKind kind) {
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

/// Adds what kernels of a training step need of scratch memory.
static std::string withScratch(const std::string &description,
                               const codegen::Model &model) {
  int64_t bytes = 0;
  for (const codegen::Program &program : model.programs)
    if (program.kind == codegen::ProgramKind::Train)
      for (const codegen::Call &call : program.calls)
        bytes =
            std::max(bytes, codegen::scratchBytes(model.kernels[call.kernel]));
  json::Value value = cantFail(json::parse(description));
  (*value.getAsObject())["scratch_bytes"] = bytes;
  return formatv("{0}", value);
}

static std::string labelOf(const codegen::Model &model, size_t kernel) {
  for (const codegen::Program &program : model.programs)
    for (const codegen::Call &call : program.calls)
      if (call.kernel == int64_t(kernel))
        return call.label;
  return model.kernels[kernel].name;
}

std::optional<size_t> Compiler::nextDevice(size_t index) const {
  while (++index < options.targets.size())
    if (codegen::backendOf(options.targets[index]).device)
      return index;
  return std::nullopt;
}

LogicalResult Compiler::embed(codegen::Model &model,
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

LogicalResult Compiler::emitCode(mlir::ModuleOp module,
                                 const std::string &description) {
  times.begin("translation");
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
  if (!options.weights.empty())
    times.begin("weights");
  if (failed(embed(translated->model, emit.kernels))) {
    progress.erase();
    return failure();
  }
  emit.kernels.label = [&](size_t kernel) {
    return labelOf(translated->model, kernel);
  };
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
    emit.output = variantFolder + "/variant" + translated->model.variant + ".o";
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

/// Links what has been compiled for each target into one.
Error Compiler::joinVariants() {
  codegen::EmitOptions emit;
  emit.kind = *emitKind(options.kind);
  emit.output = options.output;
  emit.target = options.target;
  return codegen::joinVariants(variantModel, variants, emit);
}
