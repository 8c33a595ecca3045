//===- rootc-tune.cpp - Searches for faster schedules ---------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lib/Driver/Driver.h"
#include "runtime/src/Support.h"

int main(int argc, char **argv) {
  rootc::prepareProcess();
  return rootc::rootcTuneMain(argc, argv);
}
