//===- FormatCommand.h - rootc fmt ------------------------------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_DRIVER_FORMATCOMMAND_H
#define ROOTC_DRIVER_FORMATCOMMAND_H

#include <optional>
#include <string>
#include <vector>

namespace rootc {

enum class FormatMode { Print, InPlace, Check };

struct FormatOptions {
  std::vector<std::string> inputs;
  FormatMode mode = FormatMode::Print;
};

/// Reads the command line behind `rootc`; prints what is wrong with it and
/// returns nothing.
std::optional<FormatOptions> parseFormatOptions(int argc, char **argv);

/// Formats one file, "-" from standard input to standard output; returns 1,
/// after an error, if it cannot be or, with Check, is not as it should be.
int formatFile(const std::string &input, FormatMode mode);

} // namespace rootc

#endif // ROOTC_DRIVER_FORMATCOMMAND_H
