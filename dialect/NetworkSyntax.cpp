//===- NetworkSyntax.cpp - The written form of network ops ----------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// All layers are written alike: a name in quotes if the layer has parameters,
// operands, clauses in any order, and once shapes are inferred the types. So
// one table a layer drives both its parser and its printer.
//
//===----------------------------------------------------------------------===//

#include "dialect/RootDialect.h"

#include "mlir/IR/Builders.h"
#include "llvm/ADT/StringExtras.h"

#include <cstdlib>

using namespace mlir;
using namespace rootc::root;

namespace {

enum class ClauseKind {
  Integer,
  Float,
  Pair,     ///< 5 or 5x3: vertical, horizontal
  Pad,      ///< 2, 2x1 or 0,0,1,1
  Flag,     ///< a keyword alone: a unit attribute
  NoBias,   ///< a keyword alone: bias = false
  Rounding, ///< floor or ceil: unit attribute `ceil`
};

struct Clause {
  StringLiteral keyword;
  ClauseKind kind;
  StringLiteral attribute;
  StringLiteral example;
  bool required = false;
  std::optional<double> defaultValue = std::nullopt; ///< not printed
};

struct Syntax {
  bool named;
  int operands; ///< 0: any number
  ArrayRef<Clause> clauses;
};

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
    {"stage", ClauseKind::Integer, "stage", "stage(1)"},
    {"ungrouped", ClauseKind::Flag, "ungrouped", "ungrouped"},
};
constexpr Clause batchNormClauses[] = {
    {"epsilon", ClauseKind::Float, "epsilon", "epsilon(1e-5)", false, 1e-5},
    {"momentum", ClauseKind::Float, "momentum", "momentum(0.1)", false, 0.1},
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
constexpr Clause linearClauses[] = {
    {"outputs", ClauseKind::Integer, "outputs", "outputs(10)", true},
    biasClause,
};
constexpr Clause dropoutClauses[] = {
    {"rate", ClauseKind::Float, "rate", "rate(0.5)", false, 0.5},
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

//===----------------------------------------------------------------------===//
// Reading
//===----------------------------------------------------------------------===//

/// The text from the current token on; the parser's buffer ends with a NUL.
const char *peek(OpAsmParser &parser) {
  return parser.getCurrentLocation().getPointer();
}

ParseResult parseSizes(OpAsmParser &parser, const Clause &clause,
                       SmallVectorImpl<int64_t> &sizes) {
  SMLoc at = parser.getCurrentLocation();
  if (!llvm::isDigit(*peek(parser)))
    return parser.emitError(at)
           << "expected sizes that are not negative, as in " << clause.example;
  return parser.parseDimensionList(sizes, /*allowDynamic=*/false,
                                   /*withTrailingX=*/false);
}

ParseResult parsePair(OpAsmParser &parser, const Clause &clause,
                      Attribute &value) {
  SMLoc at = parser.getCurrentLocation();
  SmallVector<int64_t> sizes;
  if (parseSizes(parser, clause, sizes))
    return failure();
  if (sizes.size() == 1)
    sizes.push_back(sizes[0]);
  if (sizes.size() != 2)
    return parser.emitError(at)
           << "'" << clause.keyword
           << "' takes one or two sizes, as in 3 or 3x5 (height x width); got "
           << sizes.size();
  value = parser.getBuilder().getDenseI64ArrayAttr(sizes);
  return success();
}

ParseResult parsePad(OpAsmParser &parser, const Clause &clause,
                     Attribute &value) {
  SMLoc at = parser.getCurrentLocation();
  SmallVector<int64_t> sizes;
  int parts = 0;
  do {
    ++parts;
    if (parseSizes(parser, clause, sizes))
      return failure();
  } while (succeeded(parser.parseOptionalComma()));
  if (parts == 1 && sizes.size() == 1)
    sizes.assign(4, sizes[0]);
  else if (parts == 1 && sizes.size() == 2)
    sizes = {sizes[0], sizes[1], sizes[0], sizes[1]};
  else if (parts != 4 || sizes.size() != 4)
    return parser.emitError(at)
           << "'" << clause.keyword
           << "' is written pad(2), pad(2x1) (vertical x horizontal) or "
              "pad(0,0,1,1) (top, left, bottom, right)";
  value = parser.getBuilder().getDenseI64ArrayAttr(sizes);
  return success();
}

/// MLIR's float literals need a point; people also write 1, 1e-4 and 1e4.
ParseResult parseNumber(OpAsmParser &parser, const Clause &clause,
                        Attribute &value) {
  const char *begin = peek(parser), *end = begin;
  end += *end == '-';
  while (llvm::isDigit(*end))
    ++end;
  double number = 0;
  if (end == begin || (end == begin + 1 && *begin == '-'))
    return parser.emitError(parser.getCurrentLocation())
           << "expected a number, as in " << clause.example;
  if (*end == '.') {
    if (parser.parseFloat(number))
      return failure();
  } else {
    APInt digits;
    if (OptionalParseResult read = parser.parseOptionalInteger(digits);
        !read.has_value() || failed(*read))
      return failure();
    StringRef exponent;
    if ((*end == 'e' || *end == 'E') &&
        succeeded(parser.parseOptionalKeyword(&exponent))) {
      ++end;
      if (exponent.size() == 1) {
        end += *end == '-' || *end == '+';
        (void)parser.parseOptionalPlus();
        if (OptionalParseResult read = parser.parseOptionalInteger(digits);
            !read.has_value() || failed(*read))
          return failure();
      }
      while (llvm::isDigit(*end))
        ++end;
    }
    number = std::strtod(std::string(begin, end).c_str(), nullptr);
  }
  value = parser.getBuilder().getF64FloatAttr(number);
  return success();
}

ParseResult parseValue(OpAsmParser &parser, const Clause &clause,
                       Attribute &value) {
  Builder &builder = parser.getBuilder();
  if (clause.kind == ClauseKind::Flag) {
    value = builder.getUnitAttr();
    return success();
  }
  if (clause.kind == ClauseKind::NoBias) {
    value = builder.getBoolAttr(false);
    return success();
  }
  if (parser.parseLParen())
    return failure();
  SMLoc at = parser.getCurrentLocation();
  switch (clause.kind) {
  case ClauseKind::Integer: {
    int64_t number = 0;
    OptionalParseResult read = parser.parseOptionalInteger(number);
    if (!read.has_value())
      return parser.emitError(at)
             << "expected a whole number, as in " << clause.example;
    if (failed(*read))
      return failure();
    value = builder.getI64IntegerAttr(number);
    break;
  }
  case ClauseKind::Float:
    if (parseNumber(parser, clause, value))
      return failure();
    break;
  case ClauseKind::Pair:
    if (parsePair(parser, clause, value))
      return failure();
    break;
  case ClauseKind::Pad:
    if (parsePad(parser, clause, value))
      return failure();
    break;
  default:
    if (succeeded(parser.parseOptionalKeyword("ceil")))
      value = builder.getUnitAttr();
    else if (failed(parser.parseOptionalKeyword("floor")))
      return parser.emitError(at) << "expected floor or ceil";
    break;
  }
  return parser.parseRParen();
}

std::string listClauses(ArrayRef<Clause> clauses) {
  return llvm::join(
      llvm::map_range(clauses, [](const Clause &c) { return c.example.str(); }),
      ", ");
}

/// Whether the current token is a word that can start no op, so that it must
/// be meant as a clause: ops have a point in their names.
bool atStrayWord(OpAsmParser &parser, StringRef &word) {
  const char *begin = peek(parser), *end = begin;
  while (llvm::isAlnum(*end) || *end == '_' || *end == '$' || *end == '.')
    ++end;
  word = StringRef(begin, end - begin);
  return end != begin && !word.contains('.') && word != "loc" &&
         word != "attributes";
}

ParseResult parseClauses(OpAsmParser &parser, OperationState &result,
                         ArrayRef<Clause> clauses) {
  SMLoc opAt = parser.getNameLoc();
  StringRef op = result.name.getStringRef();
  llvm::SmallBitVector seen(clauses.size());
  for (;;) {
    SMLoc at = parser.getCurrentLocation();
    const Clause *found = llvm::find_if(clauses, [&](const Clause &clause) {
      return succeeded(parser.parseOptionalKeyword(clause.keyword));
    });
    if (found == clauses.end())
      break;
    size_t index = found - clauses.begin();
    if (seen.test(index))
      return parser.emitError(at)
             << "clause '" << found->keyword << "' is given twice";
    seen.set(index);
    Attribute value;
    if (parseValue(parser, *found, value))
      return failure();
    if (value)
      result.addAttribute(found->attribute, value);
  }
  if (StringRef word; atStrayWord(parser, word)) {
    InFlightDiagnostic error = parser.emitError(parser.getCurrentLocation())
                               << "'" << op << "' has no clause '" << word
                               << "'; ";
    if (clauses.empty())
      return error << "it takes none";
    return error << "it takes " << listClauses(clauses);
  }
  for (auto [index, clause] : llvm::enumerate(clauses)) {
    if (seen.test(index))
      continue;
    if (clause.required)
      return parser.emitError(opAt)
             << "'" << op << "' needs the clause '" << clause.keyword
             << "', as in " << clause.example;
    Builder &builder = parser.getBuilder();
    if (clause.kind == ClauseKind::Pair)
      result.addAttribute(clause.attribute,
                          builder.getDenseI64ArrayAttr({1, 1}));
    else if (clause.kind == ClauseKind::Pad)
      result.addAttribute(clause.attribute,
                          builder.getDenseI64ArrayAttr({0, 0, 0, 0}));
  }
  return success();
}

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
                       const Syntax &syntax) {
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

//===----------------------------------------------------------------------===//
// Writing
//===----------------------------------------------------------------------===//

/// The shortest decimal that reads back as the same number.
void printNumber(OpAsmPrinter &printer, double number) {
  char text[32];
  for (int digits = 6; digits <= 17; ++digits) {
    std::snprintf(text, sizeof text, "%.*g", digits, number);
    if (std::strtod(text, nullptr) == number)
      break;
  }
  printer << text;
}

void printSizes(OpAsmPrinter &printer, ArrayRef<int64_t> sizes) {
  if (sizes.size() == 2 && sizes[0] == sizes[1])
    sizes = sizes.drop_back();
  printer.printDimensionList(sizes);
}

void printClause(OpAsmPrinter &printer, Operation *op, const Clause &clause) {
  Attribute value = op->getAttr(clause.attribute);
  auto keyword = [&] { printer << " " << clause.keyword; };
  auto isDefault = [&](double number) { return clause.defaultValue == number; };
  if (auto number = dyn_cast_or_null<IntegerAttr>(value);
      number && clause.kind == ClauseKind::Integer) {
    if (!isDefault(number.getInt())) {
      keyword();
      printer << "(" << number.getInt() << ")";
    }
  } else if (auto number = dyn_cast_or_null<FloatAttr>(value)) {
    if (!isDefault(number.getValueAsDouble())) {
      keyword();
      printer << "(";
      printNumber(printer, number.getValueAsDouble());
      printer << ")";
    }
  } else if (auto array = dyn_cast_or_null<DenseI64ArrayAttr>(value)) {
    ArrayRef<int64_t> sizes = array.asArrayRef();
    if (llvm::all_of(sizes, isDefault))
      return;
    keyword();
    printer << "(";
    if (clause.kind == ClauseKind::Pair)
      // A kernel reads as kernel(5x5), a stride as stride(2).
      clause.required ? printer.printDimensionList(sizes)
                      : printSizes(printer, sizes);
    else if (sizes[0] == sizes[2] && sizes[1] == sizes[3])
      printSizes(printer, sizes.take_front(2));
    else
      llvm::interleave(sizes, printer.getStream(), ",");
    printer << ")";
  } else if (clause.kind == ClauseKind::Flag) {
    if (value)
      keyword();
  } else if (clause.kind == ClauseKind::NoBias) {
    if (auto bias = dyn_cast_or_null<BoolAttr>(value); bias && !bias.getValue())
      keyword();
  } else if (clause.kind == ClauseKind::Rounding && value) {
    keyword();
    printer << "(ceil)";
  }
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

void printLayer(OpAsmPrinter &printer, Operation *op, const Syntax &syntax) {
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

#define LAYER_SYNTAX(OP, NAMED, OPERANDS, CLAUSES)                             \
  ParseResult OP::parse(OpAsmParser &parser, OperationState &result) {         \
    return parseLayer(parser, result, {NAMED, OPERANDS, CLAUSES});             \
  }                                                                            \
  void OP::print(OpAsmPrinter &printer) {                                      \
    printLayer(printer, *this, {NAMED, OPERANDS, CLAUSES});                    \
  }
#define LOGITS_SYNTAX(OP, CLAUSES)                                             \
  ParseResult OP::parse(OpAsmParser &parser, OperationState &result) {         \
    return parseLogits(parser, result, CLAUSES);                               \
  }                                                                            \
  void OP::print(OpAsmPrinter &printer) {                                      \
    printLayer(printer, *this, {false, 1, CLAUSES});                           \
  }

LAYER_SYNTAX(Conv2dOp, true, 1, convClauses)
LAYER_SYNTAX(BatchNormOp, true, 1, batchNormClauses)
LAYER_SYNTAX(ReluOp, false, 1, {})
LAYER_SYNTAX(MaxPoolOp, false, 1, maxPoolClauses)
LAYER_SYNTAX(AveragePoolOp, false, 1, averagePoolClauses)
LAYER_SYNTAX(GlobalAveragePoolOp, false, 1, {})
LAYER_SYNTAX(LinearOp, true, 1, linearClauses)
LAYER_SYNTAX(AddOp, false, 2, {})
LAYER_SYNTAX(ConcatOp, false, 0, {})
LAYER_SYNTAX(DropoutOp, false, 1, dropoutClauses)
LAYER_SYNTAX(LocalResponseNormOp, false, 1, responseNormClauses)
LOGITS_SYNTAX(OutputOp, {})
LOGITS_SYNTAX(AuxiliaryOp, auxiliaryClauses)

#undef LAYER_SYNTAX
#undef LOGITS_SYNTAX

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
