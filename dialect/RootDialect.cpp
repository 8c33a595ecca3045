//===- RootDialect.cpp - The root dialect ---------------------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialect/RootDialect.h"
#include "dialect/Frozen.h"
#include "dialect/Remarks.h"
#include "dialect/ScheduleFrom.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace rootc::root;

#include "dialect/RootDialect.cpp.inc"

#include "dialect/RootEnums.cpp.inc"

#define GET_ATTRDEF_CLASSES
#include "dialect/RootAttributes.cpp.inc"

#define GET_TYPEDEF_CLASSES
#include "dialect/RootTypes.cpp.inc"

void RootDialect::initialize() {
  addTypes<
#define GET_TYPEDEF_LIST
#include "dialect/RootTypes.cpp.inc"
      >();
  addAttributes<
#define GET_ATTRDEF_LIST
#include "dialect/RootAttributes.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "dialect/RootOps.cpp.inc"
      >();
}

static ParseResult reportUnknownOp(OpAsmParser &parser, OperationState &state) {
  StringRef name = state.name.getStringRef();
  SmallVector<StringRef> layers;
  StringRef nearest;
  for (RegisteredOperationName op :
       parser.getContext()->getRegisteredOperationsByDialect("root")) {
    StringRef known = op.getStringRef();
    if (op.hasInterface<LayerOpInterface>() ||
        known == OutputOp::getOperationName() ||
        known == AuxiliaryOp::getOperationName())
      layers.push_back(known);
    if (nearest.empty() ||
        known.edit_distance(name) < nearest.edit_distance(name))
      nearest = known;
  }
  llvm::sort(layers);
  return parser.emitError(parser.getNameLoc())
         << "does not exist; did you mean '" << nearest
         << "'? A network is made of " << llvm::join(layers, ", ");
}

std::optional<Dialect::ParseOpHook>
RootDialect::getParseOperationHook(StringRef) const {
  // The hook does not own what it calls: a function outlives it.
  return ParseOpHook(reportUnknownOp);
}

/// A primitive op may tell the channel order of its results, a kernel where its
/// schedule comes from, a layer with weights that it is not trained.
LogicalResult RootDialect::verifyOperationAttribute(Operation *op,
                                                    NamedAttribute attribute) {
  StringRef name = attribute.getName();
  auto isText = [](Attribute value) { return isa<StringAttr>(value); };
  auto texts = dyn_cast<ArrayAttr>(attribute.getValue());
  if ((name == explainAttrName && isa<ModuleOp>(op) &&
       isa<UnitAttr>(attribute.getValue())) ||
      (name == remarksAttrName && isPrim(op) && texts &&
       llvm::all_of(texts, isText)) ||
      (name == scheduleFromAttrName && isa<KernelOp>(op) &&
       isText(attribute.getValue())) ||
      (name == frozenAttrName && op->hasAttr("layer") &&
       isa<NetworkOp>(op->getParentOp()) &&
       isa<UnitAttr>(attribute.getValue())))
    return success();
  if (name != channelOrderAttrName || !isPrim(op))
    return op->emitOpError() << "has no place for " << attribute.getName();
  auto order = dyn_cast<IntegerAttr>(attribute.getValue());
  if (!order || !order.getType().isInteger(64) || order.getInt() < 2)
    return op->emitOpError("needs a channel order of at least 2");
  for (Type type : op->getResultTypes())
    if (cast<RankedTensorType>(type).getShape().back() % order.getInt() != 0)
      return op->emitOpError("has no channels in order ") << order.getInt();
  return success();
}

Type ImageType::parse(AsmParser &parser) {
  SmallVector<int64_t> shape;
  if (succeeded(parser.parseOptionalLess())) {
    SMLoc at = parser.getCurrentLocation();
    if (parser.parseDimensionList(shape, /*allowDynamic=*/false,
                                  /*withTrailingX=*/false) ||
        parser.parseGreater())
      return {};
    if (shape.size() != 3) {
      parser.emitError(at, "an image is height x width x channels; got ")
          << shape.size() << " dimensions";
      return {};
    }
  }
  return get(parser.getContext(), shape);
}

void ImageType::print(AsmPrinter &printer) const {
  if (!hasShape())
    return;
  printer << "<";
  printer.printDimensionList(getShape());
  printer << ">";
}
