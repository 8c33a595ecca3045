//===- VerbsPredict.cpp - predict -----------------------------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "BatchFeed.h"
#include "Cifar.h"
#include "Data.h"
#include "Evaluate.h"
#include "ImageFiles.h"
#include "Npy.h"
#include "VerbSupport.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <numeric>

using namespace rootc;
using Json = nlohmann::ordered_json;
namespace fs = std::filesystem;

/// Pixels 0 to 255 of a .npy or .bin file, normalised.
static FloatArray readPixels(const Model &model, const std::string &path,
                             const Normalisation &normalisation,
                             int64_t &count) {
  FloatArray images;
  if (path.ends_with(".bin")) {
    Dataset dataset;
    readCifar(path, model->classes, dataset);
    count = dataset.count;
    checkImageShape(model, path,
                    {count, dataset.height, dataset.width, dataset.channels});
    images.assign(dataset.pixels.begin(), dataset.pixels.end());
  } else {
    NpyArray array = NpyArray::read(path);
    if (array.shape.size() == 3)
      array.shape.insert(array.shape.begin(), 1);
    checkImageShape(model, path, array.shape);
    count = array.shape[0];
    images = array.floats(/*bytes=*/true);
  }
  size_t size = normalisation.mean.size();
  size_t channels = normalisation.scale.size();
  for (size_t i = 0; i < images.size(); ++i)
    images[i] = (images[i] - normalisation.mean[i % size]) /
                normalisation.scale[i % channels];
  return images;
}

/// Whether a file holds an array of pixels: a .npy or CIFAR-10 .bin file.
static bool isArray(const std::string &path) {
  std::vector<char> begin = readBegin(path, 8).bytes;
  return (path.ends_with(".bin") && imageFormat(begin) == ImageFormat::None) ||
         std::string_view(begin.data(), begin.size()).starts_with("\x93NUMPY");
}

/// The JPEG and PNG files that --input names; null if it names one array.
static std::unique_ptr<ImageFiles> findFiles(const Model &model,
                                             const VerbOptions &options) {
  if (options.images.empty())
    fail("predict needs an image: rootrun predict {} --weights {} photo.jpg",
         options.model, options.weights);
  std::unique_ptr<ImageFiles> files;
  auto open = [&] {
    if (!files)
      files = std::make_unique<ImageFiles>(model, "--input", "");
  };
  for (const std::string &path : options.images) {
    std::error_code error;
    if (fs::is_directory(path, error)) {
      open();
      if (files->addFolder(path, 0) == 0)
        fail("--input: {}: holds no .jpg, .jpeg or .png file", path);
    } else if (!isArray(path)) {
      if (options.images.size() == 1 && !isImageName(path) &&
          imageFormat(readBegin(path, 8).bytes) == ImageFormat::None)
        fail("--input: {}: is neither a JPEG or PNG file, nor a .npy file, nor "
             "CIFAR-10's .bin",
             path);
      open();
      files->add(path, 0, 0);
    } else if (options.images.size() > 1) {
      fail("--input: {}: holds an array of images; give it alone", path);
    }
  }
  return files;
}

/// Names of --classes, or of the training data, or of those beside the input,
/// or numbers.
static std::vector<std::string> classNames(const Model &model,
                                           const Weights &weights,
                                           const VerbOptions &options) {
  auto fits = [&](const std::vector<std::string> &names) {
    return int64_t(names.size()) == model->classes;
  };
  if (!options.classes.empty()) {
    std::vector<std::string> names = readClassNames(options.classes);
    if (!fits(names))
      fail("--classes: {}: has {} class names (lines of batches.meta.txt, or "
           "folders in train/), and {} has {} classes",
           options.classes, names.size(), model.path(), model->classes);
    return names;
  }
  if (fits(weights.classNames))
    return weights.classNames;
  std::vector<std::string> names =
      readClassNames(fs::path(options.images.front()).parent_path().string());
  if (fits(names))
    return names;
  names.clear();
  for (int64_t i = 0; i < model->classes; ++i)
    names.push_back(fmt::format("{}", i));
  return names;
}

