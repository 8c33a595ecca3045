//===- Document.cpp - A text in an editor ---------------------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lib/LanguageServer/Document.h"
#include "dialect/SourceText.h"
#include "lib/Language/Format.h"

#include "mlir/IR/Diagnostics.h"
#include "llvm/ADT/STLExtras.h"

using namespace llvm;
using namespace rootc;

static bool isNetwork(const Statement &statement) {
  return statement.op() && statement.op()->text == "root.network";
}

Document::Document(lsp::URIForFile uri, std::string source,
                   const PipelineOptions &options)
    : uri(std::move(uri)), text(std::move(source)), positions(text),
      tokens(tokenize(text)), statements(splitStatements(tokens)),
      analysis(analyse(text, options)) {
  for (size_t i = 0; i < statements.size(); ++i)
    if (isNetwork(statements[i]))
      networks.push_back({i, i});
    else if (networks.empty())
      networks.push_back({0, 0});
    else
      networks.back().end = i;
  for (Network &network : networks)
    network.end = std::max(network.end, network.begin) + 1;
}

//===----------------------------------------------------------------------===//
// Finding
//===----------------------------------------------------------------------===//

const Token *Document::tokenAt(size_t offset) const {
  const Token *before = nullptr;
  for (const Token &token : tokens) {
    if (token.begin(text) <= offset && offset < token.end(text))
      return &token;
    // The cursor behind a word is at it.
    if (token.end(text) == offset && token.kind != TokenKind::Mark)
      before = &token;
  }
  return before;
}

const Statement *Document::statementAt(size_t offset) const {
  for (const Statement &statement : statements)
    if (statement.tokens.front().begin(text) <= offset &&
        offset <= statement.tokens.back().end(text))
      return &statement;
  return nullptr;
}

const Document::Network *Document::networkAt(size_t offset) const {
  const Network *found = nullptr;
  for (const Network &network : networks)
    if (statements[network.begin].tokens.front().begin(text) <= offset)
      found = &network;
  return found;
}

std::vector<StringRef> Document::places(const Token &value) const {
  std::vector<StringRef> found;
  const Network *network = networkAt(value.begin(text));
  if (!network || value.kind != TokenKind::Value)
    return found;
  for (const Statement &statement :
       ArrayRef(statements)
           .slice(network->begin, network->end - network->begin))
    for (const Token &token : statement.tokens) {
      if (token.text != value.text)
        continue;
      bool makes = &token == &statement.tokens.front() || isNetwork(statement);
      found.insert(makes ? found.begin() : found.end(), token.text);
    }
  return found;
}

const Statement *Document::makerOf(const Token &value) const {
  std::vector<StringRef> all = places(value);
  return all.empty() ? nullptr : statementAt(all[0].data() - text.data());
}

template <typename Facts>
static const Facts *find(const std::map<Place, Facts> &map,
                         const Statement &statement, StringRef text) {
  if (!statement.op())
    return nullptr;
  StringRef before = text.take_front(statement.op()->begin(text));
  Place place = {static_cast<unsigned>(before.count('\n') + 1),
                 static_cast<unsigned>(before.size() - before.rfind('\n'))};
  auto found = map.find(place);
  return found == map.end() ? nullptr : &found->second;
}

const LayerFacts *Document::factsOf(const Statement &statement) const {
  return find(analysis.layers, statement, text);
}

const NetworkCost *Document::costOf(const Statement &statement) const {
  return find(analysis.networks, statement, text);
}

//===----------------------------------------------------------------------===//
// Answers
//===----------------------------------------------------------------------===//

static lsp::DiagnosticSeverity severityOf(mlir::DiagnosticSeverity severity) {
  switch (severity) {
  case mlir::DiagnosticSeverity::Error:
    return lsp::DiagnosticSeverity::Error;
  case mlir::DiagnosticSeverity::Warning:
    return lsp::DiagnosticSeverity::Warning;
  case mlir::DiagnosticSeverity::Remark:
  case mlir::DiagnosticSeverity::Note:
    return lsp::DiagnosticSeverity::Information;
  }
  llvm_unreachable("all severities are above");
}

