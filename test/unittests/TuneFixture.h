//===- TuneFixture.h - Kernels and a folder to tune in ----------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_TEST_UNITTESTS_TUNEFIXTURE_H
#define ROOTC_TEST_UNITTESTS_TUNEFIXTURE_H

#include "codegen/Emit/KernelGenerator.h"
#include "codegen/Emit/TemporaryFolder.h"
#include "codegen/Tune/Database.h"
#include "test/Bench/ConvolutionCases.h"

#include <gtest/gtest.h>

namespace rootc::test {

inline const codegen::TargetInfo wide{"x86-64-linux-avx512", 512, 32},
    narrow{"x86-64-linux-avx2", 256, 16};
inline const codegen::TuneMachine machine{wide.halide, "a CPU", 2};
inline const codegen::KernelGenerator
    generator({{"", "1"}, {"Pool", "1"}, {"Winograd", "1"}});

/// A folder that goes with its test.
class Tune : public ::testing::Test {
protected:
  void SetUp() override {
    auto made = codegen::TemporaryFolder::create();
    ASSERT_TRUE(bool(made));
    folder.emplace(std::move(*made));
  }
  std::string path(const std::string &name) const {
    return folder->path() + "/" + name;
  }
  std::optional<codegen::TemporaryFolder> folder;
};

inline std::vector<codegen::Kernel> kernels(const codegen::TargetInfo &target) {
  const codegen::ConvShape shapes[] = {
      {14, 14, 64, 64, 1, {3, 3}, {1, 1}, {1, 1, 1, 1}, {1, 1}},
      {14, 14, 48, 96, 1, {1, 1}, {2, 2}, {}, {1, 1}},
      {9, 7, 24, 24, 24, {3, 3}, {1, 1}, {1, 1, 1, 1}, {1, 1}},
      {8, 8, 36, 36, 6, {3, 3}, {1, 1}, {1, 1, 1, 1}, {1, 1}},
      {1, 1, 64, 36, 1, {1, 1}, {1, 1}, {}, {1, 1}}};
  std::vector<codegen::Kernel> all;
  for (const codegen::ConvShape &shape : shapes)
    for (ConvKind kind : {ConvKind::ForwardRelu, ConvKind::BackwardData,
                          ConvKind::BackwardFilter})
      all.push_back(convKernel(kind, shape, target));
  return all;
}

} // namespace rootc::test

#endif // ROOTC_TEST_UNITTESTS_TUNEFIXTURE_H
