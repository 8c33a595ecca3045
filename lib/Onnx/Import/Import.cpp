//===- Import.cpp - Networks from ONNX files ------------------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lib/Onnx/Import/Import.h"
#include "lib/Onnx/Import/Importer.h"
#include "lib/Onnx/Import/Pixels.h"
#include "runtime/src/Safetensors.h"

#include <cstdio>

using namespace rootc;
using namespace rootc::importer;

namespace {
constexpr size_t longestName = 200;
/// The newest opset of the pinned onnx package.
constexpr int64_t newestOpset = 28;
} // namespace

static std::string baseName(const std::string &path) {
  return path.substr(path.rfind('/') + 1);
}

/// A C identifier that rule (N10) allows: the file's name without its suffix.
static std::string networkName(const std::string &path) {
  std::string base = baseName(path);
  base = base.substr(0, base.rfind('.')).substr(0, longestName - 1);
  std::string name;
  for (char c : base) {
    bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
    bool digit = c >= '0' && c <= '9';
    if (digit && name.empty())
      name = "_";
    name += letter || digit ? c : '_';
  }
  if (name == "rootc")
    name += "_network";
  return name.empty() ? "network" : name;
}

static void writeText(const std::string &path, const std::string &text) {
  if (path != "-") {
    writeFile(path, {text});
    return;
  }
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() ||
      std::fflush(stdout) != 0)
    fail("standard output cannot be written");
}

void rootc::importOnnx(const ImportOptions &options,
                       const std::function<void(const std::string &)> &note) {
  ModelFile file(options.input);
  if (file.opset() > newestOpset)
    note(fmt::format("{} is of opset {}; operators are read as opset {} has "
                     "them",
                     options.input, file.opset(), newestOpset));
  Graph graph(file, options.logits, note);
  Importer importer(file, graph, note);
  int output = importer.run(options.height, options.width);
  importer.network.keepOnly(output);
  for (const Layer &layer : importer.network.all())
    if (!layer.unfinished.empty())
      fail("{}", layer.unfinished);

  SafetensorsWriter weights;
  for (const Layer &layer : importer.network.all())
    for (const Weight &weight : layer.weights)
      weights.add(layer.name + "." + weight.role, weight.shape,
                  weight.values->data());
  auto pixels = findPixels(file, options, importer.image);
  if (importer.meanImage) {
    note(fmt::format("the model subtracts a mean image from its input: with "
                     "what it divides by, that is input.mean and input.scale "
                     "of the weights now{}; images for rootrun run come "
                     "normalised by them",
                     pixels ? ", together with the normalisation given"
                            : ", for an input of pixels from 0 to 255"));
    pixels = withMeanImage(pixels, *importer.meanImage);
  }
  if (pixels) {
    const root::MapShape &image = importer.image;
    weights.add("input.mean", {image.height, image.width, image.channels},
                pixels->mean.data());
    weights.add("input.scale", {image.channels}, pixels->scale.data());
  } else {
    note("the model does not say how pixels become its input: for rootrun eval "
         "and predict give --mean and --scale");
  }
  importer.noteTraining();
  std::string name = networkName(options.input);
  weights.note("rootc.model", name);
  weights.write(options.weights);
  std::string from = quote(baseName(options.input));
  writeText(options.output,
            importer.network.print(name, fmt::format("Imported from {}.", from),
                                   importer.image, output));
}
