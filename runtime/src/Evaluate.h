//===- Evaluate.h - Loss and accuracy on a data set -------------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_RUNTIME_EVALUATE_H
#define ROOTC_RUNTIME_EVALUATE_H

#include "ImageSource.h"
#include "Loader.h"
#include "Mistakes.h"

namespace rootc {

struct Evaluation {
  double loss = 0; ///< mean cross entropy of the final logits
  /// Where the loss is not finite, the first layer whose response is not
  /// either: "the response of 'fc' holds nan"; empty if none is, or it is not
  /// stored.
  std::string notFinite;
  double accuracy = 0; ///< from 0 to 1
  double top5 = 0;     ///< share of images whose class is among the five best
  int64_t images = 0;  ///< that were read
  int64_t skipped = 0; ///< that could not be read
  Mistakes mistakes;
  double seconds = 0;
  bool complete = true; ///< false: `stop` said so
};

/// How many classes come before `label`: those with a larger logit, and of
/// equal ones those with a smaller index.
int64_t rankOf(const float *logits, int64_t classes, int64_t label);
/// The logarithm of a softmax, without overflow; logits may be large.
class LogSoftmax {
public:
  LogSoftmax(const float *logits, int64_t classes);
  /// Of one of the logits.
  double of(float logit) const { return logit - largest - logOfSum; }

private:
  double largest, logOfSum; ///< apart, so that neither swallows the other
};

/// The first layer whose response to a batch is not finite, "the response of
/// 'conv1' holds nan"; if there is none, "", or unless `notFinite` the layer
/// with the largest one.
std::string describeResponses(Session &session, const Model &model,
                              const Prepared &prepared, const Batch &batch,
                              bool notFinite);

/// Throws if no image can be read.
Evaluation evaluate(Session &session, const Model &model,
                    const Prepared &prepared, const ImageSource &images,
                    const Normalisation &normalisation, int64_t batch,
                    int loaderThreads,
                    const std::function<bool()> &stop = nullptr);

} // namespace rootc

#endif // ROOTC_RUNTIME_EVALUATE_H
