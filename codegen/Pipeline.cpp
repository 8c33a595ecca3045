//===- Pipeline.cpp - From a kernel description to Halide -----------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/Pipeline.h"
#include "codegen/Schedules/Cpu/Prefetch.h"
#include "codegen/Schedules/Cuda/Device.h"

#include <algorithm>
#include <limits>
#include <stdexcept>

using namespace Halide;

namespace rootc::codegen {

namespace {
Type halideType(ElementType element) {
  switch (element) {
  case ElementType::F32:
    return Float(32);
  case ElementType::I64:
    return Int(64);
  case ElementType::I32:
    return Int(32);
  case ElementType::U8:
    return UInt(8);
  case ElementType::BF16: // its bits
    return UInt(16);
  }
  throw std::invalid_argument("unknown element type");
}

void checkType(const TensorType &type) {
  if (type.shape.empty() || type.shape.size() > 5)
    throw std::invalid_argument("a tensor must have one to five dimensions");
  int64_t elements = 1;
  for (size_t i = 0; i < type.shape.size(); ++i) {
    int64_t extent = type.shape[i];
    if (extent == -1 && i == 0)
      continue;
    if (extent < 1 || extent > std::numeric_limits<int32_t>::max() / elements)
      throw std::invalid_argument("a tensor's extents are not positive, or "
                                  "their product exceeds 2^31 - 1");
    elements *= extent;
  }
}

/// Fixes everything about a dense buffer that the type fixes. Halide gives the
/// further buffers of a Tuple the bounds of its first, so `bounds` is false
/// for them.
void constrain(OutputImageParam buffer, const TensorType &type, Expr dynamic,
               bool bounds = true) {
  int64_t stride = 1;
  int rank = static_cast<int>(type.shape.size());
  for (int d = 0; d < rank; ++d) {
    int64_t extent = type.shape[rank - 1 - d];
    buffer.dim(d).set_stride(static_cast<int>(stride));
    stride *= extent;
    if (!bounds)
      continue;
    buffer.dim(d).set_min(0);
    if (extent >= 0)
      buffer.dim(d).set_extent(static_cast<int>(extent));
    else if (dynamic.defined())
      buffer.dim(d).set_extent(dynamic);
  }
}

/// Puts elementwise results where they are called and, where it is called at
/// the output's own point, what an anchor's result is there.
class AtAnchor : public Internal::IRMutator {
public:
  AtAnchor(const std::vector<Func> &elementwise, Func result)
      : elementwise(elementwise), result(std::move(result)) {}
  bool complete = true; ///< else the anchor is read at other points too

private:
  using IRMutator::visit;
  Expr visit(const Internal::Call *call) override {
    if (call->name == result.name()) {
      for (size_t d = 0; d < call->args.size(); ++d) {
        auto *var = call->args[d].as<Internal::Variable>();
        complete &= var && var->name == imageVars(d + 1)[d].name();
      }
      return result.update_value();
    }
    for (const Func &func : elementwise)
      if (func.name() == call->name) {
        std::map<std::string, Expr> point;
        for (size_t d = 0; d < call->args.size(); ++d)
          point[func.args()[d].name()] = call->args[d];
        return mutate(
            Internal::substitute(point, func.values()[call->value_index]));
      }
    return IRMutator::visit(call);
  }
  const std::vector<Func> &elementwise;
  Func result;
};

class Builder {
public:
  Builder(const Kernel &kernel, const Target &target, bool plain)
      : kernel(kernel), target(target), plain(plain) {}

  BuiltPipeline build() {
    ScheduleContext context = lowerAll();
    schedule(context);
    return {context.pipeline, std::move(inputs)};
  }

