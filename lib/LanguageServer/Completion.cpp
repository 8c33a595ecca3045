//===- Completion.cpp - What may come next --------------------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialect/LayerSyntax.h"
#include "lib/LanguageServer/Document.h"
#include "lib/LanguageServer/Reference.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"

using namespace llvm;
using namespace rootc;
using root::Clause;
using root::ClauseKind;
using root::LayerSyntax;

/// What may stand at one place.
class Document::Completion {
public:
  Completion(const Document &document, size_t offset, bool snippets)
      : document(document), offset(offset), snippets(snippets) {}

  lsp::CompletionList run() {
    if (readBefore())
      offer();
    return std::move(list);
  }

private:
  /// The statement as far as the cursor, less the word that is being typed;
  /// false within comments and strings, where nothing is offered.
  bool readBefore() {
    StringRef text = document.text;
    std::vector<Token> all;
    for (const Token &token : document.tokens) {
      if (token.begin(text) >= offset)
        break;
      bool typing = token.end(text) >= offset;
      if (typing &&
          (token.kind == TokenKind::Comment || token.kind == TokenKind::String))
        // Behind the closing quote all is well.
        if (token.kind == TokenKind::Comment || token.end(text) > offset ||
            token.text.size() < 2 || token.text.back() != '"')
          return false;
      if (token.kind == TokenKind::Comment)
        continue;
      braces += int(token.is("{")) - int(token.is("}"));
      if (typing && token.kind != TokenKind::Mark &&
          token.kind != TokenKind::String)
        typed = text.slice(token.begin(text), offset);
      else
        all.push_back(token);
    }
    std::vector<Statement> statements = splitStatements(all);
    if (statements.empty() || all.back().is("}"))
      return true;
    before = std::move(statements.back().tokens);
    // A head's brace ends it.
    if (before.back().is("{"))
      before.clear();
    return true;
  }

  void offer() {
    const auto *op = find_if(ArrayRef(before), [](const Token &token) {
      return token.kind == TokenKind::Word;
    });
    bool hasOp = op != ArrayRef(before).end();
    const LayerSyntax *syntax =
        hasOp ? root::findLayerSyntax(op->text) : nullptr;
    if (braces <= 0 && !hasOp)
      return offerNetwork();
    if (!hasOp)
      return offerOps();
    if (!syntax)
      return;
    bool isNetwork = op->text == root::NetworkOp::getOperationName();
    ArrayRef<Token> rest = ArrayRef(before).drop_front(op - before.data() + 1);
    if (const Clause *clause = openClause(*syntax, rest))
      return offerWords(*clause);
    bool complete = !isNetwork && !rest.empty() &&
                    rest.back().kind != TokenKind::String &&
                    !rest.back().is(",");
    if (isNetwork)
      complete = !rest.empty() && rest.back().is(")");
    // Behind a statement another one may begin.
    if (onNewLine() && !typed.starts_with("%"))
      offerOps();
    if (complete)
      return offerClauses(*syntax, rest);
    if (!isNetwork)
      offerValues();
  }

  bool onNewLine() const {
    StringRef text = document.text;
    size_t begin = before.back().end(text);
    return text.slice(begin, offset).contains('\n');
  }

  /// The clause in whose parentheses the cursor is; null if it is in none.
  static const Clause *openClause(const LayerSyntax &syntax,
                                  ArrayRef<Token> rest) {
    if (rest.size() < 2 || !rest.back().is("("))
      return nullptr;
    return find(syntax, rest[rest.size() - 2].text);
  }

  static const Clause *find(const LayerSyntax &syntax, StringRef keyword) {
    const auto *found = find_if(syntax.clauses, [&](const Clause &clause) {
      return clause.keyword == keyword;
    });
    return found == syntax.clauses.end() ? nullptr : found;
  }

  lsp::CompletionItem &add(const Twine &label, lsp::CompletionItemKind kind) {
    // In the order in which they are offered.
    std::string order = formatv("{0,0+4}", list.items.size());
    lsp::CompletionItem &item = list.items.emplace_back(label, kind, order);
    // Editors differ in what is a word: whether % and . are part of one.
    item.textEdit.emplace();
    item.textEdit->range = {document.positions.position(offset - typed.size()),
                            document.positions.position(offset)};
    item.textEdit->newText = item.label;
    return item;
  }

  static void explain(lsp::CompletionItem &item, std::string markdown) {
    if (!markdown.empty())
      item.documentation =
          lsp::MarkupContent{lsp::MarkupKind::Markdown, std::move(markdown)};
  }

  /// What is put in, with its example as a placeholder where that is known.
  void insert(lsp::CompletionItem &item, const std::string &snippet,
              const std::string &plain) const {
    item.textEdit->newText = snippets ? snippet : plain;
    item.insertTextFormat = snippets ? lsp::InsertTextFormat::Snippet
                                     : lsp::InsertTextFormat::PlainText;
  }

