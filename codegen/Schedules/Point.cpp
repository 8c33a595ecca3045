//===- Point.cpp - Filter layout and schedule as one choice ---------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/Schedules/Point.h"
#include "codegen/Geometry/Winograd.h"
#include "codegen/Schedules/Backend.h"

#include <algorithm>
#include <set>
#include <stdexcept>

namespace rootc::codegen {

namespace {

const char blockKey[] = "block", winogradKey[] = "winograd";
constexpr size_t filterOperand = 1;

int64_t attribute(const Op &op, const char *name) {
  auto found = op.attributes.find(name);
  return found == op.attributes.end() ? 0 : std::get<int64_t>(found->second);
}

bool isBackward(const Op &op) { return op.name == "conv2d_backward_data"; }

/// Out channels of a group in the direction that the filter is packed for.
int64_t outsOf(const ConvShape &shape, const Op &op) {
  return isBackward(op) ? shape.inPerGroup() : shape.outPerGroup();
}

/// Of the filter as the network has it.
std::vector<int64_t> plainFilter(const ConvShape &shape) {
  return {shape.outChannels, shape.kernel[0], shape.kernel[1],
          shape.inPerGroup()};
}

/// Blocks that may suit a machine: whole vectors, full or half, as many as
/// leave room for a tile; of small groups several together.
std::set<int64_t> blocksFor(const ConvShape &shape, int64_t outs,
                            const TargetInfo &target) {
  std::set<int64_t> blocks;
  int64_t widest = std::max<int64_t>(target.vectorBits / 32, 4);
  if (groupsInnermost(shape)) {
    for (int64_t groups = 1; groups <= std::min(shape.groups, 2 * widest);
         groups *= 2)
      blocks.insert(outs * groups);
    return blocks;
  }
  const int64_t most = target.registers >= 32 ? 6 : 4;
  for (int64_t lanes : {widest, widest / 2})
    for (int64_t vectors = 1; vectors <= most; ++vectors)
      if (vectors == 1 || lanes * (vectors - 1) < outs)
        blocks.insert(lanes * vectors);
  for (int64_t groups = 2; shape.groups > 1 && groups <= shape.groups &&
                           groups * outs <= most * widest;
       ++groups)
    if (groups * outs % (widest / 2) == 0)
      blocks.insert(groups * outs);
  return blocks;
}

} // namespace

std::optional<size_t> packedConvolution(const Kernel &kernel) {
  std::optional<size_t> found;
  int64_t filter = -1;
  for (size_t i = 0; i < kernel.ops.size(); ++i) {
    const Op &op = kernel.ops[i];
    if (op.name != "conv2d" && !isBackward(op))
      continue;
    if (found || attribute(op, blockKey) == 0 || op.attributes.count("pairs"))
      return std::nullopt;
    filter = op.operands.at(filterOperand);
    found = i;
  }
  if (!found || filter >= int64_t(kernel.inputs.size()))
    return std::nullopt;
  int64_t reads = 0;
  for (const Op &op : kernel.ops)
    reads += std::count(op.operands.begin(), op.operands.end(), filter);
  return reads == 1 ? found : std::nullopt;
}

int64_t winogradTile(const Schedule &point) {
  auto tile = point.find(winogradKey);
  return tile == point.end() ? 0 : tile->second;
}

Schedule pointOf(const Kernel &kernel) {
  Schedule point = kernel.schedule;
  if (auto conv = packedConvolution(kernel))
    for (const char *key : {blockKey, winogradKey})
      point[key] = attribute(kernel.ops[*conv], key);
  return point;
}

Kernel atPoint(const Kernel &kernel, const Schedule &point) {
  Kernel other = kernel;
  other.schedule = point;
  auto conv = packedConvolution(kernel);
  if (!conv || point.count(blockKey) + point.count(winogradKey) == 0)
    return other;
  Op &op = other.ops[*conv];
  for (const char *key : {blockKey, winogradKey})
    if (auto entry = point.find(key); entry != point.end()) {
      op.attributes[key] = entry->second;
      other.schedule.erase(key);
    }
  int64_t block = attribute(op, blockKey);
  if (attribute(op, winogradKey) == 0)
    op.attributes.erase(winogradKey);
  ConvShape shape = convShapeOf(other, op);
  const int64_t most = std::max<int64_t>(512, outsOf(shape, op) * shape.groups);
  if (block < 1 || block > most)
    throw std::invalid_argument("'block' is " + std::to_string(block) +
                                ", not from 1 to " + std::to_string(most));
  Gather gather = gatherOf(other, op);
  if (shape.winograd)
    winogradOf(gather);
  other.inputs.at(op.operands[filterOperand]).shape = gather.layout.shape();
  return other;
}

Kernel withoutPoint(const Kernel &kernel, bool packsOnce) {
  Kernel other = kernel;
  other.schedule.clear();
  auto conv = packedConvolution(kernel);
  if (!conv)
    return other;
  Op &op = other.ops[*conv];
  ConvShape shape = convShapeOf(kernel, op);
  other.inputs.at(op.operands[filterOperand]).shape = plainFilter(shape);
  op.attributes.erase(blockKey);
  op.attributes.erase(winogradKey);
  if (packsOnce)
    op.attributes["packed_once"] = int64_t(1);
  return other;
}

Kernel packingOf(const Kernel &kernel) {
  const Op &conv = kernel.ops.at(packedConvolution(kernel).value());
  ConvShape shape = convShapeOf(kernel, conv);
  Op op;
  op.name = "pack_filter";
  op.operands = {0};
  for (const char *name :
       {"kernel", "stride", "pad", "dilation", "groups", "filters", "input",
        "in_order", "out_order", blockKey, winogradKey})
    if (auto entry = conv.attributes.find(name); entry != conv.attributes.end())
      op.attributes.insert(*entry);
  op.attributes["direction"] =
      std::string(isBackward(conv) ? "backward_data" : "forward");
  op.results = {kernel.type(conv.operands[filterOperand])};
  Kernel pack;
  pack.name = "pack";
  pack.inputs = {{ElementType::F32, plainFilter(shape)}};
  pack.ops = {std::move(op)};
  pack.outputs = {1};
  return pack;
}

std::vector<Schedule> layoutPoints(const Problem &problem, bool packsOnce) {
  std::vector<Schedule> points;
  auto consider = [&](int64_t block, int64_t winograd) {
    try {
      Kernel kernel =
          atPoint(problem.kernel, {{blockKey, block}, {winogradKey, winograd}});
      kernel.schedule = chooseSchedule(kernel, problem.target);
      if (readSchedule(Problem(kernel, problem.target)).error.empty())
        points.push_back(pointOf(kernel));
    } catch (const std::invalid_argument &) { // no such layout
    }
  };
  auto conv = packedConvolution(problem.kernel);
  if (!conv)
    return points;
  const Op &op = problem.kernel.ops[*conv];
  ConvShape shape = convShapeOf(problem.kernel, op);
  int64_t block = attribute(op, blockKey), tile = attribute(op, winogradKey);
  std::set<std::pair<int64_t, int64_t>> layouts = {{tile, block}};
  if (!backendOf(problem.target).device)
    for (int64_t other : blocksFor(shape, outsOf(shape, op), problem.target)) {
      layouts.insert({0, other});
      if (packsOnce && shape.kernel[0] > 1)
        layouts.insert({shape.kernel[0] == 5 ? 2 : 4, other});
    }
  for (auto [winograd, size] : layouts)
    consider(size, winograd);
  return points;
}

} // namespace rootc::codegen
