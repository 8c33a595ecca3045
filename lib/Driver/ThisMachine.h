//===- ThisMachine.h - What schedules are tuned for -------------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Of the runtime, whose names would clash with LLVM's.
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_DRIVER_THISMACHINE_H
#define ROOTC_DRIVER_THISMACHINE_H

#include <cstdint>
#include <string>

namespace rootc {

/// The name of this CPU's model.
std::string cpuModel();
/// Threads that kernels run on by default.
int64_t usualThreads();

} // namespace rootc

#endif // ROOTC_DRIVER_THISMACHINE_H
