//===- OutputFile.cpp - Files that users asked for ------------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/Emit/OutputFile.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;

namespace rootc::codegen {

namespace {

Error fail(StringRef path, std::error_code error) {
  return createStringError("cannot write '" + path + "': " + error.message());
}

/// Neither missing nor an ordinary file.
bool isSpecial(StringRef path) {
  sys::fs::file_status status;
  return !sys::fs::status(path, status) && sys::fs::exists(status) &&
         !sys::fs::is_regular_file(status);
}

Error writeInPlace(StringRef path, StringRef content) {
  std::error_code error;
  raw_fd_ostream stream(path, error, sys::fs::CD_OpenAlways, sys::fs::FA_Write,
                        sys::fs::OF_None);
  if (error)
    return fail(path, error);
  stream << content;
  stream.flush();
  if (!stream.has_error())
    return Error::success();
  error = stream.error();
  stream.clear_error();
  return fail(path == "-" ? "standard output" : path, error);
}

} // namespace

Error checkOutput(StringRef path) {
  if (path == "-")
    return Error::success();
  if (sys::fs::is_directory(path))
    return fail(path, std::make_error_code(std::errc::is_a_directory));
  StringRef folder = sys::path::parent_path(path);
  if (folder.empty())
    folder = ".";
  if (!isSpecial(path))
    if (std::error_code error =
            sys::fs::access(folder, sys::fs::AccessMode::Write))
      return fail(path, error);
  return Error::success();
}

Error writeOutput(StringRef path, StringRef content) {
  if (path == "-" || isSpecial(path))
    return writeInPlace(path, content);
  auto aside = sys::fs::TempFile::create(path + ".%%%%%%", 0666);
  if (!aside)
    return fail(path, errorToErrorCode(aside.takeError()));
  raw_fd_ostream stream(aside->FD, /*shouldClose=*/false);
  stream << content;
  stream.flush();
  std::error_code error = stream.error();
  if (error) {
    stream.clear_error();
    consumeError(aside->discard());
    return fail(path, error);
  }
  if (Error kept = aside->keep(path))
    return fail(path, errorToErrorCode(std::move(kept)));
  return Error::success();
}

} // namespace rootc::codegen
