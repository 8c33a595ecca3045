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

  FailureOr<TranslatedModel> translate(StringRef text, bool run = true,
                                       bool keepResponses = false) {
    ScopedDiagnosticHandler handler(
        &context, [&](Diagnostic &diagnostic) { error = diagnostic.str(); });
    module = parseSourceString<ModuleOp>(text, &context);
    if (!module)
      return failure();
    PassManager passes(&context);
    PipelineOptions options;
    options.keepResponses = keepResponses;
    if (run)
      buildPipeline(passes, options);
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
  for (const char *phase : {"pack filter", "statistics", "backward reduce"}) {
    bool norm = std::string(phase) != "pack filter";
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

using Names = std::vector<std::pair<std::string, std::string>>;

static Names namesOf(const codegen::Model &model) {
  Names names;
  for (const codegen::Response &response : model.responses)
    names.emplace_back(response.name, response.valueOf);
  return names;
}

TEST_F(TranslationTest, ResponsesAreWhatTheNextLayerReads) {
  // conv1 with its batch norm and ReLU is one kernel; conv3's has another
  // layer's response added; a user's name is no other layer's number.
  const char *text = R"(
root.network @responses(%image: !root.image<7x5x4>) classes(4) {
  %1 = root.conv2d "conv1" %image filters(8) kernel(3x3) pad(1)
  %2 = root.batch_norm "bn1" %1
  %3 = root.relu %2
  %4 = root.max_pool %3 kernel(2x2) stride(2) rounding(ceil)
  %5 = root.conv2d "relu_2" %4 filters(6) kernel(1x1)
  %6 = root.conv2d "conv3" %5 filters(6) kernel(3x3) pad(1)
  %7 = root.add %6, %5
  %8 = root.relu %7
  %9 = root.linear "fc" %8 outputs(4)
  root.output %9
}
)";
  auto result = translate(text, /*run=*/true, /*keepResponses=*/true);
  ASSERT_TRUE(succeeded(result)) << error;
  const codegen::Model &model = result->model;
  const codegen::Program &infer = programOf(model, codegen::ProgramKind::Infer);
  for (const codegen::Response &response : model.responses) {
    // Exactly what the call writes.
    const codegen::BufferRef &written =
        infer.calls[response.call].buffers.back();
    EXPECT_EQ(response.buffer.arena, written.arena) << response.name;
    EXPECT_EQ(response.buffer.offset, written.offset) << response.name;
    EXPECT_EQ(response.buffer.type, written.type) << response.name;
    EXPECT_EQ(response.order, 1) << response.name;
  }
  EXPECT_EQ(namesOf(model), (Names{{"conv1", "relu_1"},
                                   {"relu_1", "relu_1"},
                                   {"max_pool_1", "max_pool_1"},
                                   {"relu_2", "relu_2"},
                                   {"conv3", "relu_3"},
                                   {"add_1", "relu_3"},
                                   {"relu_3", "relu_3"},
                                   {"fc", "fc"}}));
  EXPECT_EQ(model.responses[0].call, model.responses[1].call);
  EXPECT_EQ(model.responses[0].buffer.type.shape,
            (std::vector<int64_t>{-1, 7, 5, 8}));
  EXPECT_EQ(model.responses[2].buffer.type.shape,
            (std::vector<int64_t>{-1, 4, 3, 8}));
  EXPECT_EQ(model.responses[2].buffer.arena, Arena::WorkspaceBatch);
  EXPECT_EQ(model.responses[7].buffer.arena, Arena::Logits);

  // Of a convolution computed within its pool's kernel there is none.
  auto joined = translate(text);
  ASSERT_TRUE(succeeded(joined)) << error;
  Names names = namesOf(joined->model);
  EXPECT_EQ(names.front(),
            (std::pair<std::string, std::string>("max_pool_1", "max_pool_1")));
  EXPECT_EQ(names.size(), 6u);
  EXPECT_TRUE(findCall(programOf(joined->model, codegen::ProgramKind::Infer),
                       "conv1 + max_pool_1 forward"));
}

TEST_F(TranslationTest, ResponsesOfGatesAndMoves) {
  // x sigmoid(x) is a function of x alone; a gate over the map is another's.
  auto result = translate(R"(
root.network @gates(%image: !root.image<7x5x4>) classes(4) {
  %1 = root.conv2d "stem" %image filters(8) kernel(3x3) pad(1)
  %2 = root.sigmoid %1
  %3 = root.multiply %1, %2
  %4 = root.global_average_pool %3
  %5 = root.conv2d "excite" %4 filters(8) kernel(1x1)
  %6 = root.hard_sigmoid %5
  %7 = root.multiply %3, %6
  %8 = root.conv2d "depthwise" %7 filters(8) kernel(3x3) pad(1) groups(8)
  %9 = root.clip %8 min(0) max(6)
  %10 = root.channel_shuffle %9 groups(2)
  %11 = root.slice_channels %10 begin(0) end(4)
  %12 = root.linear "fc" %11 outputs(4)
  root.output %12
}
)");
  ASSERT_TRUE(succeeded(result)) << error;
  EXPECT_EQ(namesOf(result->model),
            (Names{{"stem", "multiply_1"},
                   {"multiply_1", "multiply_1"},
                   {"global_average_pool_1", "global_average_pool_1"},
                   {"excite", "hard_sigmoid_1"},
                   {"hard_sigmoid_1", "hard_sigmoid_1"},
                   {"multiply_2", "multiply_2"},
                   {"depthwise", "clip_1"},
                   {"clip_1", "clip_1"},
                   {"channel_shuffle_1", "channel_shuffle_1"},
                   {"slice_channels_1", "slice_channels_1"},
                   {"fc", "fc"}}));
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
