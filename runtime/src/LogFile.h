//===- LogFile.h - The log of a training run --------------------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_RUNTIME_LOGFILE_H
#define ROOTC_RUNTIME_LOGFILE_H

#include <mutex>
#include <spdlog/sinks/base_sink.h>
#include <string>

namespace rootc {

/// Appends lines to a file. A line that cannot be written is left out whole,
/// and the first such is told on standard error: a full disk must neither stop
/// a run that has nothing else to write yet, nor hide the error that does.
class LogFile : public spdlog::sinks::base_sink<std::mutex> {
public:
  /// Throws an Error if the file cannot be opened.
  explicit LogFile(const std::string &path);
  ~LogFile() override;
  LogFile(const LogFile &) = delete;
  LogFile &operator=(const LogFile &) = delete;

protected:
  void sink_it_(const spdlog::details::log_msg &message) override;
  void flush_() override {}

private:
  std::string path;
  int descriptor;
  bool failed = false;
};

} // namespace rootc

#endif // ROOTC_RUNTIME_LOGFILE_H
