//===- Weights.cpp - Parameters and statistics by name --------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Philox.h"
#include "WeightsFile.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <nlohmann/json.hpp>
#include <numbers>
#include <set>
#include <xxhash.h>

using namespace rootc;
using nlohmann::json;

namespace {
constexpr const char *classesKey = "rootc.classes";
}

Weights::Weights(const Model &model)
    : parameters(size_t(model->parameter_count)),
      statistics(size_t(model->statistic_count)) {}

static std::vector<int64_t> imageShape(const Model &model) {
  return {model->height, model->width, model->channels};
}

std::vector<int64_t> rootc::shapeOf(const rootc_tensor &tensor) {
  return {tensor.shape, tensor.shape + tensor.rank};
}

/// Box-Muller on pairs of words: normals 4 block to 4 block + 3.
static std::array<double, 4> normals(uint64_t seed, uint64_t name,
                                     uint32_t block) {
  PhiloxBlock words = philox({block, uint32_t(name), uint32_t(name >> 32),
                              uint32_t(RandomUse::Initialise)},
                             seed);
  std::array<double, 4> result;
  for (int pair = 0; pair < 2; ++pair) {
    double u = (words[2 * pair] + 0.5) * 0x1p-32;
    double angle = 2 * std::numbers::pi * words[2 * pair + 1] * 0x1p-32;
    double radius = std::sqrt(-2 * std::log(u));
    result[2 * pair] = radius * std::cos(angle);
    result[2 * pair + 1] = radius * std::sin(angle);
  }
  return result;
}

Weights Weights::initialise(const Model &model, uint64_t seed) {
  Weights weights(model);
  for (int64_t i = 0; i < model->tensor_count; ++i) {
    const rootc_tensor &tensor = model->tensors[i];
    float *data =
        (tensor.statistic ? weights.statistics : weights.parameters).data() +
        tensor.offset;
    int64_t count = *elementCount(shapeOf(tensor));
    if (tensor.fan_in > 0) {
      uint64_t name = XXH3_64bits(tensor.name, std::strlen(tensor.name));
      double deviation = std::sqrt(2.0 / double(tensor.fan_in));
      std::array<double, 4> block;
      for (int64_t j = 0; j < count; ++j) {
        if (j % 4 == 0)
          block = normals(seed, name, uint32_t(j / 4));
        data[j] = float(deviation * block[j % 4]);
      }
    } else {
      std::string role = tensor.role;
      bool one = role == "scale" || role == "variance" || role == "gain";
      std::fill(data, data + count, one ? 1.f : role == "slope" ? 0.25f : 0.f);
    }
  }
  return weights;
}

/// Whether a tensor belongs to a layer that the network's file has and the
/// model leaves out, since no output depends on it.
static bool isLeftOut(const Model &model, const std::string &tensor) {
  static const std::set<std::string> roles = {"filter", "weight",   "bias",
                                              "scale",  "offset",   "mean",
                                              "gain",   "variance", "slope"};
  size_t dot = tensor.rfind('.');
  json description = json::parse(model->description, nullptr, false);
  if (dot == std::string::npos || !roles.count(tensor.substr(dot + 1)) ||
      !description.is_object() || !description.contains("left_out") ||
      !description["left_out"].is_array())
    return false;
  const json &names = description["left_out"];
  return std::find(names.begin(), names.end(), tensor.substr(0, dot)) !=
         names.end();
}

/// Groups of the convolution `layer`, from the model's description; 0 if it
/// does not tell.
static int64_t groupsOf(const Model &model, const std::string &layer) {
  json description = json::parse(model->description, nullptr, false);
  if (!description.is_object() || !description.contains("layers") ||
      !description["layers"].is_array())
    return 0;
  for (const json &entry : description["layers"])
    if (entry.is_object() && entry.value("name", "") == layer &&
        entry.contains("groups") && entry["groups"].is_number_integer())
      return entry["groups"].get<int64_t>();
  return 0;
}

