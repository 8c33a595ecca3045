//===- Format.h - Networks in the house style -------------------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A layer a line, indented by two spaces, its clauses in the order of the
// language's table and sizes as short as they can be: stride(2), kernel(5x5).
// Names of values, clauses that say the default, comments and single empty
// lines stay.
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_LANGUAGE_FORMAT_H
#define ROOTC_LANGUAGE_FORMAT_H

#include "mlir/IR/MLIRContext.h"
#include "llvm/ADT/StringRef.h"

#include <string>

namespace rootc {

/// Formats text that parses; rules of layers may be broken. What is wrong is
/// reported to `context` at its place in the file `name`. The result says the
/// same as `source`, comments and values' names included, and formatting it
/// changes nothing: both are checked here. `context` has the root dialect.
llvm::FailureOr<std::string> formatNetworks(llvm::StringRef name,
                                            llvm::StringRef source,
                                            mlir::MLIRContext &context);

} // namespace rootc

#endif // ROOTC_LANGUAGE_FORMAT_H
