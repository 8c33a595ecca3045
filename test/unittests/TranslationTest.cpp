//===- TranslationTest.cpp - From a network to plain structs --------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lib/Translation/Translation.h"
#include "lib/Pipelines/Pipelines.h"

#include "mlir/IR/Diagnostics.h"
#include "mlir/Parser/Parser.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

using namespace mlir;
using namespace rootc;
using codegen::Arena;

namespace {
/// Two equal modules of convolution, batch norm and ReLU, then a pool.
const char *network = R"(
root.network @twice(%image: !root.image<6x6x4>) classes(4) {
  %1 = root.conv2d "conv1" %image filters(4) kernel(3x3) pad(1)
  %2 = root.batch_norm "bn1" %1
  %3 = root.relu %2
  %4 = root.conv2d "conv2" %3 filters(4) kernel(3x3) pad(1)
  %5 = root.batch_norm "bn2" %4
  %6 = root.relu %5
  %7 = root.global_average_pool %6
  root.output %7
}
)";

class TranslationTest : public testing::Test {
protected:
  TranslationTest() { context.loadDialect<root::RootDialect>(); }

  FailureOr<TranslatedModel> translate(StringRef text, bool run = true) {
    ScopedDiagnosticHandler handler(
        &context, [&](Diagnostic &diagnostic) { error = diagnostic.str(); });
    module = parseSourceString<ModuleOp>(text, &context);
    if (!module)
      return failure();
    PassManager passes(&context);
    if (run)
      buildPipeline(passes, PipelineOptions());
    if (failed(passes.run(*module)))
      return failure();
    return translateToModel(*module);
  }

  MLIRContext context;
  OwningOpRef<ModuleOp> module;
  std::string error;
};

const codegen::Program &programOf(const codegen::Model &model,
                                  codegen::ProgramKind kind) {
  return *std::find_if(
      model.programs.begin(), model.programs.end(),
      [&](const codegen::Program &program) { return program.kind == kind; });
}

const codegen::Call *findCall(const codegen::Program &program,
                              const std::string &label) {
  for (const codegen::Call &call : program.calls)
    if (call.label == label)
      return &call;
  return nullptr;
}
} // namespace

TEST_F(TranslationTest, EqualKernelsBecomeOne) {
  auto result = translate(network);
  ASSERT_TRUE(succeeded(result)) << error;
  const codegen::Model &model = result->model;
  const codegen::Program &train = programOf(model, codegen::ProgramKind::Train);
  for (const char *phase : {"forward", "backward filter", "normalize"}) {
    bool norm = std::string(phase) == "normalize";
    const codegen::Call *first =
        findCall(train, std::string(norm ? "bn1 " : "conv1 ") + phase);
    const codegen::Call *second =
        findCall(train, std::string(norm ? "bn2 " : "conv2 ") + phase);
    ASSERT_TRUE(first && second) << phase;
    EXPECT_EQ(first->kernel, second->kernel) << phase;
  }
  std::set<std::string> signatures, names;
  for (const codegen::Kernel &kernel : model.kernels) {
    signatures.insert(codegen::signature(kernel));
    names.insert(kernel.name);
    EXPECT_EQ(kernel.name.rfind("twice_k", 0), 0u) << kernel.name;
  }
  EXPECT_EQ(signatures.size(), model.kernels.size());
  EXPECT_EQ(names.size(), model.kernels.size());
  EXPECT_EQ(result->locations.size(), model.kernels.size());
}

TEST_F(TranslationTest, BuffersMatchTheirKernels) {
  auto result = translate(network);
  ASSERT_TRUE(succeeded(result)) << error;
  for (const codegen::Program &program : result->model.programs)
    for (const codegen::Call &call : program.calls) {
      const codegen::Kernel &kernel = result->model.kernels[call.kernel];
      ASSERT_EQ(call.buffers.size(),
                kernel.inputs.size() + kernel.outputs.size());
      for (size_t i = 0; i < call.buffers.size(); ++i) {
        const codegen::BufferRef &buffer = call.buffers[i];
        EXPECT_EQ(buffer.type,
                  i < kernel.inputs.size()
                      ? kernel.inputs[i]
                      : kernel.type(kernel.outputs[i - kernel.inputs.size()]));
        EXPECT_EQ(buffer.offset % 64, 0);
      }
    }
}

TEST_F(TranslationTest, ArgumentsLieWhereCallersExpectThem) {
  auto result = translate(network);
  ASSERT_TRUE(succeeded(result)) << error;
  const codegen::Model &model = result->model;
  EXPECT_EQ(model.height, 6);
  EXPECT_EQ(model.channels, 4);
  EXPECT_EQ(model.classes, 4);
  // Two filters of 4 x 3 x 3 x 4 floats decay.
  EXPECT_EQ(model.decayedCount, 288);
  auto tensor = [&](const std::string &name) {
    return *std::find_if(
        model.tensors.begin(), model.tensors.end(),
        [&](const codegen::TensorInfo &info) { return info.name == name; });
  };
  const codegen::Program &train = programOf(model, codegen::ProgramKind::Train);
  const codegen::Call *call = findCall(train, "conv2 backward filter");
  ASSERT_TRUE(call);
  EXPECT_EQ(call->buffers.back().arena, Arena::Gradients);
  EXPECT_EQ(call->buffers.back().offset, tensor("conv2.filter").offset * 4);
  EXPECT_EQ(tensor("conv2.filter").fanIn, 36);

  // Running statistics are updated in place.
  int updates = 0;
  for (const codegen::Call &update : train.calls) {
    if (model.kernels[update.kernel].ops[0].name != "running_average")
      continue;
    ++updates;
    EXPECT_EQ(update.buffers[0].arena, Arena::Statistics);
    EXPECT_EQ(update.buffers[2].arena, Arena::Statistics);
    EXPECT_EQ(update.buffers[0].offset, update.buffers[2].offset);
  }
  EXPECT_EQ(updates, 4);
}

TEST_F(TranslationTest, WhatIsNotPlannedIsRefused) {
  EXPECT_TRUE(failed(translate("", false)));
  EXPECT_NE(error.find("holds no root.model"), std::string::npos) << error;
  EXPECT_TRUE(
      failed(translate("root.model @m image(1x1x1) classes(1) {}", false)));
  EXPECT_NE(error.find("run root-plan-memory"), std::string::npos) << error;
  EXPECT_TRUE(failed(translate("root.model @a image(1x1x1) classes(1) {}"
                               "root.model @b image(1x1x1) classes(1) {}",
                               false)));
  EXPECT_NE(error.find("a library holds one model"), std::string::npos)
      << error;
}
