//===- ProcessorTime.h - What processes have computed -----------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_CODEGEN_EMIT_PROCESSORTIME_H
#define ROOTC_CODEGEN_EMIT_PROCESSORTIME_H

#include <optional>
#include <sys/types.h>

namespace rootc::codegen {

/// Seconds of processor time that a process has used, with the children it has
/// waited for, and with descendants that are still at work if asked; nothing if
/// the system does not say. In steps of some 10 ms.
std::optional<double> processorSeconds(pid_t process, bool withDescendants);

} // namespace rootc::codegen

#endif // ROOTC_CODEGEN_EMIT_PROCESSORTIME_H
