//===- KernelTimes.h - Kernels of one library, timed in turns ---*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What rootc-time does. A library that rootc-tune made (codegen/Tune) calls
// kernels in turns, all of the same inputs, in copies of their buffers; where
// it has parameters, they are a filter that `prepare` packs for each. Its
// description holds
//
//   {"timing": {"kernels": 2, "batch": 16,
//     "inputs": [{"elements": 802816, "bytes": 4, "float": true}, ...],
//     "outputs": [{"elements": 200704, "bytes": 4, "float": true}],
//     "input_offsets": [[0, 3211264, ...], ...],
//     "output_offsets": [[[0], [802816]], ...]}}
//
// the offsets in bytes: of inputs from the prepared weights on, by copy; of
// outputs from the workspace on, by copy and kernel.
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_RUNTIME_KERNELTIMES_H
#define ROOTC_RUNTIME_KERNELTIMES_H

#include <string>

namespace rootc {

/// Does the job of one line,
///
///   {"library": "timed.so", "threads": 2, "milliseconds": 40, "samples": 7}
///
/// and answers with one, of each kernel the median of its times, and the
/// largest difference of its results from the first kernel's, by the largest
/// value: {"milliseconds": [1.2, 1.1], "difference": [0, 1e-7], "machine":
/// "NVIDIA H200", "threads": 1}, the machine being the device's or the CPU's
/// model. It measures at least so many milliseconds and times of each kernel,
/// unless the second one is beaten clearly. Otherwise {"error": "..."}.
std::string timeKernels(const std::string &job);

} // namespace rootc

#endif // ROOTC_RUNTIME_KERNELTIMES_H
