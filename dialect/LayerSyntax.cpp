//===- LayerSyntax.cpp - The written form of network ops ------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// All layers are written alike: a name in quotes if the layer has parameters,
// operands, clauses in any order, and once shapes are inferred the types. One
// table makes parsers and printers, and is what editors are told.
//
//===----------------------------------------------------------------------===//

#include "dialect/LayerSyntax.h"
#include "dialect/RootDialect.h"

#include "mlir/IR/Builders.h"

using namespace mlir;
using namespace rootc::root;

namespace {

constexpr Clause strideClause = {
    "stride", ClauseKind::Pair, "stride", "stride(2)", false, 1};
constexpr Clause padClause = {"pad",    ClauseKind::Pad, "pad",
                              "pad(1)", false,           0};
constexpr Clause kernelClause = {"kernel", ClauseKind::Pair, "kernel",
                                 "kernel(3x3)", true};
constexpr Clause roundingClause = {"rounding", ClauseKind::Rounding, "ceil",
                                   "rounding(floor|ceil)"};
constexpr Clause biasClause = {"no_bias", ClauseKind::NoBias, "bias",
                               "no_bias"};

constexpr Clause convClauses[] = {
    {"filters", ClauseKind::Integer, "filters", "filters(64)", true},
    kernelClause,
    strideClause,
    padClause,
    {"dilation", ClauseKind::Pair, "dilation", "dilation(2)", false, 1},
    {"groups", ClauseKind::Integer, "groups", "groups(8)", false, 1},
    biasClause,
    {"standardize", ClauseKind::Float, "standardize", "standardize(1e-6)"},
    {"stage", ClauseKind::Integer, "stage", "stage(1)"},
    {"ungrouped", ClauseKind::Flag, "ungrouped", "ungrouped"},
};
constexpr Clause batchNormClauses[] = {
    {"epsilon", ClauseKind::Float, "epsilon", "epsilon(1e-5)", false, 1e-5},
    {"momentum", ClauseKind::Float, "momentum", "momentum(0.1)", false, 0.1},
};
constexpr Clause layerNormClauses[] = {
    {"epsilon", ClauseKind::Float, "epsilon", "epsilon(1e-5)", false, 1e-5},
};
constexpr Clause groupNormClauses[] = {
    {"groups", ClauseKind::Integer, "groups", "groups(32)", true},
    {"epsilon", ClauseKind::Float, "epsilon", "epsilon(1e-5)", false, 1e-5},
};
constexpr Clause transposeClauses[] = {
    {"filters", ClauseKind::Integer, "filters", "filters(64)", true},
    kernelClause,
    strideClause,
    padClause,
    {"output_pad", ClauseKind::Pair, "output_pad", "output_pad(1)", false, 0},
    {"dilation", ClauseKind::Pair, "dilation", "dilation(2)", false, 1},
    {"groups", ClauseKind::Integer, "groups", "groups(8)", false, 1},
    biasClause,
};
constexpr Clause sizeClause = {"size", ClauseKind::Pair, "size", "size(7x7)",
                               true};
constexpr Clause resizeClauses[] = {
    sizeClause,
    {"mode", ClauseKind::Word, "mode", "mode(nearest|bilinear)"},
    {"coordinates", ClauseKind::Word, "coordinates",
     "coordinates(half_pixel|pytorch_half_pixel|align_corners|asymmetric)"},
    {"round", ClauseKind::Word, "round",
     "round(round_prefer_floor|round_prefer_ceil|floor|ceil)"},
};
constexpr Clause adaptiveClauses[] = {sizeClause};
constexpr Clause branchClauses[] = {
    {"branches", ClauseKind::Integer, "branches", "branches(2)", true},
};
constexpr Clause maxPoolClauses[] = {kernelClause, strideClause, padClause,
                                     roundingClause};
constexpr Clause averagePoolClauses[] = {
    kernelClause,
    strideClause,
    padClause,
    roundingClause,
    {"exclude_pad", ClauseKind::Flag, "exclude_pad", "exclude_pad"},
};
constexpr Clause clipClauses[] = {
    {"min", ClauseKind::Float, "min", "min(0)"},
    {"max", ClauseKind::Float, "max", "max(6)"},
};
constexpr Clause hardSigmoidClauses[] = {
    {"alpha", ClauseKind::Float, "alpha", "alpha(0.2)", false, 0.2},
    {"beta", ClauseKind::Float, "beta", "beta(0.5)", false, 0.5},
};
constexpr Clause leakyReluClauses[] = {
    {"alpha", ClauseKind::Float, "alpha", "alpha(0.01)", false, 0.01},
};
constexpr Clause preluClauses[] = {
    {"shared", ClauseKind::Flag, "shared", "shared"},
};
constexpr Clause eluClauses[] = {
    {"alpha", ClauseKind::Float, "alpha", "alpha(1)", false, 1.0},
    {"scale", ClauseKind::Float, "scale", "scale(1)", false, 1.0},
    {"input_scale", ClauseKind::Float, "input_scale", "input_scale(1)", false,
     1.0},
};
constexpr Clause geluClauses[] = {
    {"tanh", ClauseKind::Flag, "tanh", "tanh"},
};
constexpr Clause padClauses[] = {
    padClause,
    {"crop", ClauseKind::Pad, "crop", "crop(1)", false, 0},
    {"reflect", ClauseKind::Flag, "reflect", "reflect"},
};
constexpr Clause blockClauses[] = {
    {"block", ClauseKind::Integer, "block", "block(2)", true},
    {"crd", ClauseKind::Flag, "crd", "crd"},
};
constexpr Clause sliceClauses[] = {
    {"begin", ClauseKind::Integer, "begin", "begin(0)", true},
    {"end", ClauseKind::Integer, "end", "end(58)", true},
};
constexpr Clause shuffleClauses[] = {
    {"groups", ClauseKind::Integer, "groups", "groups(2)", true},
};
constexpr Clause linearClauses[] = {
    {"outputs", ClauseKind::Integer, "outputs", "outputs(10)", true},
    biasClause,
};
constexpr Clause dropoutClauses[] = {
    {"rate", ClauseKind::Float, "rate", "rate(0.5)", false, 0.5},
};
constexpr Clause dropPathClauses[] = {
    {"rate", ClauseKind::Float, "rate", "rate(0.1)", true},
};
constexpr Clause responseNormClauses[] = {
    {"size", ClauseKind::Integer, "size", "size(5)", false, 5},
    {"alpha", ClauseKind::Float, "alpha", "alpha(1e-4)", false, 1e-4},
    {"beta", ClauseKind::Float, "beta", "beta(0.75)", false, 0.75},
    {"k", ClauseKind::Float, "k", "k(1)", false, 1.0},
};
constexpr Clause auxiliaryClauses[] = {
    {"weight", ClauseKind::Float, "weight", "weight(0.3)", false, 0.3},
};
constexpr Clause networkClauses[] = {
    {"classes", ClauseKind::Integer, "classes", "classes(10)", true},
    {"shaped", ClauseKind::Flag, "shaped", "shaped"},
};

constexpr ArrayRef<Clause> noClauses = {};

/// `{...}`: attributes that are not the op's own.
ParseResult parseExtraAttributes(OpAsmParser &parser, OperationState &result,
                                 bool withKeyword) {
  NamedAttrList extra;
  SMLoc at = parser.getCurrentLocation();
  if (withKeyword ? parser.parseOptionalAttrDictWithKeyword(extra)
                  : parser.parseOptionalAttrDict(extra))
    return failure();
  for (NamedAttribute attribute : extra) {
    if (llvm::is_contained(result.name.getAttributeNames(),
                           attribute.getName()))
      return parser.emitError(at) << "'" << attribute.getName().getValue()
                                  << "' is given by a clause, not in braces";
    result.attributes.append(attribute);
  }
  return success();
}

ParseResult parseLayer(OpAsmParser &parser, OperationState &result,
                       const LayerSyntax &syntax) {
  Builder &builder = parser.getBuilder();
  if (syntax.named) {
    std::string layer;
    if (parser.parseOptionalString(&layer))
      return parser.emitError(parser.getCurrentLocation())
             << "expected the layer's name in quotes, as in "
             << result.name.getStringRef() << " \"layer1\" %x";
    result.addAttribute("layer", builder.getStringAttr(layer));
  }
  SmallVector<OpAsmParser::UnresolvedOperand> operands;
  SMLoc operandsAt = parser.getCurrentLocation();
  if (parser.parseOperandList(operands, OpAsmParser::Delimiter::None,
                              /*allowResultNumber=*/true,
                              syntax.operands ? syntax.operands : -1) ||
      parseClauses(parser, result, syntax.clauses) ||
      parseExtraAttributes(parser, result, /*withKeyword=*/false))
    return failure();

  Type unknown = ImageType::get(builder.getContext(), {});
  SmallVector<Type> inputs(operands.size(), unknown);
  Type output = unknown;
  if (succeeded(parser.parseOptionalColon())) {
    SMLoc at = parser.getCurrentLocation();
    FunctionType type;
    if (parser.parseType(type))
      return failure();
    if (type.getNumInputs() != operands.size() || type.getNumResults() != 1)
      return parser.emitError(at) << "expected the types of " << operands.size()
                                  << " operands and of one result";
    llvm::copy(type.getInputs(), inputs.begin());
    output = type.getResult(0);
  }
  result.addTypes(output);
  return parser.resolveOperands(operands, inputs, operandsAt, result.operands);
}

ParseResult parseLogits(OpAsmParser &parser, OperationState &result,
                        ArrayRef<Clause> clauses) {
  OpAsmParser::UnresolvedOperand logits;
  Type type = ImageType::get(parser.getContext(), {});
  return failure(
      parser.parseOperand(logits) || parseClauses(parser, result, clauses) ||
      parseExtraAttributes(parser, result, /*withKeyword=*/false) ||
      (succeeded(parser.parseOptionalColon()) && parser.parseType(type)) ||
      parser.resolveOperand(logits, type, result.operands));
}

bool hasShapes(Operation *op) {
  return llvm::any_of(
      llvm::concat<const Type>(SmallVector<Type>(op->getOperandTypes()),
                               SmallVector<Type>(op->getResultTypes())),
      [](Type type) {
        auto image = dyn_cast<ImageType>(type);
        return !image || image.hasShape();
      });
}

void printLayer(OpAsmPrinter &printer, Operation *op,
                const LayerSyntax &syntax) {
  if (syntax.named)
    printer << " " << op->getAttr("layer");
  if (op->getNumOperands())
    printer << " " << op->getOperands();
  for (const Clause &clause : syntax.clauses)
    printClause(printer, op, clause);
  printer.printOptionalAttrDict(llvm::to_vector(op->getDiscardableAttrs()));
  if (!hasShapes(op))
    return;
  printer << " : ";
  if (op->getNumResults())
    printer.printFunctionalType(op);
  else
    printer << op->getOperandTypes();
}

} // namespace

