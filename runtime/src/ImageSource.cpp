//===- ImageSource.cpp - Where labelled images come from ------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ImageSource.h"
#include "Philox.h"

using namespace rootc;

namespace {
constexpr int64_t padding = 4;
constexpr Augment kinds[] = {Augment::PadCropMirror, Augment::CropMirror,
                             Augment::RandomResizedCrop, Augment::None};
} // namespace

const char *rootc::augmentName(Augment augment) {
  switch (augment) {
  case Augment::None:
    return "none";
  case Augment::PadCropMirror:
    return "pad-crop-mirror";
  case Augment::CropMirror:
    return "crop-mirror";
  case Augment::RandomResizedCrop:
    return "random-resized-crop";
  }
  return "";
}

std::vector<std::string> rootc::augmentNames() {
  std::vector<std::string> names;
  for (Augment kind : kinds)
    names.push_back(augmentName(kind));
  return names;
}

std::optional<Augment> rootc::augmentFromName(const std::string &name) {
  for (Augment kind : kinds)
    if (name == augmentName(kind))
      return kind;
  return std::nullopt;
}

Normalisation Normalisation::of(const Weights &weights,
                                const std::string &path) {
  if (weights.inputMean.empty() || weights.inputScale.empty())
    fail("{}: has no tensors 'input.mean' and 'input.scale', with which images "
         "are normalised; use the weights that 'rootrun train' wrote",
         path);
  return {weights.inputMean, weights.inputScale};
}

/// The words of a crop; the block of `first` places it.
static CropWords cropWords(const PhiloxBlock &first, int64_t sample,
                           uint64_t seed, int64_t epoch, Augment augment) {
  CropWords crop;
  crop.down = first[0];
  crop.right = first[1];
  crop.isResized = augment == Augment::RandomResizedCrop;
  for (uint32_t i = 0; crop.isResized && i < crop.shapes.size(); i += 2) {
    PhiloxBlock words = philox({1 + i / 2, uint32_t(sample), uint32_t(epoch),
                                uint32_t(RandomUse::Augment)},
                               seed);
    crop.shapes[i] = {words[0], words[1]};
    crop.shapes[i + 1] = {words[2], words[3]};
  }
  return crop;
}

bool rootc::makeImage(const ImageSource &source,
                      const Normalisation &normalisation, int64_t sample,
                      Augment augment, uint64_t seed, int64_t epoch, float *out,
                      std::vector<uint8_t> &buffer) {
  int64_t height = source.height, width = source.width,
          channels = source.channels;
  int64_t down = 0, right = 0;
  bool mirror = false;
  CropWords crop = {};
  if (augment != Augment::None) {
    PhiloxBlock words = philox(
        {0, uint32_t(sample), uint32_t(epoch), uint32_t(RandomUse::Augment)},
        seed);
    mirror = words[2] >> 31;
    crop = cropWords(words, sample, seed, epoch, augment);
    if (augment == Augment::PadCropMirror) {
      down = int64_t(below(words[0], 2 * padding + 1)) - padding;
      right = int64_t(below(words[1], 2 * padding + 1)) - padding;
    }
  }
  bool cropped =
      augment == Augment::CropMirror || augment == Augment::RandomResizedCrop;
  const uint8_t *image = source.read(sample, cropped ? &crop : nullptr, buffer);
  if (!image)
    return false;
  for (int64_t y = 0; y < height; ++y)
    for (int64_t x = 0; x < width; ++x, out += channels) {
      int64_t fromY = y + down, fromX = (mirror ? width - 1 - x : x) + right;
      bool inside = fromY >= 0 && fromY < height && fromX >= 0 && fromX < width;
      int64_t at = (fromY * width + fromX) * channels;
      for (int64_t c = 0; c < channels; ++c)
        out[c] = inside ? (image[at + c] - normalisation.mean[size_t(at + c)]) /
                              normalisation.scale[size_t(c)]
                        : 0.f;
    }
  return true;
}
