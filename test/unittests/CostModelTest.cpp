//===- CostModelTest.cpp - How long a kernel should take ------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/CostModel.h"
#include "codegen/KernelWork.h"

#include <gtest/gtest.h>

using namespace rootc::codegen;

namespace {

using Sizes = std::vector<int64_t>;

const TargetInfo avx512{"", 512, 32}, avx2{"", 256, 16};

struct Shape {
  int64_t size = 28, ins = 64, outs = 128, kernel = 1, stride = 1, groups = 1,
          block = 32;
};

/// conv2d, or backward-filter, with the default schedule of a target.
Kernel convolution(const Shape &shape, const TargetInfo &target,
                   bool gradient = false) {
  int64_t pad = shape.kernel / 2, out = (shape.size - 1) / shape.stride + 1;
  AttributeMap attributes = {{"kernel", Sizes{shape.kernel, shape.kernel}},
                             {"stride", Sizes{shape.stride, shape.stride}},
                             {"pad", Sizes{pad, pad, pad, pad}},
                             {"dilation", Sizes{1, 1}},
                             {"input", Sizes{shape.size, shape.size}},
                             {"groups", shape.groups},
                             {"filters", shape.outs},
                             {"block", shape.block}};
  TensorType x{ElementType::F32, {-1, shape.size, shape.size, shape.ins}},
      y{ElementType::F32, {-1, out, out, shape.outs}};
  int64_t perGroup = shape.ins / shape.groups,
          blocks = (shape.outs / shape.groups + shape.block - 1) / shape.block *
                   shape.groups;
  TensorType packed{
      ElementType::F32,
      {blocks, shape.kernel, shape.kernel, perGroup, shape.block}},
      filter{ElementType::F32,
             {shape.outs, shape.kernel, shape.kernel, perGroup}};
  Kernel kernel;
  kernel.inputs = {x, gradient ? y : packed};
  kernel.ops = {{gradient ? "conv2d_backward_filter" : "conv2d",
                 {0, 1},
                 attributes,
                 {gradient ? filter : y}}};
  kernel.outputs = {2};
  kernel.schedule = chooseSchedule(kernel, target);
  return kernel;
}

Prediction predictionOf(const Kernel &kernel, int64_t batch, int64_t threads,
                        const TargetInfo &target = avx512) {
  return predict(Problem(kernel, target), typicalMachine(target, threads),
                 batch);
}

/// The least that arithmetic and memory allow.
double boundOf(const Kernel &kernel, int64_t batch, const Machine &machine) {
  KernelWork work = workOf(kernel);
  double bytes =
      double(work.read.fixed + work.written.fixed) +
      double(work.read.perImage + work.written.perImage) * double(batch);
  return std::max(2 * double(work.multiplyAdds) * double(batch) / machine.flops,
                  bytes / machine.bandwidth.front().read);
}

TEST(CostModel, NeverBelowTheBound) {
  for (const TargetInfo &target : {avx512, avx2})
    for (int64_t kernel : {1, 3, 7})
      for (int64_t stride : {1, 2})
        for (int64_t size : {1, 7, 9, 56})
          for (int64_t ins : {3, 24, 64})
            for (bool gradient : {false, true}) {
              Kernel conv = convolution({size, ins, 48, kernel, stride, 1, 32},
                                        target, gradient);
              for (int64_t threads : {1, 2, 7})
                for (int64_t batch : {1, 8}) {
                  Prediction is = predictionOf(conv, batch, threads, target);
                  double bound =
                      boundOf(conv, batch, typicalMachine(target, threads));
                  EXPECT_GE(is.seconds(), bound);
                  EXPECT_LT(is.seconds(), 400 * bound + 1e-4);
                  for (double part : is.parts)
                    EXPECT_GE(part, -1e-12);
                  EXPECT_GE(is.tasks, 1);
                }
            }
}

TEST(CostModel, MoreToDoTakesLonger) {
  double before = 0;
  for (int64_t batch : {1, 2, 4, 8, 16, 64}) {
    double now = predictionOf(convolution({}, avx512), batch, 2).seconds();
    EXPECT_GT(now, before);
    before = now;
  }
  before = 0;
  for (int64_t outs : {32, 64, 128, 512, 2048}) {
    double now =
        predictionOf(convolution({28, 64, outs}, avx512), 8, 2).seconds();
    EXPECT_GT(now, before);
    before = now;
  }
}

TEST(CostModel, MoreOfAMachineTakesLess) {
  Kernel conv = convolution({56, 64, 64, 3}, avx512);
  double one = predictionOf(conv, 16, 1).seconds(),
         two = predictionOf(conv, 16, 2).seconds(),
         eight = predictionOf(conv, 16, 8).seconds();
  EXPECT_GT(one, 1.9 * two);
  EXPECT_GT(two, 3 * eight);
  Kernel narrow = convolution({56, 64, 64, 3}, avx2);
  EXPECT_GT(predictionOf(narrow, 16, 1, avx2).seconds(), 1.5 * one);
}

TEST(CostModel, TellsWhatIsLost) {
  // 24 channels in a block of 32: a third on top of what counts.
  Prediction padded = predictionOf(convolution({28, 64, 24}, avx512), 8, 1);
  EXPECT_NEAR(padded.of(Part::Lanes), padded.of(Part::MultiplyAdds) / 3,
              1e-3 * padded.of(Part::MultiplyAdds));
  EXPECT_EQ(padded.bound, Bound::Arithmetic);
  Prediction full = predictionOf(convolution({28, 64, 64}, avx512), 8, 1);
  EXPECT_LT(full.of(Part::Lanes), 1e-3 * full.of(Part::MultiplyAdds));
  // Of five tasks, four threads get two or one.
  Kernel few = convolution({28, 256, 32, 1, 1, 1, 32}, avx512);
  few.schedule["rows"] = 28;
  few.schedule["blocks"] = 1;
  Prediction waits = predictionOf(few, 5, 4);
  EXPECT_EQ(waits.tasks, 5);
  EXPECT_EQ(waits.bound, Bound::Threads);
  EXPECT_GT(waits.of(Part::Threads), waits.of(Part::MultiplyAdds) / 2);
  // A map is moved, and next to nothing computed.
  TensorType map{ElementType::F32, {-1, 112, 112, 64}};
  Kernel relu{"k", {map}, {{"relu", {0}, {}, {map}}}, {1}, {}};
  EXPECT_EQ(predictionOf(relu, 8, 2).bound, Bound::Memory);
  EXPECT_EQ(predictionOf(relu, 8, 2).of(Part::MultiplyAdds), 0);
  TensorType vector{ElementType::F32, {64}};
  Kernel tiny{"k", {vector}, {{"relu", {0}, {}, {vector}}}, {1}, {}};
  EXPECT_EQ(predictionOf(tiny, 8, 2).bound, Bound::Start);
}

TEST(CostModel, WhatWasTouchedLongAgoComesFromAfar) {
  Kernel conv = convolution({56, 64, 64}, avx512);
  Problem problem(conv, avx512);
  Machine machine = typicalMachine(avx512, 2);
  double near = predict(problem, machine, 4, {1e5, 1e5}).memory,
         far = predict(problem, machine, 4, {1e9, 1e9}).memory;
  EXPECT_GT(far, 1.3 * near);
  EXPECT_EQ(machine.at(1).read, machine.bandwidth.front().read);
  EXPECT_EQ(machine.at(1e12).read, machine.bandwidth.back().read);
  EXPECT_GE(machine.nearBytes(), 256 * 1024);
}

} // namespace
