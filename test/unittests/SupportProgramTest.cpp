//===- SupportProgramTest.cpp - The loop that runs a model's table --------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The support object itself is linked in; the table's kernels note what they
// are called with.
//
//===----------------------------------------------------------------------===//

#include "runtime/support/Support.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <vector>

using testing::ElementsAre;

namespace {

struct Buffer {
  char *host;
  uint32_t type;
  std::vector<std::vector<int>> dimensions; // extent, stride
};

/// What `note` was called with, and what it is to do.
struct {
  std::vector<Buffer> buffers;
  int result = 0;
  const char *reason = nullptr;
} called;

template <int Count> int note(void **arguments) {
  auto *frame = *static_cast<rootc_frame **>(arguments[0]);
  called.buffers.clear();
  for (int i = 1; i <= Count; ++i) {
    auto &from = *static_cast<rootc_kernel_buffer *>(arguments[i]);
    Buffer &to = called.buffers.emplace_back();
    to = {from.host, from.type, {}};
    EXPECT_EQ(from.device, 0u);
    EXPECT_EQ(from.flags, 0u);
    for (int d = 0; d < from.dimensions; ++d) {
      EXPECT_EQ(from.dim[d].min, 0);
      to.dimensions.push_back({from.dim[d].extent, from.dim[d].stride});
    }
  }
  if (called.reason)
    rootc_support_error(frame->context, "%s", called.reason);
  return called.result;
}

const char *const labels[] = {"first", "second"};

constexpr rootc_model makeModel() {
  rootc_model model = {};
  model.name = "hand";
  model.call_labels[ROOTC_INFER] = labels;
  model.call_count[ROOTC_INFER] = 2;
  return model;
}
const rootc_model model = makeModel();

const rootc_kernel kernels[] = {note<1>, note<3>};
const rootc_buffer buffers[] = {
    {0, 0, ROOTC_ARENA_IMAGE, ROOTC_ELEMENT_F32, 4, {3, 5, 7, -1, 0}},
    {32, 64, ROOTC_ARENA_WORKSPACE, ROOTC_ELEMENT_U8, 1, {-1, 0, 0, 0, 0}},
    {0, 128, ROOTC_ARENA_LOGITS, ROOTC_ELEMENT_I64, 5, {2, 3, 4, 5, 6}},
};
const int32_t operands[] = {1, 0, 1, 2};
const rootc_call calls[] = {{0, 0, 1}, {1, 1, 3}};

} // namespace

extern "C" const rootc_host_table rootc_host = {
    &model,
    0,
    kernels,
    buffers,
    operands,
    calls,
    rootc_support_cpu,
    {{}, {64, 64, 105, 1, 0, 0, 3}, {}, {}, {}}};

namespace {

class ProgramTest : public testing::Test {
protected:
  ProgramTest() {
    called = {};
    context.workspace = workspace;
    context.workspace_bytes = sizeof workspace;
  }

  int infer(int64_t batch) {
    return rootc_support_infer(&context, batch, image, nullptr, logits);
  }

  rootc_context context = {};
  alignas(64) char workspace[64 * 4] = {};
  float image[1] = {}, logits[1] = {};
};

TEST_F(ProgramTest, BuffersAreWhereTheTableSays) {
  ASSERT_EQ(infer(3), ROOTC_OK) << context.error;
  ASSERT_EQ(called.buffers.size(), 3u);
  const Buffer &first = called.buffers[0], &second = called.buffers[1],
               &third = called.buffers[2];
  EXPECT_EQ(first.host, reinterpret_cast<char *>(image));
  EXPECT_EQ(first.type, 2u | 32 << 8 | 1 << 16); // float32
  EXPECT_THAT(first.dimensions,
              ElementsAre(ElementsAre(3, 1), ElementsAre(5, 3),
                          ElementsAre(7, 15), ElementsAre(3, 105)));
  EXPECT_EQ(second.host, workspace + 32 + 3 * 64);
  EXPECT_EQ(second.type, 1u | 8 << 8 | 1 << 16); // uint8
  EXPECT_THAT(second.dimensions, ElementsAre(ElementsAre(3, 1)));
  EXPECT_EQ(third.host, reinterpret_cast<char *>(logits) + 3 * 128);
  EXPECT_EQ(third.type, 0u | 64 << 8 | 1 << 16); // int64
  EXPECT_THAT(third.dimensions,
              ElementsAre(ElementsAre(2, 1), ElementsAre(3, 2),
                          ElementsAre(4, 6), ElementsAre(5, 24),
                          ElementsAre(6, 120)));
}

TEST_F(ProgramTest, AFailureEndsTheProgramAndNamesItsCall) {
  std::vector<int> seen;
  context.call_hook_state = &seen;
  context.call_hook = [](void *state, int32_t, int32_t call, int32_t phase) {
    static_cast<std::vector<int> *>(state)->push_back(10 * call + phase);
  };
  called.result = -3;
  EXPECT_EQ(infer(1), ROOTC_ERROR_KERNEL);
  EXPECT_STREQ(context.error, "infer, kernel 'first' failed with code -3");
  EXPECT_THAT(seen, ElementsAre(0, 1));
  called.reason = "no room";
  called.result = -11; // Halide's out of memory
  EXPECT_EQ(infer(1), ROOTC_ERROR_MEMORY);
  EXPECT_STREQ(context.error, "infer, kernel 'first': no room");
}

TEST_F(ProgramTest, ProgramsThatTheTableLacksAreRefused) {
  EXPECT_EQ(rootc_support_workspace_bytes(ROOTC_INFER, 3), 256);
  EXPECT_EQ(rootc_support_workspace_bytes(ROOTC_TRAIN, 3), -1);
  EXPECT_EQ(rootc_support_workspace_bytes(ROOTC_INFER, 20452226), -1);
  EXPECT_EQ(rootc_support_prepare(&context, nullptr, nullptr, nullptr),
            ROOTC_ERROR_UNSUPPORTED);
  EXPECT_EQ(infer(4), ROOTC_ERROR_ARGUMENT); // the workspace is too small
}

} // namespace
