//===- Evaluate.h - Loss and accuracy on a data set -------------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_RUNTIME_EVALUATE_H
#define ROOTC_RUNTIME_EVALUATE_H

#include "Cifar.h"

namespace rootc {

struct Evaluation {
  double loss = 0;     ///< mean cross entropy of the final logits
  double accuracy = 0; ///< from 0 to 1
  double seconds = 0;
  bool complete = true; ///< false: `stop` said so
};

/// The largest logit's class; the first of equal ones.
int64_t bestClass(const float *logits, int64_t classes);
/// log(sum(exp(logits))), without overflow.
double logSumExp(const float *logits, int64_t classes);

Evaluation evaluate(Session &session, const Model &model,
                    const Prepared &prepared, const Dataset &dataset,
                    const Normalisation &normalisation, int64_t batch,
                    const std::function<bool()> &stop = nullptr);

} // namespace rootc

#endif // ROOTC_RUNTIME_EVALUATE_H
