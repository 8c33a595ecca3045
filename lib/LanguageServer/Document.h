//===- Document.h - A text in an editor -------------------------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Answers what an editor asks about one text, which may be wrong in any way.
// Names are found by the text alone, so that they are while it is being typed;
// shapes and costs are known as far as layers are right.
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_LANGUAGESERVER_DOCUMENT_H
#define ROOTC_LANGUAGESERVER_DOCUMENT_H

#include "lib/Language/Statements.h"
#include "lib/LanguageServer/Analysis.h"
#include "lib/LanguageServer/Positions.h"

#include <optional>

namespace rootc {

/// One version of one text. Answers may be asked for at any place.
class Document {
public:
  /// `uri` is what places in answers name.
  Document(llvm::lsp::URIForFile uri, std::string text,
           const PipelineOptions &options);
  Document(const Document &) = delete;
  Document &operator=(const Document &) = delete;

  std::vector<llvm::lsp::Diagnostic> diagnostics() const;
  std::optional<llvm::lsp::Hover> hover(llvm::lsp::Position position) const;
  std::vector<llvm::lsp::Location>
  definition(llvm::lsp::Position position) const;
  std::vector<llvm::lsp::Location> references(llvm::lsp::Position position,
                                              bool withDefinition) const;
  std::vector<llvm::lsp::DocumentSymbol> symbols() const;
  /// Completion.cpp. `snippets`: the editor knows ${1:placeholders}.
  llvm::lsp::CompletionList complete(llvm::lsp::Position position,
                                     bool snippets) const;
  /// The edit that formats it; none if it is formatted, or does not parse.
  std::vector<llvm::lsp::TextEdit> format() const;

private:
  /// A network's head and what is in it.
  struct Network {
    size_t begin, end; ///< of `statements`
  };

  const Token *tokenAt(size_t offset) const;
  const Statement *statementAt(size_t offset) const;
  const Network *networkAt(size_t offset) const;
  /// The value's places, where it is made first.
  std::vector<llvm::StringRef> places(const Token &value) const;
  /// What is known of the layer of a statement; null if nothing is.
  const LayerFacts *factsOf(const Statement &statement) const;
  const NetworkCost *costOf(const Statement &statement) const;
  /// The statement that makes `value`; null if none does.
  const Statement *makerOf(const Token &value) const;
  llvm::lsp::Diagnostic diagnosticOf(const Problem &problem) const;

  // Hover.cpp
  std::string describeLayer(const Statement &statement) const;
  std::string describeNetwork(const Statement &statement) const;
  /// In Markdown; "" if there is nothing to say.
  std::string describe(const Token &token) const;

  // Completion.cpp
  class Completion;

  llvm::lsp::URIForFile uri;
  std::string text;
  Positions positions;
  std::vector<Token> tokens;
  std::vector<Statement> statements;
  std::vector<Network> networks;
  Analysis analysis;
};

} // namespace rootc

#endif // ROOTC_LANGUAGESERVER_DOCUMENT_H
