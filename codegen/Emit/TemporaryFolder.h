//===- TemporaryFolder.h - A folder that goes with its owner ----*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#ifndef ROOTC_CODEGEN_EMIT_TEMPORARYFOLDER_H
#define ROOTC_CODEGEN_EMIT_TEMPORARYFOLDER_H

#include "llvm/Support/Error.h"
#include "llvm/Support/FileSystem.h"

#include <string>
#include <utility>

namespace rootc::codegen {

class TemporaryFolder {
public:
  static llvm::Expected<TemporaryFolder> create() {
    llvm::SmallString<128> path;
    if (std::error_code error =
            llvm::sys::fs::createUniqueDirectory("rootc", path))
      return llvm::createStringError(
          "no temporary folder can be made: " + error.message() +
          "; set TMPDIR to a folder that can be written to");
    return TemporaryFolder(std::string(path));
  }
  TemporaryFolder(TemporaryFolder &&other) noexcept
      : name(std::exchange(other.name, "")) {}
  ~TemporaryFolder() {
    if (!name.empty())
      (void)llvm::sys::fs::remove_directories(name);
  }
  const std::string &path() const { return name; }

private:
  explicit TemporaryFolder(std::string name) : name(std::move(name)) {}
  std::string name;
};

} // namespace rootc::codegen

#endif // ROOTC_CODEGEN_EMIT_TEMPORARYFOLDER_H
