//===- Mistakes.h - What a network takes for what ---------------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// RUN/evaluation.json: the confusion matrix of the test images after a run's
// last epoch, and the images with the largest losses, as pictures.
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_RUNTIME_MISTAKES_H
#define ROOTC_RUNTIME_MISTAKES_H

#include "ImageSource.h"

#include <map>

namespace rootc {

/// One image of those with the largest losses.
struct WorstImage {
  int64_t sample = 0; ///< in the data set
  int64_t label = 0, predicted = 0;
  double loss = 0;
  double probability = 0;      ///< of the class that was predicted
  std::vector<uint8_t> pixels; ///< [H,W,C], as the network sees it
};

class Mistakes {
public:
  /// Images come one by one; `image` is normalised.
  void add(WorstImage one, const float *image, const ImageSource &source,
           const Normalisation &normalisation);

  /// One JSON object, as docs/commands.md has it. `epoch` counts from 1.
  std::string toJson(int64_t epoch, const ImageSource &source,
                     const std::vector<std::string> &classNames) const;

private:
  std::map<std::pair<int64_t, int64_t>, int64_t> confusion; ///< images
  std::vector<WorstImage> worst; ///< a heap, the smallest loss on top
};

} // namespace rootc

#endif // ROOTC_RUNTIME_MISTAKES_H
