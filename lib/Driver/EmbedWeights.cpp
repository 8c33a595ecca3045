//===- EmbedWeights.cpp - Weights for a library to hold -------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lib/Driver/EmbedWeights.h"
#include "codegen/Emit/Emit.h"
#include "codegen/Emit/Target.h"
#include "codegen/Emit/TemporaryFolder.h"
#include "rootc/runtime.h"

#include <exception>

using namespace rootc;

/// The model with its prepare program alone.
static codegen::Model preparing(const codegen::Model &model) {
  codegen::Model result = model;
  result.programs.clear();
  result.kernels.clear();
  result.responses.clear();
  for (const codegen::Program &program : model.programs) {
    if (program.kind != codegen::ProgramKind::Prepare)
      continue;
    result.programs.push_back(program);
    std::map<int64_t, int64_t> places;
    for (codegen::Call &call : result.programs.back().calls) {
      auto [place, isNew] =
          places.try_emplace(call.kernel, int64_t(result.kernels.size()));
      if (isNew)
        result.kernels.push_back(model.kernels[size_t(call.kernel)]);
      call.kernel = place->second;
    }
  }
  return result;
}

/// One mean a channel, where all its pixels have the same.
static std::vector<float> shortMean(const FloatArray &mean, size_t channels) {
  for (size_t i = channels; i < mean.size(); ++i)
    if (mean[i] != mean[i - channels])
      return {mean.begin(), mean.end()};
  return {mean.begin(), mean.begin() + std::ptrdiff_t(channels)};
}

llvm::Expected<codegen::ModelWeights>
rootc::weightsToEmbed(const codegen::Model &model,
                      const EmbedOptions &options) {
  auto folder = codegen::TemporaryFolder::create();
  if (!folder)
    return folder.takeError();
  codegen::EmitOptions emit;
  emit.output = folder->path() + "/prepare.so";
  emit.target = llvm::cantFail(codegen::parseTarget("host"));
  emit.kernels = options.kernels;
  if (llvm::Error error = codegen::emitModel(preparing(model), emit))
    return error;
  try {
    Model opened = Model::open(emit.output);
    // Messages are to name the model, not the file.
    Model library = Model::adopt(opened.operator->());
    Weights weights =
        Weights::load(library, options.file, options.slice, options.message);
    if (weights.inputMean.empty() || weights.inputScale.empty())
      return llvm::createStringError(
          options.file +
          ": has no tensors 'input.mean' and 'input.scale', with which images "
          "are normalised; use the weights that 'rootrun train' wrote");
    Prepared prepared(library, weights);
    codegen::ModelWeights result;
    result.prepared.assign(static_cast<const char *>(prepared.data()),
                           size_t(model.preparedBytes));
    result.mean = shortMean(weights.inputMean, size_t(model.channels));
    result.scale.assign(weights.inputScale.begin(), weights.inputScale.end());
    if (weights.classNames.size() == size_t(model.classes))
      result.classNames = weights.classNames;
    return result;
  } catch (const std::exception &error) {
    return llvm::createStringError(error.what());
  }
}
