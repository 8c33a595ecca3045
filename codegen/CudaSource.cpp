//===- CudaSource.cpp - A kernel as CUDA C++ ------------------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What is outside of loops over blocks becomes the launching function, each of
// them a kernel.
//
//===----------------------------------------------------------------------===//

#include "codegen/CudaSource.h"
#include "codegen/CudaExpressions.h"
#include "codegen/CudaLowering.h"
#include "codegen/CudaText.h"

#include <algorithm>
#include <array>
#include <stdexcept>

using namespace Halide;
using namespace Halide::Internal;

namespace rootc::codegen {

namespace {
class Printer {
public:
  Printer(const Kernel &kernel, CudaLowering lowering)
      : kernel(kernel), lowering(std::move(lowering)),
        arguments(this->lowering.buffers), types(this->lowering.types) {}

  std::string print() {
    const Stmt &stmt = lowering.stmt;
    const std::string batch = cudaBatch;
    names.declareAs(batch, batch, ConstantInterval(1, 1 << 30));
    line("static int " + kernel.name + "_argv(void **arguments) {");
    out->indent = 1;
    line("rootc_cuda_device &device = *(rootc_cuda_device *)arguments[0];");
    if (stmt_uses_var(stmt, batch))
      line("const int n = device.n;");
    Closure used;
    used.include(stmt);
    for (size_t i = 0; i < arguments.size(); ++i) {
      if (!used.buffers.count(arguments[i]))
        continue;
      bool input = i < inputs();
      std::string type = cudaElement(types.at(arguments[i])) + " *";
      line((input ? "const " : "") + type + names.declare(arguments[i]) +
           " = (" + (input ? "const " : "") + type + ")arguments[" +
           std::to_string(i + 1) + "];");
    }
    host(stmt);
    line("return device.status;");
    out->indent = 0;
    line("}");
    return describeForCuda(kernel, arguments, types) + kernels.str() +
           text.str();
  }

private:
  const Kernel &kernel;
  const CudaLowering lowering;
  const std::vector<std::string> &arguments;
  const std::map<std::string, TensorType> &types;
  CudaExpressions names; ///< of the launching function
  CudaText text, kernels;
  CudaText *out = &text;
  std::set<std::string> kernelNames;

  size_t inputs() const { return kernel.inputs.size(); }

  void line(std::string content) { out->line(std::move(content)); }

  /// Prints what must stand before a statement.
  void declareBefore(CudaExpressions &of) {
    for (const std::string &declaration : of.before)
      line(declaration);
    of.before.clear();
  }
  std::string value(CudaExpressions &of, const Expr &expr) {
    std::string printed = of.text(expr);
    declareBefore(of);
    return printed;
  }

  /// `const int x = ...;`; the name is known until forgotten.
  void let(CudaExpressions &of, const LetStmt *let) {
    std::string printed = value(of, let->value);
    ConstantInterval bounds = let->value.type().is_int()
                                  ? of.bounds(let->value)
                                  : ConstantInterval::everything();
    line("const " + cudaType(let->value.type()) + " " +
         of.declare(let->name, bounds) + " = " + printed + ";");
  }

  /// A loop's begin; the name is known until forgotten.
  void beginLoop(CudaExpressions &of, const For *loop) {
    std::string min = value(of, loop->min);
    std::string end = value(of, loop->min + loop->extent);
    if (is_const_zero(loop->min))
      end = value(of, loop->extent);
    ConstantInterval first = of.bounds(loop->min),
                     behind = of.bounds(loop->min + loop->extent), range;
    range.min_defined = first.min_defined;
    range.min = first.min;
    range.max_defined = behind.max_defined;
    range.max = behind.max - 1;
    if (range.is_bounded() && range.max < range.min)
      range.max = range.min;
    std::string i = of.declare(loop->name, range);
    line("for (int " + i + " = " + min + "; " + i + " < " + end + "; ++" + i +
         ") {");
    ++out->indent;
  }

  void end() {
    --out->indent;
    line("}");
  }