  UnscheduledPipeline unscheduled() {
    ScheduleContext context = lowerAll();
    return {context, std::move(inputs), vectorStages};
  }

private:
  ScheduleContext lowerAll() {
    makeInputs();
    for (const Op &op : kernel.ops)
      lower(op);
    Value output = makeOutput();
    return {kernel,
            anchor,
            anchorFuncs,
            anchorOperands,
            Pipeline(output.func),
            output.func,
            output,
            positionStages,
            target,
            plain,
            inner};
  }

  void makeInputs() {
    for (const TensorType &type : kernel.inputs) {
      checkType(type);
      inputs.emplace_back(halideType(type.element),
                          static_cast<int>(type.shape.size()),
                          "in" + std::to_string(inputs.size()));
      if (!dynamic.defined() && type.shape[0] < 0)
        dynamic = inputs.back().dim(type.shape.size() - 1).extent();
    }
    bool first = true;
    for (size_t i = 0; i < inputs.size(); ++i) {
      bool defines = first && kernel.inputs[i].shape[0] < 0;
      constrain(inputs[i], kernel.inputs[i], defines ? Expr() : dynamic);
      first = first && !defines;
      values.push_back({inputs[i], kernel.inputs[i], dynamic, inputs[i]});
      if (kernel.inputs[i].element == ElementType::BF16) {
        Func wide("wide");
        std::vector<Var> vars = imageVars(kernel.inputs[i].shape.size());
        wide(vars) = fromBfloat(inputs[i](asExprs(vars)));
        values.back().func = wide;
      }
    }
  }

  const Value &value(int64_t id) const {
    if (id < 0 || id >= static_cast<int64_t>(values.size()))
      throw std::invalid_argument("value " + std::to_string(id) +
                                  " is used before it is defined");
    return values[id];
  }

  void lower(const Op &op) {
    const OpInfo &info = opInfo(op.name);
    std::vector<Value> operands;
    for (int64_t id : op.operands)
      operands.push_back(value(id));
    if (!info.elementwise && anchor)
      makeInner(op, operands.at(0));
    if (op.name == "conv2d" && isInner(op))
      operands.at(0).func = promised(operands.at(0));
    Lowered lowered = info.algorithm(op, operands);
    if (lowered.results.size() != op.results.size())
      throw std::invalid_argument("op '" + op.name + "' has " +
                                  std::to_string(lowered.results.size()) +
                                  " results");
    for (size_t i = 0; i < op.results.size(); ++i) {
      checkType(op.results[i]);
      if (op.results[i].shape[0] < 0 && !dynamic.defined())
        throw std::invalid_argument("op '" + op.name +
                                    "' makes a batch from none");
      if (lowered.results[i].dimensions() !=
          static_cast<int>(op.results[i].shape.size()))
        throw std::invalid_argument("op '" + op.name +
                                    "' has a result of another rank");
      values.push_back({lowered.results[i], op.results[i], dynamic});
    }
    if (info.elementwise) {
      elementwise.insert(elementwise.end(), lowered.results.begin(),
                         lowered.results.end());
      for (auto &[name, stage] : lowered.stages)
        if (stage.dimensions() == 1)
          vectorStages.push_back(stage);
        else
          positionStages.push_back(stage);
      return;
    }
    anchor = &op;
    anchorFuncs = std::move(lowered);
    anchorOperands = std::move(operands);
  }

  /// Whether another anchor comes after this one.
  bool isInner(const Op &op) const {
    return std::any_of(
        kernel.ops.begin() + (&op - kernel.ops.data()) + 1, kernel.ops.end(),
        [](const Op &later) { return !opInfo(later.name).elementwise; });
  }

  /// A map that is read at no other points than it has. Of a task's part of
  /// another map, which it is read for, Halide's bounds are those of all tasks
  /// together, and would go past the end.
  static Func promised(const Value &map) {
    std::vector<Var> v = imageVars(4);
    Func inside("inside");
    auto extent = [&](int d) { return static_cast<int>(map.staticExtent(d)); };
    inside(v) = map.func(v[0], unsafe_promise_clamped(v[1], 0, extent(1) - 1),
                         unsafe_promise_clamped(v[2], 0, extent(2) - 1), v[3]);
    return inside;
  }

