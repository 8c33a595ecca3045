//===- SuggestRoot.h - Topologies of a network by time ----------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_DRIVER_SUGGESTROOT_H
#define ROOTC_DRIVER_SUGGESTROOT_H

#include "codegen/Emit/Progress.h"
#include "lib/Driver/Options.h"
#include "llvm/Support/Error.h"

#include <string>

namespace rootc {

/// Compiles the network as it is and with each topology and each N of
/// `options.tune.suggest`, and times their inference and training steps, all in
/// turns, until the budget is spent but once at least. A table for people; a
/// topology that the network cannot have is in it with the reason, one that
/// makes the same network as another is left out.
llvm::Expected<std::string> suggestRoot(const Options &options,
                                        const std::string &programFolder,
                                        codegen::Progress &progress);

} // namespace rootc

#endif // ROOTC_DRIVER_SUGGESTROOT_H
