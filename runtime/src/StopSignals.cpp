//===- StopSignals.cpp - Signals that stop a run after saving -------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "StopSignals.h"

using namespace rootc;

static volatile std::sig_atomic_t first = 0;

int StopSignals::caught() { return first; }

StopSignals::StopSignals() {
  first = 0;
  for (int signal : {SIGINT, SIGTERM, SIGHUP, SIGPIPE}) {
    struct sigaction before = {}, action = {};
    // Shells ignore SIGINT for what they start in the background; there it is
    // meant all the same.
    bool once = signal == SIGINT || signal == SIGTERM;
    if (sigaction(signal, nullptr, &before) != 0 ||
        (!once && before.sa_handler == SIG_IGN))
      continue;
    action.sa_handler = [](int signal) {
      if (first == 0)
        first = signal;
    };
    action.sa_flags = SA_RESTART | (once ? int(SA_RESETHAND) : 0);
    if (sigaction(signal, &action, nullptr) == 0)
      replaced.push_back({signal, before});
  }
}

StopSignals::~StopSignals() {
  for (const Replaced &old : replaced)
    sigaction(old.signal, &old.action, nullptr);
}
