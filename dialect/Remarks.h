//===- Remarks.h - What passes say of their decisions -----------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Where a pass decides against something that is faster elsewhere, it says why
// on the op, for `rootc --explain`: only in a module that asks for it, so that
// all others stay as they are.
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_DIALECT_REMARKS_H
#define ROOTC_DIALECT_REMARKS_H

#include "mlir/IR/BuiltinOps.h"

#include <string>
#include <vector>

namespace rootc::root {

/// On the module: unit. On primitive ops: an array of strings.
inline constexpr llvm::StringRef explainAttrName = "root.explain";
inline constexpr llvm::StringRef remarksAttrName = "root.remarks";

/// Asks for remarks.
void askForRemarks(mlir::ModuleOp module);
/// Whether the module around `op` asks for them.
bool wantsRemarks(mlir::Operation *op);
/// Adds one to a primitive op, if the module asks for them.
void addRemark(mlir::Operation *op, const llvm::Twine &text);
std::vector<std::string> remarksOf(mlir::Operation *op);

} // namespace rootc::root

#endif // ROOTC_DIALECT_REMARKS_H