/// By how much the file's filter has fewer groups than the network's: its
/// shape is the same but for `ratio` times the input channels. 0: neither.
static int64_t groupRatio(const Model &model, const rootc_tensor &tensor,
                          const TensorEntry &entry, int64_t &groups) {
  if (tensor.rank != 4 || std::string(tensor.role) != "filter" ||
      entry.shape.size() != 4 || entry.dtype != "F32" ||
      !std::equal(entry.shape.begin(), entry.shape.begin() + 3, tensor.shape) ||
      entry.shape[3] <= tensor.shape[3] || tensor.shape[3] < 1 ||
      entry.shape[3] % tensor.shape[3])
    return 0;
  std::string name = tensor.name;
  groups = groupsOf(model, name.substr(0, name.rfind('.')));
  int64_t ratio = entry.shape[3] / tensor.shape[3];
  bool divides =
      groups > 0 && groups % ratio == 0 && tensor.shape[0] % groups == 0;
  return divides ? ratio : 0;
}

/// Keeps, of every filter, the input channels of its own group.
static void sliceFilter(const rootc_tensor &tensor, const TensorEntry &entry,
                        int64_t groups, int64_t ratio, float *destination) {
  int64_t taps = tensor.shape[1] * tensor.shape[2];
  int64_t kept = tensor.shape[3], present = entry.shape[3];
  for (int64_t filter = 0; filter < tensor.shape[0]; ++filter) {
    int64_t group = filter / (tensor.shape[0] / groups);
    int64_t first = group % ratio * kept;
    for (int64_t tap = 0; tap < taps; ++tap)
      std::memcpy(destination + (filter * taps + tap) * kept,
                  entry.data +
                      ((filter * taps + tap) * present + first) * sizeof(float),
                  size_t(kept) * sizeof(float));
  }
}

/// The image size [H,W,C] that a file's weights were trained on, if they say so
/// and it is not the model's.
static std::vector<int64_t> otherImage(const Model &model,
                                       const Safetensors &file) {
  auto found = file.tensors().find("input.mean");
  if (found == file.tensors().end() || found->second.shape.size() != 3 ||
      found->second.shape == imageShape(model))
    return {};
  return found->second.shape;
}

/// What to do about a tensor of another shape.
static std::string remedyOfShape(const Model &model, const Safetensors &file) {
  std::vector<int64_t> image = otherImage(model, file);
  if (image.empty())
    return "are these the weights of this network?";
  return fmt::format("the weights are of images of {} x {} x {}: compile the "
                     "network for such, with --image={}x{}",
                     image[0], image[1], image[2], image[0], image[1]);
}

namespace {
/// Takes the tensors of a file into a model's arenas.
class WeightsReader {
public:
  WeightsReader(const Model &model, const Safetensors &file, bool slice,
                Mismatch mismatch,
                const std::function<void(const std::string &)> &message)
      : model(model), file(file), slice(slice), mismatch(mismatch),
        message(message) {}

  void read(Weights &weights) {
    if (mismatch == Mismatch::Skip)
      findSkipped();
    for (int64_t i = 0; i < model->tensor_count; ++i) {
      const rootc_tensor &tensor = model->tensors[i];
      if (skipped.count(layerOf(tensor.name)))
        continue;
      FloatArray &arena =
          tensor.statistic ? weights.statistics : weights.parameters;
      load(tensor, arena.data() + tensor.offset);
    }
    checkUnused();
  }

private:
  static std::string layerOf(const std::string &tensor) {
    return tensor.substr(0, tensor.rfind('.'));
  }

  void say(const std::string &text) const {
    if (message)
      message(text);
  }

  /// What a user may do instead of finding other weights.
  const char *offer() const {
    return mismatch == Mismatch::OfferSkip
               ? ", or pass --skip-mismatched to begin with what fits"
               : "";
  }

  /// Layers of which a tensor does not fit begin anew, all of each.
  void findSkipped() {
    std::set<std::string> layers;
    for (int64_t i = 0; i < model->tensor_count; ++i) {
      const rootc_tensor &tensor = model->tensors[i];
      std::string layer = layerOf(tensor.name);
      layers.insert(layer);
      auto found = file.tensors().find(tensor.name);
      int64_t groups = 0;
      std::string why;
      if (found == file.tensors().end())
        why = fmt::format("{} has no '{}'", file.path(), tensor.name);
      else if (found->second.shape != shapeOf(tensor) &&
               !(slice && groupRatio(model, tensor, found->second, groups)))
        why = fmt::format("'{}' is {} in {}, and {} in {}", tensor.name,
                          toString(found->second.shape), file.path(),
                          toString(shapeOf(tensor)), model.path());
      if (!why.empty() && skipped.insert(layer).second)
        say(fmt::format("layer '{}' is skipped, it begins anew: {}", layer,
                        why));
    }
    if (!layers.empty() && skipped.size() == layers.size())
      fail("{}: no layer of {} fits; are these the weights of such a network?",
           file.path(), model.path());
  }