lsp::Diagnostic Document::diagnosticOf(const Problem &problem) const {
  size_t offset = positions.offset(problem.place.line, problem.place.column);
  auto rangeAt = [&](size_t at) {
    const Token *token = tokenAt(at);
    return token ? positions.range(token->text)
                 : lsp::Range(positions.position(at));
  };
  lsp::Diagnostic diagnostic;
  diagnostic.range = rangeAt(offset);
  diagnostic.severity = severityOf(problem.severity);
  diagnostic.source = "rootc";
  diagnostic.message = problem.message;
  if (problem.notes.empty())
    return diagnostic;
  diagnostic.relatedInformation.emplace();
  for (const Problem &note : problem.notes) {
    size_t at = positions.offset(note.place.line, note.place.column);
    diagnostic.relatedInformation->emplace_back(lsp::Location(uri, rangeAt(at)),
                                                note.message);
  }
  return diagnostic;
}

std::vector<lsp::Diagnostic> Document::diagnostics() const {
  std::vector<lsp::Diagnostic> all;
  for (const Problem &problem : analysis.problems)
    all.push_back(diagnosticOf(problem));
  return all;
}

std::vector<lsp::Location> Document::definition(lsp::Position position) const {
  const Token *token = tokenAt(positions.offset(position));
  if (!token)
    return {};
  std::vector<StringRef> all = places(*token);
  if (all.empty())
    return {};
  return {{uri, positions.range(all[0])}};
}

std::vector<lsp::Location> Document::references(lsp::Position position,
                                                bool withDefinition) const {
  const Token *token = tokenAt(positions.offset(position));
  if (!token)
    return {};
  std::vector<lsp::Location> locations;
  for (StringRef place : places(*token))
    locations.push_back({uri, positions.range(place)});
  if (!withDefinition && !locations.empty())
    locations.erase(locations.begin());
  return locations;
}

std::vector<lsp::DocumentSymbol> Document::symbols() const {
  auto symbolOf =
      [&](const Statement &statement, TokenKind kind,
          lsp::SymbolKind symbol) -> std::optional<lsp::DocumentSymbol> {
    const auto *name =
        find_if(ArrayRef(statement.tokens),
                [&](const Token &token) { return token.kind == kind; });
    if (name == ArrayRef(statement.tokens).end())
      return std::nullopt;
    StringRef label = name->text.trim("\"@");
    lsp::Range selected = positions.range(name->text);
    lsp::Range range(positions.range(statement.tokens.front().text).start,
                     positions.range(statement.tokens.back().text).end);
    return lsp::DocumentSymbol(label.empty() ? "?" : label, symbol, range,
                               selected);
  };
  std::vector<lsp::DocumentSymbol> all;
  for (const Network &network : networks) {
    auto outer = symbolOf(statements[network.begin], TokenKind::Symbol,
                          lsp::SymbolKind::Module);
    if (!outer)
      continue;
    for (size_t i = network.begin + 1; i < network.end; ++i)
      if (auto inner = symbolOf(statements[i], TokenKind::String,
                                lsp::SymbolKind::Function)) {
        inner->detail =
            statements[i].op() ? statements[i].op()->text.str() : "";
        outer->range.end = inner->range.end;
        outer->children.push_back(std::move(*inner));
      }
    all.push_back(std::move(*outer));
  }
  return all;
}

std::vector<lsp::TextEdit> Document::format() const {
  mlir::MLIRContext context(mlir::MLIRContext::Threading::DISABLED);
  context.loadDialect<root::RootDialect>();
  mlir::ScopedDiagnosticHandler quiet(
      &context, [](mlir::Diagnostic &) { return success(); });
  if (root::findSourceProblem(text))
    return {};
  FailureOr<std::string> formatted = formatNetworks("", text, context);
  if (failed(formatted) || *formatted == text)
    return {};
  lsp::TextEdit edit;
  edit.range = positions.range(text);
  edit.newText = std::move(*formatted);
  return {edit};
}