namespace {
/// Prints, or collects for --json, the best classes of images.
class Predictions {
public:
  Predictions(const Model &model, const Weights &weights,
              const VerbOptions &options)
      : model(model), names(classNames(model, weights, options)),
        json(options.json), top(std::min(options.top, model->classes)),
        report({{"model", model->name}, {"predictions", Json::array()}}) {}

  void add(const std::string &title, const float *logits) {
    LogSoftmax softmax(logits, model->classes);
    std::vector<int64_t> order(static_cast<size_t>(model->classes));
    std::iota(order.begin(), order.end(), int64_t(0));
    std::stable_sort(order.begin(), order.end(), [&](int64_t a, int64_t b) {
      // What is not a number comes last.
      return logits[a] > logits[b] ||
             (std::isnan(logits[b]) && !std::isnan(logits[a]));
    });
    Json best = Json::array();
    std::string line = title;
    for (int64_t j = 0; j < top; ++j) {
      int64_t index = order[size_t(j)];
      double probability = std::exp(softmax.of(logits[index]));
      best.push_back({{"class", index},
                      {"name", names[size_t(index)]},
                      {"probability", probability}});
      line += fmt::format("  {} {:.4f}", names[size_t(index)], probability);
    }
    if (json)
      report["predictions"].push_back(best);
    else
      fmt::print("{}\n", line);
  }

  const Model &model;
  std::vector<std::string> names;
  bool json;
  int64_t top;
  Json report;
};
} // namespace

static void predictFiles(Session &session, const Prepared &prepared,
                         ImageFiles &files, const Normalisation &normalisation,
                         const VerbOptions &options, Predictions &out) {
  LoaderOptions loading;
  loading.batch = std::min(options.batch ? options.batch : 128, files.count);
  loading.threads =
      options.loaderThreads ? options.loaderThreads : files.defaultThreads();
  Loader loader(files, normalisation, loading);
  BatchFeed batches(out.model, loader);
  int64_t classes = out.model->classes, done = 0, skipped = 0;
  FloatArray logits(size_t(loading.batch * classes));
  Json names = Json::array();
  while (const Batch *batch = batches.next()) {
    done += batch->size;
    skipped += batch->skipped;
    if (batch->size == 0)
      continue;
    session.infer(prepared, batch->size, batch->image.data(), logits.data());
    for (int64_t i = 0; i < batch->size; ++i) {
      std::string path = files.path(batch->samples[size_t(i)]);
      out.add(path, logits.data() + i * classes);
      names.push_back(path);
    }
  }
  if (done == 0)
    files.requireReadable(); // says why
  printReports(files);
  out.report["files"] = names;
  out.report["skipped"] = skipped;
}

static void predictArrays(Session &session, const Prepared &prepared,
                          const Normalisation &normalisation,
                          const VerbOptions &options, Predictions &out) {
  int64_t count = 0, classes = out.model->classes;
  FloatArray images =
      readPixels(out.model, options.images.front(), normalisation, count);
  int64_t batch = std::min(options.batch ? options.batch : 128, count);
  FloatArray logits(size_t(batch * classes));
  for (int64_t first = 0; first < count; first += batch) {
    int64_t size = std::min(batch, count - first);
    session.infer(prepared, size, images.data() + first * out.model.imageSize(),
                  logits.data());
    for (int64_t i = 0; i < size; ++i)
      out.add(fmt::format("{}", first + i), logits.data() + i * classes);
  }
}

void rootc::predictImages(const VerbOptions &options) {
  Model model = Model::open(options.model, options.device);
  auto [weights, prepared] = loadForInference(model, options);
  Normalisation normalisation = Normalisation::of(weights, options.weights);
  auto files = findFiles(model, options);
  Predictions out(model, weights, options);
  Session session(model, std::make_shared<ThreadPool>(model, options.threads));
  if (files)
    predictFiles(session, prepared, *files, normalisation, options, out);
  else
    predictArrays(session, prepared, normalisation, options, out);
  if (options.json)
    fmt::print("{}\n",
               out.report.dump(-1, ' ', false, Json::error_handler_t::replace));
}
