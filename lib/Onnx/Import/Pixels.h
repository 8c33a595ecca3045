//===- Pixels.h - How pixels become the image of a network ------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// An image is (pixel - mean) / scale, pixels being 0 to 255. ONNX has no place
// for the two; files that rootc wrote have them in their metadata, as JSON
// arrays `input.mean` and `input.scale`.
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_ONNX_IMPORT_PIXELS_H
#define ROOTC_ONNX_IMPORT_PIXELS_H

#include "dialect/Shapes.h"
#include "lib/Onnx/Import/Import.h"
#include "lib/Onnx/Import/Importer.h"

#include <optional>

namespace rootc::importer {

struct Pixels {
  std::vector<float> mean;  ///< [height, width, channels]
  std::vector<float> scale; ///< [channels]
};

/// From the flags, else from the file; nothing if neither says it. Throws if
/// there are not as many values as the image needs, or a scale is not positive.
std::optional<Pixels> findPixels(const ModelFile &file,
                                 const ImportOptions &options,
                                 const root::MapShape &image);

/// The normalisation of pixels and that of the graph's input as one. Without
/// the first the input is the pixels.
Pixels withMeanImage(const std::optional<Pixels> &pixels,
                     const MeanImage &image);

} // namespace rootc::importer

#endif // ROOTC_ONNX_IMPORT_PIXELS_H
