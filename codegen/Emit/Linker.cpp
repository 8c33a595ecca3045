//===- Linker.cpp - Objects to one library or object ----------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/Emit/Linker.h"
#include "codegen/Emit/OutputFile.h"
#include "lld/Common/Driver.h"
#include "llvm/ObjCopy/CommonConfig.h"
#include "llvm/ObjCopy/ConfigManager.h"
#include "llvm/ObjCopy/ObjCopy.h"
#include "llvm/Object/ArchiveWriter.h"
#include "llvm/Object/ObjectFile.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/raw_ostream.h"

LLD_HAS_DRIVER(elf)

using namespace llvm;

namespace rootc::codegen {

namespace {

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
  return createStringError("linking failed: " +
                           StringRef(problems).rtrim().str());
}

/// The C library's shared objects by file name, so that linking needs no
/// development package.
Expected<std::string> findLibrary(const std::string &name) {
  for (const char *folder :
       {"/lib/x86_64-linux-gnu", "/usr/lib/x86_64-linux-gnu", "/lib64",
        "/usr/lib64", "/lib", "/usr/lib"}) {
    std::string path = std::string(folder) + "/" + name;
    if (sys::fs::exists(path))
      return path;
  }
  return createStringError(
      "linking failed: " + name +
      " is in none of the folders where Linux systems keep it");
}

} // namespace

Error linkShared(const std::vector<std::string> &objects,
                 const std::string &entry, const std::string &output,
                 const std::string &scratchFolder) {
  std::string script = scratchFolder + "/exports";
  if (Error error =
          writeOutput(script, "{ global: " + entry + "; local: *; };\n"))
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
    Expected<std::string> library = findLibrary(name);
    if (!library)
      return library.takeError();
    arguments.push_back(*library);
  }
  return runLinker(arguments);
}

Error linkRelocatable(const std::vector<std::string> &objects,
                      const std::string &entry, const std::string &output,
                      const std::string &scratchFolder) {
  std::string joined = scratchFolder + "/joined.o";
  std::vector<std::string> arguments = {"-r", "-o", joined};
  arguments.insert(arguments.end(), objects.begin(), objects.end());
  if (Error error = runLinker(arguments))
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
  auto pattern = objcopy::NameOrPattern::create(
      entry, objcopy::MatchStyle::Literal, [](Error error) { return error; });
  if (!pattern)
    return pattern.takeError();
  if (Error error =
          config.Common.SymbolsToKeepGlobal.addMatcher(std::move(pattern)))
    return error;
  return writeToOutput(output, [&](raw_ostream &stream) {
    return objcopy::executeObjcopyOnBinary(config, **object, stream);
  });
}

Error archiveObject(const std::string &object, const std::string &member,
                    const std::string &output) {
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
