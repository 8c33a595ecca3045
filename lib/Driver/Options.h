//===- Options.h - What the command line asks for -------------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_DRIVER_OPTIONS_H
#define ROOTC_DRIVER_OPTIONS_H

#include "codegen/Kernel.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace rootc {

enum class OutputKind {
  SharedLibrary,
  StaticLibrary,
  Object,
  Header,
  Cpp,
  LLVM,
  Assembly,
  Stmt,
  Ptx,
  Cuda,
  Mlir,
  Onnx,
  Cost,
  Explain,
  Tuning,     ///< of rootc-tune: records in a database
  Suggestion, ///< of rootc-tune: topologies by time
};

/// What rootc-tune asks for beside a network.
struct TuneFlags {
  std::string database, replay;
  std::string bundle, take; ///< folders; empty: none
  std::string exported;     ///< a file of records; empty: none
  uint64_t seed = 0;
  bool random = false; ///< not where a climb would look
  int64_t trials = INT64_MAX;
  std::chrono::seconds budget{600};
  std::vector<int64_t> suggest; ///< numbers of groups to try
};

/// The command line, checked; values of flags as they were given.
struct Options {
  std::string input;
  std::string output; ///< "-": standard output
  OutputKind kind = OutputKind::SharedLibrary;
  int64_t root = 0;
  std::string topology, groups, image, format, weights;
  int64_t classes = 0;              ///< 0: as the file says
  double labelSmoothing = 0;        ///< of the loss
  std::vector<double> classWeights; ///< of the loss; empty: all alike
  std::string freeze;               ///< patterns of layers; empty: none
  bool costTraining = false;        ///< --emit=cost of a training step
  bool sliceWeights = false, pixels = false;
  std::optional<uint64_t> seed;
  codegen::TargetInfo target; ///< the first of
  std::vector<codegen::TargetInfo> targets;
  bool inferOnly = false;
  bool recompute = false;
  bool keepResponses = false;
  bool winograd = true;
  bool bf16 = false;       ///< of the CPU: how maps are stored
  int64_t operandBits = 0; ///< of tensor cores (TensorCoreSchedule); 0: none
  unsigned jobs = 0;
  bool time = false;         ///< tell where the compilation's time goes
  std::string tuned;         ///< a database of schedules; empty: none
  bool useRecords = true;    ///< it, and those that come with rootc
  std::string measuredOn;    ///< whose records of it; empty: this machine's
  int64_t autoscheduler = 0; ///< as of AutoscheduledSchedule; 0: none
  int64_t threads = 0;       ///< that schedules are tuned for; 0: all cores
  int64_t batch = 0;         ///< likewise; 0: not said
  // Of --explain.
  std::string explain;          ///< the program; empty: infer and train
  std::string profile, machine; ///< files; empty: none
  TuneFlags tune;
};

/// Reads the command line; prints what is wrong with it and returns nothing, or
/// sets `exitCode` to 0 after --help or --version.
std::optional<Options> parseOptions(int argc, char **argv, int &exitCode);
/// The same of rootc-tune.
std::optional<Options> parseTuneOptions(int argc, char **argv, int &exitCode);

} // namespace rootc

#endif // ROOTC_DRIVER_OPTIONS_H
