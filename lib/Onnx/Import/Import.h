//===- Import.h - Networks from ONNX files ----------------------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Reads an ONNX classifier and writes it as a network of the root dialect and a
// safetensors file of its weights. What is supported: docs/onnx.md.
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_ONNX_IMPORT_IMPORT_H
#define ROOTC_ONNX_IMPORT_IMPORT_H

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace rootc {

struct ImportOptions {
  std::string input;   ///< MODEL.onnx
  std::string output;  ///< NET.mlir; "-" is standard output
  std::string weights; ///< NET.safetensors
  std::string logits;  ///< value that gives the logits; empty: the only output
  int64_t height = 0;  ///< of the image, where the file leaves it open
  int64_t width = 0;
  /// An image is (pixel - mean) / scale: one value, or one a channel; empty:
  /// as the file says.
  std::vector<double> mean, scale;
};

/// Throws rootc::Error, which names the file and the node, and then writes
/// nothing. `note` is told what a user may want to know.
void importOnnx(const ImportOptions &options,
                const std::function<void(const std::string &)> &note);

/// The ONNX operators that can be imported, in alphabetical order.
std::vector<std::string> importableOperators();

} // namespace rootc

#endif // ROOTC_ONNX_IMPORT_IMPORT_H
