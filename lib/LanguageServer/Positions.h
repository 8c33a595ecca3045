//===- Positions.h - Places as editors count them ---------------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The language server protocol counts a line's characters in units of UTF-16,
// from 0; MLIR counts bytes, from 1.
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_LANGUAGESERVER_POSITIONS_H
#define ROOTC_LANGUAGESERVER_POSITIONS_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/LSP/Protocol.h"

#include <vector>

namespace rootc {

/// Of one text, which is UTF-8 and must outlive this. Places beyond the end of
/// a line, or of the text, are that end.
class Positions {
public:
  explicit Positions(llvm::StringRef text);

  /// Offsets in bytes.
  size_t offset(llvm::lsp::Position position) const;
  size_t offset(unsigned line, unsigned column) const; ///< as MLIR counts
  llvm::lsp::Position position(size_t offset) const;
  /// Of a part of the text.
  llvm::lsp::Range range(llvm::StringRef part) const;

private:
  llvm::StringRef line(size_t index) const;

  llvm::StringRef text;
  std::vector<size_t> lines; ///< where each begins
};

} // namespace rootc

#endif // ROOTC_LANGUAGESERVER_POSITIONS_H
