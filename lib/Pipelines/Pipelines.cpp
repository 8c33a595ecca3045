//===- Pipelines.cpp - The passes from a network to kernels ---------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lib/Pipelines/Pipelines.h"

#include "codegen/Schedules/Backend.h"
#include "dialect/RootDialect.h"
#include "lib/Transforms/ChooseSchedules.h"

#include "mlir/Pass/PassOptions.h"
#include "mlir/Pass/PassRegistry.h"

using namespace mlir;
using namespace rootc;

void rootc::buildNetworkPipeline(OpPassManager &passes,
                                 const PipelineOptions &options) {
  OpPassManager &network = passes.nest<root::NetworkOp>();

  // Stages are counted at the image size that the file declares, so groups come
  // before another image size does.
  if (options.root != 0 || !options.groups.empty())
    network.addPass(
        createTopology({options.root, options.topology, options.groups}));

  if (options.classes)
    network.addPass(createReplaceClassifier({options.classes}));
  if (!options.freeze.empty())
    network.addPass(createFreezeLayers({options.freeze}));

  network.addPass(createInferShapes({options.image}));
}

void rootc::buildModelPipeline(OpPassManager &passes,
                               const PipelineOptions &options) {
  const codegen::TargetInfo &target = options.target;

  // Layers become primitive ops with explicit parameters: @infer, @train and
  // @update.
  passes.addPass(createBuildPrograms({options.inferOnly}));

  OpPassManager &model = passes.nest<root::ModelOp>();

  // Batch norm goes into filters, in inference and of frozen layers.
  model.addPass(createFoldBatchNorm());

  // The backward network; @grad also keeps the gradient of the image.
  if (!options.inferOnly)
    model.addPass(createAutodiff());

  // Small groups lie innermost where their neighbours allow it.
  const codegen::Backend &backend = codegen::backendOf(target);
  if (backend.orders)
    model.addPass(
        createChooseChannelOrders({target.vectorBits, target.registers,
                                   options.bf16 && options.matrices}));

  // Filters in the order in which the kernels read them.
  model.addPass(createPackFilters(
      {target.vectorBits, target.registers,
       options.winograd && backend.winograd && !options.bf16, target.halide,
       options.bf16 && options.matrices, target.batch, target.threads}));

  // What of @infer depends on parameters alone is done once, by @prepare.
  model.addPass(createHoistPrepare());

  // Kernels: what is computed in one go, how, and where the results lie.
  model.addPass(createFuseKernels());
  if (!options.keepResponses && backend.joins)
    model.addPass(createJoinKernels());
  if (options.recompute)
    model.addPass(createRecompute());

  // Half the bytes for what lies between kernels.
  if (options.bf16)
    model.addPass(createNarrowStorage());

  model.addPass(
      createChooseSchedules({target.halide, target.vectorBits, target.registers,
                             target.batch, target.threads},
                            options.schedules));
  model.addPass(createPlanMemory());
  model.addPass(createCheckMemoryPlan());
}

void rootc::buildPipeline(OpPassManager &passes,
                          const PipelineOptions &options) {
  buildNetworkPipeline(passes, options);
  buildModelPipeline(passes, options);
}

namespace {
struct CommandLineOptions : PassPipelineOptions<CommandLineOptions> {
  Option<int64_t> root{*this, "root", llvm::cl::desc("Groups at stage 0")};
  Option<std::string> topology{*this, "topology",
                               llvm::cl::desc("root, tree or column"),
                               llvm::cl::init("root")};
  Option<std::string> groups{*this, "groups",
                             llvm::cl::desc("NAME=GROUPS,...")};
  Option<int64_t> classes{*this, "classes",
                          llvm::cl::desc("Number of classes")};
  Option<std::string> freeze{*this, "freeze", llvm::cl::desc("PATTERN,...")};
  Option<std::string> image{*this, "image", llvm::cl::desc("HEIGHTxWIDTH")};
  Option<bool> inferOnly{*this, "infer-only",
                         llvm::cl::desc("No training programs")};
  Option<bool> recompute{*this, "recompute",
                         llvm::cl::desc("Trade time for memory in training")};
  Option<bool> winograd{
      *this, "winograd",
      llvm::cl::desc("Winograd's convolution where it is faster"),
      llvm::cl::init(true)};
  Option<bool> bf16{*this, "bf16",
                    llvm::cl::desc("Maps and packed filters as bf16")};
};
} // namespace

void rootc::registerPipelines() {
  static PassPipelineRegistration<CommandLineOptions> pipeline(
      "root-pipeline", "All passes from a network to kernels",
      [](OpPassManager &passes, const CommandLineOptions &from) {
        PipelineOptions options;
        options.root = from.root;
        options.topology = from.topology;
        options.groups = from.groups;
        options.classes = from.classes;
        options.freeze = from.freeze;
        options.image = from.image;
        options.inferOnly = from.inferOnly;
        options.recompute = from.recompute;
        options.winograd = from.winograd;
        options.bf16 = from.bf16;
        buildPipeline(passes, options);
      });
}
