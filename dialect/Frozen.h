//===- Frozen.h - Which layers are not trained ------------------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The mark that root-freeze leaves on a layer of a network, for
// root-build-programs: its weights are read like statistics, and nothing
// updates them.
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_DIALECT_FROZEN_H
#define ROOTC_DIALECT_FROZEN_H

#include "mlir/IR/Operation.h"

namespace rootc::root {

inline constexpr llvm::StringRef frozenAttrName = "root.frozen";

inline bool isFrozen(mlir::Operation *layer) {
  return layer->hasAttr(frozenAttrName);
}

} // namespace rootc::root

#endif // ROOTC_DIALECT_FROZEN_H
