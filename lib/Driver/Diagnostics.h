//===- Diagnostics.h - Errors as users see them ---------------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_DRIVER_DIAGNOSTICS_H
#define ROOTC_DRIVER_DIAGNOSTICS_H

#include "mlir/IR/Diagnostics.h"
#include "llvm/Support/SourceMgr.h"

namespace rootc {

/// What the messages of this process begin with; "rootc" until it is set.
void setProgramName(llvm::StringRef name);
llvm::StringRef programName();

/// Prints FILE:LINE:COLUMN: error: ..., with the line unless it is absurdly
/// long, then its notes.
void printDiagnostic(mlir::Diagnostic &diagnostic, llvm::SourceMgr &sources);

} // namespace rootc

#endif // ROOTC_DRIVER_DIAGNOSTICS_H
