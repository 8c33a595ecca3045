//===- EmitTest.cpp - Generated libraries of a hand-made model ------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/Emit/Emit.h"
#include "HandMadeModel.h"
#include "codegen/Emit/Target.h"
#include "codegen/Emit/TemporaryFolder.h"
#include "rootc/model.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <thread>
#include <unistd.h>

using namespace rootc::codegen;

namespace {

EmitOptions optionsFor(EmitKind kind, std::string output) {
  EmitOptions options;
  options.kind = kind;
  options.output = std::move(output);
  options.target = llvm::cantFail(parseTarget("host"));
  options.kernels.program = ROOTC_KERNEL;
  return options;
}

/// A library of the hand-made model, opened.
class Library {
public:
  explicit Library(const std::string &name)
      : folder(llvm::cantFail(TemporaryFolder::create())) {
    path = folder.path() + "/" + name + ".so";
    llvm::Error error = emitModel(handMadeModel(name),
                                  optionsFor(EmitKind::SharedLibrary, path));
    if (error) {
      ADD_FAILURE() << llvm::toString(std::move(error));
      return;
    }
    open(name);
  }
  ~Library() {
    if (handle)
      dlclose(handle);
  }

  void open(const std::string &name) {
    handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    ASSERT_NE(handle, nullptr) << dlerror();
    auto entry = reinterpret_cast<const rootc_model *(*)()>(
        dlsym(handle, (name + "_model").c_str()));
    ASSERT_NE(entry, nullptr) << dlerror();
    model = entry();
  }