  /// Makes the anchor so far another one's inner: `map` is what `reader` reads.
  void makeInner(const Op &reader, Value &map) {
    if (anchor->name != "conv2d" || anchor->attributes.count("winograd") ||
        (reader.name != "conv2d" && reader.name != "max_pool" &&
         reader.name != "layer_norm") ||
        !isComputed(kernel, reader, 0) || map.type.shape.size() != 4)
      throw std::invalid_argument("two anchor ops in one kernel: '" +
                                  anchor->name + "' and '" + reader.name + "'");
    Func part("map");
    std::vector<Var> vars = imageVars(4);
    Expr result = map.func(asExprs(vars));
    if (!anchorFuncs.scatters)
      part(vars) = result;
    else if (!scatter(part, {result}))
      throw std::invalid_argument("op '" + anchor->name +
                                  "' is read at other points than its own");
    map.func = part;
    inner = std::make_shared<ScheduleContext>(
        ScheduleContext{kernel, anchor, anchorFuncs, anchorOperands, Pipeline(),
                        part, map, positionStages, target, plain, inner});
    anchor = nullptr;
    elementwise.clear();
    positionStages.clear();
  }

  void computeVector(Func vector) {
    if (target.has_gpu_feature()) {
      keepInMemory(vector, {64, {64}});
      return;
    }
    vector.compute_root();
    if (!plain)
      vector.vectorize(vector.args()[0], target.natural_vector_size<float>(),
                       TailStrategy::GuardWithIf);
  }

  Value makeOutput() {
    if (kernel.outputs.empty())
      throw std::invalid_argument("a kernel without outputs");
    const TensorType &shape = value(kernel.outputs[0]).type;
    std::vector<Var> vars = imageVars(shape.shape.size());
    std::vector<Expr> results;
    for (int64_t id : kernel.outputs) {
      if (value(id).type.shape != shape.shape)
        throw std::invalid_argument("a kernel's outputs differ in shape");
      Expr result = value(id).func(asExprs(vars));
      results.push_back(value(id).type.element == ElementType::BF16
                            ? toBfloat(result)
                            : cast(halideType(value(id).type.element), result));
    }
    Func output("output");
    if (!anchor || !anchorFuncs.scatters || !scatter(output, results))
      output(vars) = Tuple(results);
    for (size_t i = 0; i < results.size(); ++i)
      constrain(output.output_buffers()[i], value(kernel.outputs[i]).type,
                dynamic, i == 0);
    return {output, shape, dynamic};
  }

  /// Defines `output` where its anchor is computed, if it reads the anchor's
  /// result at its own points alone.
  bool scatter(Func output, std::vector<Expr> results) {
    Func anchorResult = anchorFuncs.results[0];
    std::vector<Var> vars = imageVars(anchorResult.dimensions());
    std::map<std::string, Expr> point;
    for (size_t d = 0; d < vars.size(); ++d)
      point[vars[d].name()] = anchorResult.update_args()[d];
    AtAnchor atAnchor(elementwise, anchorResult);
    std::vector<Expr> none;
    for (Expr &result : results) {
      result = Internal::substitute(point, atAnchor.mutate(result));
      none.push_back(undef(result.type()));
    }
    if (!atAnchor.complete)
      return false;
    output(vars) = Tuple(none);
    output(anchorResult.update_args()) = Tuple(results);
    return true;
  }

  /// The inner anchors' schedules, of the kernel's problem.
  void chooseInner(const Problem &problem, ScheduleContext *at) {
    if (!at)
      return;
    at->schedule = defaultSchedule(problem.ofInner());
    chooseInner(problem.ofInner(), at->inner.get());
  }

