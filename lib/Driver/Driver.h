//===- Driver.h - The compiler's command ----------------------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_DRIVER_DRIVER_H
#define ROOTC_DRIVER_DRIVER_H

namespace rootc {

/// All of `rootc`, `rootc fmt` too; returns its exit code. Every failure,
/// crashes of libraries included, ends as an error on standard error and
/// code 1.
int rootcMain(int argc, char **argv);
/// All of `rootc-tune`, likewise.
int rootcTuneMain(int argc, char **argv);

} // namespace rootc

#endif // ROOTC_DRIVER_DRIVER_H
