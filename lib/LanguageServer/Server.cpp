//===- Server.cpp - The language server -----------------------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lib/LanguageServer/Server.h"
#include "lib/LanguageServer/Document.h"
#include "lib/LanguageServer/Messages.h"

#include "llvm/Support/CrashRecoveryContext.h"
#include "llvm/Support/LSP/Logging.h"

using namespace llvm;
using namespace rootc;

//===----------------------------------------------------------------------===//
// What LLVM's protocol leaves out
//===----------------------------------------------------------------------===//

namespace {

struct StartParams {
  bool snippets = false;
  PipelineOptions options;
};

struct FormattingParams {
  lsp::TextDocumentIdentifier textDocument;
};

bool fromJSON(const json::Value &value, StartParams &result, json::Path path) {
  const json::Object *object = value.getAsObject();
  // Whatever is missing is not there.
  for (const char *key :
       {"capabilities", "textDocument", "completion", "completionItem"})
    object = object ? object->getObject(key) : nullptr;
  if (object)
    result.snippets = object->getBoolean("snippetSupport").value_or(false);
  json::ObjectMapper map(value, path);
  const json::Object *given =
      map ? value.getAsObject()->getObject("initializationOptions") : nullptr;
  if (!given)
    return bool(map);
  auto text = [&](StringRef key, std::string &option) {
    if (auto found = given->getString(key))
      option = found->str();
  };
  result.options.root =
      std::max<int64_t>(0, given->getInteger("root").value_or(0));
  text("topology", result.options.topology);
  text("groups", result.options.groups);
  text("image", result.options.image);
  return true;
}

bool fromJSON(const json::Value &value, FormattingParams &result,
              json::Path path) {
  json::ObjectMapper map(value, path);
  return map && map.map("textDocument", result.textDocument);
}

//===----------------------------------------------------------------------===//
// Handlers
//===----------------------------------------------------------------------===//

class Server {
public:
  explicit Server(lsp::MessageHandler &messages)
      : publish(messages.outgoingNotification<lsp::PublishDiagnosticsParams>(
            "textDocument/publishDiagnostics")) {
    messages.method("initialize", this, &Server::initialize);
    messages.method("shutdown", this, &Server::shutdown);
    messages.notification("initialized", this, &Server::ignore);
    messages.notification("textDocument/didOpen", this, &Server::open);
    messages.notification("textDocument/didChange", this, &Server::change);
    messages.notification("textDocument/didClose", this, &Server::close);
    messages.method("textDocument/hover", this, &Server::hover);
    messages.method("textDocument/definition", this, &Server::definition);
    messages.method("textDocument/references", this, &Server::references);
    messages.method("textDocument/documentSymbol", this, &Server::symbols);
    messages.method("textDocument/completion", this, &Server::complete);
    messages.method("textDocument/formatting", this, &Server::format);
  }

  bool wasShutDown() const { return over; }

private:
  void initialize(const StartParams &params, lsp::Callback<json::Value> reply) {
    snippets = params.snippets;
    options = params.options;
    json::Object capabilities{
        {"textDocumentSync",
         json::Object{{"openClose", true},
                      {"change", int(lsp::TextDocumentSyncKind::Full)}}},
        {"hoverProvider", true},
        {"definitionProvider", true},
        {"referencesProvider", true},
        {"documentSymbolProvider", true},
        {"documentFormattingProvider", true},
        {"completionProvider",
         json::Object{{"triggerCharacters", {"%", " ", "(", "."}}}},
    };
    reply(json::Object{{"serverInfo", json::Object{{"name", "rootc-lsp-server"},
                                                   {"version", ROOTC_VERSION}}},
                       {"capabilities", std::move(capabilities)}});
  }

  void shutdown(const lsp::NoParams &, lsp::Callback<std::nullptr_t> reply) {
    over = true;
    reply(nullptr);
  }

  void ignore(const lsp::NoParams &) {}

  void open(const lsp::DidOpenTextDocumentParams &params) {
    update(params.textDocument.uri, params.textDocument.text,
           params.textDocument.version);
  }

