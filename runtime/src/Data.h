//===- Data.h - Data sets that --data names ---------------------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A folder that holds data_batch_*.bin or test_batch.bin is CIFAR-10's; else
// one that holds a folder train/, val/ or test/ is an image folder: below it a
// folder a class, in the order of their names, with JPEG and PNG files. Tests
// are made on val/, or on test/ where there is no val/.
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_RUNTIME_DATA_H
#define ROOTC_RUNTIME_DATA_H

#include "ImageSource.h"

namespace rootc {

/// How the images of a folder of classes, without train/ and val/, become two
/// parts: each class by itself, by a hash of the seed and the file's path.
struct DataSplit {
  double testFraction = 0.2; ///< of each class, at least one image
  uint64_t seed = 0;
};

/// The training or the test images of a folder; without a split, a folder of
/// classes is no two parts but all images. Throws an Error that names the
/// folder, class or file at fault.
std::unique_ptr<ImageSource>
openData(const std::string &folder, bool training, const Model &model,
         std::optional<DataSplit> split = std::nullopt);

/// The class names of a folder: batches.meta.txt's lines, or the class folders
/// of train/ or of the test images; empty if it has neither.
std::vector<std::string> readClassNames(const std::string &folder);

/// Says that a folder's class names are not those that the weights were trained
/// on; nothing if they are, or either is unknown.
std::string compareClassNames(const Weights &weights,
                              const std::string &folder);

} // namespace rootc

#endif // ROOTC_RUNTIME_DATA_H
