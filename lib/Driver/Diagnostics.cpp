//===- Diagnostics.cpp - Errors as users see them -------------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lib/Driver/Diagnostics.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;

namespace rootc {

static std::string &nameOfProgram() {
  static std::string name = "rootc";
  return name;
}
void setProgramName(StringRef name) { nameOfProgram() = name; }
StringRef programName() { return nameOfProgram(); }

void printDiagnostic(mlir::Diagnostic &diagnostic, SourceMgr &sources) {
  SourceMgr::DiagKind kind = SourceMgr::DK_Error;
  const char *name = "error";
  switch (diagnostic.getSeverity()) {
  case mlir::DiagnosticSeverity::Error:
    break;
  case mlir::DiagnosticSeverity::Warning:
    kind = SourceMgr::DK_Warning, name = "warning";
    break;
  case mlir::DiagnosticSeverity::Remark:
    kind = SourceMgr::DK_Remark, name = "remark";
    break;
  case mlir::DiagnosticSeverity::Note:
    kind = SourceMgr::DK_Note, name = "note";
    break;
  }
  auto place = diagnostic.getLocation()->findInstanceOf<mlir::FileLineColLoc>();
  SMLoc where;
  if (place)
    where =
        sources.FindLocForLineAndColumn(1, place.getLine(), place.getColumn());
  const size_t lineLimit = 200;
  StringRef rest = where.isValid() ? where.getPointer() : "";
  bool isShort =
      place && place.getColumn() < lineLimit &&
      rest.take_until([](char c) { return c == '\n'; }).size() < lineLimit;
  if (where.isValid() && isShort) {
    sources.PrintMessage(errs(), where, kind, diagnostic.str());
  } else {
    if (place)
      errs() << place.getFilename().getValue() << ":" << place.getLine() << ":"
             << place.getColumn() << ": ";
    else
      errs() << programName() << ": ";
    errs() << name << ": " << diagnostic.str() << "\n";
  }
  for (mlir::Diagnostic &note : diagnostic.getNotes())
    printDiagnostic(note, sources);
}

} // namespace rootc
