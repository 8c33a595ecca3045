//===- ClauseSyntax.cpp - Reading and writing clauses ---------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialect/ClauseSyntax.h"

#include "mlir/IR/Builders.h"
#include "llvm/ADT/SmallBitVector.h"
#include "llvm/ADT/StringExtras.h"

#include <cstdlib>

using namespace mlir;
using namespace rootc::root;

//===----------------------------------------------------------------------===//
// Reading
//===----------------------------------------------------------------------===//

namespace {

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

/// Advances over what follows the digits of 1e4 or 1e-4.
ParseResult parseExponent(OpAsmParser &parser, const char *&end) {
  StringRef word;
  if (parser.parseOptionalKeyword(&word))
    return failure();
  end += word.size();
  if (word.size() > 1)
    return success(llvm::all_of(word.drop_front(), llvm::isDigit));
  end += *end == '-' || *end == '+';
  if (!llvm::isDigit(*end))
    return failure();
  while (llvm::isDigit(*end))
    ++end;
  APInt digits;
  (void)parser.parseOptionalPlus();
  OptionalParseResult read = parser.parseOptionalInteger(digits);
  return success(read.has_value() && succeeded(*read));
}

/// MLIR's float literals need a point; people also write 1, 1e-4 and 1e4.
ParseResult parseNumber(OpAsmParser &parser, const Clause &clause,
                        Attribute &value) {
  SMLoc at = parser.getCurrentLocation();
  auto malformed = [&] {
    return parser.emitError(at)
           << "expected a number, as in " << clause.example;
  };
  const char *begin = at.getPointer(), *end = begin + (*begin == '-');
  if (!llvm::isDigit(*end))
    return malformed();
  while (llvm::isDigit(*end))
    ++end;
  double number = 0;
  if (*end == '.') {
    if (parser.parseFloat(number))
      return failure();
  } else {
    APInt digits;
    OptionalParseResult read = parser.parseOptionalInteger(digits);
    if (!read.has_value() || failed(*read) || *end == 'x')
      return malformed();
    if ((*end == 'e' || *end == 'E') && failed(parseExponent(parser, end)))
      return malformed();
    number = std::strtod(std::string(begin, end).c_str(), nullptr);
  }
  value = parser.getBuilder().getF64FloatAttr(number);
  return success();
}

/// The words that a clause takes: of its example, mode(a|b).
SmallVector<StringRef> wordsOf(const Clause &clause) {
  SmallVector<StringRef> words;
  clause.example.drop_front(clause.keyword.size() + 1)
      .drop_back()
      .split(words, '|');
  return words;
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
  case ClauseKind::Word: {
    SmallVector<StringRef> words = wordsOf(clause);
    StringRef word;
    if (parser.parseOptionalKeyword(&word) || !llvm::is_contained(words, word))
      return parser.emitError(at) << "expected " << llvm::join(words, " or ");
    value = builder.getStringAttr(word);
    break;
  }
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

} // namespace

ParseResult rootc::root::parseClauses(OpAsmParser &parser,
                                      OperationState &result,
                                      ArrayRef<Clause> clauses) {
  SMLoc opAt = parser.getNameLoc();
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
                               << "has no clause '" << word << "'; ";
    if (clauses.empty())
      return error << "it takes none";
    return error << "it takes " << listClauses(clauses);
  }
  Builder &builder = parser.getBuilder();
  for (auto [index, clause] : llvm::enumerate(clauses)) {
    if (seen.test(index))
      continue;
    if (clause.required)
      return parser.emitError(opAt) << "needs the clause '" << clause.keyword
                                    << "', as in " << clause.example;
    if (clause.kind == ClauseKind::Pair) {
      auto size = static_cast<int64_t>(clause.defaultValue.value_or(1));
      result.addAttribute(clause.attribute,
                          builder.getDenseI64ArrayAttr({size, size}));
    } else if (clause.kind == ClauseKind::Pad)
      result.addAttribute(clause.attribute,
                          builder.getDenseI64ArrayAttr({0, 0, 0, 0}));
  }
  return success();
}

//===----------------------------------------------------------------------===//
// Writing
//===----------------------------------------------------------------------===//

namespace {

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

} // namespace

void rootc::root::printClause(OpAsmPrinter &printer, Operation *op,
                              const Clause &clause) {
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
  } else if (auto word = dyn_cast_or_null<StringAttr>(value);
             word && clause.kind == ClauseKind::Word) {
    if (word.getValue() != wordsOf(clause).front()) {
      keyword();
      printer << "(" << word.getValue() << ")";
    }
  } else if (clause.kind == ClauseKind::NoBias) {
    if (auto bias = dyn_cast_or_null<BoolAttr>(value); bias && !bias.getValue())
      keyword();
  } else if (clause.kind == ClauseKind::Rounding && value) {
    keyword();
    printer << "(ceil)";
  }
}
