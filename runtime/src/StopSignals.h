//===- StopSignals.h - Signals that stop a run after saving -----*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_RUNTIME_STOPSIGNALS_H
#define ROOTC_RUNTIME_STOPSIGNALS_H

#include <csignal>
#include <vector>

namespace rootc {

/// While it lives, notes the first SIGINT, SIGTERM, SIGHUP or SIGPIPE instead
/// of dying of it; SIGHUP (nohup) and SIGPIPE only if they were not ignored. A
/// second SIGINT or SIGTERM ends the process; a closing terminal may send
/// several SIGHUPs, and a closed pipe a SIGPIPE for each line, so these do not.
/// One at a time in a process.
class StopSignals {
public:
  StopSignals();
  ~StopSignals();
  StopSignals(const StopSignals &) = delete;
  StopSignals &operator=(const StopSignals &) = delete;

  /// The signal that came first; 0: none has.
  static int caught();

private:
  struct Replaced {
    int signal;
    struct sigaction action;
  };
  std::vector<Replaced> replaced;
};

} // namespace rootc

#endif // ROOTC_RUNTIME_STOPSIGNALS_H
