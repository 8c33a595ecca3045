//===- rootc-lsp-server.cpp - Networks in an editor -----------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lib/LanguageServer/Server.h"
#include "llvm/Support/CommandLine.h"

int main(int argc, char **argv) {
  namespace cl = llvm::cl;
  cl::OptionCategory category("rootc-lsp-server options");
  // Editors that say how they will talk say this.
  cl::opt<bool> stdio("stdio", cl::cat(category),
                      cl::desc("Talk on standard input and output, as always"));
  cl::HideUnrelatedOptions(category);
  cl::SetVersionPrinter([](llvm::raw_ostream &os) {
    os << "rootc-lsp-server " ROOTC_VERSION "\n";
  });
  cl::ParseCommandLineOptions(
      argc, argv,
      "Tells editors about networks, by the language server protocol\n");
  return rootc::runLanguageServer(stdin, llvm::outs());
}
