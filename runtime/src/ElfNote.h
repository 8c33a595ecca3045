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
/// not a complete shared library for this machine, not a model, or a model of
/// another ABI version. Runs nothing: dlopen would run constructors, and raises
/// SIGBUS on a truncated file.
std::string readModelNote(const std::string &path,
                          const std::vector<char> &bytes);

} // namespace rootc

#endif // ROOTC_RUNTIME_ELFNOTE_H
