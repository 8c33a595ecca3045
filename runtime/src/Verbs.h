//===- Verbs.h - What rootrun does ------------------------------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// One function a verb, but for `train` (Train.h). They print their results to
// standard output and throw an Error if they cannot.
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_RUNTIME_VERBS_H
#define ROOTC_RUNTIME_VERBS_H

#include <cstdint>
#include <string>
#include <vector>

namespace rootc {

/// The flags of all verbs; each reads those that its --help lists.
struct VerbOptions {
  std::string model, weights, input, labels, data, output, classes, layers;
  std::vector<std::string> images; ///< of predict
  std::string split;               ///< empty: the verb's default
  int64_t batch = 0;               ///< 0: the verb's default
  uint64_t seed = 0;
  int64_t epoch = 0;
  int64_t top = 1;
  int64_t runs = 10;
  std::string trace;  ///< of profile; empty: none
  int64_t blocks = 0; ///< 0: the groups of the second layer
  double epsilon = 1e-10;
  int threads = 0;
  int loaderThreads = 0; ///< 0: what suits the data
  bool sliceWeights = false;
  bool json = false;
  std::string device; ///< "cpu" or a number; empty: the model's
  bool train = false, infer = false, serve = false;
};

/// Inference on raw tensors: .npy in, .npy out, no normalisation.
void runTensors(const VerbOptions &options);
/// One training-mode forward and backward on raw tensors.
void gradTensors(const VerbOptions &options);
/// He initialisation to a file.
void initWeights(const VerbOptions &options);
/// Loss, accuracy and speed on a data set.
void evalModel(const VerbOptions &options);
/// Classes of images: .npy, CIFAR-10 .bin, JPEG or PNG files, or a folder of
/// such.
void predictImages(const VerbOptions &options);
/// Times of inference and of training steps.
void benchModel(const VerbOptions &options);
/// Time of each kernel, and what it is of the machine's best.
void profileModel(const VerbOptions &options);
/// Covariance between two layers' responses, as numbers and pictures.
void measureCovariance(const VerbOptions &options);
/// What the model is.
void describeModel(const VerbOptions &options);

} // namespace rootc

#endif // ROOTC_RUNTIME_VERBS_H
