//===- VerbSupport.h - What several verbs share -----------------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_RUNTIME_VERBSUPPORT_H
#define ROOTC_RUNTIME_VERBSUPPORT_H

#include "ImageSource.h"
#include "Verbs.h"

namespace rootc {

/// The weights that --weights and --slice-weights ask for; remarks go to
/// standard error.
Weights loadWeights(const Model &model, const VerbOptions &options);

/// For inference alone: without --weights, those that the library holds.
struct InferenceWeights {
  Weights weights; ///< of the library's own, Weights::describeOwn
  Prepared prepared;
};
InferenceWeights loadForInference(const Model &model,
                                  const VerbOptions &options);

/// Images that could not be read, on standard error.
void printReports(ImageSource &images);

/// Throws unless the shape is [N,H,W,C] of the model, N at least 1.
void checkImageShape(const Model &model, const std::string &path,
                     const std::vector<int64_t> &shape);

double median(std::vector<double> values);

/// A batch of random images and labels, for measurements.
struct RandomBatch {
  RandomBatch(const Model &model, int64_t size, uint64_t seed);
  rootc_batch view() const;

  FloatArray image;
  std::vector<int64_t> labels, samples;
};

} // namespace rootc

#endif // ROOTC_RUNTIME_VERBSUPPORT_H
