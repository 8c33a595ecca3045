//===- KernelCache.cpp - Compiled kernels, kept on disk -------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/Emit/KernelCache.h"
#include "codegen/Emit/OutputFile.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"

#include "llvm/Support/xxhash.h"

#include <algorithm>
#include <cstdlib>
#include <utime.h>
#include <vector>

using namespace llvm;

namespace rootc::codegen {

namespace {

/// Follows the content in each file, then the content's hash as text.
const char magic[] = "rootc-kernel-1\n";

const char suffix[] = ".kernel";

/// Others may keep files in the folder too.
bool isEntry(StringRef path) {
  StringRef name = sys::path::filename(path);
  return name.consume_back(suffix) && name.size() == 32 &&
         all_of(name, [](char c) { return isHexDigit(c); });
}

} // namespace

std::string hashText(StringRef text) {
  XXH128_hash_t hash = xxh3_128bits(arrayRefFromStringRef(text));
  return utohexstr(hash.high64, true, 16) + utohexstr(hash.low64, true, 16);
}

std::string KernelCache::defaultDirectory() {
  auto variable = [](const char *name) -> std::string {
    const char *value = getenv(name);
    return value ? value : "";
  };
  if (std::string own = variable("ROOTC_CACHE"); !own.empty())
    return own;
  if (std::string xdg = variable("XDG_CACHE_HOME"); !xdg.empty())
    return xdg + "/rootc";
  if (std::string home = variable("HOME"); !home.empty())
    return home + "/.cache/rootc";
  return "";
}

std::string KernelCache::path(StringRef key) const {
  return directory + "/" + key.str() + suffix;
}

std::optional<std::string> KernelCache::lookup(StringRef key) const {
  if (directory.empty())
    return std::nullopt;
  auto file = MemoryBuffer::getFile(path(key), /*IsText=*/false,
                                    /*RequiresNullTerminator=*/false);
  if (!file)
    return std::nullopt;
  StringRef bytes = (*file)->getBuffer();
  const size_t trailer = strlen(magic) + 32;
  if (bytes.size() < trailer)
    return std::nullopt;
  StringRef content = bytes.drop_back(trailer);
  if (bytes.substr(content.size()) != magic + hashText(content))
    return std::nullopt;
  utime(path(key).c_str(), nullptr);
  return content.str();
}

bool KernelCache::store(StringRef key, StringRef content) {
  if (directory.empty() || !reason.empty())
    return false;
  if (std::error_code error = sys::fs::create_directories(directory)) {
    reason = directory + ": " + error.message();
    return false;
  }
  if (Error error =
          writeOutput(path(key), content.str() + magic + hashText(content)))
    reason = toString(std::move(error));
  return reason.empty();
}

void KernelCache::trim() const {
  struct Entry {
    std::string path;
    uint64_t bytes;
    sys::TimePoint<> used;
  };
  std::vector<Entry> entries;
  uint64_t total = 0;
  std::error_code error;
  for (sys::fs::directory_iterator it(directory, error), end;
       !error && it != end; it.increment(error)) {
    if (!isEntry(it->path()))
      continue;
    if (auto status = it->status()) {
      entries.push_back(
          {it->path(), status->getSize(), status->getLastModificationTime()});
      total += status->getSize();
    }
  }
  if (total <= limit)
    return;
  std::sort(entries.begin(), entries.end(),
            [](const Entry &a, const Entry &b) { return a.used < b.used; });
  for (const Entry &entry : entries) {
    if (total <= limit)
      return;
    if (!sys::fs::remove(entry.path))
      total -= entry.bytes;
  }
}

} // namespace rootc::codegen
