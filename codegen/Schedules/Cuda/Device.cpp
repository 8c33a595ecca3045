//===- Device.cpp - Loops on a device -------------------------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/Schedules/Cuda/Device.h"

#include <algorithm>

using namespace Halide;

namespace rootc::codegen {

namespace {
constexpr auto Guard = TailStrategy::GuardWithIf;

VarOrRVar like(const VarOrRVar &dimension, const std::string &name) {
  return {dimension.name() + name, dimension.is_rvar};
}

/// Puts what is computed right before a guard behind it.
class UnderGuards : public Internal::IRMutator {
  using IRMutator::visit;
  Internal::Stmt visit(const Internal::LetStmt *let) override {
    Internal::Stmt body = mutate(let->body);
    const auto *guard = body.as<Internal::IfThenElse>();
    if (!guard || guard->else_case.defined() ||
        Internal::expr_uses_var(guard->condition, let->name))
      return Internal::LetStmt::make(let->name, let->value, body);
    return Internal::IfThenElse::make(
        guard->condition,
        Internal::LetStmt::make(let->name, let->value, guard->then_case));
  }
};

/// A power of two, so that a block's threads are one. An extent that is not
/// known is taken for a long one.
int threadsAcross(int64_t extent, int64_t most) {
  int64_t threads = 1;
  while ((extent < 0 || threads < extent) && 2 * threads <= most)
    threads *= 2;
  return static_cast<int>(threads);
}

/// The innermost loop over threads.
VarOrRVar split(Stage stage, const std::vector<VarOrRVar> &dimensions,
                const DeviceLoops &loops) {
  std::vector<VarOrRVar> threads, blocks;
  int64_t left = loops.threads;
  for (size_t d = 0; d < dimensions.size(); ++d) {
    const VarOrRVar &dimension = dimensions[d];
    if (d >= 2 || d >= loops.extents.size()) {
      blocks.push_back(dimension);
      continue;
    }
    VarOrRVar block = like(dimension, "b"), thread = like(dimension, "t");
    int count = threadsAcross(loops.extents[d], left);
    left /= count;
    stage.split(dimension, block, thread, count, Guard);
    threads.push_back(thread);
    blocks.push_back(block);
  }
  std::vector<VarOrRVar> order = threads;
  order.insert(order.end(), blocks.begin(), blocks.end());
  stage.reorder(order);
  // Of the dimensions of a grid only the first may be long.
  std::vector<VarOrRVar> grid;
  for (bool reduced : {false, true}) {
    std::vector<VarOrRVar> some;
    std::copy_if(
        blocks.begin(), blocks.end(), std::back_inserter(some),
        [&](const VarOrRVar &block) { return block.is_rvar == reduced; });
    if (some.empty())
      continue;
    VarOrRVar all = some[0];
    for (size_t d = 1; d < some.size(); ++d) {
      VarOrRVar fused = like(all, "f");
      stage.fuse(all, some[d], fused);
      all = fused;
    }
    grid.push_back(all);
  }
  overDevice(stage, grid, threads);
  return threads[0];
}
} // namespace

void overDevice(Stage stage, const std::vector<VarOrRVar> &blocks,
                const std::vector<VarOrRVar> &threads) {
  for (const VarOrRVar &block : blocks)
    stage.gpu_blocks(block);
  for (const VarOrRVar &thread : threads)
    stage.gpu_threads(thread);
  stage.never_partition(blocks).never_partition(threads);
}

Var acrossThreads(Func func, const DeviceLoops &loops) {
  std::vector<VarOrRVar> dimensions;
  for (const Var &var : func.args())
    dimensions.push_back(var);
  if (dimensions.empty()) {
    func.gpu_single_thread();
    return Var::outermost();
  }
  return split(func, dimensions, loops).var;
}

void acrossThreads(Stage stage, std::vector<VarOrRVar> dimensions,
                   const DeviceLoops &loops) {
  split(stage, dimensions, loops);
}

Var keepInMemory(Func func, const DeviceLoops &loops) {
  if (!func.has_update_definition()) {
    func.compute_root();
    return acrossThreads(func, loops);
  }
  Func kept = func.in();
  kept.compute_root();
  Var thread = acrossThreads(kept, loops);
  func.compute_at(kept, thread);
  return thread;
}

void addDevicePasses(Pipeline pipeline) {
  pipeline.add_custom_lowering_pass(new UnderGuards);
}

void keepOperands(const ScheduleContext &context) {
  const int64_t threads = 256;
  for (size_t operand : {0, 1})
    if (isComputed(context.kernel, *context.anchor, operand)) {
      const Value &map = context.operands[operand];
      keepInMemory(map.func, {threads, {map.type.shape.back(), 8}});
    }
}

} // namespace rootc::codegen
