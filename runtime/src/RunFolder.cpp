//===- RunFolder.cpp - The files of a training run ------------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "RunFolder.h"

#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace rootc;
namespace fs = std::filesystem;

RunFolder::RunFolder(const std::string &path) : folder(path) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error)
    fail("-o {}: cannot be made: {}", folder, error.message());
  std::string name = file("lock");
  lock = open(name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (lock < 0)
    fail("-o {}: cannot be written: {}", folder, systemError());
  if (flock(lock, LOCK_EX | LOCK_NB) != 0) {
    int reason = errno;
    close(lock);
    if (reason == EWOULDBLOCK)
      fail("-o {}: is in use by another run; wait for it, or choose another "
           "folder",
           folder);
    errno = reason;
    fail("-o {}: cannot be locked: {}", folder, systemError());
  }
  // Left behind by a run that was killed while it wrote.
  for (fs::directory_iterator it(folder, error), end; !error && it != end;
       it.increment(error))
    if (it->path().filename().string().find(".partial") != std::string::npos)
      fs::remove(it->path(), error);
}

RunFolder::~RunFolder() { close(lock); }

void RunFolder::truncateMetrics(int64_t bytes) {
  std::string name = file("metrics.jsonl");
  int descriptor = open(name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (descriptor < 0)
    fail("{}: cannot be opened: {}", name, systemError());
  struct stat info;
  bool known = fstat(descriptor, &info) == 0;
  bool cut =
      known && info.st_size >= bytes && ftruncate(descriptor, bytes) == 0;
  int reason = errno;
  close(descriptor);
  if (known && info.st_size < bytes)
    fail("{}: has {} bytes, and the checkpoint knows of {}; put the file back, "
         "or begin the run again, without --resume",
         name, info.st_size, bytes);
  errno = reason;
  if (!cut)
    fail("{}: cannot be cut: {}", name, systemError());
}

int64_t RunFolder::appendMetrics(const std::string &line) {
  std::string name = file("metrics.jsonl"), text = line + "\n";
  int descriptor =
      open(name.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  bool written =
      descriptor >= 0 &&
      write(descriptor, text.data(), text.size()) == ssize_t(text.size()) &&
      fsync(descriptor) == 0;
  int64_t length = written ? int64_t(lseek(descriptor, 0, SEEK_END)) : 0;
  int reason = errno;
  if (descriptor >= 0)
    close(descriptor);
  errno = reason;
  if (!written)
    fail("{}: cannot be written: {}", name, systemError());
  return length;
}

std::string rootc::newRunFolder(const std::string &name) {
  std::error_code error;
  int64_t number = 1;
  while (fs::exists(fmt::format("runs/{}-{}", name, number), error))
    ++number;
  return fmt::format("runs/{}-{}", name, number);
}
