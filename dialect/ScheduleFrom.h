//===- ScheduleFrom.h - Where a kernel's schedule comes from ----*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_DIALECT_SCHEDULEFROM_H
#define ROOTC_DIALECT_SCHEDULEFROM_H

#include "llvm/ADT/StringRef.h"

namespace rootc::root {

/// The attribute of a `root.kernel` whose schedule is not its family's rule's:
/// where it was taken from, for people.
inline constexpr llvm::StringRef scheduleFromAttrName = "root.schedule_from";

} // namespace rootc::root

#endif // ROOTC_DIALECT_SCHEDULEFROM_H
