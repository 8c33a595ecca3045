//===- TemporaryFolder.h - A folder that goes with its owner ----*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
#ifndef ROOTC_CODEGEN_EMIT_TEMPORARYFOLDER_H
#define ROOTC_CODEGEN_EMIT_TEMPORARYFOLDER_H

#include "llvm/Support/Error.h"

#include <string>

namespace rootc::codegen {

/// A folder in $TMPDIR, removed with its object and by `runCleanups`.
class TemporaryFolder {
public:
  static llvm::Expected<TemporaryFolder> create();
  TemporaryFolder(TemporaryFolder &&other) noexcept;
  TemporaryFolder &operator=(TemporaryFolder &&) = delete;
  ~TemporaryFolder();

  const std::string &path() const { return name; }

  /// Whether an error's text is the system's for a full disk, and what is to be
  /// said then.
  static bool isFull(llvm::StringRef error);
  static std::string fullText(llvm::StringRef error);

private:
  explicit TemporaryFolder(std::string name);

  std::string name; ///< empty: moved away
  uint64_t cleanup = 0;
};

} // namespace rootc::codegen

#endif // ROOTC_CODEGEN_EMIT_TEMPORARYFOLDER_H
