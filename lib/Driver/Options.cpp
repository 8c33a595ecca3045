//===- Options.cpp - What rootc's command line asks for -------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lib/Driver/Options.h"
#include "codegen/Schedules/Backend.h"
#include "lib/Driver/Flags.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/Support/Path.h"

using namespace llvm;

namespace rootc {

namespace {

struct Flags : NetworkFlags {
  cl::opt<std::string> output{"o", cl::value_desc("file"), cl::cat(category),
                              cl::desc("Output; its suffix (.so .a .o .h .cpp "
                                       ".ll .s .stmt .ptx .cu .mlir .onnx) "
                                       "gives the kind; - is standard output")};
  cl::alias outputLong{"output", cl::aliasopt(output), cl::cat(category),
                       cl::desc("Alias for -o")};
  cl::opt<std::string> emit{
      "emit", cl::value_desc("kind"), cl::cat(category),
      cl::desc("so, static (with a header), obj, header, cpp, llvm, asm, stmt, "
               "ptx, cuda, mlir, onnx or cost; texts go to standard output "
               "without -o")};
  cl::opt<std::string> format{
      "format", cl::value_desc("format"), cl::cat(category), cl::init("text"),
      cl::desc("Of --emit=cost: text, json or csv; of --explain: text or "
               "json; default text")};
  cl::opt<bool, false, SwitchParser> training{
      "training", cl::cat(category),
      cl::desc("Of --emit=cost: what a training step computes and keeps, and "
               "what --freeze saves of it")};
  cl::opt<std::string> explain{
      "explain", cl::ValueOptional, cl::value_desc("program"),
      cl::cat(category),
      cl::desc("Instead of a library: what each kernel holds, how it is "
               "computed, how long it should take and why; of infer, train, "
               "grad or prepare; default infer and train")};
  cl::opt<std::string> profile{
      "profile", cl::value_desc("file"), cl::cat(category),
      cl::desc("Of --explain: what rootrun profile --json printed, whose times "
               "are put beside the predicted ones")};
  cl::opt<std::string> machine{
      "machine", cl::value_desc("file"), cl::cat(category),
      cl::desc("Of --explain: a profile whose machine is assumed; default that "
               "of --profile, else a typical one of the target")};
  cl::opt<std::string> weights{
      "weights", cl::value_desc("file"), cl::cat(category),
      cl::desc("Weights, as rootrun writes them (safetensors): with "
               "--mode=infer the library holds them, and classifies pixels; "
               "--emit=onnx writes them, and without them He initialisation "
               "by --seed")};
  cl::opt<bool, false, SwitchParser> sliceWeights{
      "slice-weights", cl::cat(category),
      cl::desc("Cut filters of --weights with fewer groups than the network's "
               "to their diagonal blocks")};
  cl::opt<bool, false, SwitchParser> pixels{
      "pixels", cl::cat(category),
      cl::desc(
          "Of --emit=onnx: the file takes pixels, 0 to 255, and normalises "
          "them by input.mean and input.scale of --weights")};
  cl::opt<std::string> seed{
      "seed", cl::value_desc("n"), cl::cat(category),
      cl::desc("Of --emit=onnx: seed of the weights without --weights, as of "
               "rootrun init; default 0")};
  cl::opt<std::string> schedule{
      "schedule", cl::value_desc("rootc|mullapudi|adams"), cl::cat(category),
      cl::init("rootc"),
      cl::desc(
          "Who schedules kernels: rootc's rules and records or, to compare "
          "with, one of Halide's autoschedulers, for --batch images (16) "
          "and --threads threads; default rootc")};
  cl::opt<bool, false, SwitchParser> time{
      "time", cl::cat(category),
      cl::desc("Print where the compilation's time goes: its stages, and the "
               "kernels that take longest")};
  cl::opt<std::string> tuned{
      "tuned", cl::value_desc("file"), cl::cat(category),
      cl::desc("Schedules of rootc-tune, where the file has them for this CPU, "
               "--target, --threads and version; else those that come with "
               "rootc for such vectors, else the rules'. none: the rules' "
               "alone")};

