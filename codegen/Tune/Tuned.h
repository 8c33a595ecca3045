//===- Tuned.h - Schedules that a database has ------------------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_CODEGEN_TUNE_TUNED_H
#define ROOTC_CODEGEN_TUNE_TUNED_H

#include "codegen/Schedules/Source.h"
#include "codegen/Tune/Database.h"

namespace rootc::codegen {

/// What a compiler takes from a database, and what it leaves. Throws as
/// TuneDatabase does.
class TunedSchedules {
public:
  /// `batch` as of TuneDatabase::record.
  TunedSchedules(const std::string &path, TuneMachine machine, int64_t batch)
      : path(path), database(path, TuneDatabase::Mode::Read),
        machine(std::move(machine)), batch(batch) {}

  /// The record of a kernel, if there is one that was measured with this
  /// generator on a machine like `machine`. Throws nothing: see `problem`.
  std::optional<KnownSchedule> find(const Kernel &kernel);

  /// Why the database could not be read on, "" if it could.
  const std::string &problem() const { return reason; }

  /// What was found for kernels but not used, and what helps; empty if nothing.
  std::string remark() const;

private:
  std::optional<KnownSchedule> look(const Kernel &kernel);

  std::string path, reason;
  TuneDatabase database;
  TuneMachine machine;
  int64_t batch;
  /// Kernels without a record, by why those that there are do not fit.
  int64_t otherGenerator = 0, otherTarget = 0, otherCpu = 0, otherThreads = 0,
          otherBatch = 0;
};

} // namespace rootc::codegen

#endif // ROOTC_CODEGEN_TUNE_TUNED_H
