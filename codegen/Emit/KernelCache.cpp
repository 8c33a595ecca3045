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
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/xxhash.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utime.h>
#include <vector>

using namespace llvm;

namespace rootc::codegen {

namespace {

/// Follows the content in each file, then the key and the hash of all that is
/// before it.
const char magic[] = "rootc-kernel-2\n";

/// Of keys and of hashes, as text.
const size_t digits = 32;

const char suffix[] = ".kernel";

/// Others may keep files in the folder too.
bool isEntry(StringRef path) {
  StringRef name = sys::path::filename(path);
  return name.consume_back(suffix) && name.size() == digits &&
         all_of(name, [](char c) { return isHexDigit(c); });
}

std::string sealed(StringRef key, StringRef content) {
  std::string text = (content + magic + key).str();
  return text + hashText(text);
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
  StringRef content =
      bytes.drop_back(std::min(bytes.size(), strlen(magic) + 2 * digits));
  if (bytes != sealed(key, content)) {
    (void)sys::fs::remove(path(key));
    return std::nullopt;
  }
  utime(path(key).c_str(), nullptr);
  return content.str();
}

bool KernelCache::store(StringRef key, StringRef content) {
  if (!isUsed() || !reason.empty())
    return false;
  if (std::error_code error = sys::fs::create_directories(directory)) {
    reason = directory + ": " + error.message();
    return false;
  }
  if (Error error = writeOutput(path(key), sealed(key, content)))
    reason = toString(std::move(error));
  return reason.empty();
}

KernelCache::~KernelCache() {
  if (claims >= 0)
    close(claims);
}

/// Of one byte for each key; these locks belong to the open file, so that two
/// caches of one process exclude each other as well. An error code.
int KernelCache::lock(StringRef key, short kind) {
  if (claims < 0) {
    (void)sys::fs::create_directories(directory);
    claims = open((directory + "/.claims").c_str(),
                  O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  }
  struct flock range = {};
  range.l_type = kind;
  range.l_whence = SEEK_SET;
  range.l_start = off_t(xxh3_64bits(key) >> 1);
  range.l_len = 1;
  return fcntl(claims, F_OFD_SETLK, &range) ? errno : 0;
}

bool KernelCache::claim(StringRef key) {
  int error = isUsed() ? lock(key, F_WRLCK) : 0;
  return error != EAGAIN && error != EACCES;
}

void KernelCache::release(StringRef key) {
  if (isUsed())
    (void)lock(key, F_UNLCK);
}

std::string KernelCache::hashFile(const std::string &path) {
  struct stat file;
  if (stat(path.c_str(), &file))
    return "";
  // Any write changes the last of these times, which nobody can set.
  std::string key = hashText(formatv("{0}\n{1} {2} {3} {4}.{5} {6}.{7}", path,
                                     file.st_dev, file.st_ino, file.st_size,
                                     file.st_mtim.tv_sec, file.st_mtim.tv_nsec,
                                     file.st_ctim.tv_sec, file.st_ctim.tv_nsec)
                                 .str());
  if (auto known = lookup(key))
    return *known;
  auto content = MemoryBuffer::getFile(path, /*IsText=*/false,
                                       /*RequiresNullTerminator=*/false);
  if (!content)
    return "";
  std::string hash = hashText((*content)->getBuffer());
  store(key, hash);
  return hash;
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
    auto status = it->status();
    if (!status)
      continue;
    // What a compiler that was killed had begun to write.
    if (isEntry(StringRef(it->path()).rsplit('.').first) &&
        status->getLastModificationTime() <
            std::chrono::system_clock::now() - std::chrono::hours(24))
      (void)sys::fs::remove(it->path());
    if (isEntry(it->path())) {
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
