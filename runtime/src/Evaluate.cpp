//===- Evaluate.cpp - Loss and accuracy on a data set ---------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Evaluate.h"
#include "Loader.h"

#include <algorithm>
#include <chrono>
#include <cmath>

using namespace rootc;

int64_t rootc::bestClass(const float *logits, int64_t classes) {
  return std::max_element(logits, logits + classes) - logits;
}

double rootc::logSumExp(const float *logits, int64_t classes) {
  double largest = *std::max_element(logits, logits + classes), sum = 0;
  for (int64_t i = 0; i < classes; ++i)
    sum += std::exp(logits[i] - largest);
  return largest + std::log(sum);
}

Evaluation rootc::evaluate(Session &session, const Model &model,
                           const Prepared &prepared, const Dataset &dataset,
                           const Normalisation &normalisation, int64_t batch,
                           const std::function<bool()> &stop) {
  using Clock = std::chrono::steady_clock;
  auto start = Clock::now();
  batch = std::min(batch, dataset.count);
  LoaderOptions options;
  options.batch = batch;
  Loader loader(dataset, normalisation, options);
  FloatArray logits(size_t(batch * model->classes));
  Evaluation result;
  int64_t right = 0;
  while (const Batch *images = loader.next()) {
    if (stop && stop()) {
      result.complete = false;
      return result;
    }
    session.infer(prepared, images->size, images->image.data(), logits.data());
    for (int64_t i = 0; i < images->size; ++i) {
      const float *row = logits.data() + i * model->classes;
      int64_t label = images->labels[size_t(i)];
      right += bestClass(row, model->classes) == label;
      result.loss += logSumExp(row, model->classes) - row[label];
    }
  }
  result.loss /= double(dataset.count);
  result.accuracy = double(right) / double(dataset.count);
  result.seconds = std::chrono::duration<double>(Clock::now() - start).count();
  return result;
}
