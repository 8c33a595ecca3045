//===- Cifar.h - Images in CIFAR-10's binary format -------------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A file is a sequence of records of 3073 bytes: the label, then the red, green
// and blue planes of a 32 x 32 image.
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_RUNTIME_CIFAR_H
#define ROOTC_RUNTIME_CIFAR_H

#include "Support.h"

namespace rootc {

/// Labelled images, 8 bits a channel, [count, height, width, channels].
struct Dataset {
  int64_t count = 0, height = 0, width = 0, channels = 0;
  std::vector<uint8_t> pixels;
  std::vector<int64_t> labels;

  int64_t imageSize() const { return height * width * channels; }
  const uint8_t *image(int64_t index) const {
    return pixels.data() + index * imageSize();
  }
  /// A hash of all images and labels, as hexadecimal digits.
  std::string hash() const;
};

/// Appends a .bin file. `classes`: what labels have to be below.
void readCifar(const std::string &path, int64_t classes, Dataset &dataset);

/// data_batch_*.bin or test_batch.bin of a folder, in the order of their
/// numbers, for a model of 32 x 32 x 3 images.
Dataset loadCifar(const std::string &folder, bool training, const Model &model);

/// The class names in batches.meta.txt beside the data; empty if there is none.
std::vector<std::string> readClassNames(const std::string &folder);

/// How images are normalised: (pixel - mean) / scale.
struct Normalisation {
  FloatArray mean;  ///< [H,W,C]
  FloatArray scale; ///< [C]

  /// The mean image and, per channel, the standard deviation from it.
  static Normalisation of(const Dataset &dataset);
  /// From weights; throws if they do not carry it.
  static Normalisation of(const Weights &weights, const std::string &path);
};

} // namespace rootc

#endif // ROOTC_RUNTIME_CIFAR_H
