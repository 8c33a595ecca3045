//===- ExportLayers.h - Layers as ONNX nodes --------------------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_ONNX_EXPORTLAYERS_H
#define ROOTC_ONNX_EXPORTLAYERS_H

#include "lib/Onnx/NetworkWeights.h"

#include <onnx/onnx.pb.h>

namespace rootc {

/// Fills `graph` with the layers that inference needs. `weights` are filled;
/// with `pixels` the image is normalised by theirs. Fails, after a diagnostic,
/// at a layer that no node stands for.
llvm::LogicalResult exportLayers(root::NetworkOp network,
                                 const NetworkWeights &weights, bool pixels,
                                 onnx::GraphProto &graph);

} // namespace rootc

#endif // ROOTC_ONNX_EXPORTLAYERS_H
