//===- ProgramOps.cpp - Models, programs and kernels ----------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialect/RootDialect.h"

#include "mlir/IR/Builders.h"
#include "llvm/ADT/StringSet.h"

using namespace mlir;
using namespace rootc::root;

//===----------------------------------------------------------------------===//
// Models and programs
//===----------------------------------------------------------------------===//

void ModelOp::build(OpBuilder &builder, OperationState &state, StringRef name,
                    ArrayRef<int64_t> image, int64_t classes) {
  state.addAttribute(getSymNameAttrName(state.name),
                     builder.getStringAttr(name));
  state.addAttribute(getImageAttrName(state.name),
                     builder.getDenseI64ArrayAttr(image));
  state.addAttribute(getClassesAttrName(state.name),
                     builder.getI64IntegerAttr(classes));
  state.addRegion()->emplaceBlock();
}

LogicalResult ModelOp::verify() {
  llvm::StringSet<> names[3]; // by TensorKind
  for (Operation &op : getBody().front()) {
    if (!isa<ArenaTensorOp, ProgramOp>(op))
      return op.emitOpError("has no place in a root.model");
    auto tensor = dyn_cast<ArenaTensorOp>(op);
    if (tensor && !names[static_cast<int>(tensor.getKind())]
                       .insert(tensor.getName())
                       .second)
      return tensor.emitOpError()
             << "defines '" << tensor.getName() << "' again";
  }
  return success();
}

LogicalResult ArenaTensorOp::verify() {
  auto type = cast<RankedTensorType>(getType());
  if (!type.getElementType().isF32() &&
      !(type.getElementType().isBF16() && getKind() == TensorKind::Prepared))
    return emitOpError("holds floats, so its type must be of f32");
  if (getOffset() && (*getOffset() % 16 != 0))
    return emitOpError("needs an offset that is a multiple of 16 floats");
  return success();
}

void ProgramOp::build(OpBuilder &builder, OperationState &state, StringRef name,
                      ProgramKind kind) {
  state.addAttribute(getSymNameAttrName(state.name),
                     builder.getStringAttr(name));
  state.addAttribute(getKindAttrName(state.name),
                     ProgramKindAttr::get(builder.getContext(), kind));
  state.addRegion()->emplaceBlock();
}

LogicalResult ProgramOp::verify() {
  for (Operation &op : getBody().front())
    if (!isPrim(&op) && !isa<ArgumentOp, ParameterOp, StatisticOp, PreparedOp,
                             StoreOp, KernelOp>(op))
      return op.emitOpError("has no place in a root.program");
  return success();
}

void StoreOp::build(OpBuilder &builder, OperationState &state, StoreKind kind,
                    StringRef name, Value value) {
  build(builder, state, kind,
        name.empty() ? StringAttr() : builder.getStringAttr(name), value);
}

LogicalResult StoreOp::verify() {
  bool named = getKind() == StoreKind::Gradient ||
               getKind() == StoreKind::Statistic ||
               getKind() == StoreKind::Prepared;
  if (named != getName().has_value())
    return emitOpError() << (named ? "needs the name of a tensor"
                                   : "takes no name");
  return success();
}

//===----------------------------------------------------------------------===//
// Kernels
//===----------------------------------------------------------------------===//

YieldOp KernelOp::getYield() {
  return cast<YieldOp>(getBody().front().getTerminator());
}

/// What a kernel's ops see of a value that is stored as `type`.
static Type computedType(Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  return tensor && tensor.getElementType().isBF16()
             ? tensor.clone(Float32Type::get(type.getContext()))
             : type;
}

ParseResult KernelOp::parse(OpAsmParser &parser, OperationState &result) {
  SmallVector<OpAsmParser::Argument> arguments;
  SmallVector<OpAsmParser::UnresolvedOperand> operands;
  SMLoc at = parser.getCurrentLocation();
  if (parser.parseAssignmentList(arguments, operands))
    return failure();
  if (succeeded(parser.parseOptionalKeyword("schedule"))) {
    DictionaryAttr schedule;
    if (parser.parseLParen() ||
        parser.parseAttribute(schedule, getScheduleAttrName(result.name),
                              result.attributes) ||
        parser.parseRParen())
      return failure();
  }
  if (succeeded(parser.parseOptionalKeyword("slots"))) {
    ArrayAttr slots;
    if (parser.parseLParen() ||
        parser.parseAttribute(slots, getSlotsAttrName(result.name),
                              result.attributes) ||
        parser.parseRParen())
      return failure();
  }
  FunctionType type;
  if (parser.parseOptionalAttrDict(result.attributes) ||
      parser.parseColonType(type))
    return failure();
  if (type.getNumInputs() != operands.size())
    return parser.emitError(at) << "expects " << operands.size()
                                << " input types, got " << type.getNumInputs();
  if (parser.resolveOperands(operands, type.getInputs(), at, result.operands))
    return failure();
  for (auto [argument, input] : llvm::zip(arguments, type.getInputs()))
    argument.type = computedType(input);
  result.addTypes(type.getResults());
  Region *body = result.addRegion();
  if (parser.parseRegion(*body, arguments))
    return failure();
  return success();
}

void KernelOp::print(OpAsmPrinter &printer) {
  printer << " (";
  llvm::interleaveComma(llvm::zip(getBody().getArguments(), getInputs()),
                        printer, [&](auto pair) {
                          printer << std::get<0>(pair) << " = "
                                  << std::get<1>(pair);
                        });
  printer << ")";
  if (getSchedule())
    printer << " schedule(" << getScheduleAttr() << ")";
  if (getSlots())
    printer << " slots(" << getSlotsAttr() << ")";
  printer.printOptionalAttrDict((*this)->getAttrs(),
                                {getScheduleAttrName(), getSlotsAttrName()});
  printer << " : ";
  printer.printFunctionalType(*this);
  printer << " ";
  printer.printRegion(getBody(), /*printEntryBlockArgs=*/false);
}

LogicalResult KernelOp::verifyRegions() {
  Block &block = getBody().front();
  if (!isa<YieldOp>(block.back()))
    return emitOpError("must end with root.yield");
  auto match = [](TypeRange computed, TypeRange stored) {
    return llvm::equal(computed, llvm::map_range(stored, computedType));
  };
  if (!match(block.getArgumentTypes(), getInputs().getTypes()))
    return emitOpError("has body arguments that are not of its inputs' types");
  if (!match(getYield()->getOperandTypes(), getOutputs().getTypes()))
    return emitOpError("yields other types than its results'");
  for (Operation &op : block.without_terminator())
    if (!isPrim(&op))
      return op.emitOpError("has no place in a root.kernel");
  llvm::SmallPtrSet<Value, 4> yielded;
  for (Value value : getYield().getValues()) {
    if (!value.getDefiningOp())
      return emitOpError("yields an input");
    if (!yielded.insert(value).second)
      return emitOpError("yields a value twice");
  }
  if (getSlots() && getSlots()->size() != getNumResults())
    return emitOpError("needs one slot for each result");
  if (DictionaryAttr schedule = getScheduleAttr())
    for (NamedAttribute entry : schedule) {
      auto value = dyn_cast<IntegerAttr>(entry.getValue());
      if (!value || !value.getType().isInteger(64))
        return emitOpError()
               << "has a schedule whose key '" << entry.getName().getValue()
               << "' is not a 64-bit integer";
    }
  return success();
}
