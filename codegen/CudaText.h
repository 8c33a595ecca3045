//===- CudaText.h - Lines of CUDA C++ ---------------------------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_CODEGEN_CUDATEXT_H
#define ROOTC_CODEGEN_CUDATEXT_H

#include "codegen/Kernel.h"

#include <map>
#include <sstream>
#include <string>
#include <vector>

namespace rootc::codegen {

class CudaText {
public:
  int indent = 0; ///< in steps of two spaces
  /// Broken where it is long, behind a comma or before an operator.
  void line(std::string content);
  std::string str() const { return text.str(); }

private:
  std::ostringstream text;
};

/// The variable that the batch is in.
inline const char cudaBatch[] = "n";

/// C++'s name of what a tensor in memory has.
std::string cudaElement(const TensorType &type);

/// A comment: what the kernel computes, and of what.
std::string describeForCuda(const Kernel &kernel,
                            const std::vector<std::string> &arguments,
                            const std::map<std::string, TensorType> &types);

} // namespace rootc::codegen

#endif // ROOTC_CODEGEN_CUDATEXT_H
