//===- Support.cpp - Errors and files -------------------------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Support.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <fmt/ranges.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

using namespace rootc;

namespace {
/// A file descriptor that closes itself.
struct File {
  int descriptor;
  explicit File(int descriptor) : descriptor(descriptor) {}
  ~File() { close(descriptor); }
  File(const File &) = delete;
  File &operator=(const File &) = delete;
};
} // namespace

std::string rootc::systemError() { return std::strerror(errno); }

std::string rootc::writeError() {
  std::string text = systemError();
  if (errno == ENOSPC || errno == EDQUOT)
    return text + "; make room there";
  if (errno == EFBIG)
    return text + "; raise the limit of a file's size (ulimit -f)";
  return text;
}

void rootc::prepareProcess() {
  int descriptor = 0;
  do
    descriptor = open("/dev/null", O_RDWR);
  while (descriptor >= 0 && descriptor <= STDERR_FILENO);
  if (descriptor > STDERR_FILENO)
    close(descriptor);
  std::signal(SIGXFSZ, SIG_IGN);
}

/// Opens a regular file to read it, and finds its size.
static int openRegular(const std::string &path, int64_t &size) {
  // Opening a pipe must not wait for somebody to write to it.
  int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  struct stat info;
  if (descriptor < 0)
    fail("{}: cannot be opened: {}", path, systemError());
  std::string problem;
  if (fstat(descriptor, &info) != 0)
    problem = "cannot be read: " + systemError();
  else if (!S_ISREG(info.st_mode))
    problem = "is not a regular file";
  if (!problem.empty()) {
    close(descriptor);
    fail("{}: {}", path, problem);
  }
  size = info.st_size;
  return descriptor;
}

static std::vector<char> readBytes(const std::string &path, int descriptor,
                                   int64_t offset, int64_t length) {
  std::vector<char> bytes(static_cast<size_t>(length));
  size_t done = 0;
  while (done < bytes.size()) {
    ssize_t got = pread(descriptor, bytes.data() + done, bytes.size() - done,
                        off_t(offset + int64_t(done)));
    if (got < 0 && errno == EINTR)
      continue;
    if (got < 0)
      fail("{}: cannot be read: {}", path, systemError());
    if (got == 0)
      fail("{}: became shorter while it was read", path);
    done += size_t(got);
  }
  return bytes;
}

FileBegin rootc::readBegin(const std::string &path, int64_t count) {
  int64_t size = 0;
  File file(openRegular(path, size));
  return {readBytes(path, file.descriptor, 0, std::min(size, count)), size};
}

std::vector<char> rootc::readFile(const std::string &path, int64_t limit) {
  int64_t size = 0;
  File file(openRegular(path, size));
  if (size > limit)
    fail("{}: has {} bytes, more than the {} that are read", path, size, limit);
  return readBytes(path, file.descriptor, 0, size);
}

std::vector<char> rootc::readFileRange(const std::string &path, int64_t offset,
                                       int64_t length) {
  int64_t size = 0;
  File file(openRegular(path, size));
  if (offset < 0 || length < 0 || offset > size || length > size - offset)
    fail("{}: has {} bytes; {} from byte {} on are needed", path, size, length,
         offset);
  return readBytes(path, file.descriptor, offset, length);
}

int64_t rootc::fileSize(const std::string &path) {
  int64_t size = 0;
  File file(openRegular(path, size));
  return size;
}

/// False, with errno set, if not all could be written.
static bool writeAll(int descriptor, std::string_view bytes) {
  while (!bytes.empty()) {
    ssize_t put = write(descriptor, bytes.data(), bytes.size());
    if (put < 0 && errno == EINTR)
      continue;
    if (put < 0)
      return false;
    bytes.remove_prefix(size_t(put));
  }
  return true;
}

bool rootc::appendWhole(int descriptor, std::string_view bytes) {
  off_t before = lseek(descriptor, 0, SEEK_END);
  if (before >= 0 && writeAll(descriptor, bytes))
    return true;
  int reason = errno;
  [[maybe_unused]] bool cut = before >= 0 && ftruncate(descriptor, before) == 0;
  errno = reason;
  return false;
}

static void syncFolder(const std::string &path) {
  size_t slash = path.rfind('/');
  std::string folder = slash == std::string::npos ? "."
                       : slash == 0               ? "/"
                                                  : path.substr(0, slash);
  File file(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  // Some file systems cannot sync a folder (EINVAL); then nothing can be done.
  if (file.descriptor < 0 || (fsync(file.descriptor) != 0 && errno != EINVAL))
    throw Error(writeError());
}

std::string rootc::partialName(const std::string &path, int64_t process) {
  return fmt::format("{}.partial.{}", path, process);
}

void rootc::writeFile(const std::string &path,
                      const std::vector<std::string_view> &pieces,
                      const std::function<void()> &beforeRename) {
  struct stat info;
  bool exists = stat(path.c_str(), &info) == 0;
  if (exists && S_ISDIR(info.st_mode))
    fail("{}: cannot be written: it is a folder", path);
  try {
    // A device or a pipe (-o /dev/stdout) is written in place.
    if (exists && !S_ISREG(info.st_mode)) {
      File file(open(path.c_str(), O_WRONLY | O_CLOEXEC));
      if (file.descriptor < 0)
        throw Error(writeError());
      for (std::string_view piece : pieces)
        if (!writeAll(file.descriptor, piece))
          throw Error(writeError());
      return;
    }
    std::string aside = partialName(path, getpid());
    try {
      File file(
          open(aside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666));
      if (file.descriptor < 0)
        throw Error(writeError());
      for (std::string_view piece : pieces)
        if (!writeAll(file.descriptor, piece))
          throw Error(writeError());
      if (fsync(file.descriptor) != 0)
        throw Error(writeError());
      if (beforeRename)
        beforeRename();
      if (rename(aside.c_str(), path.c_str()) != 0)
        throw Error(writeError());
    } catch (const Error &) {
      unlink(aside.c_str());
      throw;
    }
    syncFolder(path);
  } catch (const Error &error) {
    fail("{}: cannot be written: {}", path, error.what());
  }
}

std::string rootc::hashOfBytes(const std::vector<std::string_view> &pieces) {
  std::unique_ptr<XXH3_state_t, decltype(&XXH3_freeState)> state(
      XXH3_createState(), XXH3_freeState);
  if (!state)
    throw std::bad_alloc();
  XXH3_128bits_reset(state.get());
  for (std::string_view piece : pieces)
    if (!piece.empty())
      XXH3_128bits_update(state.get(), piece.data(), piece.size());
  XXH128_hash_t hash = XXH3_128bits_digest(state.get());
  return fmt::format("{:016x}{:016x}", hash.high64, hash.low64);
}

std::optional<int64_t> rootc::multiply(int64_t a, int64_t b) {
  int64_t product;
  if (a < 0 || b < 0 || __builtin_mul_overflow(a, b, &product))
    return std::nullopt;
  return product;
}

std::optional<int64_t> rootc::elementCount(const std::vector<int64_t> &shape) {
  std::optional<int64_t> count = 1;
  for (int64_t size : shape)
    if (!(count = multiply(*count, size)))
      return std::nullopt;
  return count;
}

std::string rootc::toString(const std::vector<int64_t> &shape) {
  return fmt::format("[{}]", fmt::join(shape, ","));
}

std::string rootc::speedText(double imagesPerSecond) {
  return imagesPerSecond < 10 ? fmt::format("{:.2g} images/s", imagesPerSecond)
                              : fmt::format("{:.0f} images/s", imagesPerSecond);
}
