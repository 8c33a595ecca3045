//===- Options.cpp - What the command line asks for -----------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lib/Driver/Options.h"
#include "codegen/Emit/Target.h"
#include "lib/Driver/Diagnostics.h"
#include "mlir/IR/AsmState.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/Pass/PassManager.h"
#include "rootc/model.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/WithColor.h"

using namespace llvm;

namespace rootc {

namespace {

/// What is wrong with the value of a switch, "" if nothing is.
std::string &switchProblem() {
  static std::string problem;
  return problem;
}

/// Reads a switch; LLVM's own words for a bad value do not say "error".
class SwitchParser : public cl::parser<bool> {
public:
  using cl::parser<bool>::parser;
  bool parse(cl::Option &, StringRef flag, StringRef text, bool &value) {
    std::string word = text.lower();
    value = word.empty() || word == "true" || word == "1";
    if (value || word == "false" || word == "0")
      return false;
    switchProblem() =
        ("--" + flag + "=" + text + ": a switch has no value, or true or false")
            .str();
    return true;
  }
};

/// Of a network and what is compiled of it. Made when the command line is read,
/// so that other programs that link this library have no such options.
struct NetworkFlags {
  cl::OptionCategory category;
  cl::opt<std::string> input{cl::Positional, cl::desc("NET.mlir"),
                             cl::cat(category)};
  cl::opt<std::string> root{
      "root", cl::value_desc("n"), cl::cat(category),
      cl::desc("Split the spatial convolutions into filter groups: n in the "
               "stage nearest the image")};
  cl::opt<std::string> topology{
      "topology", cl::value_desc("name"), cl::cat(category), cl::init("root"),
      cl::desc("How groups go on with depth: root (halved), tree "
               "(doubled) or column (the same); default root")};
  cl::opt<std::string> groups{"groups", cl::value_desc("name=n,..."),
                              cl::cat(category),
                              cl::desc("Groups of convolutions by name")};
  cl::opt<std::string> target{
      "target", cl::value_desc("target"), cl::cat(category), cl::init("host"),
      cl::desc("host, x86-64-v3, x86-64-v4 or a Halide target string; default "
               "host")};
  cl::opt<std::string> mode{
      "mode", cl::value_desc("mode"), cl::cat(category), cl::init("train"),
      cl::desc("train (training and inference) or infer; default train")};
  cl::opt<std::string> image{
      "image", cl::value_desc("HxW"), cl::cat(category),
      cl::desc("Height and width of the image instead of the declared ones")};
  cl::opt<bool, false, SwitchParser> recompute{
      "recompute", cl::cat(category),
      cl::desc("Training keeps less in memory: batch norm, ReLU and pools are "
               "computed again for the backward pass")};
  cl::opt<bool, false, SwitchParser> keepResponses{
      "keep-responses", cl::cat(category),
      cl::desc("Inference keeps every convolution's response, for covariance: "
               "none is computed within the kernel of the layer behind it")};
  cl::opt<std::string> winograd{
      "winograd", cl::value_desc("on|off"), cl::cat(category), cl::init("on"),
      cl::desc("Winograd's convolution, where it is faster, or direct ones "
               "everywhere; default on")};
  cl::opt<std::string> jobs{
      "jobs", cl::value_desc("n"), cl::cat(category),
      cl::desc("Processes that compile kernels; default: one a core")};
  cl::opt<std::string> threads{
      "threads", cl::value_desc("n"), cl::cat(category),
      cl::desc("Threads that schedules are tuned for, or that --explain counts "
               "with; default: the profile's, else one a core")};
  cl::opt<std::string> batch{
      "batch", cl::value_desc("n"), cl::cat(category),
      cl::desc("Images in a batch that schedules are tuned for, or that "
               "--explain counts with; default of rootc-tune: 16, of --tuned: "
               "the largest that is in the file, of --explain: the profile's, "
               "else 1")};