  Flags() : NetworkFlags("rootc options") {}
};

std::optional<OutputKind> kindOfName(StringRef name) {
  return StringSwitch<std::optional<OutputKind>>(name)
      .Case("so", OutputKind::SharedLibrary)
      .Case("static", OutputKind::StaticLibrary)
      .Case("obj", OutputKind::Object)
      .Case("header", OutputKind::Header)
      .Case("cpp", OutputKind::Cpp)
      .Case("llvm", OutputKind::LLVM)
      .Case("asm", OutputKind::Assembly)
      .Case("stmt", OutputKind::Stmt)
      .Case("ptx", OutputKind::Ptx)
      .Case("cuda", OutputKind::Cuda)
      .Case("mlir", OutputKind::Mlir)
      .Case("onnx", OutputKind::Onnx)
      .Case("cost", OutputKind::Cost)
      .Default(std::nullopt);
}

std::optional<OutputKind> kindOfSuffix(StringRef suffix) {
  return StringSwitch<std::optional<OutputKind>>(suffix)
      .Case(".so", OutputKind::SharedLibrary)
      .Case(".a", OutputKind::StaticLibrary)
      .Case(".o", OutputKind::Object)
      .Case(".h", OutputKind::Header)
      .Cases({".cpp", ".cc", ".cxx"}, OutputKind::Cpp)
      .Case(".ll", OutputKind::LLVM)
      .Case(".s", OutputKind::Assembly)
      .Case(".stmt", OutputKind::Stmt)
      .Case(".ptx", OutputKind::Ptx)
      .Case(".cu", OutputKind::Cuda)
      .Case(".mlir", OutputKind::Mlir)
      .Case(".onnx", OutputKind::Onnx)
      .Default(std::nullopt);
}

/// Where a binary goes that was given no name.
std::string defaultOutput(StringRef input, OutputKind kind) {
  StringRef suffix = kind == OutputKind::SharedLibrary   ? ".so"
                     : kind == OutputKind::StaticLibrary ? ".a"
                     : kind == OutputKind::Object        ? ".o"
                     : kind == OutputKind::Onnx          ? ".onnx"
                                                         : "";
  if (suffix.empty())
    return "-";
  StringRef stem = input == "-" ? "model" : sys::path::stem(input);
  return (stem + suffix).str();
}

/// Whether what is made can hold weights.
bool holdsWeights(OutputKind kind) {
  switch (kind) {
  case OutputKind::SharedLibrary:
  case OutputKind::StaticLibrary:
  case OutputKind::Object:
  case OutputKind::Header:
  case OutputKind::Cpp:
  case OutputKind::Onnx:
    return true;
  default:
    return false;
  }
}

/// What is wrong with the flags of weights; empty if nothing is.
std::string checkWeights(const Flags &flags, const Options &options) {
  bool onnx = options.kind == OutputKind::Onnx;
  for (const cl::Option *flag :
       std::initializer_list<const cl::Option *>{&flags.pixels, &flags.seed})
    if (!onnx && flag->getNumOccurrences())
      return ("--" + flag->ArgStr + " belongs to --emit=onnx").str();
  if (flags.weights.getNumOccurrences() && options.weights.empty())
    return "--weights: the name is empty";
  if (options.sliceWeights && options.weights.empty())
    return "--slice-weights cuts what --weights gives; use both";
  if (!options.weights.empty() && !holdsWeights(options.kind))
    return "--weights belongs to libraries, objects, C++ source and ONNX files";
  if (!onnx && !options.weights.empty() && !options.inferOnly)
    return "--weights: a library that holds its weights infers with them; add "
           "--mode=infer, or give them to rootrun instead";
  if (!onnx && !options.weights.empty() && isForDevice(options))
    return "--weights: a library that holds its weights is for the CPU alone "
           "so far; leave --target=" +
           flags.target + " out, or give them to rootrun instead";
  if (!onnx)
    return "";
  if (flags.mode.getNumOccurrences() && flags.mode == "train")
    return "--mode=train: an ONNX file holds a network's inference alone; "
           "leave --mode out";
  if (options.seed && !options.weights.empty())
    return "--seed initialises weights, and --weights gives them; use one";
  return "";
}

/// What is wrong with the flags of --explain; empty if nothing is.
std::string checkExplain(const Flags &flags, Options &options) {
  if (!flags.explain.getNumOccurrences()) {
    for (const cl::Option *flag : std::initializer_list<const cl::Option *>{
             &flags.profile, &flags.machine})
      if (flag->getNumOccurrences())
        return ("--" + flag->ArgStr + " belongs to --explain").str();
    return "";
  }
  if (flags.emit.getNumOccurrences())
    return "--explain: it is no library, nor --emit=" + flags.emit +
           "; drop one of them";
  options.explain = flags.explain;
  if (!options.explain.empty() && options.explain != "infer" &&
      options.explain != "train" && options.explain != "grad" &&
      options.explain != "prepare")
    return "--explain=" + options.explain +
           ": give infer, train, grad or prepare";
  options.kind = OutputKind::Explain;
  options.profile = flags.profile;
  options.machine = flags.machine;
  for (const cl::opt<std::string> *file : {&flags.profile, &flags.machine})
    if (file->getNumOccurrences() && file->empty())
      return ("--" + file->ArgStr + ": the name is empty").str();
  return "";
}

std::optional<Options> check(const Flags &flags) {
  Options options;
  options.input = flags.input;
  if (options.input.empty())
    return fail("no input: give a network's file, or - for standard input; "
                "see rootc --help");
  options.output = flags.output;
  if (flags.output.getNumOccurrences() && options.output.empty())
    return fail("-o: the name is empty");
  if (std::string problem = checkExplain(flags, options); !problem.empty())
    return fail(problem);
  StringRef suffix = sys::path::extension(options.output);
  if (options.kind == OutputKind::Explain) {
    // A text, whatever its name.
  } else if (flags.emit.getNumOccurrences()) {
    auto kind = kindOfName(flags.emit);
    if (!kind)
      return fail("--emit=" + flags.emit +
                  ": unknown kind; give so, static, obj, header, cpp, llvm, "
                  "asm, stmt, ptx, cuda, mlir, onnx or cost");
    options.kind = *kind;
    // What a file's name says is what is in it.
    if (auto named = kindOfSuffix(suffix); named && *named != *kind)
      return fail("-o " + options.output +
                  ": the suffix is not that of --emit=" + flags.emit +
                  "; leave --emit out, or change one of them");
  } else if (!options.output.empty()) {
    auto kind = kindOfSuffix(suffix);
    if (!kind)
      return fail("-o " + options.output +
                  ": the suffix names no kind of output; use .so .a .o .h .cpp "
                  ".ll .s .stmt .ptx .cu .mlir .onnx, or --emit");
    options.kind = *kind;
  }
  if (options.output.empty())
    options.output = defaultOutput(options.input, options.kind);
  else if (options.output == "-" &&
           defaultOutput(options.input, options.kind) != "-")
    return fail("-o -: libraries, objects and ONNX files do not go to standard "
                "output");
  if (std::string problem = checkNetwork(flags, options); !problem.empty())
    return fail(problem);
  if (std::string problem = checkDevice(flags, options); !problem.empty())
    return fail(problem);
  if (std::string problem = checkPrecision(flags, options); !problem.empty())
    return fail(problem);
  uint64_t seed = 0;
  if (std::string problem =
          readNumber<uint64_t>(flags.seed, 0, UINT64_MAX, seed);
      !problem.empty())
    return fail(problem);
  if (flags.seed.getNumOccurrences())
    options.seed = seed;
  options.format = flags.format;
  if (options.format != "text" && options.format != "json" &&
      options.format != "csv")
    return fail("--format=" + flags.format + ": give text, json or csv");
  if (flags.format.getNumOccurrences() && options.kind != OutputKind::Cost &&
      options.kind != OutputKind::Explain)
    return fail("--format belongs to --emit=cost and --explain");
  options.costTraining = flags.training;
  if (options.costTraining && options.kind != OutputKind::Cost)
    return fail("--training belongs to --emit=cost");
  if (options.costTraining && options.inferOnly)
    return fail("--training is of a training step, which --mode=infer leaves "
                "out; drop one of them");
  if (options.format == "csv" && options.kind == OutputKind::Explain)
    return fail("--format=csv: --explain gives text or json");
  options.weights = flags.weights;
  options.sliceWeights = flags.sliceWeights;
  options.pixels = flags.pixels;
  if (std::string problem = checkWeights(flags, options); !problem.empty())
    return fail(problem);
  options.time = flags.time;
  options.useRecords = flags.tuned != "none";
  if (options.useRecords)
    options.tuned = flags.tuned;
  options.measuredOn = flags.measuredOn;
  if (flags.measuredOn.getNumOccurrences() && options.tuned.empty())
    return fail("--measured-on belongs to --tuned");
  if (flags.tuned.getNumOccurrences() && flags.tuned.empty())
    return fail("--tuned: the name is empty");
  auto autoscheduler = StringSwitch<std::optional<int64_t>>(flags.schedule)
                           .Case("rootc", 0)
                           .Case("mullapudi", 1)
                           .Case("adams", 2)
                           .Default(std::nullopt);
  if (!autoscheduler)
    return fail("--schedule=" + flags.schedule +
                ": give rootc, mullapudi or adams");
  options.autoscheduler = *autoscheduler;
  if (options.autoscheduler && !options.tuned.empty())
    return fail("--tuned and --schedule=" + flags.schedule +
                " exclude each other");
  if (options.operandBits && (options.autoscheduler || !options.tuned.empty()))
    return fail("--precision=" + flags.precision +
                ": tensor cores have schedules of their own; leave --tuned and "
                "--schedule out");
  return options;
}

} // namespace

std::optional<Options> parseOptions(int argc, char **argv, int &exitCode) {
  exitCode = 1;
  registerLibraryFlags();
  // Lives as long as the registry that refers to it.
  static Flags flags;
  if (!readCommandLine(
          argc, argv, flags.category,
          "Compiles a network of the root dialect to a library of its own\n"))
    return std::nullopt;
  return check(flags);
}

} // namespace rootc
