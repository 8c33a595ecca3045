//===- Flags.cpp - What two command lines share ---------------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lib/Driver/Flags.h"
#include "codegen/Emit/Target.h"
#include "codegen/Schedules/Backend.h"
#include "lib/Driver/Diagnostics.h"
#include "mlir/IR/AsmState.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/Pass/PassManager.h"
#include "rootc/model.h"
#include "llvm/Support/WithColor.h"

using namespace llvm;

namespace rootc {

/// What is wrong with the value of a switch, "" if nothing is.
static std::string &switchProblem() {
  static std::string problem;
  return problem;
}

bool SwitchParser::parse(cl::Option &, StringRef flag, StringRef text,
                         bool &value) {
  std::string word = text.lower();
  value = word.empty() || word == "true" || word == "1";
  if (value || word == "false" || word == "0")
    return false;
  switchProblem() =
      ("--" + flag + "=" + text + ": a switch has no value, or true or false")
          .str();
  return true;
}

std::optional<Options> fail(const Twine &message) {
  WithColor::error(errs(), programName()) << message << "\n";
  return std::nullopt;
}

static bool isSize(StringRef text) {
  auto [height, width] = text.split('x');
  int64_t value;
  return !height.getAsInteger(10, value) && value > 0 &&
         !width.getAsInteger(10, value) && value > 0;
}

/// Reads the flags of the loss; what is wrong with them, "" if nothing is.
static std::string checkLoss(const NetworkFlags &flags, Options &options) {
  // NaN is refused too.
  auto read = [](StringRef text, double most, double &value) {
    return to_float(text, value) && value >= 0 && value <= most;
  };
  if (flags.labelSmoothing.getNumOccurrences() &&
      !read(flags.labelSmoothing, 1, options.labelSmoothing))
    return "--label-smoothing=" + flags.labelSmoothing +
           ": give a number from 0 to 1, as 0.1";
  if (flags.classWeights.getNumOccurrences())
    for (StringRef item : split(StringRef(flags.classWeights), ','))
      if (!read(item, 1e30, options.classWeights.emplace_back()) ||
          options.classWeights.back() == 0)
        return ("--class-weights: '" + item +
                "' is not a positive number; give one for each class, as in "
                "1,1,2.5")
            .str();
  if (flags.mode == "infer" &&
      (options.labelSmoothing > 0 || !options.classWeights.empty()))
    return "--label-smoothing and --class-weights are of training, which "
           "--mode=infer leaves out; drop one of them";
  return "";
}

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
  if (problem =
          readNumber<int64_t>(flags.classes, 1, INT32_MAX, options.classes);
      !problem.empty())
    return problem;
  if (problem = checkLoss(flags, options); !problem.empty())
    return problem;
  options.freeze = flags.freeze;
  if (flags.freeze.getNumOccurrences() && options.freeze.empty())
    return "--freeze: there is no pattern; give one as in 'layer1.*'";
  options.image = flags.image;
  if (flags.image.getNumOccurrences() && !isSize(options.image))
    return "--image=" + flags.image +
           ": give height x width, as in --image=224x224";
  if (flags.mode != "train" && flags.mode != "infer")
    return "--mode=" + flags.mode + ": give train or infer";
  options.inferOnly = flags.mode == "infer";
  if (options.inferOnly && !options.freeze.empty())
    return "--freeze says what training leaves as it is, and --mode=infer "
           "leaves training out; drop one of them";
  options.recompute = flags.recompute;
  if (options.recompute && options.inferOnly)
    return "--recompute saves memory in training, which --mode=infer leaves "
           "out; drop one of them";
  options.keepResponses = flags.keepResponses;
  if (flags.winograd != "on" && flags.winograd != "off")
    return "--winograd=" + flags.winograd + ": give on or off";
  options.winograd = flags.winograd == "on";
  auto targets = codegen::parseTargets(
      // Source for a GPU is the same whatever the host.
      options.kind == OutputKind::Cuda && !flags.target.getNumOccurrences()
          ? "x86-64-linux-cuda"
          : StringRef(flags.target));
  if (!targets)
    return toString(targets.takeError());
  options.targets = std::move(*targets);
  options.target = options.targets.front();
  return "";
}