  void host(const Stmt &stmt) {
    if (!stmt.defined())
      return;
    if (const auto *s = stmt.as<Block>()) {
      host(s->first);
      host(s->rest);
    } else if (const auto *s = stmt.as<LetStmt>()) {
      let(names, s);
      host(s->body);
      names.forget(s->name);
    } else if (const auto *s = stmt.as<ProducerConsumer>()) {
      host(s->body);
    } else if (const auto *s = stmt.as<Allocate>()) {
      std::string count;
      for (const Expr &extent : s->extents)
        count += (count.empty() ? "" : " * ") + hostExtent(extent);
      std::string type = cudaType(s->type), name = names.declare(s->name);
      line("rootc_cuda_temporary<" + type + "> " + name + "(device, " +
           (count.empty() ? "1" : count) + ");");
      host(s->body);
      names.forget(s->name);
    } else if (const auto *s = stmt.as<IfThenElse>()) {
      line("if (" + value(names, s->condition) + ") {");
      ++out->indent;
      host(s->then_case);
      --out->indent;
      if (s->else_case.defined()) {
        line("} else {");
        ++out->indent;
        host(s->else_case);
        --out->indent;
      }
      line("}");
    } else if (const auto *s = stmt.as<Evaluate>()) {
      free(s);
    } else if (const auto *s = stmt.as<For>()) {
      if (s->for_type == ForType::GPUBlock) {
        launch(stmt);
        return;
      }
      beginLoop(names, s);
      host(s->body);
      end();
      names.forget(s->name);
    } else {
      throw std::invalid_argument("the schedule leaves work to the host");
    }
  }

  /// In 64 bits, where a constant does not say so already.
  std::string hostExtent(const Expr &extent) {
    std::string printed = names.operand(extent);
    declareBefore(names);
    return is_const(extent) ? printed : "(int64_t)" + printed;
  }

  void free(const Evaluate *evaluate) {
    const auto *call = evaluate->value.as<Internal::Call>();
    const auto *buffer = call ? call->args.at(0).as<Variable>() : nullptr;
    if (!buffer)
      return;
    std::string name = buffer->name.substr(0, buffer->name.find(".buffer"));
    line(names.identifier(name) + ".free();");
  }

  static size_t dimensionOf(const std::string &loop) {
    return static_cast<size_t>(loop.back() - 'x');
  }

  /// The loops over threads.
  class Threads : public IRVisitor {
  public:
    std::array<Expr, 3> extents = {1, 1, 1};

  private:
    using IRVisitor::visit;
    void visit(const For *loop) override {
      if (loop->for_type == ForType::GPUThread)
        extents.at(dimensionOf(loop->name)) = loop->extent;
      IRVisitor::visit(loop);
    }
  };

  static std::string dimensions(const std::array<std::string, 3> &extents) {
    size_t last = extents[2] != "1" ? 3 : extents[1] != "1" ? 2 : 1;
    std::string list;
    for (size_t d = 0; d < last; ++d)
      list += (d ? ", " : "") + extents.at(d);
    return "dim3(" + list + ")";
  }

  void launch(const Stmt &stmt) {
    Threads threads;
    stmt.accept(&threads);
    std::string name = kernelName(stmt.as<For>()->name);
    // The host's: extents of the grid and of a block.
    std::array<std::string, 3> grid = {"1", "1", "1"}, block;
    Stmt body = stmt;
    std::vector<const For *> blocks;
    for (const auto *loop = body.as<For>();
         loop && loop->for_type == ForType::GPUBlock; loop = body.as<For>()) {
      blocks.push_back(loop);
      grid.at(dimensionOf(loop->name)) = value(names, loop->extent);
      body = loop->body;
    }
    Closure closure;
    closure.include(body);
    for (const For *loop : blocks)
      closure.vars.erase(loop->name);
    int64_t most = 1;
    for (size_t d = 0; d < 3; ++d) {
      const auto *constant = threads.extents.at(d).as<IntImm>();
      if (!constant)
        throw std::invalid_argument("a block's threads vary");
      block.at(d) = std::to_string(constant->value);
      most *= constant->value;
    }
    std::string given, taken;
    CudaExpressions device;
    for (const auto &[buffer, of] : closure.buffers) {
      std::string own = device.declare(buffer);
      given += ", " + names.identifier(buffer);
      taken += std::string(taken.empty() ? "" : ", ") +
               (of.write ? "" : "const ") + cudaType(of.type) +
               " *__restrict__ " + own;
    }
    for (const auto &[scalar, type] : closure.vars) {
      Expr variable = Variable::make(type, scalar);
      ConstantInterval bounds = type.is_int() ? names.bounds(variable)
                                              : ConstantInterval::everything();
      given += ", " + names.identifier(scalar);
      taken += std::string(taken.empty() ? "" : ", ") + cudaType(type) + " " +
               device.declare(scalar, bounds);
    }
    line("device.launch(" + name + ", " + dimensions(grid) + ", " +
         dimensions(block) + given + ");");
    out = &kernels;
    // Two blocks of 256 threads on a multiprocessor: 128 registers each.
    // Smaller blocks take what they need, for some spill with fewer.
    std::string bounds = std::to_string(most);
    if (most >= 256)
      bounds += ", " + std::to_string(std::max<int64_t>(1, 512 / most));
    line("static __global__ void __launch_bounds__(" + bounds + ")");
    line(name + "(" + taken + ") {");
    out->indent = 1;
    for (const For *loop : blocks) {
      std::string own = std::string("block_") + loop->name.back();
      ConstantInterval range = names.bounds(loop->extent - 1);
      range.min = 0;
      range.min_defined = true;
      device.declareAs(loop->name, own, range);
      if (stmt_uses_var(body, loop->name))
        line("const int " + own + " = blockIdx." + loop->name.back() + ";");
    }
    for (size_t d = 0; d < 3; ++d)
      if (block.at(d) != "1") {
        char axis = static_cast<char>('x' + d);
        line(std::string("const int thread_") + axis + " = threadIdx." + axis +
             ";");
      }
    onDevice(device, body);
    end();
    line("");
    out = &text;
  }

