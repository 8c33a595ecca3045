//===- Bundle.h - Candidates for another machine ----------------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A machine that measures need not be one that compiles. A bundle is a folder
// of timing libraries, the program rootc-time, which runs them and writes what
// they took beside them (runtime/src/KernelBundle), and jobs.jsonl, which says
// what each of them is.
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_CODEGEN_TUNE_BUNDLE_H
#define ROOTC_CODEGEN_TUNE_BUNDLE_H

#include "codegen/Tune/TimingLibrary.h"
#include "llvm/Support/raw_ostream.h"

#include <memory>

namespace rootc::codegen {

struct BundleOptions {
  std::string folder;
  TargetInfo target;
  KernelCompilerOptions compiler;
  std::string timingProgram; ///< path of rootc-time
  int64_t most = INT64_MAX;  ///< schedules
};

/// Puts what a search asks for into a bundle, and answers that it is as fast as
/// the rule's, so that the search goes on to others.
class BundleTimer : public Timer {
public:
  /// The folder must not hold anything yet. Throws std::runtime_error, which
  /// names the file.
  explicit BundleTimer(BundleOptions options);

  void prepare(const std::vector<TimingRequest> &requests) override {
    libraries.prepare(requests);
  }
  Trial time(const TimingRequest &request) override;
  bool isFull() const override { return count >= options.most; }

  int64_t jobs() const { return count; }

private:
  BundleOptions options;
  TimingLibraries libraries;
  std::unique_ptr<llvm::raw_fd_ostream> list;
  int64_t count = 0;
};

/// Puts the times of a bundle into a database; says what they are, for people.
/// Throws std::runtime_error.
std::string takeBundle(const std::string &folder, TuneDatabase &database);

} // namespace rootc::codegen

#endif // ROOTC_CODEGEN_TUNE_BUNDLE_H
