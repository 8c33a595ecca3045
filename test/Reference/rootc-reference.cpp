//===- rootc-reference.cpp - A network by the reference alone -------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What `rootc` and then `rootrun run` or `rootrun grad` do, with the compiler's
// passes and memory plan but the reference's ops in place of kernels: tells
// faults of the passes from faults of the kernels.
//
//===----------------------------------------------------------------------===//

#include "dialect/RootDialect.h"
#include "lib/Pipelines/Pipelines.h"
#include "lib/Reference/Reference.h"
#include "lib/Translation/Translation.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "runtime/src/Npy.h"
#include "runtime/src/Safetensors.h"

#include <cmath>
#include <cstdio>
#include <cstring>
#include <limits>
#include <numeric>

using namespace rootc;
using codegen::Arena;
using codegen::ProgramKind;
using codegen::TensorInfo;
using reference::Arenas;
using reference::toBytes;

namespace {

using Flags = std::map<std::string, std::string>;

/// "--name value" or "--name=value".
Flags parseFlags(int count, char **arguments) {
  Flags flags;
  for (int i = 0; i < count; ++i) {
    std::string text = arguments[i];
    size_t equals = text.find('=');
    if (text.starts_with("-") && equals != std::string::npos)
      flags[text.substr(0, equals)] = text.substr(equals + 1);
    else if (text.starts_with("-") && i + 1 < count)
      flags[text] = arguments[++i];
    else
      fail("unexpected argument '{}'", text);
  }
  return flags;
}

codegen::Model compile(const std::string &path, const Flags &flags) {
  mlir::MLIRContext context;
  context.loadDialect<root::RootDialect>();
  auto module = mlir::parseSourceFile<mlir::ModuleOp>(path, &context);
  if (!module)
    fail("{}: cannot be parsed", path);
  PipelineOptions options;
  if (flags.contains("--root"))
    options.root = std::stoll(flags.at("--root"));
  mlir::PassManager passes(&context);
  buildNetworkPipeline(passes, options);
  buildModelPipeline(passes, options);
  if (failed(passes.run(*module)))
    fail("{}: the passes failed", path);
  auto translated = translateToModel(*module);
  if (failed(translated))
    fail("{}: cannot be translated", path);
  return translated->model;
}

int64_t sizeOf(const std::vector<int64_t> &shape) {
  return std::accumulate(shape.begin(), shape.end(), int64_t(1),
                         std::multiplies<>());
}

std::vector<float> nans(int64_t count) {
  return std::vector<float>(count, std::numeric_limits<float>::quiet_NaN());
}

/// Reads the weights file into the parameter and the statistic arena.
void loadWeights(const codegen::Model &model, const std::string &path,
                 Arenas &arenas) {
  Safetensors file = Safetensors::read(path);
  std::vector<float> parameters(model.parameterCount),
      statistics(model.statisticCount);
  for (const TensorInfo &tensor : model.tensors)
    file.copy(tensor.name, tensor.shape,
              (tensor.statistic ? statistics : parameters).data() +
                  tensor.offset);
  arenas[Arena::Parameters] = toBytes(parameters);
  arenas[Arena::Statistics] = toBytes(statistics);
}

void infer(const codegen::Model &model, int64_t batch,
           const std::string &output, Arenas &arenas) {
  arenas[Arena::Prepared].resize(model.preparedBytes, std::byte(0xff));
  reference::run(model, ProgramKind::Prepare, 1, arenas);
  arenas[Arena::Logits] = toBytes(nans(batch * model.classes));
  reference::run(model, ProgramKind::Infer, batch, arenas);
  auto logits = reference::fromBytes<float>(arenas[Arena::Logits]);
  writeNpy(output, {batch, model.classes}, logits.data());
}

void grad(const codegen::Model &model, int64_t batch, const Flags &flags,
          Arenas &arenas) {
  std::vector<int64_t> samples(batch);
  std::iota(samples.begin(), samples.end(), 0);
  arenas[Arena::Labels] =
      toBytes(NpyArray::read(flags.at("--labels")).integers());
  arenas[Arena::Samples] = toBytes(samples);
  arenas[Arena::Random] =
      toBytes(std::vector<int64_t>{std::stoll(flags.at("--seed")), 0});
  arenas[Arena::Gradients] = toBytes(nans(model.parameterCount));
  arenas[Arena::Loss] = toBytes(nans(1));
  arenas[Arena::InputGradient].resize(arenas[Arena::Image].size());
  Arenas forTraining = arenas;
  forTraining.erase(Arena::InputGradient);
  reference::run(model, ProgramKind::Grad, batch, arenas);
  reference::run(model, ProgramKind::Train, batch, forTraining);

  auto gradients = reference::fromBytes<float>(arenas[Arena::Gradients]);
  auto trained = reference::fromBytes<float>(forTraining[Arena::Gradients]);
  auto loss = reference::fromBytes<float>(arenas[Arena::Loss]);
  auto image = reference::fromBytes<float>(arenas[Arena::InputGradient]);
  SafetensorsWriter writer;
  for (const TensorInfo &tensor : model.tensors) {
    if (tensor.statistic)
      continue;
    // Sums and products inside a kernel are not rounded, and the two programs
    // may have fused differently.
    float error = 0, largest = 0;
    for (int64_t i = 0; i < sizeOf(tensor.shape); ++i) {
      float value = gradients[tensor.offset + i];
      largest = std::max(largest, std::fabs(value));
      error = std::max(error, std::fabs(value - trained[tensor.offset + i]));
    }
    if (!(error <= 1e-6f * largest))
      fail("train and grad differ in the gradient of '{}'", tensor.name);
    writer.add(tensor.name, tensor.shape, &gradients[tensor.offset]);
  }
  writer.add("loss", {}, loss.data());
  writer.add("input", {batch, model.height, model.width, model.channels},
             image.data());
  writer.write(flags.at("-o"));
}

} // namespace

int main(int argc, char **argv) {
  try {
    std::string verb = argc > 2 ? argv[1] : "";
    if (verb != "run" && verb != "grad")
      fail("usage: rootc-reference run|grad NET.mlir [--root=N] --weights W "
           "--input X [--labels L --seed N] -o OUT");
    Flags flags = parseFlags(argc - 3, argv + 3);
    codegen::Model model = compile(argv[2], flags);
    Arenas arenas;
    loadWeights(model, flags.at("--weights"), arenas);
    NpyArray image = NpyArray::read(flags.at("--input"));
    auto pixels = image.floats();
    arenas[Arena::Image] =
        toBytes(std::vector<float>(pixels.begin(), pixels.end()));
    int64_t batch = image.shape.at(0);
    if (verb == "run")
      infer(model, batch, flags.at("-o"), arenas);
    else
      grad(model, batch, flags, arenas);
    return 0;
  } catch (const std::exception &error) {
    std::fprintf(stderr, "rootc-reference: error: %s\n", error.what());
    return 1;
  }
}
