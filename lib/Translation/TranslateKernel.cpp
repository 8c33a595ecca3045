//===- TranslateKernel.cpp - root.kernel to codegen::Kernel ---------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lib/Translation/Translation.h"

#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace rootc;
using namespace rootc::root;

static codegen::TensorType translateType(Type type) {
  auto tensor = cast<RankedTensorType>(type);
  codegen::TensorType result;
  if (tensor.getElementType().isInteger(64))
    result.element = codegen::ElementType::I64;
  else if (tensor.getElementType().isInteger(32))
    result.element = codegen::ElementType::I32;
  else if (tensor.getElementType().isInteger(8))
    result.element = codegen::ElementType::U8;
  else if (tensor.getElementType().isBF16())
    result.element = codegen::ElementType::BF16;
  for (int64_t size : tensor.getShape())
    result.shape.push_back(ShapedType::isDynamic(size) ? -1 : size);
  return result;
}

static codegen::Attribute translateAttribute(Attribute attribute) {
  return TypeSwitch<Attribute, codegen::Attribute>(attribute)
      .Case([](IntegerAttr value) { return value.getInt(); })
      .Case([](FloatAttr value) { return value.getValueAsDouble(); })
      .Case([](StringAttr value) { return value.str(); })
      .Case([](DenseI64ArrayAttr value) {
        return std::vector<int64_t>(value.asArrayRef());
      })
      .Case([](DenseF64ArrayAttr value) {
        return std::vector<double>(value.asArrayRef());
      });
}

codegen::Kernel rootc::translateKernel(KernelOp kernel) {
  codegen::Kernel result;
  llvm::DenseMap<Value, int64_t> ids;
  auto number = [&](Value value) {
    int64_t id = ids.size();
    ids[value] = id;
  };
  for (auto [argument, input] :
       llvm::zip(kernel.getBody().getArguments(), kernel.getInputs())) {
    number(argument);
    result.inputs.push_back(translateType(input.getType()));
  }
  llvm::DenseMap<Value, Type> stored;
  for (auto [value, output] :
       llvm::zip(kernel.getYield().getValues(), kernel.getOutputs()))
    stored[value] = output.getType();
  for (Operation &op : kernel.getBody().front().without_terminator()) {
    codegen::Op &to = result.ops.emplace_back();
    to.name = primName(&op).str();
    for (Value operand : op.getOperands())
      to.operands.push_back(ids.lookup(operand));
    for (NamedAttribute attribute : op.getAttrs())
      if (attribute.getName() != "layer" && // nor what is said about the op
          !attribute.getName().strref().starts_with("root."))
        to.attributes[attribute.getName().str()] =
            translateAttribute(attribute.getValue());
    for (Value value : op.getResults()) {
      number(value);
      Type type = stored.lookup(value);
      to.results.push_back(translateType(type ? type : value.getType()));
    }
  }
  for (Value value : kernel.getYield().getValues())
    result.outputs.push_back(ids.lookup(value));
  if (DictionaryAttr schedule = kernel.getScheduleAttr())
    for (NamedAttribute entry : schedule)
      result.schedule[entry.getName().str()] =
          cast<IntegerAttr>(entry.getValue()).getInt();
  return result;
}

Operation *rootc::mainOp(KernelOp kernel) {
  auto ops = kernel.getBody().front().without_terminator();
  for (Operation &op : ops)
    if (!op.hasTrait<PrimElementwise>() && !op.hasTrait<PrimCheap>())
      return &op;
  // A batch norm says more than what is computed from maps alone.
  auto isParameter = [](Type type) {
    auto tensor = cast<RankedTensorType>(type);
    return tensor.getRank() == 1 && tensor.getElementType().isF32();
  };
  for (Operation &op : ops)
    if (!op.hasTrait<PrimElementwise>() ||
        llvm::any_of(op.getOperandTypes(), isParameter))
      return &op;
  return &*ops.begin();
}

/// The name that a pass or the parser gave to a location: `loc("bn1a")`.
static StringRef nameOf(Location location) {
  StringRef name;
  location->walk([&](Location part) {
    auto named = dyn_cast<NameLoc>(part);
    if (!named)
      return WalkResult::advance();
    name = named.getName();
    return WalkResult::interrupt();
  });
  return name;
}

/// The layer and direction of an op: "conv2a backward filter".
static std::string labelOf(Operation *op) {
  StringRef name = primName(op), what = name;
  for (StringRef family : {"conv2d", "batch_norm", "layer_norm", "group_norm",
                           "max_pool", "average_pool", "local_response_norm"})
    if (name.starts_with(family))
      what = name.drop_front(family.size());
  what = what.ltrim('_');
  std::string label = what.empty() ? "forward" : what.str();
  StringRef layer = nameOf(op->getLoc());
  if (auto attribute = op->getAttrOfType<StringAttr>("layer"))
    layer = attribute;
  if (layer.empty())
    label = name;
  std::replace(label.begin(), label.end(), '_', ' ');
  return layer.empty() ? label : layer.str() + " " + label;
}

std::string rootc::kernelLabel(KernelOp kernel) {
  std::string label = labelOf(mainOp(kernel));
  // Kernels with several anchors go forward; the layers say enough.
  unsigned anchors = 0;
  for (Operation &op : kernel.getBody().front().without_terminator()) {
    if (!isa<PrimConv2dOp, PrimMaxPoolOp>(op) || anchors++ == 0)
      continue;
    label.resize(StringRef(label).rfind(' '));
    label += " + " + labelOf(&op);
  }
  return label;
}
