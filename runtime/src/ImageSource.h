//===- ImageSource.h - Where labelled images come from ----------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The seam between kinds of data (CIFAR-10's binary files in memory, a folder
// of JPEG and PNG files decoded on the fly) and what makes batches of them.
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_RUNTIME_IMAGESOURCE_H
#define ROOTC_RUNTIME_IMAGESOURCE_H

#include "Support.h"

#include <array>

namespace rootc {

/// How training images are varied at random.
enum class Augment {
  None,          ///< the centre crop, as in tests
  PadCropMirror, ///< 4 pixels of the mean around the centre crop; a crop of it
  CropMirror,    ///< a crop of the image, resized as for tests
  /// A part of 8% to 100% of the image's area whose sides have a ratio from 3/4
  /// to 4/3, resized to the model's size, and mirrored or not: as networks for
  /// ImageNet are trained (Szegedy et al. 2015).
  RandomResizedCrop
};

/// The kinds' names, as --augment spells them.
const char *augmentName(Augment augment);
/// All of them.
std::vector<std::string> augmentNames();
/// Nothing for an unknown name.
std::optional<Augment> augmentFromName(const std::string &name);

/// How images are normalised: (pixel - mean) / scale.
struct Normalisation {
  FloatArray mean;  ///< [H,W,C]
  FloatArray scale; ///< [C]

  /// From weights; throws if they do not carry it.
  static Normalisation of(const Weights &weights, const std::string &path);
};

/// What is measured on training images before a run begins.
struct Survey {
  Normalisation normalisation;
  Augment augment = Augment::None; ///< what suits these images
};

/// Random words that choose a crop.
struct CropWords {
  /// Where there is room, how much of it lies above and to the left.
  uint32_t down = 0, right = 0;
  /// How large a part of the image it is: area and ratio of the sides of each
  /// try, of which the first that fits counts. Without `isResized` it has the
  /// model's size in an image that is resized as for tests.
  bool isResized = false;
  std::array<std::pair<uint32_t, uint32_t>, 10> shapes{};
};

/// Labelled images of the model's size, 8 bits a channel. All functions but
/// takeReports may be called by several threads at once.
class ImageSource {
public:
  int64_t count = 0, height = 0, width = 0, channels = 0;
  std::vector<int64_t> labels;

  virtual ~ImageSource() = default;
  int64_t imageSize() const { return height * width * channels; }

  /// An image [height, width, channels], in `buffer` or in memory of the
  /// source; null if it cannot be read, which the source notes once for each
  /// image. Without `crop`, the centre is cut from an image that is larger.
  virtual const uint8_t *read(int64_t sample, const CropWords *crop,
                              std::vector<uint8_t> &buffer) const = 0;
  /// Throws if no image is readable, and TooFewThreads.
  virtual Survey survey(int threads) const = 0;
  /// Throws if no image is readable, as soon as one is found.
  virtual void requireReadable() const {}
  /// The file of an image; "" where images have none of their own.
  virtual std::string path(int64_t) const { return ""; }
  /// Tells this data set from others, as hexadecimal digits.
  virtual std::string hash() const = 0;
  /// Messages about images that could not be read, since the last call.
  virtual std::vector<std::string> takeReports() { return {}; }
  /// Threads that read ahead, unless --loader-threads says otherwise.
  virtual int defaultThreads() const { return 1; }
};

/// Normalises one image; crops and mirrors it as `augment` and
/// (seed, epoch, sample) say. False if it cannot be read. `buffer` is scratch.
bool makeImage(const ImageSource &source, const Normalisation &normalisation,
               int64_t sample, Augment augment, uint64_t seed, int64_t epoch,
               float *out, std::vector<uint8_t> &buffer);

} // namespace rootc

#endif // ROOTC_RUNTIME_IMAGESOURCE_H
