//===- CompiledModels.h - Models that the tests compile ---------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_TEST_ENDTOEND_COMPILEDMODELS_H
#define ROOTC_TEST_ENDTOEND_COMPILEDMODELS_H

#include "rootc/runtime.h"

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <map>
#include <random>
#include <unistd.h>

namespace rootc::test {

/// Compiles a network with rootc once a process; throws if that fails. The
/// library is `ROOTC_TEST_FOLDER/<file>`.
inline std::string compiled(const std::string &network, const std::string &file,
                            const std::string &flags) {
  static std::map<std::string, std::string> made;
  auto [place, isNew] = made.try_emplace(file);
  if (!isNew)
    return place->second;
  std::filesystem::create_directories(ROOTC_TEST_FOLDER);
  std::string path = std::string(ROOTC_TEST_FOLDER "/") + file;
  std::string command =
      ROOTC_COMPILER " '" + network + "' " + flags + " -o '" + path + "'";
  if (std::system(command.c_str()) != 0)
    throw Error(command + ": failed");
  return place->second = path;
}

/// Random numbers in [-1, 1), the same for the same seed.
inline FloatArray randomFloats(int64_t count, unsigned seed) {
  std::mt19937 generator(seed);
  FloatArray values(static_cast<size_t>(count));
  for (float &value : values)
    value = float(generator()) * 0x1p-31f - 1.0f;
  return values;
}

inline bool sameBits(const FloatArray &a, const FloatArray &b) {
  return a.size() == b.size() &&
         std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

} // namespace rootc::test

#endif // ROOTC_TEST_ENDTOEND_COMPILEDMODELS_H
