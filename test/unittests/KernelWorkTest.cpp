//===- KernelWorkTest.cpp - What a kernel has to do -----------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/KernelWork.h"

#include <gtest/gtest.h>

using namespace rootc::codegen;

namespace {

using Sizes = std::vector<int64_t>;

/// 7x9 maps of 12 channels, 6 filters in 3 groups.
AttributeMap convolution(int64_t kernel, int64_t stride) {
  int64_t pad = kernel / 2;
  return {{"kernel", Sizes{kernel, kernel}},
          {"stride", Sizes{stride, stride}},
          {"pad", Sizes{pad, pad, pad, pad}},
          {"dilation", Sizes{1, 1}},
          {"input", Sizes{7, 9}},
          {"groups", int64_t(3)},
          {"filters", int64_t(6)},
          {"block", int64_t(2)}};
}

const TensorType map{ElementType::F32, {-1, 7, 9, 12}};
TensorType resultOf(int64_t stride) {
  return {ElementType::F32,
          {-1, (7 + stride - 1) / stride, (9 + stride - 1) / stride, 6}};
}
TensorType packed(int64_t kernel) {
  return {ElementType::F32, {3, kernel, kernel, 4, 2}};
}

/// conv2d and ReLU.
Kernel forward(int64_t kernel, int64_t stride) {
  TensorType y = resultOf(stride);
  return {"k",
          {map, packed(kernel)},
          {{"conv2d", {0, 1}, convolution(kernel, stride), {y}},
           {"relu", {2}, {}, {y}}},
          {3},
          {}};
}

void expect(LinearBytes bytes, int64_t fixed, int64_t perImage) {
  EXPECT_EQ(bytes.fixed, fixed);
  EXPECT_EQ(bytes.perImage, perImage);
}

TEST(KernelWork, CountsWeightsByPositions) {
  KernelWork work = workOf(forward(3, 1));
  EXPECT_EQ(work.multiplyAdds, 6 * 9 * 4 * 63);
  expect(work.read, 4 * 216, 4 * 63 * 12);
  expect(work.written, 0, 4 * 63 * 6);
}

TEST(KernelWork, APixelThatIsSteppedOverIsNotRead) {
  KernelWork work = workOf(forward(1, 2));
  EXPECT_EQ(work.multiplyAdds, 6 * 4 * 20);
  expect(work.read, 4 * 24, 4 * 20 * 12);
  // Two taps of a stride of three: rows 0, 1, 3, 4, 6.
  Kernel two = forward(1, 3);
  two.ops[0].attributes["kernel"] = Sizes{2, 2};
  two.ops[0].attributes["pad"] = Sizes{0, 0, 1, 0};
  two.inputs[1] = packed(2);
  expect(workOf(two).read, 4 * 96, 4 * (6 * 6) * 12);
  // Another op reads all of it.
  Kernel joined = forward(1, 2);
  joined.ops.push_back({"relu", {0}, {}, {map}});
  joined.outputs.push_back(4);
  expect(workOf(joined).read, 4 * 24, 4 * 63 * 12);
}

TEST(KernelWork, BackwardIsTheSameArithmetic) {
  Kernel data{"k",
              {resultOf(2), packed(3)},
              {{"conv2d_backward_data", {0, 1}, convolution(3, 2), {map}}},
              {2},
              {}};
  KernelWork work = workOf(data);
  EXPECT_EQ(work.multiplyAdds, 6 * 9 * 4 * 20);
  expect(work.read, 4 * 216, 4 * 20 * 6);
  expect(work.written, 0, 4 * 63 * 12);
  TensorType filter{ElementType::F32, {6, 3, 3, 4}};
  Kernel gradient{
      "k",
      {map, resultOf(2)},
      {{"conv2d_backward_filter", {0, 1}, convolution(3, 2), {filter}}},
      {2},
      {}};
  work = workOf(gradient);
  EXPECT_EQ(work.multiplyAdds, 6 * 9 * 4 * 20);
  expect(work.read, 0, 4 * (63 * 12 + 20 * 6));
  expect(work.written, 4 * 216, 0);
}

TEST(KernelWork, OtherOpsMoveBytesAlone) {
  TensorType y{ElementType::F32, {-1, 4, 5, 12}};
  TensorType index{ElementType::U8, {-1, 4, 5, 12}};
  KernelWork work = workOf(
      {"k", {map}, {{"max_pool_with_index", {0}, {}, {y, index}}}, {1, 2}, {}});
  EXPECT_EQ(work.multiplyAdds, 0);
  expect(work.read, 0, 4 * 63 * 12);
  expect(work.written, 0, 5 * 20 * 12);
}

} // namespace
