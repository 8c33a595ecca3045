//===- Linker.cpp - Objects to one library or object ----------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/Emit/Linker.h"
#include "codegen/Emit/OutputFile.h"
#include "lld/Common/Driver.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ObjCopy/CommonConfig.h"
#include "llvm/ObjCopy/ConfigManager.h"
#include "llvm/ObjCopy/ObjCopy.h"
#include "llvm/Object/ArchiveWriter.h"
#include "llvm/Object/ObjectFile.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/raw_ostream.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <unistd.h>

LLD_HAS_DRIVER(elf)

using namespace llvm;

namespace rootc::codegen {

namespace {

/// Fails where the disk has too little room to put the objects together: the
/// linker maps its output into memory, and would be ended by SIGBUS, and other
/// streams of LLVM end the program as well.
Error checkRoom(const std::vector<std::string> &objects,
                const std::string &output) {
  uint64_t bytes = 1 << 16; // for what is added
  for (const std::string &object : objects) {
    uint64_t size = 0;
    if (std::error_code error = sys::fs::file_size(object, size))
      return createStringError(object + ": " + error.message());
    bytes += size;
  }
  int file = open(output.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  int error = file < 0 ? errno : posix_fallocate(file, 0, off_t(bytes));
  if (file >= 0)
    close(file);
  (void)sys::fs::remove(output);
  // Other errors are of file systems that cannot tell.
  if (error == ENOSPC || error == EDQUOT)
    return createStringError(output + ": " + strerror(error));
  return Error::success();
}

Error runLinker(const std::vector<std::string> &arguments) {
  // It aborts where it cannot start threads, and gains nothing by them here.
  std::vector<const char *> pointers = {"ld.lld", "--threads=1"};
  for (const std::string &argument : arguments)
    pointers.push_back(argument.c_str());
  std::string problems;
  raw_string_ostream stream(problems);
  lld::Result result =
      lld::lldMain(pointers, stream, stream, {{lld::Gnu, &lld::elf::link}});
  if (result.retCode == 0)
    return Error::success();
  std::string reason = StringRef(problems).rtrim().str();
  return createStringError("linking failed: " +
                           (reason.empty() ? "the linker crashed; please "
                                             "report it with the network's file"
                                           : reason));
}

bool isOf(Architecture architecture, const std::string &path) {
  bool arm = architecture == Architecture::Arm;
  auto file = object::ObjectFile::createObjectFile(path);
  if (!file) {
    consumeError(file.takeError());
    return false;
  }
  return file->getBinary()->getArch() ==
         (arm ? Triple::aarch64 : Triple::x86_64);
}

/// The C library's shared objects by file name, so that linking needs no
/// development package.
Expected<std::string> findLibrary(Architecture architecture,
                                  const std::string &name) {
  for (const char *folder :
       {"/lib/x86_64-linux-gnu", "/usr/lib/x86_64-linux-gnu",
        "/lib/aarch64-linux-gnu", "/usr/aarch64-linux-gnu/lib", "/lib64",
        "/usr/lib64", "/lib", "/usr/lib"}) {
    std::string path = std::string(folder) + "/" + name;
    if (sys::fs::exists(path) && isOf(architecture, path))
      return path;
  }
  if (architecture == Architecture::Arm)
    return createStringError(
        "linking failed: " + name +
        " for arm-64 is not here: install the package libc6-arm64-cross, or "
        "write a static library, -o NET.a");
  return createStringError(
      "linking failed: " + name +
      " is in none of the folders where Linux systems keep it");
}

} // namespace

Error linkShared(Architecture architecture,
                 const std::vector<std::string> &objects,
                 const std::vector<std::string> &names,
                 const std::string &output, const std::string &scratchFolder) {
  if (Error error = checkRoom(objects, output))
    return error;
  std::string script = scratchFolder + "/exports";
  if (Error error = writeOutput(script, "{ global: " + join(names, "; ") +
                                            "; local: *; };\n"))
    return error;
  std::vector<std::string> arguments = {
      "-shared",
      "--gc-sections",
      "--version-script=" + script,
      "-o",
      output,
      "-z",
      "noexecstack",
      "-z",
      "relro",
      "--hash-style=gnu",
      "--build-id=none",
      "--strip-debug",
#ifndef ROOTC_HALIDE_SANITIZER
      // A sanitizer's functions are the host program's.
      "-z",
      "defs",
#endif
  };
  arguments.insert(arguments.end(), objects.begin(), objects.end());
  arguments.push_back("--as-needed");
  for (const char *name : {"libm.so.6", "libc.so.6"}) {
    Expected<std::string> library = findLibrary(architecture, name);
    if (!library)
      return library.takeError();
    arguments.push_back(*library);
  }
  return runLinker(arguments);
}

Error linkRelocatable(const std::vector<std::string> &objects,
                      const std::vector<std::string> &names,
                      const std::string &output,
                      const std::string &scratchFolder) {
  std::string joined = scratchFolder + "/joined.o";
  if (Error error = checkRoom(objects, joined))
    return error;
  std::vector<std::string> arguments = {"-r", "-o", joined};
  arguments.insert(arguments.end(), objects.begin(), objects.end());
  if (Error error = runLinker(arguments))
    return error;
  if (Error error = checkRoom({joined}, output))
    return error;
  auto buffer = MemoryBuffer::getFile(joined, false, false);
  if (!buffer)
    return createStringError(joined + ": " + buffer.getError().message());
  auto object = object::ObjectFile::createObjectFile(**buffer);
  if (!object)
    return object.takeError();
  objcopy::ConfigManager config;
  config.Common.InputFilename = joined;
  config.Common.OutputFilename = output;
  for (const std::string &name : names) {
    auto pattern = objcopy::NameOrPattern::create(
        name, objcopy::MatchStyle::Literal, [](Error error) { return error; });
    if (!pattern)
      return pattern.takeError();
    if (Error error =
            config.Common.SymbolsToKeepGlobal.addMatcher(std::move(pattern)))
      return error;
  }
  return writeToOutput(output, [&](raw_ostream &stream) {
    return objcopy::executeObjcopyOnBinary(config, **object, stream);
  });
}

Error archiveObject(const std::string &object, const std::string &member,
                    const std::string &output) {
  if (Error error = checkRoom({object}, output))
    return error;
  Expected<NewArchiveMember> entry =
      NewArchiveMember::getFile(object, /*Deterministic=*/true);
  if (!entry)
    return entry.takeError();
  entry->MemberName = member;
  std::vector<NewArchiveMember> members;
  members.push_back(std::move(*entry));
  return writeArchive(output, members, SymtabWritingMode::NormalSymtab,
                      object::Archive::K_GNU, /*Deterministic=*/true,
                      /*Thin=*/false);
}

} // namespace rootc::codegen
