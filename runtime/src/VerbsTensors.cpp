//===- VerbsTensors.cpp - run, grad, init ---------------------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Npy.h"
#include "VerbSupport.h"
#include "Verbs.h"
#include "WeightsFile.h"

#include <algorithm>

using namespace rootc;

/// A float32 array [N,H,W,C] of the model's image size, N at least 1.
static FloatArray readImages(const Model &model, const std::string &path,
                             int64_t &count) {
  NpyArray array = NpyArray::read(path);
  checkImageShape(model, path, array.shape);
  count = array.shape[0];
  return array.floats();
}

void rootc::runTensors(const VerbOptions &options) {
  Model model = Model::open(options.model, options.device);
  Prepared prepared = loadForInference(model, options).prepared;
  int64_t count = 0;
  FloatArray images = readImages(model, options.input, count);
  Session session(model, std::make_shared<ThreadPool>(model, options.threads));
  FloatArray logits(size_t(count * model->classes));
  int64_t batch = options.batch ? options.batch : count;
  for (int64_t first = 0; first < count; first += batch)
    session.infer(prepared, std::min(batch, count - first),
                  images.data() + first * model.imageSize(),
                  logits.data() + first * model->classes);
  writeNpy(options.output, {count, model->classes}, logits.data());
}

void rootc::gradTensors(const VerbOptions &options) {
  Model model = Model::open(options.model, options.device);
  model.requireTraining();
  Weights weights = loadWeights(model, options);
  int64_t count = 0;
  FloatArray images = readImages(model, options.input, count);
  NpyArray labelArray = NpyArray::read(options.labels);
  if (labelArray.shape != std::vector<int64_t>{count})
    fail("--labels: {}: has shape {}, and the {} images need [{}]",
         options.labels, toString(labelArray.shape), count, count);
  std::vector<int64_t> labels = labelArray.integers();
  for (int64_t label : labels)
    if (label < 0 || label >= model->classes)
      fail("--labels: {}: holds {}, and {} has classes 0 to {}", options.labels,
           label, model.path(), model->classes - 1);
  std::vector<int64_t> samples(static_cast<size_t>(count));
  for (size_t i = 0; i < samples.size(); ++i)
    samples[i] = int64_t(i);

  rootc_batch batch = {};
  batch.size = count;
  batch.image = images.data();
  batch.labels = labels.data();
  batch.samples = samples.data();
  batch.seed = int64_t(options.seed);
  batch.epoch = options.epoch;
  FloatArray gradients(size_t(model->parameter_count));
  FloatArray imageGradient(images.size());
  Session session(model, std::make_shared<ThreadPool>(model, options.threads));
  float loss =
      session.grad(batch, weights, gradients.data(), imageGradient.data());
  SafetensorsWriter writer;
  addTensors(writer, model, gradients.data(), nullptr);
  writer.add("loss", {}, &loss);
  writer.add("input", {count, model->height, model->width, model->channels},
             imageGradient.data());
  writer.write(options.output);
}

void rootc::initWeights(const VerbOptions &options) {
  Model model = Model::open(options.model);
  Weights::initialise(model, options.seed).save(model, options.output);
}
