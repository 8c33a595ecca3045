//===- EarlyEnd.h - Ends that no destructor sees ----------------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_DRIVER_EARLYEND_H
#define ROOTC_DRIVER_EARLYEND_H

namespace rootc {

/// From now on signals that ask the program to end, crashes, fatal errors of
/// LLVM's libraries and the end of memory leave no files and processes behind;
/// all but the signals are errors on standard error with exit code 1. To be
/// called once, before any thread is started and crash recovery is enabled.
void prepareForEarlyEnd();

} // namespace rootc

#endif // ROOTC_DRIVER_EARLYEND_H