//===----------------------------------------------------------------------===//
// The ops
//===----------------------------------------------------------------------===//

#define LAYERS(X)                                                              \
  X(Conv2dOp, true, 1, convClauses)                                            \
  X(BatchNormOp, true, 1, batchNormClauses)                                    \
  X(LayerNormOp, true, 1, layerNormClauses)                                    \
  X(GroupNormOp, true, 1, groupNormClauses)                                    \
  X(Conv2dTransposeOp, true, 1, transposeClauses)                              \
  X(ResizeOp, false, 1, resizeClauses)                                         \
  X(AdaptiveAveragePoolOp, false, 1, adaptiveClauses)                          \
  X(ChannelMeanOp, false, 1, noClauses)                                        \
  X(ChannelMaxOp, false, 1, noClauses)                                         \
  X(BranchSoftmaxOp, false, 1, branchClauses)                                  \
  X(ReluOp, false, 1, noClauses)                                               \
  X(ClipOp, false, 1, clipClauses)                                             \
  X(SigmoidOp, false, 1, noClauses)                                            \
  X(HardSigmoidOp, false, 1, hardSigmoidClauses)                               \
  X(HardSwishOp, false, 1, noClauses)                                          \
  X(LeakyReluOp, false, 1, leakyReluClauses)                                   \
  X(PReluOp, true, 1, preluClauses)                                            \
  X(EluOp, false, 1, eluClauses)                                               \
  X(GeluOp, false, 1, geluClauses)                                             \
  X(SiluOp, false, 1, noClauses)                                               \
  X(SoftplusOp, false, 1, noClauses)                                           \
  X(MishOp, false, 1, noClauses)                                               \
  X(LayerScaleOp, true, 1, noClauses)                                          \
  X(DropPathOp, false, 1, dropPathClauses)                                     \
  X(PadOp, false, 1, padClauses)                                               \
  X(SpaceToDepthOp, false, 1, blockClauses)                                    \
  X(DepthToSpaceOp, false, 1, blockClauses)                                    \
  X(MaxPoolOp, false, 1, maxPoolClauses)                                       \
  X(AveragePoolOp, false, 1, averagePoolClauses)                               \
  X(GlobalAveragePoolOp, false, 1, noClauses)                                  \
  X(LinearOp, true, 1, linearClauses)                                          \
  X(AddOp, false, 2, noClauses)                                                \
  X(MultiplyOp, false, 2, noClauses)                                           \
  X(ConcatOp, false, 0, noClauses)                                             \
  X(SliceChannelsOp, false, 1, sliceClauses)                                   \
  X(ChannelShuffleOp, false, 1, shuffleClauses)                                \
  X(DropoutOp, false, 1, dropoutClauses)                                       \
  X(LocalResponseNormOp, false, 1, responseNormClauses)
