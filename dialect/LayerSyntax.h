//===- LayerSyntax.h - How the ops of a network are written -----*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_DIALECT_LAYERSYNTAX_H
#define ROOTC_DIALECT_LAYERSYNTAX_H

#include "dialect/ClauseSyntax.h"

namespace rootc::root {

/// A name in quotes, operands, clauses.
struct LayerSyntax {
  llvm::StringLiteral op; ///< root.conv2d
  bool named;
  int operands; ///< 0: any number
  llvm::ArrayRef<Clause> clauses;
};

/// Of all ops that a person writes; of root.network the clauses.
llvm::ArrayRef<LayerSyntax> layerSyntaxes();
/// Null for other ops.
const LayerSyntax *findLayerSyntax(llvm::StringRef op);

} // namespace rootc::root

#endif // ROOTC_DIALECT_LAYERSYNTAX_H
