//===- Mixup.h - Batches of mixed images ------------------------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// mixup: Zhang, Cisse, Dauphin and Lopez-Paz, ICLR 2018.
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_RUNTIME_MIXUP_H
#define ROOTC_RUNTIME_MIXUP_H

#include "Loader.h"

namespace rootc {

/// The number of [0, 1], Beta(alpha, alpha) distributed, that is a batch's: a
/// function of its arguments alone. alpha > 0, and so as a float.
double mixingWeight(double alpha, uint64_t seed, int64_t epoch, int64_t index);

/// Mixes each image and its label with another's of the batch, or its own:
/// which, a permutation says. All have the same share, mixingWeight() rounded
/// to a multiple of 2^-ROOTC_LABEL_BITS. A function of its arguments alone.
void mixBatch(Batch &batch, double alpha, uint64_t seed);

} // namespace rootc

#endif // ROOTC_RUNTIME_MIXUP_H