#define LOGITS(X)                                                              \
  X(OutputOp, false, 1, noClauses)                                             \
  X(AuxiliaryOp, false, 1, auxiliaryClauses)

#define LAYER_SYNTAX(OP, NAMED, OPERANDS, CLAUSES)                             \
  ParseResult OP::parse(OpAsmParser &parser, OperationState &result) {         \
    return parseLayer(parser, result,                                          \
                      {getOperationName(), NAMED, OPERANDS, CLAUSES});         \
  }                                                                            \
  void OP::print(OpAsmPrinter &printer) {                                      \
    printLayer(printer, *this,                                                 \
               {getOperationName(), NAMED, OPERANDS, CLAUSES});                \
  }
#define LOGITS_SYNTAX(OP, NAMED, OPERANDS, CLAUSES)                            \
  ParseResult OP::parse(OpAsmParser &parser, OperationState &result) {         \
    return parseLogits(parser, result, CLAUSES);                               \
  }                                                                            \
  void OP::print(OpAsmPrinter &printer) {                                      \
    printLayer(printer, *this,                                                 \
               {getOperationName(), NAMED, OPERANDS, CLAUSES});                \
  }
#define ENTRY(OP, NAMED, OPERANDS, CLAUSES)                                    \
  {OP::getOperationName(), NAMED, OPERANDS, CLAUSES},

