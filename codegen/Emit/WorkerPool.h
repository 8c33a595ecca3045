//===- WorkerPool.h - Processes that answer a line with a line --*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#ifndef ROOTC_CODEGEN_EMIT_WORKERPOOL_H
#define ROOTC_CODEGEN_EMIT_WORKERPOOL_H

#include <functional>
#include <string>

namespace rootc::codegen {

/// What became of one job.
struct WorkerAnswer {
  /// Answered: `text` is the worker's line. Otherwise `text` says what
  /// happened to the worker, with the end of what it wrote to standard error.
  bool answered = false;
  std::string text;
};

struct WorkerPoolOptions {
  std::string program;
  unsigned workers = 1;
  /// Of processor time for one job, so that a loaded machine fails none; and
  /// of time without any.
  unsigned timeoutSeconds = 600;
  std::function<void(const std::string &)> warn;
};

/// What a free process is to do.
struct WorkerJob {
  enum class Kind {
    Job,
    Later, ///< nothing yet; to be asked again soon
    None,  ///< nothing any more
  };
  Kind kind = Kind::None;
  size_t number = 0; ///< the caller's
  std::string line;  ///< without its end
};

/// Sends each job that `next` gives to a process of `program` that is free,
/// which answers with one line; `done` is called with the job's number as
/// answers arrive, both on this thread. A process that ends, or takes too long,
/// fails the job it had, and the rest go on in a new one. Where fewer processes
/// than `workers` can be started, those do all jobs, and `warn` is told.
/// Returns
/// "", or why no process could be started, and then some jobs have had no
/// answer.
std::string runJobs(const WorkerPoolOptions &options,
                    const std::function<WorkerJob()> &next,
                    const std::function<void(size_t, WorkerAnswer)> &done);

/// One job, of that line; returns what runJobs does.
std::string runJob(const WorkerPoolOptions &options, const std::string &line,
                   WorkerAnswer &answer);

} // namespace rootc::codegen

#endif // ROOTC_CODEGEN_EMIT_WORKERPOOL_H
