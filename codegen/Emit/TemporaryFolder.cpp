//===- TemporaryFolder.cpp - A folder that goes with its owner ------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/Emit/TemporaryFolder.h"
#include "codegen/Emit/Cleanup.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

#include <cerrno>
#include <cstring>
#include <unistd.h>
#include <utility>

using namespace llvm;

namespace rootc::codegen {

/// Processes that are about to die may write once more meanwhile.
static void removeFolder(const std::string &name) {
  for (int i = 0; i < 100; ++i) {
    (void)sys::fs::remove_directories(name);
    if (!sys::fs::exists(name))
      return;
    usleep(10000);
  }
}

static std::string parentFolder() {
  SmallString<128> path;
  sys::path::system_temp_directory(/*ErasedOnReboot=*/true, path);
  return std::string(path);
}

Expected<TemporaryFolder> TemporaryFolder::create() {
  SmallString<128> path;
  if (std::error_code error = sys::fs::createUniqueDirectory("rootc", path))
    return createStringError("no folder for intermediate files can be made in "
                             "'" +
                             parentFolder() + "': " + error.message() +
                             "; set TMPDIR to a folder that can be written to");
  return TemporaryFolder(std::string(path));
}

TemporaryFolder::TemporaryFolder(std::string folder) : name(std::move(folder)) {
  cleanup = addCleanup([name = name] { removeFolder(name); });
}

TemporaryFolder::TemporaryFolder(TemporaryFolder &&other) noexcept
    : name(std::exchange(other.name, "")), cleanup(other.cleanup) {}

TemporaryFolder::~TemporaryFolder() {
  if (name.empty())
    return;
  (void)sys::fs::remove_directories(name);
  removeCleanup(cleanup);
}

bool TemporaryFolder::isFull(StringRef error) {
  return error.contains(strerror(ENOSPC)) || error.contains(strerror(EDQUOT));
}

std::string TemporaryFolder::fullText(StringRef error) {
  int number = error.contains(strerror(EDQUOT)) ? EDQUOT : ENOSPC;
  return "intermediate files cannot be written to '" + parentFolder() +
         "': " + strerror(number) + "; set TMPDIR to a folder with more room";
}

} // namespace rootc::codegen