LAYERS(LAYER_SYNTAX)
LOGITS(LOGITS_SYNTAX)

ArrayRef<LayerSyntax> rootc::root::layerSyntaxes() {
  static constexpr LayerSyntax all[] = {
      {NetworkOp::getOperationName(), false, 0, networkClauses},
      LAYERS(ENTRY) LOGITS(ENTRY)};
  return all;
}

#undef LAYERS
#undef LOGITS
#undef LAYER_SYNTAX
#undef LOGITS_SYNTAX
#undef ENTRY

const LayerSyntax *rootc::root::findLayerSyntax(StringRef op) {
  const auto *found =
      llvm::find_if(layerSyntaxes(),
                    [&](const LayerSyntax &entry) { return entry.op == op; });
  return found == layerSyntaxes().end() ? nullptr : found;
}

ParseResult NetworkOp::parse(OpAsmParser &parser, OperationState &result) {
  StringAttr name;
  OpAsmParser::Argument image;
  if (parser.parseSymbolName(name) || parser.parseLParen() ||
      parser.parseArgument(image, /*allowType=*/false) || parser.parseColon())
    return failure();
  SMLoc at = parser.getCurrentLocation();
  if (parser.parseType(image.type))
    return failure();
  auto type = dyn_cast<ImageType>(image.type);
  if (!type || !type.hasShape())
    return parser.emitError(at)
           << "expected the image's size, as in !root.image<32x32x3> (height x "
              "width x channels)";
  if (parser.parseRParen() || parseClauses(parser, result, networkClauses))
    return failure();
  result.addAttribute("sym_name", name);
  result.addAttribute(
      "image", parser.getBuilder().getDenseI64ArrayAttr(type.getShape()));
  if (!result.attributes.get("shaped"))
    image.type = ImageType::get(parser.getContext(), {});
  return failure(parseExtraAttributes(parser, result, /*withKeyword=*/true) ||
                 parser.parseRegion(*result.addRegion(), image));
}

void NetworkOp::print(OpAsmPrinter &printer) {
  printer << " ";
  printer.printSymbolName(getSymName());
  printer << "(";
  printer.printOperand(getImageArgument());
  printer << ": " << ImageType::get(getContext(), getImage()) << ")";
  for (const Clause &clause : networkClauses)
    printClause(printer, *this, clause);
  printer.printOptionalAttrDictWithKeyword(
      llvm::to_vector((*this)->getDiscardableAttrs()));
  printer << " ";
  printer.printRegion(getBody(), /*printEntryBlockArgs=*/false);
}
