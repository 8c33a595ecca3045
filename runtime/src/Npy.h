//===- Npy.h - NumPy's array files ------------------------------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_RUNTIME_NPY_H
#define ROOTC_RUNTIME_NPY_H

#include "Support.h"

namespace rootc {

/// A C-ordered array read from a .npy file (versions 1 to 3).
struct NpyArray {
  std::string path;
  std::string dtype; ///< "<f4", "<i8", "|u1", ...
  std::vector<int64_t> shape;
  std::vector<char> file;
  size_t offset = 0; ///< of the data in `file`

  static NpyArray read(const std::string &path);
  /// Elements converted from a float32 or, where `bytes` allows it, a uint8
  /// array. Throws for other types, with the remedy.
  FloatArray floats(bool bytes = false) const;
  /// Elements of an integer array of 1, 4 or 8 bytes.
  std::vector<int64_t> integers() const;
};

void writeNpy(const std::string &path, const std::vector<int64_t> &shape,
              const float *data);

} // namespace rootc

#endif // ROOTC_RUNTIME_NPY_H