  explicit NetworkFlags(const char *name) : category(name) {}
};

struct Flags : NetworkFlags {
  cl::opt<std::string> output{
      "o", cl::value_desc("file"), cl::cat(category),
      cl::desc(
          "Output; its suffix (.so .a .o .h .cpp .ll .s .stmt .mlir .onnx) "
          "gives the kind; - is standard output")};
  cl::alias outputLong{"output", cl::aliasopt(output), cl::cat(category),
                       cl::desc("Alias for -o")};
  cl::opt<std::string> emit{
      "emit", cl::value_desc("kind"), cl::cat(category),
      cl::desc("so, static (with a header), obj, header, cpp, llvm, asm, stmt, "
               "mlir, onnx or cost; texts go to standard output without -o")};
  cl::opt<std::string> format{
      "format", cl::value_desc("format"), cl::cat(category), cl::init("text"),
      cl::desc("Of --emit=cost: text, json or csv; of --explain: text or "
               "json; default text")};
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
      cl::desc("Of --emit=onnx: weights, as rootrun writes them (safetensors); "
               "default: He initialisation by --seed")};
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
  cl::opt<std::string> tuned{
      "tuned", cl::value_desc("file"), cl::cat(category),
      cl::desc("Schedules of rootc-tune, where the file has them for this CPU, "
               "--target, --threads and version; else the rules'")};

  Flags() : NetworkFlags("rootc options") {}
};

struct TuneCommandFlags : NetworkFlags {
  cl::opt<std::string> database{
      "db", cl::value_desc("file"), cl::cat(category),
      cl::desc("The database, which is made or gone on with; default "
               "rootc-tune.db")};
  cl::opt<std::string> budget{
      "budget", cl::value_desc("time"), cl::cat(category), cl::init("10m"),
      cl::desc("How long to search: 90s, 10m or 2h; default 10m")};
  cl::opt<std::string> trials{
      "trials", cl::value_desc("n"), cl::cat(category),
      cl::desc("Schedules to try instead, those that the database has from an "
               "earlier search with the same flags among them")};
  cl::opt<std::string> seed{"seed", cl::value_desc("n"), cl::cat(category),
                            cl::desc("Of what is tried; default 0")};
  cl::opt<std::string> replay{
      "replay", cl::value_desc("file"), cl::cat(category),
      cl::desc("Another database, whose times are taken; nothing is compiled "
               "or measured")};
  cl::opt<std::string> suggest{
      "suggest-root", cl::ValueOptional, cl::value_desc("n,..."),
      cl::cat(category),
      cl::desc("Instead of a search: time the network with each topology and "
               "each number of groups; default 2,4,8,16")};