  /// Tells an autoscheduler every extent.
  void estimate(const Value &output, int batch) {
    for (size_t i = 0; i < inputs.size(); ++i)
      for (int d = 0; d < inputs[i].dimensions(); ++d)
        inputs[i].dim(d).set_estimate(0, extent(kernel.inputs[i], d, batch));
    for (int d = 0; d < output.func.dimensions(); ++d)
      Func(output.func)
          .set_estimate(output.func.args()[d], 0,
                        extent(output.type, d, batch));
  }
  static int extent(const TensorType &type, int dimension, int batch) {
    int64_t size = type.shape[type.shape.size() - 1 - dimension];
    return size < 0 ? batch : static_cast<int>(size);
  }

  void schedule(ScheduleContext &context) {
    TargetInfo machine = targetInfo(target);
    if (plain)
      machine.vectorBits = 32;
    Problem problem(kernel, machine);
    if (problem.anchor != anchor)
      throw std::invalid_argument("no schedule for the op '" + anchor->name +
                                  "'");
    // A schedule is for the kernel's vectors; C++ source has none.
    ReadSchedule read{FlatSchedule(), ""};
    if (plain)
      read.schedule = defaultSchedule(problem);
    else
      read = readSchedule(problem);
    if (!read.error.empty())
      throw std::invalid_argument("schedule: " + read.error);
    chooseInner(problem, inner.get());
    if (auto *halide = std::get_if<AutoscheduledSchedule>(&read.schedule))
      estimate(context.outputValue, static_cast<int>(halide->batch));
    else
      for (const Func &stage : vectorStages)
        computeVector(stage);
    std::visit([&](const auto &family) { apply(context, family); },
               read.schedule);
    if (target.has_gpu_feature())
      addDevicePasses(context.pipeline);
    std::vector<std::string> narrow;
    for (size_t i = 0; i < inputs.size(); ++i)
      if (kernel.inputs[i].element == ElementType::BF16)
        narrow.push_back(inputs[i].name());
    for (const OutputImageParam &buffer : context.output.output_buffers())
      if (buffer.type() == UInt(16))
        narrow.push_back(buffer.name());
    if (!narrow.empty())
      context.pipeline.add_custom_lowering_pass(new NarrowPrefetches(narrow));
  }

  const Kernel &kernel;
  Target target;
  bool plain;
  std::vector<ImageParam> inputs;
  std::vector<Value> values;
  Expr dynamic;
  const Op *anchor = nullptr;
  Lowered anchorFuncs;
  std::vector<Value> anchorOperands;
  std::vector<Func> vectorStages, positionStages;
  std::vector<Func> elementwise; ///< results of elementwise ops
  std::shared_ptr<ScheduleContext> inner;
};
} // namespace

std::vector<Argument> BuiltPipeline::arguments() const {
  return {inputs.begin(), inputs.end()};
}

Target kernelTarget(const std::string &text) {
  if (!Target::validate_target_string(text))
    throw std::invalid_argument("unknown target '" + text + "'");
  Target target(text);
  if ((target.arch != Target::X86 && target.arch != Target::ARM) ||
      target.bits != 64 || target.os != Target::Linux)
    throw std::invalid_argument(
        "target '" + text +
        "' is not supported: only x86-64-linux and arm-64-linux are");
  return target.with_feature(Target::UserContext)
      .with_feature(Target::NoRuntime)
      .with_feature(Target::NoBoundsQuery);
}

TargetInfo targetInfo(const Target &target) {
  int64_t bits = target.natural_vector_size<float>() * 32;
  bool many = bits >= 512 || target.arch == Target::ARM;
  return {target.to_string(), bits, many ? 32 : 16};
}

UnscheduledPipeline unscheduledPipeline(const Kernel &kernel,
                                        const Target &target) {
  return Builder(kernel, target, false).unscheduled();
}

BuiltPipeline buildPipeline(const Kernel &kernel, const Target &target,
                            bool plain) {
  return Builder(kernel, target, plain).build();
}

} // namespace rootc::codegen
