//===- Schedules.h - How a kernel's Funcs are computed ----------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Each schedule family (Families.h) has an overload of apply(): from a built
// kernel to Halide directives. It is given what is legal, and checks nothing.
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
#include "codegen/Schedules/Families.h"

#include <memory>
#include <optional>

namespace rootc::codegen {

struct ScheduleContext {
  const Kernel &kernel;
  const Op *anchor;            ///< null: elementwise ops only
  Lowered anchorFuncs;         ///< results and stages of the anchor
  std::vector<Value> operands; ///< of the anchor, prologue ops inlined
  /// Of `output`; lowering passes may be added.
  mutable Halide::Pipeline pipeline;
  /// The pipeline's one output Func over imageVars(rank): a Tuple where the
  /// kernel has several outputs (all have one shape). It calls the anchor's
  /// results through the inlined epilogue; it is never an anchor's own Func.
  /// Of a result that scatters (Lowered) it has the update, unless it reads
  /// other points than its own.
  Halide::Func output;
  Value outputValue;                        ///< shape of the outputs
  std::vector<Halide::Func> positionStages; ///< see OpInfo::elementwise
  Halide::Target target;
  /// For C++ source: no vectors, no threads, only what keeps the amount of
  /// work and memory sane.
  bool plain = false;
  /// The anchor whose result this one reads, and its schedule: its `output` is
  /// a map that each task of this one has a part of. Null: none.
  std::shared_ptr<ScheduleContext> inner = nullptr;
  TypedSchedule schedule = FlatSchedule();
  /// Of an inner one: where the part of its map is computed.
  std::optional<Halide::LoopLevel> within = std::nullopt;

  /// Lanes of a full float vector; 1 in a plain schedule.
  int lanes() const;
  Halide::Func stage(const std::string &name) const;
  /// Names of the kernel's inputs of a map's shape: what it is or is made of.
  std::vector<std::string> inputsLike(const TensorType &map) const;
};

/// Schedules what an anchor reads of another one, within its tasks.
void computeInner(const ScheduleContext &context, Halide::LoopLevel task);

/// Loops over an image-shaped Func: (c in blocks, then vectors) inside x
/// inside y inside n, `rows` of an image in a task.
struct ImageLoops {
  Halide::Var channelBlock, channel, row, task;
};
ImageLoops loopOverImage(const ScheduleContext &context, Halide::Func func,
                         const ChannelSplit &split, int64_t rows);

void apply(const ScheduleContext &context, const ConvolutionSchedule &schedule);
void apply(const ScheduleContext &context, const WinogradSchedule &schedule);
void apply(const ScheduleContext &context, const PairsSchedule &schedule);
void apply(const ScheduleContext &context,
           const FilterGradientSchedule &schedule);
void apply(const ScheduleContext &context,
           const LinearGradientSchedule &schedule);
void apply(const ScheduleContext &context,
           const AcrossInsGradientSchedule &schedule);
void apply(const ScheduleContext &context,
           const PairsGradientSchedule &schedule);
void apply(const ScheduleContext &context, const GroupLanesSchedule &schedule);
void apply(const ScheduleContext &context,
           const GroupLanesGradientSchedule &schedule);
void apply(const ScheduleContext &context, const PoolSchedule &schedule);
void apply(const ScheduleContext &context, const ReductionSchedule &schedule);
void apply(const ScheduleContext &context, const PointwiseSchedule &schedule);
void apply(const ScheduleContext &context, const ShuffleSchedule &schedule);
void apply(const ScheduleContext &context, const PositionSchedule &schedule);
void apply(const ScheduleContext &context, const NeighbourSchedule &schedule);
void apply(const ScheduleContext &context, const ConcatSchedule &schedule);
void apply(const ScheduleContext &context, const FlatSchedule &schedule);
void apply(const ScheduleContext &context, const CombineSchedule &schedule);
void apply(const ScheduleContext &context, const GlobalPoolSchedule &schedule);
void apply(const ScheduleContext &context, const PositionSumSchedule &schedule);
void apply(const ScheduleContext &context, const LossSchedule &schedule);
void apply(const ScheduleContext &context, const UpdateSchedule &schedule);
void apply(const ScheduleContext &context, const PackSchedule &schedule);
void apply(const ScheduleContext &context, const StandardizeSchedule &schedule);
/// The pipeline's inputs and outputs must have their estimates.
void apply(const ScheduleContext &context,
           const AutoscheduledSchedule &schedule);
void apply(const ScheduleContext &context,
           const DeviceConvolutionSchedule &schedule);
void apply(const ScheduleContext &context,
           const DeviceGradientSchedule &schedule);
/// Throws std::invalid_argument: such a kernel is CUDA C++ from the beginning
/// (codegen/TensorCoreSource.h).
void apply(const ScheduleContext &context, const TensorCoreSchedule &schedule);
void apply(const ScheduleContext &context, const DeviceMapSchedule &schedule);

} // namespace rootc::codegen

#endif // ROOTC_CODEGEN_SCHEDULES_SCHEDULES_H