  void load(const rootc_tensor &tensor, float *destination) const {
    auto found = file.tensors().find(tensor.name);
    if (found == file.tensors().end())
      fail("{}: has no tensor '{}' {}, which {} needs; are these the weights "
           "of this network?{}",
           file.path(), tensor.name, toString(shapeOf(tensor)), model.path(),
           offer());
    const TensorEntry &entry = found->second;
    if (entry.shape == shapeOf(tensor)) {
      file.copy(tensor.name, shapeOf(tensor), destination);
      return;
    }
    int64_t groups = 0;
    int64_t ratio = groupRatio(model, tensor, entry, groups);
    if (!ratio)
      fail("{}: tensor '{}' has shape {}, and {} in {}; {}{}", file.path(),
           tensor.name, toString(entry.shape), toString(shapeOf(tensor)),
           model.path(), remedyOfShape(model, file), offer());
    if (!slice)
      fail("{}: filter '{}' has shape {} ({} groups), and {} in {} ({} "
           "groups); use weights of the grouped network, or pass "
           "--slice-weights to keep the diagonal blocks only{}",
           file.path(), tensor.name, toString(entry.shape), groups / ratio,
           toString(shapeOf(tensor)), model.path(), groups, offer());
    sliceFilter(tensor, entry, groups, ratio, destination);
    say(fmt::format("'{}' cut from {} to its diagonal blocks, {}: {} of "
                    "{} weights kept",
                    tensor.name, toString(entry.shape),
                    toString(shapeOf(tensor)), *elementCount(shapeOf(tensor)),
                    *elementCount(entry.shape)));
  }

  /// Tensors of the file that the model does not have.
  void checkUnused() const {
    std::set<std::string> known = {"input.mean", "input.scale"};
    for (int64_t i = 0; i < model->tensor_count; ++i)
      known.insert(model->tensors[i].name);
    for (const auto &[name, entry] : file.tensors()) {
      if (known.count(name) || name.find(':') != std::string::npos)
        continue;
      if (isLeftOut(model, name))
        say(fmt::format("'{}' is not used: no output of the network depends "
                        "on its layer",
                        name));
      else if (mismatch == Mismatch::Skip)
        say(fmt::format("'{}' {} is not used: {} has no such tensor", name,
                        toString(entry.shape), model.path()));
      // A model compiled for inference has dropped its auxiliary classifiers.
      else if (!model->has_training)
        say(fmt::format("'{}' is not used for inference", name));
      else
        fail("{}: has a tensor '{}' {}, which {} does not; are these the "
             "weights of this network?{}",
             file.path(), name, toString(entry.shape), model.path(), offer());
    }
  }

  const Model &model;
  const Safetensors &file;
  bool slice;
  Mismatch mismatch;
  const std::function<void(const std::string &)> &message;
  std::set<std::string> skipped; ///< layers
};
} // namespace

/// The names in a file's metadata.
static std::vector<std::string> readClassNames(const Safetensors &file) {
  std::vector<std::string> names;
  auto found = file.metadata().find(classesKey);
  if (found == file.metadata().end())
    return names;
  json list = json::parse(found->second, nullptr, false);
  bool good = list.is_array();
  for (size_t i = 0; good && i < list.size(); ++i)
    if ((good = list[i].is_string()))
      names.push_back(list[i].get<std::string>());
  if (!good)
    fail("{}: is damaged: its metadata '{}' is no list of names", file.path(),
         classesKey);
  return names;
}

/// The mean image. One of another size, of weights that fit all the same, gives
/// each channel its mean.
static FloatArray
readMean(const Model &model, const Safetensors &file,
         const std::function<void(const std::string &)> &message) {
  std::vector<int64_t> shape = otherImage(model, file);
  auto count = elementCount(shape);
  bool other = !shape.empty() && shape[2] == model->channels && *count > 0;
  if (!other)
    shape = imageShape(model);
  FloatArray mean(size_t(*elementCount(shape)));
  file.copy("input.mean", shape, mean.data());
  for (float value : mean)
    if (!std::isfinite(value))
      fail("{}: tensor 'input.mean' holds {}, and must be finite", file.path(),
           valueText(value));
  if (!other)
    return mean;
  size_t channels = size_t(model->channels);
  std::vector<double> sums(channels);
  for (size_t i = 0; i < mean.size(); ++i)
    sums[i % channels] += mean[i];
  FloatArray result(size_t(model.imageSize()));
  for (size_t i = 0; i < result.size(); ++i)
    result[i] = float(sums[i % channels] / double(mean.size() / channels));
  if (message)
    message(fmt::format("'input.mean' is of images of {} x {}, not {} x {}: "
                        "each channel's mean takes its place",
                        shape[0], shape[1], model->height, model->width));
  return result;
}

