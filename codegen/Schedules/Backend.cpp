//===- Backend.cpp - What differs between kinds of machine ----------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/Schedules/Backend.h"

namespace rootc::codegen {

const Backend &backendOf(const TargetInfo &target) {
  auto asUsual = [](const ConvShape &) { return int64_t(0); };
  static const Backend cpu = {false,       true,           true,   true,
                              cpuSchedule, cpuFilterBlock, asUsual};
  static const Backend device = {true,
                                 false,
                                 false,
                                 false,
                                 deviceSchedule,
                                 deviceFilterBlock,
                                 deviceGradientChunks};
  std::string features = target.halide + "-";
  for (const char *name : {"-cuda-", "-opencl-"})
    if (features.find(name) != std::string::npos)
      return device;
  return cpu;
}

} // namespace rootc::codegen
