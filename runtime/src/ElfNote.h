//===- ElfNote.h - Tell a model from any other file -------------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_RUNTIME_ELFNOTE_H
#define ROOTC_RUNTIME_ELFNOTE_H

#include <string>
#include <vector>

namespace rootc {

/// Reads the note that marks a model, from the bytes of a file, and returns the
/// symbol of the model's entry. Throws an Error that names `path` if this is
/// not a complete shared library for this machine, not a model, a model of
/// another ABI version, or if the hash in the note is not the file's. Runs
/// nothing: dlopen would run constructors, and raises SIGBUS on a truncated
/// file.
std::string readModelNote(const std::string &path,
                          const std::vector<char> &bytes);

/// Writes the file's hash into its note. Throws as readModelNote does, `path`
/// being a name for messages.
void sealModel(const std::string &path, std::vector<char> &bytes);

} // namespace rootc

#endif // ROOTC_RUNTIME_ELFNOTE_H
