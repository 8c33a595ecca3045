//===- Format.cpp - Networks in the house style ---------------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lib/Language/Format.h"
#include "lib/Language/Layout.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/Location.h"
#include "mlir/IR/OperationSupport.h"
#include "mlir/Parser/Parser.h"
#include "llvm/Support/SourceMgr.h"

using namespace llvm;
using namespace rootc;

/// Parses, and verifies nothing: a network may be formatted before it is right.
static mlir::OwningOpRef<mlir::ModuleOp> parse(StringRef name, StringRef source,
                                               mlir::MLIRContext &context) {
  SourceMgr sources;
  sources.AddNewSourceBuffer(MemoryBuffer::getMemBufferCopy(source, name),
                             SMLoc());
  mlir::ParserConfig config(&context, /*verifyAfterParse=*/false);
  return mlir::parseSourceFile<mlir::ModuleOp>(sources, config);
}

/// What formatting may change in no way, in an order of its own.
static std::vector<StringRef> keptTexts(StringRef source) {
  std::vector<StringRef> kept;
  for (const Token &token : tokenize(source))
    if (token.kind == TokenKind::Comment || token.kind == TokenKind::Value)
      kept.push_back(token.text.rtrim());
  // A comment within a statement goes before it.
  llvm::sort(kept);
  return kept;
}

static bool isSame(mlir::ModuleOp before, mlir::ModuleOp after) {
  return mlir::OperationEquivalence::isEquivalentTo(
      before, after, mlir::OperationEquivalence::IgnoreLocations);
}

FailureOr<std::string> rootc::formatNetworks(StringRef name, StringRef source,
                                             mlir::MLIRContext &context) {
  auto before = parse(name, source, context);
  if (!before)
    return failure();
  std::string text = layOut(source);
  mlir::OwningOpRef<mlir::ModuleOp> after;
  {
    mlir::ScopedDiagnosticHandler quiet(
        &context, [](mlir::Diagnostic &) { return success(); });
    after = parse(name, text, context);
  }
  if (!after || !isSame(*before, *after) ||
      keptTexts(source) != keptTexts(text) || layOut(text) != text) {
    mlir::emitError(mlir::FileLineColLoc::get(&context, name, 1, 1))
        << "this text cannot be formatted: something in it is not written as "
           "a person writes networks, docs/language.md; it stays as it is";
    return failure();
  }
  return text;
}
