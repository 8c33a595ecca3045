//===- Pixels.cpp - How pixels become the image of a network --------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lib/Onnx/Import/Pixels.h"
#include "runtime/src/Support.h"

#include <cmath>
#include <nlohmann/json.hpp>

using namespace rootc;
using namespace rootc::importer;
using Doubles = std::vector<double>;

/// Values and where they come from, for errors.
namespace {
struct Source {
  std::string name;
  std::optional<Doubles> values;
};
} // namespace

static Source readSource(const ModelFile &file, const std::string &flag,
                         const Doubles &given, const std::string &key) {
  if (!given.empty())
    return {flag, given};
  const std::string *text = file.metadata(key);
  if (!text)
    return {flag, std::nullopt};
  std::string name = fmt::format("{}: its metadata '{}'", file.path(), key);
  auto json = nlohmann::json::parse(*text, nullptr, /*allow_exceptions=*/false);
  Doubles values;
  if (json.is_array())
    for (const auto &value : json)
      if (value.is_number())
        values.push_back(value.get<double>());
  if (values.empty() || values.size() != json.size())
    fail("{} is no array of numbers", name);
  return {name, values};
}

/// The values, from one, one a channel or one for each of `count`, to `count`.
static std::vector<float> spread(const Source &source, size_t channels,
                                 size_t count, double fallback) {
  Doubles values = source.values.value_or(Doubles{fallback});
  if (values.size() != 1 && values.size() != channels && values.size() != count)
    fail("{} has {} values; give one, or one for each of the {} channels",
         source.name, values.size(), channels);
  std::vector<float> result(count);
  for (size_t i = 0; i < count; ++i) {
    result[i] = float(values[i % values.size()]);
    if (!std::isfinite(result[i]))
      fail("{} holds a value that is not finite", source.name);
  }
  return result;
}

std::optional<Pixels> importer::findPixels(const ModelFile &file,
                                           const ImportOptions &options,
                                           const root::MapShape &image) {
  Source mean = readSource(file, "--mean", options.mean, "input.mean");
  Source scale = readSource(file, "--scale", options.scale, "input.scale");
  if (!mean.values && !scale.values)
    return std::nullopt;
  size_t channels = size_t(image.channels);
  Pixels pixels;
  pixels.mean = spread(
      mean, channels, size_t(image.height) * size_t(image.width) * channels, 0);
  pixels.scale = spread(scale, channels, channels, 1);
  for (float value : pixels.scale)
    if (!(value > 0))
      fail("{} holds {}; it must be positive", scale.name, value);
  return pixels;
}

Pixels importer::withMeanImage(const std::optional<Pixels> &pixels,
                               const MeanImage &image) {
  size_t channels = image.scale.size();
  Pixels result = pixels.value_or(Pixels{std::vector<float>(image.mean.size()),
                                         std::vector<float>(channels, 1)});
  // ((x - m) / s - mean) / scale = (x - (m + mean s)) / (s scale)
  for (size_t i = 0; i < result.mean.size(); ++i)
    result.mean[i] =
        float(result.mean[i] + image.mean[i] * result.scale[i % channels]);
  for (size_t c = 0; c < channels; ++c)
    result.scale[c] = float(result.scale[c] * image.scale[c]);
  return result;
}
