//===- RelayFilter.h - Another layout of a packed filter --------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_TRANSFORMS_RELAYFILTER_H
#define ROOTC_TRANSFORMS_RELAYFILTER_H

#include "codegen/Kernel.h"
#include "dialect/RootDialect.h"

namespace rootc {

/// Gives the packed filter of a kernel the layout that `description` has, which
/// is the kernel at another point (codegen/Schedules/Point.h), and lets it be
/// packed so. False, with nothing changed, where others read the filter too.
bool relayFilter(root::KernelOp kernel, const codegen::Kernel &description);

} // namespace rootc

#endif // ROOTC_TRANSFORMS_RELAYFILTER_H
