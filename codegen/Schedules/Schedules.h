//===- Schedules.h - How a kernel's Funcs are computed ----------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A schedule family is a function from a built kernel to Halide directives.
// The kernel's anchor op selects the family; its knobs are the named integers
// of Kernel::schedule, each with a default derived from the shapes.
//
// Rules for every family: no tail strategy that computes a point twice
// (ShiftInwards), since an output may lie where an input lies; and no split of
// a reduction that depends on anything but shapes, so that the bits do not
// depend on the thread count.
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_CODEGEN_SCHEDULES_SCHEDULES_H
#define ROOTC_CODEGEN_SCHEDULES_SCHEDULES_H

#include "codegen/Algorithms/Algorithms.h"

namespace rootc::codegen {

struct ScheduleContext {
  const Kernel &kernel;
  const Op *anchor;            ///< null: elementwise ops only
  Lowered anchorFuncs;         ///< results and stages of the anchor
  std::vector<Value> operands; ///< of the anchor, prologue ops inlined
  /// The pipeline's one output Func over imageVars(rank): a Tuple where the
  /// kernel has several outputs (all have one shape). It calls the anchor's
  /// results through the inlined epilogue; it is never an anchor's own Func.
  Halide::Func output;
  Value outputValue;                        ///< shape of the outputs
  std::vector<Halide::Func> positionStages; ///< see OpInfo::elementwise
  Halide::Target target;
  /// For C++ source: no vectors, no threads, only what keeps the amount of
  /// work and memory sane.
  bool plain = false;

  /// Lanes of a full float vector; 1 in a plain schedule.
  int lanes() const;
  /// Vector registers.
  int registers() const;
  /// A knob of the kernel's schedule, or its default.
  int64_t knob(const std::string &name, int64_t otherwise) const;
  Halide::Func stage(const std::string &name) const;
};

using ScheduleFamily = void (*)(const ScheduleContext &context);

/// How a dimension of channels is covered by vectors.
struct ChannelSplit {
  int vector; ///< lanes of one vector
  int block;  ///< channels of a block: at most `most` vectors
  bool exact; ///< blocks divide the channels; else a block is one vector
};
ChannelSplit splitChannels(const ScheduleContext &context, int64_t channels,
                           int most);

/// Loops over an image-shaped Func: (c in blocks, then vectors) inside x
/// inside y inside n, rows in tasks of about a quarter megabyte.
struct ImageLoops {
  Halide::Var channelBlock, channel, row, task;
};
ImageLoops loopOverImage(const ScheduleContext &context, Halide::Func func,
                         const Value &value, const ChannelSplit &split);

/// The family that an anchor op selects on the CPU; the pointwise one for
/// null. Throws std::invalid_argument for an op without one.
ScheduleFamily cpuFamily(const Op *anchor);

void schedulePointwise(const ScheduleContext &context);
void scheduleReduction(const ScheduleContext &context);
void schedulePool(const ScheduleContext &context);
void scheduleGlobalPool(const ScheduleContext &context);
void scheduleReduceSum(const ScheduleContext &context);
void scheduleLoss(const ScheduleContext &context);
void scheduleLocalResponseNorm(const ScheduleContext &context);
void scheduleSgd(const ScheduleContext &context);
void scheduleConcat(const ScheduleContext &context);
void scheduleConvolution(const ScheduleContext &context);
void scheduleFilterGradient(const ScheduleContext &context);
void schedulePackFilter(const ScheduleContext &context);

} // namespace rootc::codegen

#endif // ROOTC_CODEGEN_SCHEDULES_SCHEDULES_H
