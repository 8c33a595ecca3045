//===- Choose.h - The schedule a kernel gets by default ---------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A schedule is a map of named integers, so that it can be printed as an
// attribute, edited by hand, and searched by a tuner.
// codegen/Schedules/README.md lists the keys of each family. No Halide or MLIR
// here.
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_CODEGEN_SCHEDULES_CHOOSE_H
#define ROOTC_CODEGEN_SCHEDULES_CHOOSE_H

#include "codegen/Kernel.h"

namespace rootc::codegen {

/// The op whose loops the kernel is built around: the convolution, if there is
/// one; null if all ops are elementwise or of another family.
const Op *convolutionOf(const Kernel &kernel);

/// Whether an operand comes from ops before the convolution, which would be
/// computed again at each tap that reads it.
bool isComputed(const Kernel &kernel, const Op &conv, size_t operand);

/// A schedule for the kernel on the target: every key of its family, or an
/// empty map where the family has none. Never fails on a well-formed kernel.
Schedule chooseSchedule(const Kernel &kernel, const TargetInfo &target);

/// Bytes that a kernel with a schedule holds beside its results while it runs,
/// whatever the batch: the sums of a backward-filter. Not counted are copies
/// of strips and the like, less than a megabyte a thread.
int64_t scratchBytes(const Kernel &kernel);

} // namespace rootc::codegen

#endif // ROOTC_CODEGEN_SCHEDULES_CHOOSE_H