/// Kinds that hold code for several targets, or for none.
static bool takesSeveralTargets(OutputKind kind) {
  switch (kind) {
  case OutputKind::SharedLibrary:
  case OutputKind::StaticLibrary:
  case OutputKind::Object:
  case OutputKind::Header:
  case OutputKind::Cost:
  case OutputKind::Onnx:
    return true;
  default:
    return false;
  }
}

static bool isForCuda(const codegen::TargetInfo &target) {
  return target.halide.find("-cuda") != std::string::npos;
}

std::string checkDevice(const NetworkFlags &flags, const Options &options) {
  if (options.targets.size() > 1 && !takesSeveralTargets(options.kind))
    return "--target=" + flags.target +
           ": several targets are of libraries and objects; give one";
  bool device = codegen::backendOf(options.target).device;
  bool cuda = options.kind == OutputKind::Cuda;
  if ((cuda || options.kind == OutputKind::Ptx) && !isForCuda(options.target))
    return std::string("--emit=") + (cuda ? "cuda" : "ptx") +
           " is of kernels for a GPU of NVIDIA's; give --target=host-cuda";
  switch (options.kind) {
  case OutputKind::Cpp:
  case OutputKind::Explain:
  case OutputKind::Suggestion:
    return device ? "--target=" + flags.target +
                        ": this version compiles for a device, but does not "
                        "write C++, explain its kernels or suggest groups"
                  : "";
  default:
    return "";
  }
}

bool isForDevice(const Options &options) {
  return llvm::any_of(options.targets, [](const codegen::TargetInfo &target) {
    return codegen::backendOf(target).device;
  });
}

std::string checkPrecision(const NetworkFlags &flags, Options &options) {
  const std::string &name = flags.precision;
  if (name != "f32" && name != "tf32" && name != "bf16")
    return "--precision=" + name + ": give f32, tf32 or bf16";
  if (name == "f32" || options.kind == OutputKind::Header)
    return "";
  bool cuda = llvm::any_of(options.targets, isForCuda);
  bool binary = options.kind == OutputKind::SharedLibrary ||
                options.kind == OutputKind::StaticLibrary ||
                options.kind == OutputKind::Object ||
                options.kind == OutputKind::Mlir;
  if (cuda && (options.kind == OutputKind::Cuda ||
               (binary && (name == "tf32" || options.targets.size() == 1)))) {
    options.operandBits = name == "tf32" ? 19 : 16;
    return "";
  }
  if (name == "tf32")
    return "--precision=tf32 is of tensor cores, in a library for "
           "--target=host-cuda or in CUDA C++, -o NET.cu";
  options.bf16 = true;
  if (isForDevice(options))
    return "--precision=bf16 is of a CPU's library, of one for "
           "--target=host-cuda alone or of CUDA C++, -o NET.cu; leave it or "
           "--target=" +
           flags.target + " out";
  return "";
}

void registerLibraryFlags() {
  mlir::registerAsmPrinterCLOptions();
  mlir::registerMLIRContextCLOptions();
  mlir::registerPassManagerCLOptions();
  // One of LLVM's own has this name.
  if (cl::Option *other = cl::getRegisteredOptions().lookup("threads"))
    other->removeArgument();
}

bool readCommandLine(int argc, char **argv, cl::OptionCategory &shown,
                     const char *overview) {
  cl::HideUnrelatedOptions(shown);
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
  if (cl::ParseCommandLineOptions(argc, argv, overview, &stream))
    return true;
  StringRef text = problems;
  text.consume_front((programName() + ": ").str());
  if (!switchProblem().empty())
    fail(switchProblem());
  else if (!text.empty()) // else LLVM has reported one of its own flags already
    fail(text.rtrim());
  return false;
}

} // namespace rootc
