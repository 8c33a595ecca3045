//===- CudaLowering.cpp - What of a kernel becomes CUDA C++ ---------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/CudaLowering.h"
#include "codegen/CudaText.h"

using namespace Halide;
using namespace Halide::Internal;

namespace rootc::codegen {

namespace {
/// Keeps the lowered statement, of which nothing is left to compile.
class LoweredStmt : public IRMutator {
public:
  Stmt stmt;
  using IRMutator::mutate;
  Stmt mutate(const Stmt &lowered) override {
    stmt = lowered;
    return Evaluate::make(0);
  }
};

bool isCallOf(const Expr &expr, const std::string &begin) {
  const auto *call = expr.as<Internal::Call>();
  return call && call->name.starts_with(begin);
}

/// Leaves out what Halide's own runtime is told, and checks of arguments: these
/// are dense, and their extents constants but for the batch.
class Cleaner : public IRMutator {
public:
  explicit Cleaner(const std::map<std::string, TensorType> &buffers)
      : buffers(buffers) {}

private:
  using IRMutator::visit;
  const std::map<std::string, TensorType> &buffers;

  Expr visit(const Internal::Call *call) override {
    const std::string begin = "_halide_buffer_get_";
    if (!call->name.starts_with(begin) || call->args.size() != 2)
      return IRMutator::visit(call);
    const auto *buffer = call->args[0].as<Variable>();
    const auto *dimension = call->args[1].as<IntImm>();
    std::string name = buffer ? buffer->name : "", suffix = ".buffer";
    auto found = name.ends_with(suffix)
                     ? buffers.find(name.substr(0, name.size() - suffix.size()))
                     : buffers.end();
    if (found == buffers.end() || !dimension)
      return IRMutator::visit(call);
    const std::vector<int64_t> &shape = found->second.shape;
    int64_t stride = 1, extent = 1;
    for (int64_t d = 0; d <= dimension->value; ++d) {
      stride *= extent;
      extent = shape[shape.size() - 1 - static_cast<size_t>(d)];
    }
    std::string what = call->name.substr(begin.size());
    if (what == "min")
      return 0;
    if (what == "stride")
      return static_cast<int>(stride);
    return extent < 0 ? Variable::make(Int(32), cudaBatch)
                      : Expr(static_cast<int>(extent));
  }

  Stmt visit(const AssertStmt *) override { return Evaluate::make(0); }
  Stmt visit(const Free *) override { return Evaluate::make(0); }
  Stmt visit(const Evaluate *evaluate) override {
    const auto *call = evaluate->value.as<Internal::Call>();
    if (call && !call->is_intrinsic(Internal::Call::gpu_thread_barrier))
      return Evaluate::make(0);
    return evaluate;
  }
  Stmt visit(const LetStmt *let) override {
    if (isCallOf(let->value, "halide_device_free"))
      return Block::make(Evaluate::make(let->value), mutate(let->body));
    Stmt body = mutate(let->body);
    if (isCallOf(let->value, "halide_") || let->value.type().is_handle() ||
        !stmt_uses_var(body, let->name))
      return body;
    return LetStmt::make(let->name, mutate(let->value), body);
  }
};

} // namespace

CudaLowering lowerForCuda(const Kernel &kernel, BuiltPipeline &built,
                          const Target &target) {
  LoweredStmt lowered;
  built.pipeline.add_custom_lowering_pass(&lowered, nullptr);
  Module module =
      built.pipeline.compile_to_module(built.arguments(), kernel.name, target);
  CudaLowering result;
  for (const LoweredArgument &argument :
       module.get_function_by_name(kernel.name).args)
    if (argument.is_buffer())
      result.buffers.push_back(argument.name);
  size_t inputs = kernel.inputs.size();
  for (size_t i = 0; i < result.buffers.size(); ++i)
    result.types[result.buffers[i]] =
        i < inputs ? kernel.inputs[i] : kernel.type(kernel.outputs[i - inputs]);
  Scope<Interval> known;
  known.push(cudaBatch, Interval(1, Interval::pos_inf()));
  result.stmt =
      simplify(Cleaner(result.types).mutate(lowered.stmt), true, known);
  return result;
}

} // namespace rootc::codegen
