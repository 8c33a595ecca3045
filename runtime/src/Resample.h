//===- Resample.h - Resize and crop an image --------------------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What runtime/support/Resample.h computes, as the runtime calls it.
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_RUNTIME_RESAMPLE_H
#define ROOTC_RUNTIME_RESAMPLE_H

#include "ImageDecode.h"
#include "ImageSource.h"

namespace rootc {

/// The size that an image is resized to, for a model of size `model`.
ImageSize resizedSize(ImageSize image, ImageSize model);
/// The same for a crop: where it is a part of random size, the size at which
/// that part has the model's.
ImageSize resizedSize(ImageSize image, ImageSize model, const CropWords *crop);

/// A part of an image.
struct Window {
  int64_t top = 0, left = 0;
  ImageSize size;
};

/// Where the model's size is cut from an image of size `resized`: in the
/// centre (rounded up and to the left), or as the words say, each place as
/// likely.
Window cropWindow(ImageSize resized, ImageSize model, const CropWords *crop);

/// Writes the window of `image` as resized to `resized`, to `out`
/// [window.size.height, window.size.width, channels].
void resample(const DecodedImage &image, ImageSize resized,
              const Window &window, uint8_t *out);

} // namespace rootc

#endif // ROOTC_RUNTIME_RESAMPLE_H
