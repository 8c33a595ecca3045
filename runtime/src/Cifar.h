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

#include "ImageSource.h"

namespace rootc {

/// The images of CIFAR-10's files, in memory.
struct Dataset : ImageSource {
  std::vector<uint8_t> pixels; ///< [count, height, width, channels]

  const uint8_t *image(int64_t index) const {
    return pixels.data() + index * imageSize();
  }
  const uint8_t *read(int64_t sample, const CropWords *crop,
                      std::vector<uint8_t> &buffer) const override;
  /// The mean image and, per channel, the standard deviation from it.
  Survey survey(int threads) const override;
  /// Of all images and labels.
  std::string hash() const override;
};

/// Appends a .bin file. `classes`: what labels have to be below.
void readCifar(const std::string &path, int64_t classes, Dataset &dataset);

/// Whether a folder holds data_batch_*.bin or test_batch.bin. Throws if it
/// cannot be listed.
bool isCifar(const std::string &folder);

/// data_batch_*.bin or test_batch.bin of a folder, in the order of their
/// numbers, for a model of 32 x 32 x 3 images.
Dataset loadCifar(const std::string &folder, bool training, const Model &model);

/// The class names in batches.meta.txt beside the data; empty if there is none.
std::vector<std::string> readCifarNames(const std::string &folder);

} // namespace rootc

#endif // ROOTC_RUNTIME_CIFAR_H
