//===- CompileTimes.h - Where a compilation's time goes --------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_CODEGEN_EMIT_COMPILETIMES_H
#define ROOTC_CODEGEN_EMIT_COMPILETIMES_H

#include <chrono>
#include <string>
#include <utility>
#include <vector>

namespace rootc::codegen {

/// Elapsed times of a compilation's stages, one after another, and of the
/// kernels that were compiled. To be used on one thread.
class CompileTimes {
public:
  /// Ends the stage before. A stage that comes again goes on.
  void begin(const std::string &stage);
  void end();
  void addKernel(const std::string &label, double seconds) {
    kernels.push_back({label, seconds});
  }
  void addCached() { ++cached; }

  /// A table; ends the last stage.
  std::string table();

private:
  using Clock = std::chrono::steady_clock;
  using Row = std::pair<std::string, double>; ///< what, and its seconds

  std::vector<Row> stages, kernels;
  size_t cached = 0; ///< kernels that had been compiled before
  size_t stage = 0;  ///< that runs
  bool isRunning = false;
  Clock::time_point since;
};

} // namespace rootc::codegen

#endif // ROOTC_CODEGEN_EMIT_COMPILETIMES_H