  /// After the Func that the loops compute.
  std::string kernelName(const std::string &loop) {
    CudaExpressions fresh;
    std::string base = kernel.name + "_" +
                       fresh.declare(loop.substr(0, loop.find(".s"))),
                name = base;
    for (int i = 2; !kernelNames.insert(name).second; ++i)
      name = base + "_" + std::to_string(i);
    return name;
  }

  void onDevice(CudaExpressions &of, const Stmt &stmt) {
    if (!stmt.defined())
      return;
    if (const auto *s = stmt.as<Block>()) {
      onDevice(of, s->first);
      onDevice(of, s->rest);
    } else if (const auto *s = stmt.as<LetStmt>()) {
      let(of, s);
      onDevice(of, s->body);
      of.forget(s->name);
    } else if (const auto *s = stmt.as<ProducerConsumer>()) {
      onDevice(of, s->body);
    } else if (const auto *s = stmt.as<Allocate>()) {
      allocate(of, s);
    } else if (const auto *s = stmt.as<Store>()) {
      if (!is_const_one(s->predicate))
        throw std::invalid_argument("masked stores");
      store(of, s);
    } else if (const auto *s = stmt.as<IfThenElse>()) {
      branch(of, s);
    } else if (const auto *s = stmt.as<For>()) {
      loop(of, s);
    } else if (const auto *s = stmt.as<Evaluate>()) {
      const auto *call = s->value.as<Internal::Call>();
      if (call && call->is_intrinsic(Internal::Call::gpu_thread_barrier))
        line("__syncthreads();");
    } else {
      throw std::invalid_argument("CUDA C++ has no form for a statement");
    }
  }

  void allocate(CudaExpressions &of, const Allocate *s) {
    int64_t count = s->constant_allocation_size();
    bool shared = s->memory_type == MemoryType::GPUShared;
    if (count <= 0 || (!shared && s->memory_type == MemoryType::Heap))
      throw std::invalid_argument("the size of '" + s->name + "' varies");
    line((shared ? "__shared__ " : "") + cudaType(s->type) + " " +
         of.declare(s->name) + "[" + std::to_string(count) + "];");
    onDevice(of, s->body);
    of.forget(s->name);
  }

  void store(CudaExpressions &of, const Store *s) {
    std::string index = of.text(s->index), assign = " = ";
    Expr stored = s->value;
    const auto *sum = stored.as<Add>();
    const auto *before = sum ? sum->a.as<Load>() : nullptr;
    if (before && before->name == s->name && equal(before->index, s->index) &&
        stored.type().bits() >= 32) {
      assign = " += ";
      stored = sum->b;
    }
    std::string printed = of.text(stored);
    declareBefore(of);
    line(of.identifier(s->name) + "[" + index + "]" + assign + printed + ";");
  }

  void branch(CudaExpressions &of, const IfThenElse *s) {
    line("if (" + value(of, s->condition) + ") {");
    ++out->indent;
    onDevice(of, s->then_case);
    --out->indent;
    if (s->else_case.defined()) {
      line("} else {");
      ++out->indent;
      onDevice(of, s->else_case);
      --out->indent;
    }
    line("}");
  }

  void loop(CudaExpressions &of, const For *s) {
    if (s->for_type == ForType::GPUThread) {
      int64_t threads = s->extent.as<IntImm>()->value;
      of.declareAs(s->name,
                   threads == 1 ? "0" : std::string("thread_") + s->name.back(),
                   ConstantInterval(0, threads - 1));
      onDevice(of, s->body);
    } else if (s->for_type == ForType::Serial) {
      beginLoop(of, s);
      onDevice(of, s->body);
      end();
    } else {
      throw std::invalid_argument("CUDA C++ has no form for the loop '" +
                                  s->name + "'");
    }
    of.forget(s->name);
  }
};
} // namespace

std::string cudaSource(const Kernel &kernel, BuiltPipeline &built,
                       const Target &target) {
  return Printer(kernel, lowerForCuda(kernel, built, target)).print();
}

} // namespace rootc::codegen
