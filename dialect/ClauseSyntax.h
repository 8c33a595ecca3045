//===- ClauseSyntax.h - The clauses of network ops ------------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What stands behind a layer's operands: filters(192) kernel(5x5) no_bias. A
// table of clauses drives both the parser and the printer.
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_DIALECT_CLAUSESYNTAX_H
#define ROOTC_DIALECT_CLAUSESYNTAX_H

#include "mlir/IR/OpImplementation.h"

#include <optional>

namespace rootc::root {

enum class ClauseKind {
  Integer,
  Float,
  Pair,     ///< 5 or 5x3: vertical, horizontal
  Pad,      ///< 2, 2x1 or 0,0,1,1
  Flag,     ///< a keyword alone: a unit attribute
  NoBias,   ///< a keyword alone: bias = false
  Rounding, ///< floor or ceil: unit attribute `ceil`
  Word,     ///< one of the example's, mode(a|b); the first is the default
};

struct Clause {
  llvm::StringLiteral keyword;
  ClauseKind kind;
  llvm::StringLiteral attribute;
  llvm::StringLiteral example;
  bool required = false;
  std::optional<double> defaultValue = std::nullopt; ///< never printed
};

/// Parses clauses in any order, each at most once, into `result`'s attributes.
/// Sizes left out get their defaults; other attributes get them from the op.
mlir::ParseResult parseClauses(mlir::OpAsmParser &parser,
                               mlir::OperationState &result,
                               llvm::ArrayRef<Clause> clauses);

/// Prints the clause unless it says the default.
void printClause(mlir::OpAsmPrinter &printer, mlir::Operation *op,
                 const Clause &clause);

} // namespace rootc::root

#endif // ROOTC_DIALECT_CLAUSESYNTAX_H
