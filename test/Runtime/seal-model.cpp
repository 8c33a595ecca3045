//===- seal-model.cpp - Make a hand-written model one of rootc's ----------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// seal-model MODEL.so: writes the library's hash into its note.
//
//===----------------------------------------------------------------------===//

#include "runtime/src/ElfNote.h"
#include "runtime/src/Support.h"

#include <cstdio>

int main(int, char **argv) {
  try {
    std::vector<char> bytes = rootc::readFile(argv[1]);
    rootc::sealModel(argv[1], bytes);
    rootc::writeFile(argv[1], {{bytes.data(), bytes.size()}});
    return 0;
  } catch (const std::exception &error) {
    std::fprintf(stderr, "seal-model: %s\n", error.what());
    return 1;
  }
}