  TuneCommandFlags() : NetworkFlags("rootc-tune options") {}
};

std::optional<Options> fail(const Twine &message) {
  WithColor::error(errs(), programName()) << message << "\n";
  return std::nullopt;
}

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

bool isSize(StringRef text) {
  auto [height, width] = text.split('x');
  int64_t value;
  return !height.getAsInteger(10, value) && value > 0 &&
         !width.getAsInteger(10, value) && value > 0;
}

/// Reads a flag of a whole number, if it was given; what is wrong with it, ""
/// if nothing is.
template <typename T>
std::string readNumber(const cl::opt<std::string> &flag, T least, T most,
                       T &value) {
  if (!flag.getNumOccurrences() ||
      (to_integer(flag, value, 10) && value >= least && value <= most))
    return "";
  return ("--" + flag.ArgStr + "=" + flag + ": give a whole number from " +
          Twine(least) + " to " + Twine(most))
      .str();
}

/// The flags that a network's kernels depend on.
std::string checkNetwork(const NetworkFlags &flags, Options &options) {
  std::string problem =
      readNumber<int64_t>(flags.root, 1, INT32_MAX, options.root);
  if (problem.empty())
    problem = readNumber(flags.jobs, 1u, 1024u, options.jobs);
  if (problem.empty())
    problem = readNumber<int64_t>(flags.threads, 1, 1024, options.threads);
  if (problem.empty())
    problem = readNumber<int64_t>(flags.batch, 1, INT32_MAX, options.batch);
  if (!problem.empty())
    return problem;
  options.topology = flags.topology;
  if (options.topology != "root" && options.topology != "tree" &&
      options.topology != "column")
    return "--topology=" + flags.topology + ": give root, tree or column";
  options.groups = flags.groups;
  options.image = flags.image;
  if (flags.image.getNumOccurrences() && !isSize(options.image))
    return "--image=" + flags.image +
           ": give height x width, as in --image=224x224";
  if (flags.mode != "train" && flags.mode != "infer")
    return "--mode=" + flags.mode + ": give train or infer";
  options.inferOnly = flags.mode == "infer";
  options.recompute = flags.recompute;
  if (options.recompute && options.inferOnly)
    return "--recompute saves memory in training, which --mode=infer leaves "
           "out; drop one of them";
  options.keepResponses = flags.keepResponses;
  if (flags.winograd != "on" && flags.winograd != "off")
    return "--winograd=" + flags.winograd + ": give on or off";
  options.winograd = flags.winograd == "on";
  Expected<codegen::TargetInfo> target = codegen::parseTarget(flags.target);
  if (!target)
    return toString(target.takeError());
  options.target = std::move(*target);
  return "";
}

/// What is wrong with the flags of --emit=onnx; empty if nothing is.
std::string checkOnnx(const Flags &flags, const Options &options) {
  if (options.kind != OutputKind::Onnx) {
    for (const cl::Option *flag : std::initializer_list<const cl::Option *>{
             &flags.weights, &flags.sliceWeights, &flags.pixels, &flags.seed})
      if (flag->getNumOccurrences())
        return ("--" + flag->ArgStr + " belongs to --emit=onnx").str();
    return "";
  }
  if (flags.mode.getNumOccurrences() && flags.mode == "train")
    return "--mode=train: an ONNX file holds a network's inference alone; "
           "leave --mode out";
  if (flags.weights.getNumOccurrences() && options.weights.empty())
    return "--weights: the name is empty";
  if (options.seed && !options.weights.empty())
    return "--seed initialises weights, and --weights gives them; use one";
  if (options.sliceWeights && options.weights.empty())
    return "--slice-weights cuts what --weights gives; use both";
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
                  "asm, stmt, mlir, onnx or cost");
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
                  ".ll .s .stmt .mlir .onnx, or --emit");
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
  if (options.format == "csv" && options.kind == OutputKind::Explain)
    return fail("--format=csv: --explain gives text or json");
  options.weights = flags.weights;
  options.sliceWeights = flags.sliceWeights;
  options.pixels = flags.pixels;
  if (std::string problem = checkOnnx(flags, options); !problem.empty())
    return fail(problem);
  options.tuned = flags.tuned;
  if (flags.tuned.getNumOccurrences() && options.tuned.empty())
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
  for (const cl::Option *flag :
       std::initializer_list<const cl::Option *>{&flags.threads, &flags.batch})
    if (flag->getNumOccurrences() && options.tuned.empty() &&
        !options.autoscheduler && options.kind != OutputKind::Explain)
      return fail("--" + flag->ArgStr +
                  " belongs to --tuned, --explain and Halide's autoschedulers");
  return options;
}

/// "90s", "10m", "2h"; a number alone is seconds.
std::optional<std::chrono::seconds> readDuration(StringRef text) {
  int64_t unit = text.consume_back("h")   ? 3600
                 : text.consume_back("m") ? 60
                                          : (text.consume_back("s"), 1);
  int64_t value = 0;
  if (text.getAsInteger(10, value) || value < 1 || value > 1'000'000)
    return std::nullopt;
  return std::chrono::seconds(value * unit);
}

