//===- LogFile.cpp - The log of a training run ----------------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "LogFile.h"
#include "Support.h"

#include <cstdio>
#include <fcntl.h>
#include <unistd.h>

using namespace rootc;

LogFile::LogFile(const std::string &path)
    : path(path),
      descriptor(
          open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666)) {
  if (descriptor < 0)
    fail("{}: cannot be written: {}", path, writeError());
  set_pattern("%Y-%m-%d %H:%M:%S.%e %v");
}

LogFile::~LogFile() { close(descriptor); }

void LogFile::sink_it_(const spdlog::details::log_msg &message) {
  spdlog::memory_buf_t text;
  formatter_->format(message, text);
  if (appendWhole(descriptor, {text.data(), text.size()}) || failed)
    return;
  failed = true;
  fmt::print(stderr,
             "rootrun: {}: cannot be written: {}; the run goes on without "
             "these lines\n",
             path, writeError());
}
