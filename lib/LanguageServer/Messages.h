//===- Messages.h - Messages that can be borne ------------------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_LANGUAGESERVER_MESSAGES_H
#define ROOTC_LANGUAGESERVER_MESSAGES_H

#include "llvm/Support/LSP/Transport.h"

namespace rootc {

/// Passes on what a client sent, but for messages at which LLVM's transport
/// would end (no requests or notifications of JSON-RPC 2.0; the server asks
/// nothing, so nothing is a reply) or overflow the stack (nested deeply).
class CheckedInput : public llvm::lsp::JSONTransportInput {
public:
  explicit CheckedInput(std::FILE *in) : input(in) {}

  bool hasError() const override { return input.hasError(); }
  bool isEndOfInput() const override { return input.isEndOfInput(); }
  llvm::LogicalResult readDelimitedMessage(std::string &json) override;
  llvm::LogicalResult readStandardMessage(std::string &json) override;

private:
  llvm::lsp::JSONTransportInputOverFile input;
};

} // namespace rootc

#endif // ROOTC_LANGUAGESERVER_MESSAGES_H
