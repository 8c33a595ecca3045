//===- MatrixUnit.cpp - The support code's products, within a test --------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "test/Kernels/MatrixUnit.h"
#include "runtime/support/TileConvolution.cpp"
#include "runtime/support/TileGradient.cpp"

namespace rootc::test {

void *matrixProducts() {
  return reinterpret_cast<void *>(&rootc_support_tiles);
}

void *matrixGradient() {
  return reinterpret_cast<void *>(&rootc_support_gradient);
}

bool useUnit(const char *name) {
#ifdef __x86_64__
  Unit best = detectUnit(), asked = name == std::string("tiles")    ? MatrixUnit
                                    : name == std::string("avx512") ? Avx512
                                    : name == std::string("avx2") ? Avx2
                                                                  : AnyVectors;
  unit = asked <= best ? asked : best;
  return asked <= best;
#else
  return name == std::string("any");
#endif
}

} // namespace rootc::test
