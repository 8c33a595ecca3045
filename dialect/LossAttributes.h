//===- LossAttributes.h - What a network's loss is like ---------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Attributes of a network's output, set from the command line, and of the
// losses and their gradients that are made of it; absent where not asked for.
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_DIALECT_LOSSATTRIBUTES_H
#define ROOTC_DIALECT_LOSSATTRIBUTES_H

#include "llvm/ADT/StringRef.h"

namespace rootc::root {

/// The f64 part of each label that all classes share, and an f64 array of what
/// each class counts.
inline constexpr llvm::StringRef lossAttributeNames[] = {"smoothing",
                                                         "class_weights"};

} // namespace rootc::root

#endif // ROOTC_DIALECT_LOSSATTRIBUTES_H
