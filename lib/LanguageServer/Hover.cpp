//===- Hover.cpp - What a word in a network stands for --------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialect/LayerSyntax.h"
#include "lib/LanguageServer/Document.h"
#include "lib/LanguageServer/Reference.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"

using namespace llvm;
using namespace rootc;
using root::MapShape;

static std::string shapeText(const MapShape &shape) {
  return formatv("{0}x{1}x{2}", shape.height, shape.width, shape.channels);
}

/// 1,234,567
static std::string numberText(int64_t number) {
  return formatv("{0:n}", number);
}

static std::string shapesText(const LayerFacts &facts) {
  std::string text = join(map_range(facts.inputs, shapeText), ", ");
  return facts.result ? text + " → " + shapeText(*facts.result) : text;
}

std::string Document::describeLayer(const Statement &statement) const {
  const LayerFacts *facts = factsOf(statement);
  if (!facts)
    return "";
  std::string text = shapesText(*facts) + "\n\n";
  raw_string_ostream stream(text);
  const Network *network =
      networkAt(statement.tokens.front().begin(this->text));
  const NetworkCost *whole = costOf(statements[network->begin]);
  if (facts->cost) {
    const LayerCost &cost = *facts->cost;
    auto part = [&](int64_t number, int64_t NetworkCost::*all) {
      stream << numberText(number);
      if (whole && whole->*all)
        stream << formatv(", {0:f1}% of the network's",
                          100.0 * static_cast<double>(number) /
                              static_cast<double>(whole->*all));
      stream << "\n";
    };
    if (cost.op != "linear")
      stream << formatv("- groups: {0}, of {1} channels each\n", cost.groups,
                        facts->inputs[0].channels / cost.groups);
    stream << "- parameters: ";
    part(cost.params, &NetworkCost::params);
    stream << "- multiply-adds an image: ";
    part(cost.macs, &NetworkCost::macs);
  }
  if (facts->uncountedParams)
    stream << "- parameters that are not counted: "
           << numberText(facts->uncountedParams) << "\n";
  return text;
}

std::string Document::describeNetwork(const Statement &statement) const {
  const NetworkCost *cost = costOf(statement);
  if (!cost)
    return "";
  return formatv("@{0}: {1} parameters, {2} multiply-adds an image\n",
                 cost->network, numberText(cost->params),
                 numberText(cost->macs));
}

std::string Document::describe(const Token &token) const {
  const Statement *statement = statementAt(token.begin(text));
  if (token.kind == TokenKind::Comment || !statement || !statement->op())
    return "";
  StringRef op = statement->op()->text;
  const root::LayerSyntax *syntax = root::findLayerSyntax(op);
  if (token.kind == TokenKind::Value) {
    const Statement *maker = makerOf(token);
    if (!maker || !maker->op())
      return "";
    const LayerFacts *facts = factsOf(*maker);
    if (facts && facts->result)
      return formatv("`{0}`: {1}, of `{2}`\n", token.text,
                     shapeText(*facts->result), maker->op()->text);
    return formatv("`{0}`, of `{1}`\n", token.text, maker->op()->text);
  }
  if (!syntax)
    return "";
  if (token.kind == TokenKind::Word && token.text != op) {
    const auto *clause = find_if(syntax->clauses, [&](const root::Clause &c) {
      return c.keyword == token.text;
    });
    if (clause == syntax->clauses.end())
      return "";
    std::string meaning = describeClause(op, *clause);
    return formatv("`{0}` {1}\n", clause->example, meaning);
  }
  bool isOp = token.text == op;
  if (!isOp && token.kind != TokenKind::String &&
      token.kind != TokenKind::Symbol)
    return "";
  std::string facts = op == root::NetworkOp::getOperationName()
                          ? describeNetwork(*statement)
                          : describeLayer(*statement);
  if (!isOp)
    return facts;
  return facts + (facts.empty() ? "" : "\n---\n") + describeOp(op) + "\n";
}

std::optional<lsp::Hover> Document::hover(lsp::Position position) const {
  const Token *token = tokenAt(positions.offset(position));
  if (!token)
    return std::nullopt;
  std::string words = describe(*token);
  if (words.empty())
    return std::nullopt;
  lsp::Hover hover(positions.range(token->text));
  hover.contents.kind = lsp::MarkupKind::Markdown;
  hover.contents.value = std::move(words);
  return hover;
}
