//===- FormatCommand.cpp - rootc fmt --------------------------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lib/Driver/FormatCommand.h"
#include "codegen/Emit/OutputFile.h"
#include "dialect/RootDialect.h"
#include "dialect/SourceText.h"
#include "lib/Driver/Compiler.h"
#include "lib/Driver/Diagnostics.h"
#include "lib/Driver/Flags.h"
#include "lib/Language/Format.h"
#include "llvm/Support/MemoryBuffer.h"

using namespace llvm;

namespace rootc {

namespace {
struct FormatFlags {
  cl::OptionCategory category{"rootc fmt options"};
  cl::list<std::string> inputs{cl::Positional, cl::desc("NET.mlir..."),
                               cl::cat(category)};
  cl::opt<bool, false, SwitchParser> inPlace{
      "i", cl::cat(category),
      cl::desc("Write each file back, if that changes it")};
  cl::opt<bool, false, SwitchParser> check{
      "check", cl::cat(category),
      cl::desc("Write nothing; name the files that would change, exit code 1")};
};
} // namespace

std::optional<FormatOptions> parseFormatOptions(int argc, char **argv) {
  static FormatFlags flags;
  if (!readCommandLine(argc, argv, flags.category,
                       "Prints networks in the house style\n"))
    return std::nullopt;
  FormatOptions options;
  options.inputs = flags.inputs;
  auto fail = [](const Twine &problem) {
    reportError(problem);
    return std::nullopt;
  };
  if (options.inputs.empty())
    return fail("no input: give networks' files, or - for standard input; see "
                "rootc fmt --help");
  if (flags.inPlace && flags.check)
    return fail("-i writes and --check writes nothing; give one of them");
  options.mode = flags.inPlace ? FormatMode::InPlace
                 : flags.check ? FormatMode::Check
                               : FormatMode::Print;
  if (options.mode == FormatMode::Print && options.inputs.size() > 1)
    return fail("several files are formatted with -i or --check; one alone is "
                "printed");
  if (flags.inPlace && is_contained(options.inputs, "-"))
    return fail("-i: standard input is no file to be written back");
  return options;
}

int formatFile(const std::string &input, FormatMode mode) {
  auto fail = [](const Twine &problem) {
    reportError(problem);
    return 1;
  };
  auto buffer = MemoryBuffer::getFileOrSTDIN(input);
  if (!buffer)
    return fail("cannot read '" + input + "': " + buffer.getError().message());
  StringRef name = (*buffer)->getBufferIdentifier();
  std::string source = (*buffer)->getBuffer().str();
  if (std::string problem = root::checkSourceText(name, source);
      !problem.empty()) {
    errs() << problem << "\n";
    return 1;
  }
  mlir::MLIRContext context(mlir::MLIRContext::Threading::DISABLED);
  context.loadDialect<root::RootDialect>();
  context.printOpOnDiagnostic(false);
  SourceMgr sources;
  sources.AddNewSourceBuffer(MemoryBuffer::getMemBuffer(source, name), SMLoc());
  mlir::ScopedDiagnosticHandler handler(&context,
                                        [&](mlir::Diagnostic &diagnostic) {
                                          printDiagnostic(diagnostic, sources);
                                          return success();
                                        });
  FailureOr<std::string> text = formatNetworks(name, source, context);
  if (failed(text))
    return 1;
  if (mode != FormatMode::Print && *text == source)
    return 0;
  if (mode == FormatMode::Check)
    return fail("'" + input + "' is not in the house style; rootc fmt -i " +
                input + " puts it right");
  Error error = codegen::writeOutput(
      mode == FormatMode::InPlace ? StringRef(input) : "-", *text);
  return error ? fail(toString(std::move(error))) : 0;
}

} // namespace rootc