  void change(const lsp::DidChangeTextDocumentParams &params) {
    // Each change is the whole text.
    if (!params.contentChanges.empty() && !params.contentChanges.back().range)
      update(params.textDocument.uri, params.contentChanges.back().text,
             params.textDocument.version);
  }

  void close(const lsp::DidCloseTextDocumentParams &params) {
    documents.erase(params.textDocument.uri.file());
    publish(lsp::PublishDiagnosticsParams(params.textDocument.uri, 0));
  }

  void hover(const lsp::TextDocumentPositionParams &params,
             lsp::Callback<std::optional<lsp::Hover>> reply) {
    const Document *document = find(params.textDocument);
    reply(document ? document->hover(params.position) : std::nullopt);
  }

  void definition(const lsp::TextDocumentPositionParams &params,
                  lsp::Callback<std::vector<lsp::Location>> reply) {
    const Document *document = find(params.textDocument);
    reply(document ? document->definition(params.position)
                   : std::vector<lsp::Location>());
  }

  void references(const lsp::ReferenceParams &params,
                  lsp::Callback<std::vector<lsp::Location>> reply) {
    const Document *document = find(params.textDocument);
    reply(document ? document->references(params.position,
                                          params.context.includeDeclaration)
                   : std::vector<lsp::Location>());
  }

  void symbols(const lsp::DocumentSymbolParams &params,
               lsp::Callback<std::vector<lsp::DocumentSymbol>> reply) {
    const Document *document = find(params.textDocument);
    reply(document ? document->symbols() : std::vector<lsp::DocumentSymbol>());
  }

  void complete(const lsp::CompletionParams &params,
                lsp::Callback<lsp::CompletionList> reply) {
    const Document *document = find(params.textDocument);
    reply(document ? document->complete(params.position, snippets)
                   : lsp::CompletionList());
  }

  void format(const FormattingParams &params,
              lsp::Callback<std::vector<lsp::TextEdit>> reply) {
    std::vector<lsp::TextEdit> edits;
    if (const Document *document = find(params.textDocument))
      runSafely([&] { edits = document->format(); });
    reply(std::move(edits));
  }

  const Document *find(const lsp::TextDocumentIdentifier &identifier) const {
    auto found = documents.find(identifier.uri.file());
    return found == documents.end() ? nullptr : found->second.get();
  }

  /// False if that crashed.
  static bool runSafely(function_ref<void()> run) {
    CrashRecoveryContext recovery;
    // MLIR's parser recurses.
    const unsigned stackBytes = 256u << 20;
    return recovery.RunSafelyOnThread(run, stackBytes);
  }

  void update(const lsp::URIForFile &uri, const std::string &text,
              int64_t version) {
    std::unique_ptr<Document> document;
    lsp::PublishDiagnosticsParams params(uri, version);
    bool survived = runSafely([&] {
      document = std::make_unique<Document>(uri, text, options);
      params.diagnostics = document->diagnostics();
    });
    if (!survived) {
      lsp::Diagnostic &diagnostic = params.diagnostics.emplace_back();
      diagnostic.severity = lsp::DiagnosticSeverity::Error;
      diagnostic.source = "rootc";
      diagnostic.message =
          "the compiler crashed on this text; please report it with the file";
    }
    documents[uri.file()] = std::move(document);
    publish(params);
  }

  lsp::OutgoingNotification<lsp::PublishDiagnosticsParams> publish;
  StringMap<std::unique_ptr<Document>> documents;
  PipelineOptions options;
  bool snippets = false, over = false;
};

} // namespace

int rootc::runLanguageServer(std::FILE *in, raw_ostream &out) {
  CrashRecoveryContext::Enable();
  lsp::Logger::setLogLevel(lsp::Logger::Level::Error);
  lsp::JSONTransport transport(std::make_unique<CheckedInput>(in), out);
  lsp::MessageHandler messages(transport);
  Server server(messages);
  Error error = transport.run(messages);
  bool failed = bool(error);
  if (failed)
    lsp::Logger::error("{0}", toString(std::move(error)));
  return server.wasShutDown() && !failed ? 0 : 1;
}