  void offerNetwork() {
    auto &item = add("root.network", lsp::CompletionItemKind::Module);
    item.detail = "a network";
    explain(item, describeOp("root.network"));
    insert(item,
           "root.network @${1:name}(%image: !root.image<${2:32x32x3}>) "
           "classes(${3:10}) {\n  $0\n}",
           "root.network");
  }

  void offerOps() {
    bool afterEquals = !before.empty() && before.back().is("=");
    for (const LayerSyntax &syntax : root::layerSyntaxes()) {
      bool hasResult = syntax.op != root::NetworkOp::getOperationName() &&
                       syntax.op != root::OutputOp::getOperationName() &&
                       syntax.op != root::AuxiliaryOp::getOperationName();
      if (hasResult != afterEquals ||
          syntax.op == root::NetworkOp::getOperationName())
        continue;
      std::string snippet = syntax.op.str();
      unsigned place = 1;
      if (syntax.named)
        snippet += formatv(" \"${{{0}:name}\"", place++);
      snippet += formatv(" %${0}", place++);
      for (const Clause &clause : syntax.clauses)
        if (clause.required)
          snippet += " " + clauseSnippet(clause, place);
      auto &item = add(syntax.op, lsp::CompletionItemKind::Function);
      explain(item, describeOp(syntax.op));
      insert(item, snippet, syntax.op.str());
    }
  }

  static std::string clauseSnippet(const Clause &clause, unsigned &place) {
    StringRef value = clause.example.drop_front(clause.keyword.size());
    if (!value.consume_front("(") || !value.consume_back(")"))
      return clause.example.str();
    if (value.contains('|'))
      return formatv("{0}(${{{1}|{2}|})", clause.keyword, place++,
                     replaced(value));
    return formatv("{0}(${{{1}:{2}})", clause.keyword, place++, value);
  }
  /// a|b as snippets list choices.
  static std::string replaced(StringRef words) {
    std::string text = words.str();
    replace(text, '|', ',');
    return text;
  }

  void offerClauses(const LayerSyntax &syntax, ArrayRef<Token> rest) {
    for (bool required : {true, false})
      for (const Clause &clause : syntax.clauses) {
        auto isThis = [&](const Token &token) {
          return token.kind == TokenKind::Word && token.text == clause.keyword;
        };
        bool given = any_of(rest, isThis) || any_of(behind(), isThis);
        if (given || clause.required != required)
          continue;
        auto &item = add(clause.keyword, lsp::CompletionItemKind::Property);
        item.detail = clause.example.str();
        explain(item, describeClause(syntax.op, clause));
        unsigned place = 1;
        bool hasValue = clause.example != clause.keyword;
        insert(item, clauseSnippet(clause, place),
               clause.keyword.str() + (hasValue ? "(" : ""));
      }
  }

  /// What of the statement stands behind the cursor.
  ArrayRef<Token> behind() const {
    const Statement *statement = document.statementAt(offset);
    if (!statement)
      return {};
    return ArrayRef(statement->tokens).drop_while([&](const Token &token) {
      return token.begin(document.text) < offset;
    });
  }

  void offerWords(const Clause &clause) {
    if (clause.kind != ClauseKind::Word && clause.kind != ClauseKind::Rounding)
      return;
    StringRef words = clause.example.drop_front(clause.keyword.size() + 1);
    SmallVector<StringRef> all;
    words.drop_back().split(all, '|');
    for (StringRef word : all)
      add(word, lsp::CompletionItemKind::EnumMember);
  }

  /// Those made before the cursor, the latest first.
  void offerValues() {
    const Network *network = document.networkAt(offset);
    if (!network)
      return;
    StringRef text = document.text;
    for (size_t i = network->end; i-- > network->begin;) {
      const Statement &statement = document.statements[i];
      if (statement.tokens.front().begin(text) >= before.front().begin(text))
        continue;
      for (const Token &token : statement.tokens) {
        bool makes = i == network->begin || &token == &statement.tokens.front();
        if (token.kind != TokenKind::Value || !makes)
          continue;
        auto &item = add(token.text, lsp::CompletionItemKind::Variable);
        item.detail = statement.op() ? statement.op()->text.str() : "";
        explain(item, document.describe(token));
      }
    }
  }

  const Document &document;
  size_t offset;
  bool snippets;
  int braces = 0;            ///< that are open
  StringRef typed;           ///< of the word at the cursor
  std::vector<Token> before; ///< of its statement
  lsp::CompletionList list;
};

lsp::CompletionList Document::complete(lsp::Position position,
                                       bool snippets) const {
  return Completion(*this, positions.offset(position), snippets).run();
}
