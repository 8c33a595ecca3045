//===- RunFolder.h - The files of a training run ----------------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_RUNTIME_RUNFOLDER_H
#define ROOTC_RUNTIME_RUNFOLDER_H

#include "Support.h"

namespace rootc {

/// A folder that one process at a time may use.
class RunFolder {
public:
  /// Makes the folder and locks it; throws if another process holds it.
  explicit RunFolder(const std::string &path);
  ~RunFolder();
  RunFolder(const RunFolder &) = delete;
  RunFolder &operator=(const RunFolder &) = delete;

  const std::string &path() const { return folder; }
  std::string file(const char *name) const { return folder + "/" + name; }

  /// Throws if a run that begins here would overwrite somebody's files.
  void requireFree() const;
  /// Cuts metrics.jsonl to the length a checkpoint knows.
  void truncateMetrics(int64_t bytes);
  /// Appends a line to metrics.jsonl, on the disk when this returns, and writes
  /// metrics.csv and TensorBoard's file anew; returns the length of the first.
  int64_t appendMetrics(const std::string &line);

private:
  void removePartialFiles();
  void writeTables() const;

  std::string folder;
  int lock = -1;
};

/// The first free name of runs/NAME-1, runs/NAME-2, ...
std::string newRunFolder(const std::string &name);

} // namespace rootc

#endif // ROOTC_RUNTIME_RUNFOLDER_H
