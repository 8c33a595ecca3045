//===- PngEncoder.h - Pixels as a PNG file ----------------------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_RUNTIME_PNGENCODER_H
#define ROOTC_RUNTIME_PNGENCODER_H

#include "ImageDecode.h"

namespace rootc {

/// The bytes of a PNG file of pixels [height, width, channels]: 1 channel is
/// grey, 3 are RGB, 4 RGB and alpha. With `palette`, RGB colours one after
/// another, pixels [height, width] are indices of these.
std::string encodePng(const uint8_t *pixels, ImageSize size, int64_t channels,
                      const std::vector<uint8_t> &palette = {});

} // namespace rootc

#endif // ROOTC_RUNTIME_PNGENCODER_H
