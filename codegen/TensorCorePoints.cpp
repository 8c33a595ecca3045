//===- TensorCorePoints.cpp - Ops around a convolution --------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/TensorCorePoints.h"
#include "codegen/CudaText.h"

#include <stdexcept>

using namespace Halide;
using namespace Halide::Internal;

namespace rootc::codegen {

static Expr variable(const std::string &name) {
  return Variable::make(Int(32), name);
}

Expr placeOf(size_t dimension) { return variable(places[dimension]); }

static Expr loadOf(const std::string &array, Type type, const Expr &index) {
  return Load::make(type, array, index, Buffer<>(), Parameter(), const_true(),
                    ModulusRemainder());
}

AtPoint::AtPoint(const Kernel &kernel, const ScheduleContext &context,
                 const std::vector<SharedVector> &vectors)
    : kernel(kernel), vectors(vectors),
      anchor(context.anchorFuncs.results.at(0).name()) {
  if (kernel.ops.empty() || context.anchor->operands.size() > 3)
    throw std::invalid_argument("a convolution of four operands");
  if (context.anchor->operands.size() == 3)
    bias = context.operands[2].func;
}

Expr AtPoint::visit(const Internal::Call *call) {
  if (call->call_type == Internal::Call::Image)
    return load(call);
  if (call->call_type != Internal::Call::Halide)
    return IRMutator::visit(call);
  if (call->name == anchor)
    return sum(call);
  for (const SharedVector &vector : vectors)
    if (call->name == vector.func.name()) {
      used.insert(vector.array);
      return loadOf(vector.array, call->type, mutate(call->args[0]));
    }
  Function function(call->func);
  if (!function.has_pure_definition() || !function.updates().empty())
    throw std::invalid_argument("'" + call->name +
                                "' is not computed point by point");
  std::map<std::string, Expr> point;
  for (size_t d = 0; d < call->args.size(); ++d)
    point[function.args()[d]] = call->args[d];
  return mutate(substitute(point, function.values().at(call->value_index)));
}

Expr AtPoint::sum(const Internal::Call *call) {
  for (size_t d = 0; d < call->args.size(); ++d)
    if (!is_const_zero(simplify(call->args[d] - placeOf(d))))
      throw std::invalid_argument("what stands behind the convolution reads "
                                  "it at other points than its own");
  Expr value = Variable::make(Float(32), sumName);
  return bias.defined() ? mutate(value + bias(call->args[0])) : value;
}

Expr AtPoint::load(const Internal::Call *call) {
  size_t input = std::stoul(call->name.substr(2)); // "in3"
  const std::vector<int64_t> &shape = kernel.inputs.at(input).shape;
  Expr index = 0;
  for (size_t d = 0; d < shape.size(); ++d) {
    Expr place = mutate(call->args[shape.size() - 1 - d]);
    index = d == 0 ? place : index * static_cast<int>(shape[d]) + place;
  }
  return loadOf(call->name, call->type, index);
}

/// "in0.extent.3": all others are constants.
Expr AtPoint::visit(const Variable *v) {
  return v->name.find(".extent.") != std::string::npos ? variable(cudaBatch)
                                                       : Expr(v);
}

} // namespace rootc::codegen
