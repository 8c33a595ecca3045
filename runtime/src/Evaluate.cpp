//===- Evaluate.cpp - Loss and accuracy on a data set ---------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Evaluate.h"
#include "BatchFeed.h"
#include "WeightsFile.h"

#include <algorithm>
#include <chrono>
#include <cmath>

using namespace rootc;

int64_t rootc::rankOf(const float *logits, int64_t classes, int64_t label) {
  int64_t rank = 0;
  // Written so that a class that is not a number comes last.
  for (int64_t i = 0; i < classes; ++i)
    rank += i < label   ? !(logits[i] < logits[label])
            : i > label ? !(logits[i] <= logits[label])
                        : 0;
  return rank;
}

/// The class of rank 0: the first of the largest logits that are numbers.
static int64_t firstOf(const float *logits, int64_t classes) {
  int64_t first = 0;
  for (int64_t i = 1; i < classes; ++i)
    if (logits[i] > logits[first] || std::isnan(logits[first]))
      first = i;
  return first;
}

LogSoftmax::LogSoftmax(const float *logits, int64_t classes)
    : largest(*std::max_element(logits, logits + classes)) {
  double sum = 0;
  for (int64_t i = 0; i < classes; ++i)
    sum += std::exp(logits[i] - largest);
  logOfSum = std::log(sum);
}

std::string rootc::describeResponses(Session &session, const Model &model,
                                     const Prepared &prepared,
                                     const Batch &batch, bool notFinite) {
  std::vector<const rootc_response *> responses;
  for (int64_t i = 0; i < model->response_count; ++i)
    responses.push_back(&model->responses[i]);
  std::string first, widest;
  float largest = 0;
  auto read = [&](const rootc_response &response, const float *values) {
    auto [height, width, channels] = response.shape;
    const float *end = values + batch.size * height * width * channels;
    for (const float *value = values; value != end && first.empty(); ++value) {
      if (!std::isfinite(*value))
        first = fmt::format("the response of '{}' holds {}", response.name,
                            valueText(*value));
      else if (std::abs(*value) > largest) {
        largest = std::abs(*value);
        widest = response.name;
      }
    }
  };
  FloatArray logits(size_t(batch.size * model->classes));
  session.infer(prepared, batch.size, batch.image.data(), logits.data(),
                responses, read);
  if (!first.empty() || notFinite || widest.empty())
    return first;
  return fmt::format("the largest response, {:.3g}, is that of '{}'", largest,
                     widest);
}

Evaluation rootc::evaluate(Session &session, const Model &model,
                           const Prepared &prepared, const ImageSource &images,
                           const Normalisation &normalisation, int64_t batch,
                           int loaderThreads,
                           const std::function<bool()> &stop) {
  using Clock = std::chrono::steady_clock;
  auto start = Clock::now();
  LoaderOptions options;
  options.batch = std::min(batch, images.count);
  options.threads = loaderThreads;
  Loader loader(images, normalisation, options);
  BatchFeed batches(model, loader);
  FloatArray logits(size_t(options.batch * model->classes));
  Evaluation result;
  int64_t right = 0, among = 0;
  while (const Batch *part = batches.next()) {
    if (stop && stop()) {
      result.complete = false;
      return result;
    }
    result.images += part->size;
    result.skipped += part->skipped;
    if (part->size == 0)
      continue;
    session.infer(prepared, part->size, part->image.data(), logits.data());
    for (int64_t i = 0; i < part->size; ++i) {
      const float *row = logits.data() + i * model->classes;
      int64_t label = part->labels[size_t(i)];
      int64_t rank = rankOf(row, model->classes, label);
      right += rank == 0;
      among += rank < 5;
      LogSoftmax softmax(row, model->classes);
      double loss = -softmax.of(row[label]);
      result.loss += loss;
      int64_t best = firstOf(row, model->classes);
      result.mistakes.add({part->samples[size_t(i)],
                           label,
                           best,
                           loss,
                           std::exp(softmax.of(row[best])),
                           {}},
                          part->image.data() + i * images.imageSize(), images,
                          normalisation);
    }
    if (!std::isfinite(result.loss) && result.notFinite.empty())
      result.notFinite = describeResponses(session, model, prepared, *part,
                                           /*notFinite=*/true);
  }
  if (result.images == 0)
    images.requireReadable(); // says why
  if (result.images == 0)
    fail("--data: none of the {} images can be read", images.count);
  result.loss /= double(result.images);
  result.accuracy = double(right) / double(result.images);
  result.top5 = double(among) / double(result.images);
  result.seconds = std::chrono::duration<double>(Clock::now() - start).count();
  return result;
}
