//===- TestSupport.h - What the runtime's tests share -----------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_TEST_RUNTIME_TESTSUPPORT_H
#define ROOTC_TEST_RUNTIME_TESTSUPPORT_H

#include "rootc/runtime.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>

namespace rootc::test {

/// A folder that goes with the test.
class TemporaryFolder {
public:
  TemporaryFolder() {
    std::string name =
        (std::filesystem::temp_directory_path() / "rootc-XXXXXX").string();
    if (mkdtemp(name.data()))
      path = name;
  }
  ~TemporaryFolder() {
    std::error_code error;
    std::filesystem::remove_all(path, error);
  }
  std::string file(const std::string &name) const { return path + "/" + name; }
  std::string path;
};

inline void writeBytes(const std::string &path, const std::string &bytes) {
  std::ofstream(path, std::ios::binary)
      .write(bytes.data(), std::streamsize(bytes.size()));
}

inline std::string readBytes(const std::string &path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// The message of the Error that a call throws, or "" if it throws none.
template <typename Call> std::string errorOf(const Call &call) {
  try {
    call();
  } catch (const Error &error) {
    return error.what();
  }
  return "";
}

#define EXPECT_CONTAINS(text, part)                                            \
  EXPECT_NE((text).find(part), std::string::npos) << "in: " << (text)

/// `count` records of CIFAR-10 whose classes softmax regression can learn: one
/// bright row for each.
inline std::string makeCifar(int count, unsigned seed) {
  std::string bytes;
  for (int i = 0; i < count; ++i) {
    seed = seed * 1664525 + 1013904223;
    int label = int(seed >> 16) % 10;
    bytes += char(label);
    for (int at = 0; at < 3072; ++at) {
      seed = seed * 1664525 + 1013904223;
      int row = at % 1024 / 32;
      bytes += char((seed >> 24) / 2 + (row / 3 == label ? 120 : 0));
    }
  }
  return bytes;
}

} // namespace rootc::test

#endif // ROOTC_TEST_RUNTIME_TESTSUPPORT_H
