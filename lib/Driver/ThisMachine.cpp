//===- ThisMachine.cpp - What schedules are tuned for ---------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lib/Driver/ThisMachine.h"
#include "rootc/runtime.h"
#include "runtime/src/Machine.h"

std::string rootc::cpuModel() { return Machine::current().cpu; }

int64_t rootc::usualThreads() { return defaultThreads(); }