/// What is wrong with --suggest-root; empty if nothing is.
std::string checkSuggest(const TuneCommandFlags &flags, Options &options) {
  if (!flags.suggest.getNumOccurrences())
    return "";
  for (const cl::Option *flag : std::initializer_list<const cl::Option *>{
           &flags.root, &flags.topology, &flags.database, &flags.trials,
           &flags.seed, &flags.replay})
    if (flag->getNumOccurrences())
      return ("--suggest-root tries topologies, and searches for no schedules; "
              "leave --" +
              flag->ArgStr + " out")
          .str();
  if (options.input == "-")
    return "--suggest-root reads the network again and again; give a file";
  std::string list = flags.suggest;
  if (list.empty())
    list = "2,4,8,16";
  for (StringRef item : split(list, ',')) {
    int64_t groups = 0;
    if (item.getAsInteger(10, groups) || groups < 2 || groups > INT32_MAX)
      return "--suggest-root=" + list +
             ": give whole numbers from 2, as in --suggest-root=4,8";
    options.tune.suggest.push_back(groups);
  }
  options.kind = OutputKind::Suggestion;
  return "";
}

std::optional<Options> check(const TuneCommandFlags &flags) {
  Options options;
  options.kind = OutputKind::Tuning;
  options.output = "-";
  options.input = flags.input;
  if (options.input.empty())
    return fail("no input: give a network's file, or - for standard input; "
                "see rootc-tune --help");
  std::string problem = checkNetwork(flags, options);
  TuneFlags &tune = options.tune;
  if (problem.empty())
    problem = readNumber<int64_t>(flags.trials, 1, INT64_MAX, tune.trials);
  if (problem.empty())
    problem = readNumber<uint64_t>(flags.seed, 0, UINT64_MAX, tune.seed);
  if (!problem.empty())
    return fail(problem);
  tune.database = flags.database.getNumOccurrences()
                      ? std::string(flags.database)
                      : "rootc-tune.db";
  tune.replay = flags.replay;
  auto budget = readDuration(flags.budget);
  if (!budget)
    return fail("--budget=" + flags.budget +
                ": give a time, as in 90s, 10m or 2h");
  if (flags.trials.getNumOccurrences() && flags.budget.getNumOccurrences())
    return fail("--budget and --trials both say how long; give one of them");
  tune.budget =
      flags.trials.getNumOccurrences() ? std::chrono::hours(24 * 365) : *budget;
  if (options.batch == 0)
    options.batch = 16;
  if (problem = checkSuggest(flags, options); !problem.empty())
    return fail(problem);
  return options;
}

template <typename CommandFlags>
std::optional<Options> parse(int argc, char **argv, int &exitCode,
                             const char *overview) {
  exitCode = 1;
  mlir::registerAsmPrinterCLOptions();
  mlir::registerMLIRContextCLOptions();
  mlir::registerPassManagerCLOptions();
  // One of LLVM's own has this name.
  if (cl::Option *other = cl::getRegisteredOptions().lookup("threads"))
    other->removeArgument();
  // Lives as long as the registry that refers to it.
  static CommandFlags flags;
  cl::HideUnrelatedOptions(flags.category);
  // From --help, not from --help-hidden.
  for (auto &[name, option] : cl::getRegisteredOptions())
    if (option->getOptionHiddenFlag() == cl::ReallyHidden)
      option->setHiddenFlag(cl::Hidden);
  cl::SetVersionPrinter([](raw_ostream &os) {
    os << programName() << " " ROOTC_VERSION " (ABI " << ROOTC_ABI_VERSION
       << ")\n";
  });
  std::string problems;
  raw_string_ostream stream(problems);
  if (!cl::ParseCommandLineOptions(argc, argv, overview, &stream)) {
    StringRef text = problems;
    text.consume_front((programName() + ": ").str());
    if (!switchProblem().empty())
      return fail(switchProblem());
    // LLVM has reported a bad value of one of its own flags already.
    if (text.empty())
      return std::nullopt;
    return fail(text.rtrim());
  }
  return check(flags);
}

} // namespace

std::optional<Options> parseOptions(int argc, char **argv, int &exitCode) {
  return parse<Flags>(
      argc, argv, exitCode,
      "Compiles a network of the root dialect to a library of its own\n");
}

std::optional<Options> parseTuneOptions(int argc, char **argv, int &exitCode) {
  return parse<TuneCommandFlags>(
      argc, argv, exitCode,
      "Searches for faster schedules of a network's kernels, by measurement\n");
}

} // namespace rootc
