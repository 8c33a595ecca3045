//===- Kernel.h - Plain description of one fused kernel ---------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What crosses from the MLIR side to the Halide side: no MLIR, no Halide, no
// LLVM types. docs/architecture.md lists the ops and their attributes.
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_CODEGEN_KERNEL_H
#define ROOTC_CODEGEN_KERNEL_H

#include <compare>
#include <cstdint>
#include <map>
#include <string>
#include <variant>
#include <vector>

namespace rootc::codegen {

/// BF16 is how a kernel's inputs and outputs lie in memory: what reads them
/// computes in float, and results are rounded to nearest, ties to even.
enum class ElementType { F32, I64, U8, I32, BF16 };

/// A dense row-major tensor, shape outermost first. A dimension of -1 is
/// dynamic: the batch (or the count of an update), only in position 0.
struct TensorType {
  ElementType element = ElementType::F32;
  std::vector<int64_t> shape;
  auto operator<=>(const TensorType &) const = default;
};

using Attribute = std::variant<int64_t, double, std::string,
                               std::vector<int64_t>, std::vector<double>>;
using AttributeMap = std::map<std::string, Attribute>;

/// One primitive op. Value ids: the kernel's inputs are 0 .. inputs.size()-1,
/// then every result of every op in order.
struct Op {
  std::string name;
  std::vector<int64_t> operands;
  AttributeMap attributes;
  std::vector<TensorType> results;
  bool operator==(const Op &) const = default;
};

/// How the pipeline is tiled, vectorised, unrolled and parallelised: named
/// integers, the keys of the schedule family that the anchor op selects
/// (codegen/Schedules/Families.h).
using Schedule = std::map<std::string, int64_t>;

struct Kernel {
  std::string name; ///< C symbol; not part of the signature
  std::vector<TensorType> inputs;
  std::vector<Op> ops;
  std::vector<int64_t> outputs; ///< value ids
  Schedule schedule;

  /// The type of a value id.
  const TensorType &type(int64_t value) const;
};

/// Whether an op updates a whole arena in place: what an optimizer does.
bool isUpdate(const Op &op);

/// What a schedule may assume of the machine and of its use.
struct TargetInfo {
  std::string halide;       ///< Halide target string, features sorted
  int64_t vectorBits = 512; ///< widest vector
  int64_t registers = 32;   ///< vector registers
  int64_t batch = 0;        ///< images of a call; 0: any
  int64_t threads = 0;      ///< that run it; 0: any
};

/// Canonical JSON: keys sorted, no white space; equal kernels give equal text.
/// `signature` leaves the name out.
std::string toJson(const Kernel &kernel);
std::string signature(const Kernel &kernel);
/// Throws std::invalid_argument naming the key at fault.
Kernel kernelFromJson(const std::string &text);

} // namespace rootc::codegen

#endif // ROOTC_CODEGEN_KERNEL_H
