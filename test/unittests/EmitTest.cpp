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
#include <gtest/gtest.h>
#include <sys/wait.h>
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

TEST(Emit, InfersAtAnyBatch) {
  Library library("small");
  ASSERT_NE(library.model, nullptr);
  EXPECT_EQ(library.model->abi_version, unsigned(ROOTC_ABI_VERSION));
  EXPECT_EQ(library.model->struct_size, sizeof(rootc_model));
  EXPECT_STREQ(library.model->name, "small");
  EXPECT_EQ(library.model->has_training, 0);
  ASSERT_EQ(library.model->call_count[ROOTC_INFER], 2);
  EXPECT_STREQ(library.model->call_labels[ROOTC_INFER][1], "relu");
  EXPECT_STREQ(library.model->tensors[0].name, "fc.weight");
  EXPECT_EQ(library.model->unsupported(), nullptr);
  rootc_context context = {};
  for (int64_t batch : {1, 2, 13})
    checkInference(*library.model, context, batch);
}

TEST(Emit, CppSourceComputesTheSame) {
  Library library("portable");
  std::string source = library.folder.path() + "/portable.cpp";
  std::string built = library.folder.path() + "/built.so";
  llvm::Error error = emitModel(handMadeModel("portable"),
                                optionsFor(EmitKind::Cpp, source));
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
}

} // namespace
