//===- MatrixUnit.h - The support code's products, within a test *- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_TEST_KERNELS_MATRIXUNIT_H
#define ROOTC_TEST_KERNELS_MATRIXUNIT_H

#include <string>

namespace rootc::test {

/// rootc_support_tiles, for code compiled just in time.
void *matrixProducts();
/// rootc_support_gradient.
void *matrixGradient();

/// From now on "tiles", "avx512", "avx2" or "any" vectors multiply, or the best
/// that this machine has; whether it has what was asked for.
bool useUnit(const char *name);

} // namespace rootc::test

#endif // ROOTC_TEST_KERNELS_MATRIXUNIT_H
