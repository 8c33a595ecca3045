//===- Pipeline.h - From a kernel description to Halide ---------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The compiled function is
//
//   int NAME(void *context, halide_buffer_t *in..., halide_buffer_t *out...)
//
// over dense buffers, dimensions reversed (c, x, y, n), mins 0. Static extents
// and all strides are constants of the code; only the batch is read from the
// buffers, and it must agree among them: a mismatch is an error code. A call
// may cover a range of the batch: crop every batched buffer alike. An output
// may lie exactly where an input of the same shape lies if the kernel is
// elementwise.
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_CODEGEN_PIPELINE_H
#define ROOTC_CODEGEN_PIPELINE_H

#include "Halide.h"
#include "codegen/Schedules/Schedules.h"

#include <string>
#include <vector>

namespace rootc::codegen {

struct BuiltPipeline {
  Halide::Pipeline pipeline;
  std::vector<Halide::ImageParam> inputs;
  std::vector<Halide::Argument> arguments() const;
};

/// The target that kernels are compiled for: `text` (Halide's notation) plus
/// user_context, no_runtime and no_bounds_query. Throws std::invalid_argument
/// for an unknown or unsupported target.
Halide::Target kernelTarget(const std::string &text);

/// What a schedule may assume of a target's machine.
TargetInfo targetInfo(const Halide::Target &target);

/// A kernel's Funcs, before anything says how they are computed.
struct UnscheduledPipeline {
  ScheduleContext context;
  std::vector<Halide::ImageParam> inputs;
  std::vector<Halide::Func> vectorStages; ///< of one dimension: for all points
};
/// Throws as buildPipeline does.
UnscheduledPipeline unscheduledPipeline(const Kernel &kernel,
                                        const Halide::Target &target);

/// Builds and schedules a kernel. `plain` leaves vectors and threads out, for
/// C++ source, which has schedules of its own. Throws std::invalid_argument for
/// a description that does not make sense or a schedule that the kernel cannot
/// have, Halide::Error for what Halide refuses.
BuiltPipeline buildPipeline(const Kernel &kernel, const Halide::Target &target,
                            bool plain = false);

} // namespace rootc::codegen

#endif // ROOTC_CODEGEN_PIPELINE_H
