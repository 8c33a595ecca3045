//===- Database.h - What was tried, and how fast it was ---------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// An SQLite file of problems and trials. A problem is a kernel without its
// schedule on a machine; a trial is one schedule of it. Each trial is a
// transaction of its own: a program that is killed loses the one at work, and
// several may write to one file.
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_CODEGEN_TUNE_DATABASE_H
#define ROOTC_CODEGEN_TUNE_DATABASE_H

#include "codegen/Kernel.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

struct sqlite3;

namespace rootc::codegen {

/// What times depend on beside a kernel and the size of its batch.
struct TuneMachine {
  std::string target; ///< Halide target string
  std::string cpu;    ///< the model's name
  int64_t threads = 1;
};

/// A kernel as a key.
struct TuneProblem {
  std::string kernel;    ///< problemText()
  std::string generator; ///< KernelGenerator::version()
};

/// A kernel as a key: canonical JSON of withoutPoint().
std::string problemText(const Kernel &kernel, bool packsOnce);

/// Batches share their records up to the next power of two: 1, 2, 4, ...
int64_t batchClass(int64_t batch);

/// "rows=4 tile_x=6", and back; throws std::runtime_error.
std::string scheduleText(const Schedule &schedule);
Schedule scheduleFromText(const std::string &text);

enum class TrialState {
  Rule,   ///< what is chosen without a record
  Better, ///< than all before it, measured twice
  Slower, ///< than another, or not faster beyond doubt
  Failed, ///< to compile, to run, or to end
  Wrong,  ///< its results are not the rule's
};

struct Trial {
  Schedule schedule;
  TrialState state = TrialState::Slower;
  double milliseconds = 0;
  double relative = 0; ///< its time by the rule's, taken in turns
  std::string note;    ///< why it failed
};

/// The fastest schedule of a problem.
struct TuneRecord {
  Schedule schedule;
  double relative = 1;
  int64_t batch = 1; ///< batchClass()
  int64_t trial = 0; ///< its number in the file
};

/// Throws std::runtime_error, which names the file.
class TuneDatabase {
public:
  enum class Mode { Read, Write };
  /// For writing, the file is made if it is not there.
  TuneDatabase(const std::string &path, Mode mode);
  ~TuneDatabase();
  TuneDatabase(const TuneDatabase &) = delete;
  TuneDatabase &operator=(const TuneDatabase &) = delete;

  /// The number of a problem, which is added if it is new, unless the file is
  /// only read: then it is 0. `label` is for people: "conv2a forward".
  int64_t problem(const TuneProblem &problem, const TuneMachine &machine,
                  int64_t batch, const std::string &label);
  std::optional<Trial> find(int64_t problem, const Schedule &schedule) const;
  /// Unless another program was faster to add the same.
  void add(int64_t problem, const Trial &trial);
  /// All of a problem, in the order in which they were added.
  std::vector<Trial> trials(int64_t problem) const;

  /// The record of a problem on a machine; of `batch`, or, if that is 0, of the
  /// largest batch that has one.
  std::optional<TuneRecord> record(const TuneProblem &problem,
                                   const TuneMachine &machine,
                                   int64_t batch) const;
  /// Another machine, or another generator, that a kernel has records of.
  struct Other {
    TuneMachine machine;
    std::string generator;
  };
  std::vector<Other> others(const TuneProblem &problem,
                            const TuneMachine &machine) const;

  /// The fastest point of a problem that is faster than the rule's.
  struct Found {
    TuneProblem problem;
    TuneMachine machine;
    std::string label;
    TuneRecord record;
  };
  std::vector<Found> found() const;

  /// The CPUs or devices that a target's records are of, by their names.
  std::vector<std::string> machines(const std::string &target) const;

private:
  class Statement;
  [[noreturn]] void fail() const;
  void setJournal(const char *kind);

  std::string path;
  Mode mode;
  sqlite3 *database = nullptr;
};

} // namespace rootc::codegen

#endif // ROOTC_CODEGEN_TUNE_DATABASE_H
