//===- AllocationCounter.h - How often a test allocates ---------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_TEST_ENDTOEND_ALLOCATIONCOUNTER_H
#define ROOTC_TEST_ENDTOEND_ALLOCATIONCOUNTER_H

#include <cstdint>

namespace rootc::test {

/// Allocations on the heap since the program began, by any thread and any
/// library, malloc's relatives included.
int64_t allocations();

} // namespace rootc::test

#endif // ROOTC_TEST_ENDTOEND_ALLOCATIONCOUNTER_H
