//===- VerbSupport.cpp - What several verbs share -------------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "VerbSupport.h"
#include "Philox.h"

#include <algorithm>
#include <cstdio>

using namespace rootc;

Weights rootc::loadWeights(const Model &model, const VerbOptions &options) {
  return Weights::load(model, options.weights, options.sliceWeights,
                       [](const std::string &text) {
                         fmt::print(stderr, "rootrun: {}\n", text);
                       });
}

InferenceWeights rootc::loadForInference(const Model &model,
                                         const VerbOptions &options) {
  if (options.weights.empty() && options.sliceWeights)
    fail("--slice-weights cuts what --weights gives; use both");
  if (options.weights.empty())
    return {Weights::describeOwn(model), Prepared(model)};
  Weights weights = loadWeights(model, options);
  Prepared prepared(model, weights);
  return {std::move(weights), std::move(prepared)};
}

void rootc::printReports(ImageSource &images) {
  for (const std::string &text : images.takeReports())
    fmt::print(stderr, "rootrun: {}\n", text);
}

void rootc::checkImageShape(const Model &model, const std::string &path,
                            const std::vector<int64_t> &shape) {
  if (shape.size() != 4 || shape[0] < 1 || shape[1] != model->height ||
      shape[2] != model->width || shape[3] != model->channels)
    fail("--input: {}: has shape {}, and {} takes [N,{},{},{}]", path,
         toString(shape), model.path(), model->height, model->width,
         model->channels);
}

double rootc::median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  size_t middle = values.size() / 2;
  return values.size() % 2 ? values[middle]
                           : (values[middle - 1] + values[middle]) / 2;
}

RandomBatch::RandomBatch(const Model &model, int64_t size, uint64_t seed) {
  auto pixels = multiply(size, model.imageSize());
  if (!pixels || *pixels > INT64_MAX / int64_t(sizeof(float)))
    fail("--batch {} is too large for {}", size, model.path());
  image.resize(size_t(*pixels));
  for (size_t i = 0; i < image.size(); i += 4) {
    PhiloxBlock words = philox(
        {uint32_t(i), uint32_t(i >> 32), 0, uint32_t(RandomUse::Benchmark)},
        seed);
    for (size_t j = 0; j < 4 && i + j < image.size(); ++j)
      image[i + j] = float(int32_t(words[j])) * 0x1p-30f;
  }
  for (int64_t i = 0; i < size; ++i) {
    labels.push_back(i % model->classes);
    samples.push_back(i);
  }
}

rootc_batch RandomBatch::view() const {
  rootc_batch batch = {};
  batch.size = int64_t(labels.size());
  batch.image = image.data();
  batch.labels = labels.data();
  batch.samples = samples.data();
  return batch;
}