void rootc::readWeightsInto(
    Weights &weights, const Model &model, const Safetensors &file, bool slice,
    Mismatch mismatch,
    const std::function<void(const std::string &)> &message) {
  weights.classNames = readClassNames(file);
  WeightsReader(model, file, slice, mismatch, message).read(weights);
  if (file.tensors().count("input.mean"))
    weights.inputMean = readMean(model, file, message);
  if (!file.tensors().count("input.scale"))
    return;
  weights.inputScale.resize(size_t(model->channels));
  file.copy("input.scale", {model->channels}, weights.inputScale.data());
  for (float scale : weights.inputScale)
    if (!(scale > 0) || !std::isfinite(scale))
      fail("{}: tensor 'input.scale' holds {}, and must be positive",
           file.path(), valueText(scale));
}

Weights
rootc::readWeights(const Model &model, const Safetensors &file, bool slice,
                   const std::function<void(const std::string &)> &message) {
  Weights weights(model);
  readWeightsInto(weights, model, file, slice, Mismatch::Refuse, message);
  return weights;
}

Weights Weights::load(const Model &model, const std::string &path, bool slice,
                      const std::function<void(const std::string &)> &message) {
  return readWeights(model, Safetensors::read(path), slice, message);
}

std::string rootc::valueText(double value) {
  return std::isnan(value) ? "nan" : fmt::format("{:g}", value);
}

std::string rootc::firstNotFinite(const Model &model, const float *parameters,
                                  const float *statistics) {
  for (int64_t i = 0; i < model->tensor_count; ++i) {
    const rootc_tensor &tensor = model->tensors[i];
    const float *arena = tensor.statistic ? statistics : parameters;
    if (!arena)
      continue;
    const float *begin = arena + tensor.offset;
    const float *end = begin + *elementCount(shapeOf(tensor));
    auto found = std::find_if_not(
        begin, end, [](float value) { return std::isfinite(value); });
    if (found != end)
      return fmt::format("'{}' holds {}", tensor.name, valueText(*found));
  }
  return "";
}

void rootc::addTensors(SafetensorsWriter &writer, const Model &model,
                       const float *parameters, const float *statistics,
                       const std::string &prefix) {
  for (int64_t i = 0; i < model->tensor_count; ++i) {
    const rootc_tensor &tensor = model->tensors[i];
    const float *arena = tensor.statistic ? statistics : parameters;
    if (arena)
      writer.add(prefix + tensor.name, shapeOf(tensor), arena + tensor.offset);
  }
}

bool rootc::readTensors(const Safetensors &file, const Model &model,
                        float *parameters, float *statistics,
                        const std::string &prefix) {
  bool any = false;
  for (int64_t i = 0; i < model->tensor_count; ++i) {
    const rootc_tensor &tensor = model->tensors[i];
    float *arena = tensor.statistic ? statistics : parameters;
    std::string name = prefix + tensor.name;
    if (!arena || (!any && !file.tensors().count(name)))
      continue;
    any = true;
    file.copy(name, shapeOf(tensor), arena + tensor.offset);
  }
  return any;
}

void rootc::addWeights(SafetensorsWriter &writer, const Model &model,
                       const Weights &weights) {
  addTensors(writer, model, weights.parameters.data(),
             weights.statistics.data());
  if (!weights.inputMean.empty())
    writer.add("input.mean", {model->height, model->width, model->channels},
               weights.inputMean.data());
  if (!weights.inputScale.empty())
    writer.add("input.scale", {model->channels}, weights.inputScale.data());
  if (!weights.classNames.empty())
    writer.note(classesKey,
                json(weights.classNames)
                    .dump(-1, ' ', false, json::error_handler_t::replace));
}

void Weights::save(const Model &model, const std::string &path) const {
  SafetensorsWriter writer;
  writer.note("rootc.model", model->name);
  addWeights(writer, model, *this);
  writer.write(path);
}
