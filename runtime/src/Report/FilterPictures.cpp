//===- FilterPictures.cpp - The first layer's filters ---------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "../Checkpoint.h"
#include "../PngEncoder.h"
#include "../Safetensors.h"
#include "Markup.h"
#include "RunData.h"

#include <algorithm>
#include <cstring>
#include <filesystem>

using namespace rootc;
using namespace rootc::report;

static constexpr int64_t tilePixels = 40, gap = 6, mostColumns = 24;
static constexpr int64_t mostFilters = 512;

/// [filter, height, width, channels] as tiles: what is 0 is grey, and the
/// largest magnitude of a filter black or white, or a pure colour.
static std::vector<uint8_t> drawTiles(const std::vector<float> &values,
                                      const std::vector<int64_t> &shape,
                                      ImageSize tile, ImageSize all) {
  int64_t filters = shape[0], height = shape[1], width = shape[2],
          channels = shape[3];
  std::vector<uint8_t> pixels(size_t(all.height * all.width * 4));
  for (int64_t f = 0; f < filters; ++f) {
    const float *filter = values.data() + f * height * width * channels;
    float largest = 0;
    for (int64_t i = 0; i < height * width * channels; ++i)
      largest = std::max(largest, std::abs(filter[i]));
    int64_t top = f / mostColumns * (tile.height + gap);
    int64_t left = f % mostColumns * (tile.width + gap);
    for (int64_t y = 0; y < tile.height; ++y)
      for (int64_t x = 0; x < tile.width; ++x) {
        const float *from = filter + (y * height / tile.height * width +
                                      x * width / tile.width) *
                                         channels;
        uint8_t *to = pixels.data() + ((top + y) * all.width + left + x) * 4;
        for (int64_t c = 0; c < 3; ++c) {
          float part = largest > 0 ? from[c % channels] / largest : 0;
          to[c] = uint8_t(std::lround(127.5f + 127.5f * part));
        }
        to[3] = 255;
      }
  }
  return pixels;
}

static std::optional<FilterPicture> drawFilters(const Run &run,
                                                const std::string &path) {
  Safetensors file = Safetensors::read(path);
  for (const Layer &layer : run.model.layers) {
    auto found = file.tensors().find(layer.name + ".filter");
    if (found == file.tensors().end())
      continue;
    const TensorEntry &tensor = found->second;
    const std::vector<int64_t> &shape = tensor.shape;
    // Only the first layer's channels are colours.
    if (tensor.dtype != "F32" || shape.size() != 4 || shape[0] < 1 ||
        shape[0] > mostFilters || (shape[3] != 1 && shape[3] != 3) ||
        shape[1] * shape[2] < 2 || shape[1] > tilePixels ||
        shape[2] > tilePixels)
      return std::nullopt;
    std::vector<float> values(tensor.bytes / sizeof(float));
    std::memcpy(values.data(), tensor.data, tensor.bytes);
    if (!std::all_of(values.begin(), values.end(),
                     [](float value) { return std::isfinite(value); }))
      return std::nullopt;
    int64_t zoom = tilePixels / std::max(shape[1], shape[2]);
    ImageSize tile{shape[1] * zoom, shape[2] * zoom};
    int64_t columns = std::min(shape[0], mostColumns);
    int64_t rows = (shape[0] + mostColumns - 1) / mostColumns;
    ImageSize all{rows * (tile.height + gap) - gap,
                  columns * (tile.width + gap) - gap};
    std::vector<uint8_t> pixels = drawTiles(values, shape, tile, all);
    return FilterPicture{layer.name, shape[0],
                         shape[1],   shape[2],
                         all.width,  base64(encodePng(pixels.data(), all, 4))};
  }
  return std::nullopt;
}

void rootc::report::readFilters(Run &run, std::vector<std::string> &remarks) {
  std::error_code error;
  std::string path = run.path + "/weights.safetensors";
  if (!std::filesystem::exists(path, error))
    path = lastCheckpoint(run.path);
  if (path.empty())
    return;
  try {
    run.filters = drawFilters(run, path);
  } catch (const Error &problem) {
    remarks.emplace_back(problem.what());
  }
}
