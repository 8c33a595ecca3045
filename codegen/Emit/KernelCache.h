//===- KernelCache.h - Compiled kernels, kept on disk -----------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A folder of files named by the hash of all that a compiled kernel depends on.
// Files appear by rename and end in their key and a hash of both, checked when
// read, so several compilers may use one cache and a torn or foreign file is a
// miss. Compilers that fill a cache together claim kernels, by locks on bytes
// of one file, which end with the process that has them.
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_CODEGEN_EMIT_KERNELCACHE_H
#define ROOTC_CODEGEN_EMIT_KERNELCACHE_H

#include "llvm/ADT/StringRef.h"

#include <cstdint>
#include <optional>
#include <string>

namespace rootc::codegen {

/// 32 hexadecimal digits.
std::string hashText(llvm::StringRef text);

/// For one thread.
class KernelCache {
public:
  static constexpr uint64_t defaultLimit = uint64_t(2) << 30;

  /// $ROOTC_CACHE, else $XDG_CACHE_HOME/rootc, else ~/.cache/rootc; empty if
  /// none is set.
  static std::string defaultDirectory();

  /// An empty directory: no cache. The folder is made when it is needed.
  explicit KernelCache(std::string directory, uint64_t limit = defaultLimit)
      : directory(std::move(directory)), limit(limit) {}
  ~KernelCache();
  KernelCache(const KernelCache &) = delete;
  KernelCache &operator=(const KernelCache &) = delete;

  bool isUsed() const { return !directory.empty(); }

  /// The content stored under a key; a hit counts as a use. What is not as it
  /// was stored is removed.
  std::optional<std::string> lookup(llvm::StringRef key) const;

  /// False if the folder cannot be written to; `problem` says why, once.
  bool store(llvm::StringRef key, llvm::StringRef content);

  /// Says that this compiler will store a key, until `release` or its end.
  /// False if another one has said so; true where it cannot be said.
  bool claim(llvm::StringRef key);
  void release(llvm::StringRef key);

  /// The hash of a file's content, remembered for as long as nobody touches
  /// the file; empty if it cannot be read.
  std::string hashFile(const std::string &path);

  /// Why the cache could not be used, "" if it could.
  const std::string &problem() const { return reason; }

  /// Removes what was used longest ago until the rest is within the limit.
  void trim() const;

private:
  std::string path(llvm::StringRef key) const;
  int lock(llvm::StringRef key, short kind);

  std::string directory;
  uint64_t limit;
  std::string reason;
  int claims = -1; ///< the file whose bytes are locked
};

} // namespace rootc::codegen

#endif // ROOTC_CODEGEN_EMIT_KERNELCACHE_H
