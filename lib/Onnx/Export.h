//===- Export.h - A network as an ONNX file ---------------------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The inference form of a network, with its weights, as users of ONNX expect
// it: "image" [N,C,H,W] float32 to "logits" [N,classes], the batch N free.
// docs/onnx.md says what each layer becomes.
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_ONNX_EXPORT_H
#define ROOTC_ONNX_EXPORT_H

#include "dialect/RootDialect.h"

#include <string>

namespace rootc {

struct OnnxExportOptions {
  std::string weights;       ///< a safetensors file; empty: He initialisation
  bool sliceWeights = false; ///< as Weights::load takes it
  uint64_t seed = 0;         ///< of the initialisation
  /// "image" holds pixels, 0 to 255, which the file normalises by input.mean
  /// and input.scale of the weights.
  bool pixels = false;
  std::string description; ///< of the layers, as emitCost gives it in JSON
  std::string version;     ///< of the compiler
};

/// The bytes of the file. `network` is shaped and is left as it is. Fails,
/// after a diagnostic, where the weights do not fit the network or are too
/// large for a file.
llvm::FailureOr<std::string> exportOnnx(root::NetworkOp network,
                                        const OnnxExportOptions &options);

} // namespace rootc

#endif // ROOTC_ONNX_EXPORT_H
