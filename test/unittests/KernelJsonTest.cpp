//===- KernelJsonTest.cpp - Kernel and model descriptions as JSON ---------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/Kernel.h"
#include "codegen/Program.h"

#include <gtest/gtest.h>

#include <limits>
#include <stdexcept>

using namespace rootc::codegen;

namespace {

Kernel sample() {
  Kernel kernel;
  kernel.name = "conv2a_forward";
  TensorType x{ElementType::F32, {-1, 32, 32, 192}};
  TensorType bias{ElementType::F32, {192}};
  kernel.inputs = {x, {ElementType::F32, {12, 5, 5, 16, 16}}, bias};
  Op conv;
  conv.name = "conv2d";
  conv.operands = {0, 1, 2};
  conv.attributes["kernel"] = std::vector<int64_t>{5, 5};
  conv.attributes["groups"] = int64_t(8);
  conv.attributes["epsilon"] = 1.0; // a double without fraction
  conv.attributes["tiny"] = 0.1;
  conv.attributes["weights"] = std::vector<double>{1.0, 0.3};
  conv.attributes["layer"] = std::string("conv \"2a\"\n");
  conv.results = {x};
  Op pool;
  pool.name = "max_pool_with_index";
  pool.operands = {3};
  pool.results = {x, {ElementType::U8, {-1, 32, 32, 192}}};
  kernel.ops = {conv, pool};
  kernel.outputs = {4, 5};
  kernel.schedule = {{"vectors", 2}, {"pixels", 7}};
  return kernel;
}

std::string errorOf(const std::string &text) {
  try {
    kernelFromJson(text);
  } catch (const std::invalid_argument &error) {
    return error.what();
  }
  return "";
}

std::string with(const std::string &from, const std::string &to) {
  std::string text = toJson(sample());
  size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

TEST(KernelJson, RoundTrips) {
  Kernel kernel = sample(), back = kernelFromJson(toJson(kernel));
  EXPECT_EQ(back.name, kernel.name);
  EXPECT_EQ(back.inputs, kernel.inputs);
  EXPECT_EQ(back.ops, kernel.ops);
  EXPECT_EQ(back.outputs, kernel.outputs);
  EXPECT_EQ(back.schedule, kernel.schedule);
  EXPECT_EQ(toJson(back), toJson(kernel));
}

TEST(KernelJson, IsCanonical) {
  Kernel kernel;
  kernel.name = "k";
  kernel.inputs = {{ElementType::I64, {-1}}, {ElementType::I32, {2}}};
  kernel.schedule = {{"b", 1}, {"a", 2}};
  EXPECT_EQ(toJson(kernel), R"({"inputs":[{"element":"i64","shape":[-1]},)"
                            R"({"element":"i32","shape":[2]}],)"
                            R"("name":"k","ops":[],"outputs":[],)"
                            R"("schedule":{"a":2,"b":1}})");
}

TEST(KernelJson, SignatureLeavesOnlyTheNameOut) {
  Kernel kernel = sample(), other = kernel;
  other.name = "other";
  EXPECT_EQ(signature(kernel), signature(other));
  other.schedule["pixels"] = 8;
  EXPECT_NE(signature(kernel), signature(other));
  other = kernel;
  other.ops[0].attributes["groups"] = int64_t(4);
  EXPECT_NE(signature(kernel), signature(other));
}

TEST(KernelJson, TypesOfValues) {
  Kernel kernel = sample();
  EXPECT_EQ(kernel.type(2).shape, (std::vector<int64_t>{192}));
  EXPECT_EQ(kernel.type(5).element, ElementType::U8);
  EXPECT_THROW(kernel.type(6), std::out_of_range);
  EXPECT_THROW(kernel.type(-1), std::out_of_range);
}

TEST(KernelJson, BadTextNamesTheKey) {
  EXPECT_NE(errorOf("").find("not JSON"), std::string::npos);
  EXPECT_NE(errorOf("[]").find("not an object"), std::string::npos);
  EXPECT_NE(errorOf("{}").find("'name' is missing"), std::string::npos);
  EXPECT_NE(errorOf(with("\"f32\"", "\"f16\"")).find("'inputs[0].element'"),
            std::string::npos);
  EXPECT_NE(errorOf(with("[-1,32,32,192]", "[-1,0,32]"))
                .find("'inputs[0].shape[1]' is 0"),
            std::string::npos);
  EXPECT_NE(errorOf(with("[-1,32,32,192]", "[1,99999999999999999999]"))
                .find("'inputs[0].shape[1]' is not a 64-bit integer"),
            std::string::npos);
  EXPECT_NE(errorOf(with("\"operands\":[0,1,2]", "\"operands\":[0,1,3]"))
                .find("'ops[0].operands[2]' is 3"),
            std::string::npos);
  EXPECT_NE(errorOf(with("\"outputs\":[4,5]", "\"outputs\":[4,6]"))
                .find("'outputs[1]' is 6"),
            std::string::npos);
  EXPECT_NE(
      errorOf(with("\"pixels\":7", "\"pixels\":7.5")).find("'schedule.pixels'"),
      std::string::npos);
  EXPECT_NE(errorOf(with("[1.0,0.3]", "[1.0,3]"))
                .find("'ops[0].attributes.weights' mixes"),
            std::string::npos);
  EXPECT_NE(errorOf(with("\"groups\":8", "\"groups\":null"))
                .find("'ops[0].attributes.groups'"),
            std::string::npos);
}

TEST(KernelJson, RefusesNumbersThatJsonCannotHold) {
  Kernel kernel = sample();
  kernel.ops[0].attributes["tiny"] = std::numeric_limits<double>::infinity();
  EXPECT_THROW(toJson(kernel), std::invalid_argument);
}

TEST(ModelJson, ShowsBuffersAndTensors) {
  Model model;
  model.name = "nin";
  model.kernels = {sample()};
  model.tensors = {{"conv1a.filter", "filter", {192, 5, 5, 3}, 16, 75, false}};
  Call call{0,
            {{Arena::Image, 0, {ElementType::F32, {-1, 8, 8, 3}}},
             {Arena::WorkspaceBatch, 64, {ElementType::U8, {-1, 4}}}},
            "conv1a forward"};
  model.programs = {{ProgramKind::Infer, {call}, 128, 64}};
  std::string text = toJson(model);
  EXPECT_NE(text.find(R"("programs":[{"batch_bytes":128,"calls":[{"buffers":[)"
                      R"({"arena":"image","offset":0,"type":{"element":"f32",)"
                      R"("shape":[-1,8,8,3]}},{"arena":"workspace_batch",)"
                      R"("offset":64,)"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find(R"("fan_in":75,"name":"conv1a.filter","offset":16)"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find(R"("kernels":["conv2a_forward"])"), std::string::npos);
}

} // namespace