  TemporaryFolder folder;
  std::string path;
  void *handle = nullptr;
  const rootc_model *model = nullptr;
};

/// Memory at a multiple of 64 bytes.
struct Aligned {
  explicit Aligned(size_t bytes)
      : data(aligned_alloc(64, (bytes + 63) & ~63)) {}
  ~Aligned() { free(data); }
  void *data;
};

/// Runs the hand-made model on a batch and checks its logits.
void checkInference(const rootc_model &model, rootc_context &context,
                    int64_t batch) {
  size_t bytes = model.workspace_bytes(ROOTC_INFER, batch);
  ASSERT_EQ(bytes, size_t(batch) * 128 + 64);
  Aligned workspace(bytes);
  context.workspace = workspace.data;
  context.workspace_bytes = bytes;
  std::vector<float> image(batch * 5), logits(batch * 5, -77);
  for (size_t i = 0; i < image.size(); ++i)
    image[i] = float(i % 7) - 3;
  ASSERT_EQ(model.infer(&context, batch, image.data(), nullptr, logits.data()),
            ROOTC_OK)
      << context.error;
  for (size_t i = 0; i < image.size(); ++i)
    ASSERT_EQ(logits[i], std::max(0.0f, 2 * image[i])) << i;
}

/// Reads the hand-made model's responses as its table says, while it infers.
void checkResponses(const rootc_model &model) {
  ASSERT_EQ(model.response_count, 3);
  const char *const names[] = {"middle", "first", "out"};
  for (int i = 0; i < 3; ++i) {
    const rootc_response &response = model.responses[i];
    EXPECT_STREQ(response.name, names[i]);
    EXPECT_STREQ(response.value_of, i == 0 ? "middle" : "out");
    EXPECT_EQ(response.call, i == 0 ? 0 : 1);
    EXPECT_EQ(response.arena,
              i == 0 ? ROOTC_RESPONSE_WORKSPACE : ROOTC_RESPONSE_LOGITS);
    EXPECT_THAT(response.shape, testing::ElementsAre(1, 1, 5));
  }
  const int64_t batch = 3;
  Aligned workspace(model.workspace_bytes(ROOTC_INFER, batch));
  std::vector<float> image(batch * 5), logits(batch * 5);
  for (size_t i = 0; i < image.size(); ++i)
    image[i] = float(i % 7) - 3;
  struct State {
    const rootc_response *response;
    const void *workspace;
    std::vector<float> seen;
  } state{model.responses, workspace.data, {}};
  rootc_context context = {};
  context.workspace = workspace.data;
  context.workspace_bytes = model.workspace_bytes(ROOTC_INFER, batch);
  context.call_hook_state = &state;
  context.call_hook = [](void *opaque, int32_t program, int32_t call,
                         int32_t phase) {
    auto &state = *static_cast<State *>(opaque);
    if (program != ROOTC_INFER || call != state.response->call || phase != 1)
      return;
    auto values = reinterpret_cast<const float *>(
        static_cast<const char *>(state.workspace) +
        batch * state.response->offset);
    state.seen.assign(values, values + batch * 5);
  };
  ASSERT_EQ(model.infer(&context, batch, image.data(), nullptr, logits.data()),
            ROOTC_OK);
  ASSERT_EQ(state.seen.size(), image.size());
  for (size_t i = 0; i < image.size(); ++i)
    ASSERT_EQ(state.seen[i], 2 * image[i]) << i;
}

TEST(Emit, InfersAtAnyBatch) {
  Library library("small");
  ASSERT_NE(library.model, nullptr);
  EXPECT_EQ(library.model->abi_version, unsigned(ROOTC_ABI_VERSION));
  EXPECT_EQ(library.model->struct_size, sizeof(rootc_model));
  EXPECT_STREQ(library.model->name, "small");
  EXPECT_EQ(library.model->has_training, 0);
  ASSERT_EQ(library.model->call_count[ROOTC_INFER], 2);
  EXPECT_STREQ(library.model->call_labels[ROOTC_INFER][1], "relu");
  const rootc_work &doubling = library.model->call_work[ROOTC_INFER][0];
  EXPECT_EQ(doubling.multiply_adds, 0);
  EXPECT_EQ(doubling.read_per_image, 40);
  EXPECT_EQ(doubling.written_per_image, 20);
  EXPECT_STREQ(library.model->tensors[0].name, "fc.weight");
  EXPECT_EQ(library.model->unsupported(), nullptr);
  rootc_context context = {};
  for (int64_t batch : {1, 2, 13})
    checkInference(*library.model, context, batch);
  checkResponses(*library.model);
}

TEST(Emit, CppSourceComputesTheSame) {
  Library library("portable");
  std::string source = library.folder.path() + "/portable.cpp";
  std::string built = library.folder.path() + "/built.so";
  llvm::Error error =
      emitModel(handMadeModel("portable"), optionsFor(EmitKind::Cpp, source));
  ASSERT_FALSE(error) << llvm::toString(std::move(error));
  std::string command = std::string(ROOTC_CXX) +
                        " -std=c++17 -O1 -Wall -Werror -shared -fPIC " +
                        source + " -o " + built;
  ASSERT_EQ(system(command.c_str()), 0);
  dlclose(library.handle);
  library.path = built;
  library.open("portable");
  rootc_context context = {};
  checkInference(*library.model, context, 3);
  checkResponses(*library.model);
}

TEST(Emit, NamesOfTheSupportCodeAreFree) {
  Library library("rootc_support");
  rootc_context context = {};
  checkInference(*library.model, context, 3);
}

TEST(Emit, ArgumentsAreChecked) {
  Library library("checked");
  const rootc_model &model = *library.model;
  rootc_context context = {};
  Aligned workspace(4096);
  context.workspace = workspace.data;
  context.workspace_bytes = 4096;
  float image[5] = {}, logits[5];
  auto infer = [&](int64_t batch, const float *from, float *to) {
    return model.infer(&context, batch, from, nullptr, to);
  };
  EXPECT_EQ(model.infer(nullptr, 1, image, nullptr, logits),
            ROOTC_ERROR_ARGUMENT);
  EXPECT_EQ(infer(0, image, logits), ROOTC_ERROR_ARGUMENT);
  EXPECT_STREQ(context.error,
               "infer: the batch size is 0; it must be at least 1");
  EXPECT_EQ(infer(int64_t(1) << 40, image, logits), ROOTC_ERROR_ARGUMENT);
  EXPECT_EQ(model.workspace_bytes(ROOTC_INFER, int64_t(1) << 40), -1);
  EXPECT_EQ(infer(1, nullptr, logits), ROOTC_ERROR_ARGUMENT);
  EXPECT_STREQ(context.error, "infer: the pointer to the image is null");
  EXPECT_EQ(infer(40, image, logits), ROOTC_ERROR_ARGUMENT);
  EXPECT_STREQ(context.error,
               "infer: the workspace holds 4096 bytes; infer needs 5184");
  context.workspace = static_cast<char *>(workspace.data) + 4;
  EXPECT_EQ(infer(1, image, logits), ROOTC_ERROR_ARGUMENT);
  context.workspace = workspace.data;
  EXPECT_EQ(infer(1, image, logits), ROOTC_OK);
  EXPECT_STREQ(context.error, "");
  rootc_batch batch = {};
  batch.size = 1;
  EXPECT_EQ(model.train(&context, &batch, image, image, logits, logits),
            ROOTC_ERROR_UNSUPPORTED);
  EXPECT_EQ(model.workspace_bytes(ROOTC_TRAIN, 1), -1);
}

TEST(Emit, HooksSeeEachCall) {
  Library library("hooked");
  rootc_context context = {};
  std::vector<int> seen;
  context.call_hook_state = &seen;
  context.call_hook = [](void *state, int32_t program, int32_t call,
                         int32_t phase) {
    static_cast<std::vector<int> *>(state)->push_back(program * 100 +
                                                      call * 10 + phase);
  };
  checkInference(*library.model, context, 2);
  EXPECT_EQ(seen, (std::vector<int>{100, 101, 110, 111}));
}

TEST(Emit, EightThreadsAndTwoModelsInOneProgram) {
  Library first("first"), second("second");
  void *pool = first.model->pool_create(2);
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t)
    threads.emplace_back([&, t] {
      rootc_context context = {};
      if (t % 2) {
        context.pool = pool;
        context.parallel_for = first.model->parallel_for;
      }
      for (int round = 0; round < 20; ++round)
        checkInference(t % 3 ? *first.model : *second.model, context, 1 + t);
    });
  for (std::thread &thread : threads)
    thread.join();
  first.model->pool_destroy(pool);
}

TEST(Emit, OpensAndClosesAHundredTimes) {
  Library library("again");
  for (int i = 0; i < 100; ++i) {
    void *pool = library.model->pool_create(3);
    rootc_context context = {};
    context.pool = pool;
    context.parallel_for = library.model->parallel_for;
    checkInference(*library.model, context, 4);
    library.model->pool_destroy(pool);
    ASSERT_EQ(dlclose(library.handle), 0);
    library.open("again");
  }
}

} // namespace
