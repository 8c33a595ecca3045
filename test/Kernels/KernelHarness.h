//===- KernelHarness.h - Kernels against the reference ----------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_TEST_KERNELS_KERNELHARNESS_H
#define ROOTC_TEST_KERNELS_KERNELHARNESS_H

#include "Halide.h"
#include "codegen/Kernel.h"
#include "lib/Reference/Reference.h"

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace rootc::test {

using codegen::AttributeMap;
using codegen::ElementType;
using codegen::Kernel;
using codegen::Op;
using codegen::TensorType;
using reference::Tensor;

TensorType f32(std::vector<int64_t> shape);
TensorType bf16(std::vector<int64_t> shape);
TensorType i64(std::vector<int64_t> shape);
TensorType u8(std::vector<int64_t> shape);

/// Puts a kernel together op by op; the results of the last op, or those
/// chosen by `output`, are its outputs.
class KernelBuilder {
public:
  int64_t input(TensorType type);
  /// The ids of the results.
  std::vector<int64_t> op(std::string name, std::vector<int64_t> operands,
                          std::vector<TensorType> results,
                          AttributeMap attributes = {});
  void output(std::vector<int64_t> values);
  Kernel kernel;
};

/// A kernel of one op on inputs of the given types.
Kernel oneOp(std::string name, std::vector<TensorType> inputs,
             std::vector<TensorType> results, AttributeMap attributes = {});

/// Inputs with `dynamic` for the dynamic dimension: floats in (-1, 1), i64
/// and u8 in [0, 4); none constant, no ties among floats to speak of. Inputs
/// named in `positive` are in (0.5, 1.5). Filters for Winograd's convolution
/// are transformed ones.
std::vector<Tensor> makeInputs(const Kernel &kernel, int64_t dynamic,
                               std::vector<size_t> positive = {},
                               uint32_t seed = 1);

/// Runs the compiled kernel (just in time, for this machine) on dense buffers
/// that lie between guards: inputs between NaNs, outputs, full of NaNs (255
/// for u8), between words that must not change. Throws std::runtime_error if
/// one did. `plain` builds it as C++ source is built; `bits` is the width of
/// the widest vectors, if the machine has them.
std::vector<Tensor> runKernel(const Kernel &kernel,
                              const std::vector<Tensor> &inputs,
                              bool plain = false, int64_t bits = 512);

/// How check() and checkAs() run a kernel, by the variable ROOTC_TEST_DEVICE:
/// without it on the CPU; "opencl": on the OpenCL device of this machine,
/// whatever that is; "ptx": not at all, but its PTX is assembled for several
/// GPUs, and what ptxas says of it is judged.
enum class Device { Cpu, OpenCL, Ptx };
Device device();

/// The target of the kernels of a test: of a CPU, whose vectors have so many
/// bits, or of a device.
codegen::TargetInfo testTarget(int64_t bits = 512);

/// Runs the kernel's schedule for a device on the OpenCL device. No buffer has
/// memory that the host could read. `change` may add lowering passes.
std::vector<Tensor>
runOnDevice(const Kernel &kernel, const std::vector<Tensor> &inputs,
            const std::function<void(Halide::Pipeline &)> &change = {});

/// What is wrong with the code of the kernel for NVIDIA's GPUs: empty if it has
/// as many registers and as much shared memory as they have, and spills none.
std::string assemble(const Kernel &kernel);

/// What is wrong with `got`: empty if every element is within `tolerance`
/// times the largest finite magnitude of its tensor, integers, infinities and
/// what is not a number the same.
std::string difference(const std::vector<Tensor> &got,
                       const std::vector<Tensor> &want, double tolerance);

/// difference() of the kernel, both vectorised and plain, from the reference;
/// or as device() says. In the first tier (ROOTC_TEST_TIER=first) one kernel of
/// three is plain too.
std::string check(const Kernel &kernel, const std::vector<Tensor> &inputs,
                  double tolerance = 2e-6);

/// The same of one kernel run in the place of another: what a sabotaged
/// description or schedule does to the numbers.
std::string checkAs(const Kernel &run, const Kernel &meant,
                    const std::vector<Tensor> &inputs, double tolerance = 2e-6);

} // namespace rootc::test

#endif // ROOTC_TEST_KERNELS_KERNELHARNESS_H
