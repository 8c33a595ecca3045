//===- NetworkOp.cpp - Rules and shapes of a network ----------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The network infers all shapes whenever it is verified, so that a bad layer is
// refused when its file is read, whichever pass comes first.
//
//===----------------------------------------------------------------------===//

#include "dialect/Rules.h"

#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace rootc::root;

OutputOp NetworkOp::getOutput() {
  return *getBody().front().getOps<OutputOp>().begin();
}

void NetworkOp::getAsmBlockArgumentNames(Region &region,
                                         OpAsmSetValueNameFn setName) {
  if (!region.empty() && region.getNumArguments() == 1)
    setName(region.getArgument(0), "image");
}

LogicalResult NetworkOp::verify() {
  StringRef name = getSymName();
  auto inName = [](char c) { return llvm::isAlnum(c) || c == '_'; };
  if (name.empty() || name.size() > maxNameLength || llvm::isDigit(name[0]) ||
      !llvm::all_of(name, inName))
    return emitOpError() << "(N1) the network's name must be a C identifier of "
                            "at most "
                         << maxNameLength << " characters";
  if (name == "rootc")
    return emitOpError() << "(N10) a network called \"rootc\" would make the "
                            "function rootc_model, which is a type of the "
                            "library's header; rename the network";
  if (failed(verifySize(*this, "N2", "classes", getClasses())) ||
      failed(verifySizes(*this, "N3", "image", getImage(), 3)) ||
      failed(verifyCount(*this, "N3", "the image's values",
                         {getImage()[0], getImage()[1], getImage()[2]})))
    return failure();
  Block &body = getBody().front();
  if (body.getNumArguments() != 1 ||
      !isa<ImageType>(body.getArgument(0).getType()))
    return emitOpError() << "(N4) the body must have one argument, a "
                            "!root.image";
  return success();
}

/// (N5), (N6), (N7)
static LogicalResult verifyLayers(NetworkOp network) {
  llvm::StringMap<Operation *> layers;
  Operation *output = nullptr;
  for (Operation &op : network.getBody().front()) {
    if (!isa<LayerOpInterface, OutputOp, AuxiliaryOp>(op))
      return op.emitOpError() << "(N5) only layers, root.auxiliary and "
                                 "root.output may stand in a network";
    if (isa<OutputOp>(op)) {
      if (output) {
        InFlightDiagnostic error = op.emitOpError()
                                   << "(N6) a network has one root.output; use "
                                      "root.auxiliary for further classifiers";
        error.attachNote(output->getLoc()) << "the first one";
        return error;
      }
      output = &op;
    }
    if (auto layer = op.getAttrOfType<StringAttr>("layer")) {
      auto [entry, added] = layers.try_emplace(layer.getValue(), &op);
      if (!added) {
        InFlightDiagnostic error = op.emitOpError()
                                   << "(N7) the name \"" << layer.getValue()
                                   << "\" is taken; rename one of the two";
        error.attachNote(entry->second->getLoc()) << "the first one";
        return error;
      }
    }
  }
  if (!output)
    return network.emitOpError()
           << "(N6) there is no root.output; end with root.output %logits";
  return success();
}

LogicalResult NetworkOp::inferShapes(MapShape image,
                                     llvm::DenseMap<Value, MapShape> &shapes) {
  shapes[getImageArgument()] = image;
  for (Operation &op : getBody().front()) {
    SmallVector<MapShape> inputs;
    for (Value operand : op.getOperands()) {
      auto found = shapes.find(operand);
      if (found == shapes.end())
        return op.emitOpError() << "(N8) reads a value that is made later; "
                                   "move this layer behind it";
      inputs.push_back(found->second);
    }
    if (auto layer = dyn_cast<LayerOpInterface>(op)) {
      FailureOr<MapShape> shape = layer.inferShape(inputs);
      if (failed(shape))
        return failure();
      shapes[op.getResult(0)] = *shape;
    } else if (inputs[0] != MapShape{1, 1, getClasses()}) {
      return op.emitOpError()
             << (isa<OutputOp>(op) ? "(O1)" : "(X1)") << " the logits are "
             << describe(inputs[0]) << "; they must be 1x1x" << getClasses()
             << ", one value a class";
    }
  }
  return success();
}

LogicalResult NetworkOp::verifyRegions() {
  llvm::DenseMap<Value, MapShape> shapes;
  if (failed(verifyLayers(*this)) ||
      failed(inferShapes(getImageShape(), shapes)))
    return failure();
  for (auto [value, shape] : shapes) {
    SmallVector<int64_t> expected;
    if (getShaped())
      expected = {shape.height, shape.width, shape.channels};
    auto type = ImageType::get(getContext(), expected);
    if (value.getType() == type)
      continue;
    Operation *op = value.getDefiningOp();
    return (op ? op : getOperation())->emitOpError()
           << "(N9) a value's type is " << value.getType()
           << " where the layers give " << type
           << "; leave the types out, root-infer-shapes writes them";
  }
  return success();
}
