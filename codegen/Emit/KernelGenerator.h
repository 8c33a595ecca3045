//===- KernelGenerator.h - The version of what makes a kernel ---*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Times that were measured hold as long as the code is the same. It depends on
// Halide and on the sources of codegen/, of which many matter for some kernels
// alone: a change of the loops of small groups leaves what is known of dense
// convolutions as it is.
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_CODEGEN_EMIT_KERNELGENERATOR_H
#define ROOTC_CODEGEN_EMIT_KERNELGENERATOR_H

#include "codegen/Kernel.h"
#include "llvm/Support/Error.h"

#include <map>
#include <string>

namespace rootc::codegen {

class KernelGenerator {
public:
  /// Hashes by part (codegen/SourceHash.cmake), and Halide's version.
  explicit KernelGenerator(std::map<std::string, std::string> parts)
      : parts(std::move(parts)) {}

  /// What the program that compiles kernels says of itself.
  static llvm::Expected<KernelGenerator> of(const std::string &program);

  /// Of a kernel at whatever point: 16 hexadecimal digits. Equal versions have
  /// the same rules, and compile the same schedule to the same code.
  std::string version(const Kernel &kernel, const TargetInfo &target) const;

private:
  std::map<std::string, std::string> parts;
};

} // namespace rootc::codegen

#endif // ROOTC_CODEGEN_EMIT_KERNELGENERATOR_H
