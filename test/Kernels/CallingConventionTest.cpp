//===- CallingConventionTest.cpp - How kernels may be called --------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/Compile.h"
#include "codegen/Pipeline.h"
#include "test/Kernels/KernelHarness.h"

#include <cstdlib>
#include <dlfcn.h>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <sstream>
#include <unistd.h>

using namespace rootc::test;
using rootc::codegen::compileKernel;
using rootc::codegen::OutputKind;

namespace {

/// A folder that goes away.
struct Scratch {
  std::filesystem::path path;
  Scratch() {
    std::string pattern =
        (std::filesystem::temp_directory_path() / "rootc-kernel-XXXXXX");
    path = mkdtemp(pattern.data());
  }
  ~Scratch() { std::filesystem::remove_all(path); }
  std::string operator/(const char *name) const { return path / name; }
};

Halide::Buffer<float> buffer(std::vector<float> &values,
                             std::vector<int> extents) {
  return Halide::Buffer<float>(values.data(), extents);
}

rootc::codegen::BuiltPipeline build(const Kernel &kernel) {
  return rootc::codegen::buildPipeline(
      kernel, Halide::get_jit_target_from_environment());
}

void realize(rootc::codegen::BuiltPipeline &built,
             std::vector<Halide::Buffer<>> outputs) {
  built.pipeline.realize(Halide::Realization(outputs),
                         Halide::get_jit_target_from_environment());
}

std::vector<float> ramp(size_t count, float step) {
  std::vector<float> values(count);
  for (size_t i = 0; i < count; ++i)
    values[i] = step * static_cast<float>(i % 97) - 1;
  return values;
}

TEST(CallingConvention, UpdatesInPlace) {
  TensorType p = f32({-1});
  const int count = 5003;
  const std::vector<float> w0 = ramp(count, 0.01f), g0 = ramp(count, 0.03f),
                           v0 = ramp(count, 0.02f);
  std::vector<float> w = w0, g = g0, v = v0, scalars = {0.1f, 0.9f, 0.01f, 1};
  auto sgd = build(oneOp("sgd", {p, p, p, f32({4})}, {p, p}));
  sgd.inputs[0].set(buffer(w, {count}));
  sgd.inputs[1].set(buffer(g, {count}));
  sgd.inputs[2].set(buffer(v, {count}));
  sgd.inputs[3].set(buffer(scalars, {4}));
  realize(sgd, {buffer(w, {count}), buffer(v, {count})});
  for (int i = 0; i < count; ++i) {
    float gradient = g[i] + 0.01f * w0[i];
    float velocity = 0.9f * v0[i] + gradient;
    ASSERT_NEAR(v[i], velocity, 1e-5) << i;
    ASSERT_NEAR(w[i], w0[i] - 0.1f * (gradient + 0.9f * velocity), 1e-5) << i;
  }

  w = w0;
  v = v0;
  std::vector<float> m = ramp(count, 0.05f),
                     step = {0.9f, 0.1f, 0.2f, 0.3f, 1.5f, 0.01f};
  const std::vector<float> m0 = m;
  for (float &value : v)
    value = std::abs(value);
  const std::vector<float> square0 = v;
  auto adamw = build(oneOp("adamw", {p, p, p, p, f32({6})}, {p, p, p}));
  adamw.inputs[0].set(buffer(w, {count}));
  adamw.inputs[1].set(buffer(g, {count}));
  adamw.inputs[2].set(buffer(m, {count}));
  adamw.inputs[3].set(buffer(v, {count}));
  adamw.inputs[4].set(buffer(step, {6}));
  realize(adamw, {buffer(w, {count}), buffer(m, {count}), buffer(v, {count})});
  for (int i = 0; i < count; ++i) {
    float mean = 0.8f * m0[i] + 0.2f * g[i];
    float square = 0.7f * square0[i] + 0.3f * g[i] * g[i];
    ASSERT_NEAR(m[i], mean, 1e-5) << i;
    ASSERT_NEAR(v[i], square, 1e-5) << i;
    float denominator = 1.5f * std::sqrt(square) + 0.01f;
    ASSERT_NEAR(w[i], 0.9f * w0[i] - 0.1f * mean / denominator, 1e-5) << i;
  }

  std::vector<float> most = {2};
  auto clip = build(oneOp("clip_norm", {p, f32({1})}, {p}));
  clip.inputs[0].set(buffer(g, {count}));
  clip.inputs[1].set(buffer(most, {1}));
  realize(clip, {buffer(g, {count})});
  double sum = 0;
  for (float value : g0)
    sum += double(value) * double(value);
  for (int i = 0; i < count; ++i)
    ASSERT_NEAR(g[i], g0[i] * 2 / std::sqrt(sum), 1e-6) << i;

  std::vector<float> share = {0.25f};
  auto average = build(oneOp("moving_average", {p, p, f32({1})}, {p}));
  w = w0;
  average.inputs[0].set(buffer(w, {count}));
  average.inputs[1].set(buffer(m, {count}));
  average.inputs[2].set(buffer(share, {1}));
  realize(average, {buffer(w, {count})});
  for (int i = 0; i < count; ++i)
    ASSERT_NEAR(w[i], 0.75f * w0[i] + 0.25f * m[i], 1e-5) << i;
}

TEST(CallingConvention, ElementwiseInPlace) {
  const int c = 37, x = 5, y = 3, n = 2;
  TensorType map = f32({-1, y, x, c});
  std::vector<float> a = ramp(c * x * y * n, 0.03f), b = a, sum = a;
  auto built = build(oneOp("add", {map, map}, {map}));
  built.inputs[0].set(buffer(sum, {c, x, y, n}));
  built.inputs[1].set(buffer(b, {c, x, y, n}));
  realize(built, {buffer(sum, {c, x, y, n})});
  for (size_t i = 0; i < a.size(); ++i)
    ASSERT_EQ(sum[i], a[i] + b[i]) << i;
}

/// Statistics over slabs of the batch are those of the whole.
TEST(CallingConvention, Slabs) {
  const int c = 24, x = 5, y = 7, n = 5;
  Kernel partial =
      oneOp("batch_norm_partial", {f32({-1, y, x, c})}, {f32({-1, 2, c})});
  std::vector<float> image = ramp(c * x * y * n, 0.01f), whole(2 * c * n, NAN),
                     slabs = whole;
  auto built = build(partial);
  auto run = [&](std::vector<float> &out, int first, int count) {
    auto in = buffer(image, {c, x, y, n}).cropped(3, first, count);
    auto result = buffer(out, {c, 2, n}).cropped(2, first, count);
    in.set_min(0, 0, 0, 0);
    result.set_min(0, 0, 0);
    built.inputs[0].set(Halide::Buffer<float>(std::move(in)));
    realize(built, {Halide::Buffer<float>(std::move(result))});
  };
  run(whole, 0, n);
  run(slabs, 0, 2);
  run(slabs, 2, 1);
  run(slabs, 3, 2);
  EXPECT_EQ(whole, slabs);
}

/// Buffers of different batches, or of another shape, are errors.
TEST(CallingConvention, Mismatch) {
  TensorType map = f32({-1, 3, 5, 6});
  auto built = build(oneOp("add", {map, map}, {map}));
  Halide::Buffer<float> two(6, 5, 3, 2), three(6, 5, 3, 3), wide(7, 5, 3, 2);
  two.fill(1);
  three.fill(1);
  wide.fill(1);
  auto run = [&](Halide::Buffer<float> &a, Halide::Buffer<float> &b) {
    built.inputs[0].set(a);
    built.inputs[1].set(b);
    realize(built, {two});
  };
  EXPECT_NO_THROW(run(two, two));
  EXPECT_THROW(run(two, three), Halide::RuntimeError);
  EXPECT_THROW(run(two, wide), Halide::RuntimeError);
}

TEST(Compile, ObjectBehavesAsJustInTime) {
  Scratch scratch;
  TensorType map = f32({-1, 3, 5, 6});
  Kernel kernel = oneOp("relu", {map}, {map});
  std::string object = scratch / "kernel.o", runtime = scratch / "runtime.o",
              library = scratch / "kernel.so";
  compileKernel(kernel, OutputKind::Object, "host", object);
  Halide::compile_standalone_runtime(
      runtime,
      Halide::get_host_target().with_feature(Halide::Target::UserContext));
  ASSERT_EQ(std::system(("ld.lld-22 -shared -o " + library + " " + object +
                         " " + runtime)
                            .c_str()),
            0);
  void *handle = dlopen(library.c_str(), RTLD_NOW);
  ASSERT_NE(handle, nullptr) << dlerror();
  auto relu =
      reinterpret_cast<int (*)(void *, halide_buffer_t *, halide_buffer_t *)>(
          dlsym(handle, kernel.name.c_str()));
  ASSERT_NE(relu, nullptr);
  std::vector<float> in = ramp(6 * 5 * 3 * 2, 0.03f), out(in.size(), NAN);
  auto input = buffer(in, {6, 5, 3, 2}), output = buffer(out, {6, 5, 3, 2});
  EXPECT_EQ(relu(nullptr, input.raw_buffer(), output.raw_buffer()), 0);
  for (size_t i = 0; i < in.size(); ++i)
    ASSERT_EQ(out[i], std::max(in[i], 0.0f)) << i;
  dlclose(handle);
}

TEST(Compile, OtherKinds) {
  Scratch scratch;
  TensorType map = f32({-1, 3, 5, 6});
  Kernel kernel = oneOp("relu", {map}, {map});
  struct {
    OutputKind kind;
    const char *contains;
  } expected[] = {{OutputKind::Stmt, "halide_do_par_for"},
                  {OutputKind::Llvm, "define "},
                  {OutputKind::Assembly, ".text"},
                  {OutputKind::Cpp, "int test_relu("}};
  for (auto &[kind, contains] : expected) {
    std::string file = scratch / "out";
    compileKernel(kernel, kind, "host", file);
    std::ifstream stream(file);
    std::stringstream text;
    text << stream.rdbuf();
    EXPECT_NE(text.str().find(contains), std::string::npos) << contains;
  }
}

/// What a call to compileKernel says is wrong.
std::string complaint(const Kernel &kernel, const std::string &target,
                      const std::string &output) {
  try {
    compileKernel(kernel, OutputKind::Object, target, output);
  } catch (const std::exception &error) {
    return error.what();
  }
  return "";
}

TEST(Compile, Errors) {
  Scratch scratch;
  TensorType map = f32({-1, 3, 5, 6});
  Kernel good = oneOp("relu", {map}, {map});
  auto expect = [&](const Kernel &kernel, const std::string &text) {
    std::string said = complaint(kernel, "host", scratch / "k.o");
    EXPECT_NE(said.find(text), std::string::npos) << said;
    EXPECT_TRUE(std::filesystem::is_empty(scratch.path));
  };
  Kernel kernel = good;
  kernel.ops[0].name = "frobnicate";
  expect(kernel, "no algorithm for the op 'frobnicate'");
  kernel = good;
  kernel.ops[0].operands = {7};
  expect(kernel, "value 7 is used before it is defined");
  kernel = good;
  kernel.outputs = {0, 1};
  kernel.inputs[0].shape[3] = 7;
  expect(kernel, "outputs differ in shape");
  kernel = good;
  kernel.inputs[0].shape = {-1, int64_t(1) << 40, 5, 6};
  expect(kernel, "2^31");
  expect(oneOp("dropout", {map, i64({2}), i64({-1})}, {map},
               {{"rate", 1.5}, {"ordinal", int64_t(0)}}),
         "rate");
  expect(oneOp("batch_norm_combine", {f32({-1, 2, 6})},
               {f32({6}), f32({6}), f32({6})}),
         "attribute 'count': missing");
  EXPECT_NE(complaint(good, "z80-cpm", scratch / "k.o").find("z80-cpm"),
            std::string::npos);
  EXPECT_NE(complaint(good, "host", "/nonexistent/k.o"), "");
}

TEST(Compile, SanitizerFeatures) {
  Scratch scratch;
  TensorType map = f32({-1, 3, 5, 6});
  Kernel kernel = oneOp("relu", {map}, {map});
  for (const char *feature : {"asan", "tsan"}) {
    std::string file = scratch / "k.ll";
    compileKernel(kernel, OutputKind::Llvm, std::string("host-") + feature,
                  file);
    std::ifstream stream(file);
    std::stringstream text;
    text << stream.rdbuf();
    EXPECT_NE(text.str().find(std::string("__") + feature), std::string::npos)
        << feature;
  }
}

/// Runs the worker on the given lines; its answers.
std::string worker(const std::string &jobs) {
  Scratch scratch;
  std::ofstream(scratch / "jobs") << jobs;
  EXPECT_EQ(std::system((ROOTC_KERNEL_WORKER " < " + scratch / "jobs" + " > " +
                         scratch / "answers")
                            .c_str()),
            0);
  std::ifstream stream(scratch / "answers");
  std::stringstream text;
  text << stream.rdbuf();
  return text.str();
}

TEST(Worker, AnswersEveryLine) {
  Scratch scratch;
  TensorType map = f32({-1, 3, 5, 6});
  auto job = [&](const Kernel &kernel, const std::string &kind) {
    return "{\"kernel\":" + rootc::codegen::toJson(kernel) + ",\"kind\":\"" +
           kind + "\",\"target\":\"host\",\"output\":\"" + (scratch / "k.o") +
           "\"}\n";
  };
  Kernel good = oneOp("relu", {map}, {map}), bad = good;
  bad.ops[0].name = "frobnicate";
  std::string answers = worker(job(bad, "object") + "not json\n" +
                               job(good, "poem") + job(good, "object"));
  std::istringstream lines(answers);
  std::vector<std::string> all;
  for (std::string line; std::getline(lines, line);)
    all.push_back(line);
  ASSERT_EQ(all.size(), 4u) << answers;
  EXPECT_NE(all[0].find("frobnicate"), std::string::npos);
  EXPECT_NE(all[1].find("\"ok\":false"), std::string::npos);
  EXPECT_NE(all[2].find("poem"), std::string::npos);
  EXPECT_EQ(all[3], "{\"ok\":true}");
  EXPECT_TRUE(std::filesystem::exists(scratch / "k.o"));
}

} // namespace
