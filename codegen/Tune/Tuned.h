//===- Tuned.h - Schedules that were measured -------------------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_CODEGEN_TUNE_TUNED_H
#define ROOTC_CODEGEN_TUNE_TUNED_H

#include "codegen/CostModel.h"
#include "codegen/Emit/KernelGenerator.h"
#include "codegen/Schedules/Source.h"
#include "codegen/Tune/Shipped.h"

namespace rootc::codegen {

/// What a compiler takes from a database, if it has one, and from the records
/// that come with rootc; and what it leaves. Throws as TuneDatabase does.
class TunedSchedules {
public:
  /// `path` of the database, empty: there is none. `batch` as of
  /// TuneDatabase::record. `shipped` must live as long.
  TunedSchedules(const std::string &path, KernelGenerator generator,
                 const TargetInfo &target, TuneMachine machine, int64_t batch,
                 const ShippedRecords &shipped);

  /// The record of a kernel, if there is one that was measured with this
  /// generator on a machine like `machine`; else the one that comes with rootc,
  /// if it suits the batch and the threads. Throws nothing: see `problem`.
  std::optional<KnownSchedule> find(const Kernel &kernel, bool packsOnce);

  /// Why the database could not be read on, "" if it could.
  const std::string &problem() const { return reason; }

  /// What the database has of kernels but was not used, and what helps; empty
  /// if nothing.
  std::string remark() const;

private:
  std::optional<KnownSchedule> look(const std::vector<TuneProblem> &problems);
  std::optional<KnownSchedule>
  lookShipped(const std::vector<TuneProblem> &problems,
              const Kernel &kernel) const;
  bool suits(const TuneRecord &record, const TuneProblem &problem,
             const Kernel &kernel) const;
  double predicted(const Kernel &kernel) const;

  std::string path, reason;
  std::optional<TuneDatabase> database;
  KernelGenerator generator;
  TargetInfo target;
  TuneMachine machine;
  int64_t batch;
  const ShippedRecords &shipped;
  /// Kernels without a record, by why those that there are do not fit.
  int64_t otherGenerator = 0, otherTarget = 0, otherCpu = 0, otherThreads = 0,
          otherBatch = 0;
};

} // namespace rootc::codegen

#endif // ROOTC_CODEGEN_TUNE_TUNED_H
