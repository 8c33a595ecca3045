//===- Families.cpp - Which family a kernel has, in text and in numbers ---===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/Schedules/Families.h"
#include "codegen/Geometry/Gather.h"
#include "codegen/Schedules/Backend.h"
#include "codegen/Schedules/Legality.h"

#include <algorithm>
#include <stdexcept>

namespace rootc::codegen {

namespace {
using Chooser = TypedSchedule (*)(const Problem &);

template <typename Family> TypedSchedule chosen(const Problem &problem) {
  return Family::choose(problem);
}

TypedSchedule chooseConvolution(const Problem &problem) {
  if (problem.anchor->attributes.count("winograd"))
    return chosen<WinogradSchedule>(problem);
  if (problem.anchor->attributes.count("pairs"))
    return chosen<PairsSchedule>(problem);
  return groupsInnermost(convShapeOf(problem.kernel, *problem.anchor))
             ? chosen<GroupLanesSchedule>(problem)
             : chosen<ConvolutionSchedule>(problem);
}

TypedSchedule chooseFilterGradient(const Problem &problem) {
  ConvShape shape = convShapeOf(problem.kernel, *problem.anchor);
  if (groupsInnermost(shape))
    return chosen<GroupLanesGradientSchedule>(problem);
  if (shape.pairs)
    return chosen<PairsGradientSchedule>(problem);
  if (isLinearGradient(shape))
    return chosen<LinearGradientSchedule>(problem);
  return filterGradientAcrossIns(shape)
             ? chosen<AcrossInsGradientSchedule>(problem)
             : chosen<FilterGradientSchedule>(problem);
}

TypedSchedule chooseReduceSum(const Problem &problem) {
  auto over = problem.anchor->attributes.find("over");
  return over != problem.anchor->attributes.end() &&
                 over->second == Attribute(std::string("channels"))
             ? chosen<PositionSumSchedule>(problem)
             : chosen<GlobalPoolSchedule>(problem);
}

/// The ops that loops are built around. All others are elementwise.
const std::map<std::string, Chooser> &anchors() {
  static const std::map<std::string, Chooser> table = {
      {"adamw", chosen<UpdateSchedule>},
      {"average_pool", chosen<PoolSchedule>},
      {"average_pool_backward", chosen<PoolSchedule>},
      {"batch_norm_backward_reduce", chosen<ReductionSchedule>},
      {"batch_norm_combine", chosen<CombineSchedule>},
      {"batch_norm_partial", chosen<ReductionSchedule>},
      {"batch_norm_statistics", chosen<ReductionSchedule>},
      {"channel_max", chosen<PositionSumSchedule>},
      {"channel_max_backward", chosen<PositionSchedule>},
      {"channel_mean", chosen<PositionSumSchedule>},
      {"channel_sum", chosen<ReductionSchedule>},
      {"clip_norm", chosen<UpdateSchedule>},
      {"concat", chosen<ConcatSchedule>},
      {"conv2d", chooseConvolution},
      {"conv2d_backward_data", chooseConvolution},
      {"conv2d_backward_filter", chooseFilterGradient},
      {"global_average_pool", chosen<GlobalPoolSchedule>},
      {"group_norm_backward_reduce", chosen<ReductionSchedule>},
      {"group_norm_statistics", chosen<ReductionSchedule>},
      {"layer_norm", chosen<PositionSchedule>},
      {"layer_norm_backward_data", chosen<PositionSchedule>},
      {"layer_norm_backward_reduce", chosen<ReductionSchedule>},
      {"local_response_norm", chosen<NeighbourSchedule>},
      {"local_response_norm_backward", chosen<NeighbourSchedule>},
      {"max_pool", chosen<PoolSchedule>},
      {"max_pool_backward", chosen<PoolSchedule>},
      {"max_pool_with_index", chosen<PoolSchedule>},
      {"moving_average", chosen<UpdateSchedule>},
      {"pack_filter", chosen<PackSchedule>},
      {"pad_channels", chosen<ConcatSchedule>},
      {"reduce_sum", chooseReduceSum},
      {"resample", chosen<PoolSchedule>},
      {"resample_backward", chosen<PoolSchedule>},
      {"sgd", chosen<UpdateSchedule>},
      {"softmax_cross_entropy", chosen<LossSchedule>},
      {"softmax_cross_entropy_backward", chosen<LossSchedule>},
      {"standardize_filter", chosen<StandardizeSchedule>},
      {"standardize_filter_backward", chosen<StandardizeSchedule>},
      {"standardize_gain_backward", chosen<StandardizeSchedule>},
  };
  return table;
}

/// A shuffle alone whose rows or columns fill half a vector.
bool isShuffle(const Kernel &kernel, int64_t channels) {
  const Op &op = kernel.ops.at(0);
  auto groups = op.attributes.find("groups");
  if (kernel.ops.size() != 1 || op.name != "channel_shuffle" ||
      groups == op.attributes.end())
    return false;
  auto *rows = std::get_if<int64_t>(&groups->second);
  if (!rows || *rows < 1)
    return false;
  int64_t columns = channels / *rows;
  return std::max(*rows, columns) >= 8;
}

/// Elementwise kernels.
TypedSchedule chooseElementwise(const Problem &problem) {
  const Kernel &kernel = problem.kernel;
  const std::vector<int64_t> &shape = problem.shape();
  if (shape.size() != 4 || shape[0] >= 0)
    return FlatSchedule();
  if (isShuffle(kernel, shape[3]))
    return chosen<ShuffleSchedule>(problem);
  // Channels and columns may be walked as one dimension where every value has
  // the outputs' shape, and its channels' order.
  bool oneShape = true;
  for (const TensorType &type : kernel.inputs)
    oneShape = oneShape && type.shape == shape;
  for (const Op &op : kernel.ops) {
    oneShape = oneShape && op.name != "channel_shuffle" &&
               !op.name.starts_with("branch_softmax");
    for (const TensorType &type : op.results)
      oneShape = oneShape && type.shape == shape;
  }
  bool fillsVectors =
      splitChannels(problem.lanes(), shape[3], 1).vector == problem.lanes();
  return oneShape && !fillsVectors ? TypedSchedule(FlatSchedule())
                                   : chosen<PointwiseSchedule>(problem);
}

/// Sets what `given` says; an error where it has a key of no meaning.
template <typename Family>
std::string set(Family &schedule, const Schedule &given) {
  for (const auto &[name, value] : given) {
    bool known = false;
    std::string all;
    for (const Key<Family> &key : Family::keys()) {
      all += (all.empty() ? "'" : ", '") + std::string(key.name) + "'";
      if (name != key.name)
        continue;
      schedule.*key.value = value;
      known = true;
    }
    if (!known)
      return "'" + name + "' is no key of the schedule family '" +
             Family::name() + "'; " +
             (all.empty() ? "it has none" : "its keys are " + all);
  }
  return "";
}
} // namespace

Problem::Problem(const Kernel &kernel, TargetInfo target)
    : kernel(kernel), target(std::move(target)) {
  findAnchors(kernel.ops.data() + kernel.ops.size());
}

void Problem::findAnchors(const Op *end) {
  anchor = inner = nullptr;
  for (const Op *op = kernel.ops.data(); op != end; ++op)
    if (anchors().count(op->name)) {
      inner = anchor;
      anchor = op;
    }
}

Problem Problem::ofInner() const {
  Problem problem(*this);
  problem.findAnchors(anchor);
  problem.nested = true;
  return problem;
}

bool Problem::sharesEvenly(int64_t tasks, int64_t images) const {
  return target.batch > 0 && target.threads > 0 && target.batch % images == 0 &&
         target.batch / images * tasks % target.threads == 0;
}

const std::vector<int64_t> &Problem::shape() const {
  if (kernel.outputs.empty())
    throw std::invalid_argument("a kernel without outputs");
  return kernel.type(kernel.outputs[0]).shape;
}

TypedSchedule cpuSchedule(const Problem &problem) {
  if (!problem.anchor)
    return chooseElementwise(problem);
  return anchors().at(problem.anchor->name)(problem);
}

TypedSchedule defaultSchedule(const Problem &problem) {
  return backendOf(problem.target).schedule(problem);
}

std::string illegal(const TypedSchedule &schedule, const Problem &problem) {
  return std::visit([&](const auto &family) { return family.illegal(problem); },
                    schedule);
}

Schedule print(const TypedSchedule &schedule) {
  Schedule printed;
  std::visit(
      [&](const auto &family) {
        for (const auto &key : family.keys())
          printed[key.name] = family.*key.value;
      },
      schedule);
  return printed;
}

std::vector<Key<AutoscheduledSchedule>> AutoscheduledSchedule::keys() {
  using S = AutoscheduledSchedule;
  return {{"autoscheduler", &S::autoscheduler},
          {"batch", &S::batch},
          {"threads", &S::threads}};
}

std::string AutoscheduledSchedule::illegal(const Problem &problem) const {
  if (backendOf(problem.target).device)
    return "'autoscheduler' is for a CPU's kernels";
  return Legality()
      .range("autoscheduler", autoscheduler, 1, 2)
      .range("batch", batch, 1, 1 << 20)
      .range("threads", threads, 1, 1024)
      .reason;
}

ReadSchedule readSchedule(const Problem &problem) {
  ReadSchedule read{defaultSchedule(problem), ""};
  if (problem.kernel.schedule.count("autoscheduler"))
    read.schedule = AutoscheduledSchedule();
  else if (isForTensorCores(problem.kernel))
    read.schedule = TensorCoreSchedule::choose(problem);
  read.error = std::visit(
      [&](auto &family) { return set(family, problem.kernel.schedule); },
      read.schedule);
  if (read.error.empty())
    read.error = illegal(read.schedule, problem);
  return read;
}

Schedule chooseSchedule(const Kernel &kernel, const TargetInfo &target) {
  return print(defaultSchedule(Problem(kernel, target)));
}

int64_t scratchBytes(const Kernel &kernel) {
  Problem problem(kernel, {});
  if (!problem.anchor || problem.anchor->name != "conv2d_backward_filter")
    return 0;
  ConvShape shape = convShapeOf(kernel, *problem.anchor);
  if (groupsInnermost(shape)) {
    const FilterLayout &layout = groupLanesGather(shape).layout;
    return 4 * (groupLanesChunks(shape) + 1) * shape.kernel[0] *
           shape.kernel[1] * layout.blocks * layout.block * layout.inPerGroup;
  }
  int64_t positions = 0; // that are put in order
  if (shape.inOrder > 1 || shape.outOrder > 1)
    positions = 4 * shape.outChannels * shape.kernel[0] * shape.kernel[1] *
                shape.inPerGroup();
  if (shape.pairs)
    return positions + 4 * filterGradientChunks(shape) * shape.inChannels *
                           shape.outChannels;
  if (isLinearGradient(shape))
    return positions;
  int64_t chunk =
      4 * filterGradientChunks(shape) * shape.kernel[0] * shape.kernel[1];
  if (filterGradientAcrossIns(shape)) // blocks divide what they cover
    return positions + chunk * shape.outChannels * shape.inPerGroup();
  FilterGradientSchedule schedule;
  set(schedule, kernel.schedule);
  auto padded = [&](int64_t size, int64_t tile) {
    return (size + tile - 1) / tile * tile;
  };
  bool across = filterGradientAcrossGroups(shape);
  int64_t outs = across ? shape.outChannels : shape.outPerGroup();
  return positions + chunk * (across ? 1 : shape.groups) *
                         padded(outs, schedule.lanes * schedule.vectors) *
                         padded(shape.inPerGroup(), schedule.tileI);
}

bool isComputed(const Kernel &kernel, const Op &anchor, size_t operand) {
  return anchor.operands.at(operand) >=
         static_cast<int64_t>(kernel.inputs.size());
}

} // namespace rootc::codegen
