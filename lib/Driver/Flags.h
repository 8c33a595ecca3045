//===- Flags.h - What two command lines share -------------------*- C++ -*-===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ROOTC_DRIVER_FLAGS_H
#define ROOTC_DRIVER_FLAGS_H

#include "lib/Driver/Options.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/CommandLine.h"

#include <optional>
#include <string>

namespace rootc {

namespace cl = llvm::cl;

/// Reads a switch; LLVM's own words for a bad value do not say "error".
class SwitchParser : public cl::parser<bool> {
public:
  using cl::parser<bool>::parser;
  bool parse(cl::Option &, llvm::StringRef flag, llvm::StringRef text,
             bool &value);
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
  cl::opt<std::string> classes{
      "classes", cl::value_desc("n"), cl::cat(category),
      cl::desc("Replace the classifier by one of n classes")};
  cl::opt<std::string> freeze{
      "freeze", cl::value_desc("pattern,..."), cl::cat(category),
      cl::desc("Layers that training leaves as they are, by patterns of their "
               "names, as in 'layer1.*'; '!fc' takes back what the patterns "
               "before it froze")};
  cl::opt<std::string> labelSmoothing{
      "label-smoothing", cl::value_desc("x"), cl::cat(category),
      cl::desc("Part of each label that training gives to all classes alike, "
               "from 0 to 1; default 0")};
  cl::opt<std::string> classWeights{
      "class-weights", cl::value_desc("x,..."), cl::cat(category),
      cl::desc("What an image of each class counts in training, in the "
               "classes' order; default: all alike")};
  cl::opt<std::string> target{
      "target", cl::value_desc("target"), cl::cat(category), cl::init("host"),
      cl::desc("host, x86-64-v3, x86-64-v4, arm-64-linux or a Halide target "
               "string; several, with commas between, make a library that "
               "holds code for each and takes the best that its machine can "
               "run; default host")};
  cl::opt<std::string> mode{
      "mode", cl::value_desc("mode"), cl::cat(category), cl::init("train"),
      cl::desc("train (training and inference) or infer; default train")};
  cl::opt<std::string> image{
      "image", cl::value_desc("HxW"), cl::cat(category),
      cl::desc("Height and width of the image instead of the declared ones")};
  cl::opt<std::string> measuredOn{
      "measured-on", cl::value_desc("name"), cl::cat(category),
      cl::desc("The CPU or device whose records a database's are to be; "
               "default this CPU, or the only device that it has records of")};
  cl::opt<std::string> precision{
      "precision", cl::value_desc("f32|tf32|bf16"), cl::cat(category),
      cl::init("f32"),
      cl::desc("bf16: maps between kernels and packed filters are stored in "
               "half the bytes, and dense convolutions multiply them by the "
               "CPU's matrix unit (AMX) where there is one; sums, statistics, "
               "weights and updates stay f32, and so do images and logits. "
               "With --target=host-cuda or --emit=cuda, tf32 or bf16: tensor "
               "cores multiply such numbers in convolutions of enough channels "
               "a group; all that is stored stays f32, and nvcc is needed. "
               "Default f32")};
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
      cl::desc(
          "Threads that schedules are chosen for, or that --explain counts "
          "with; default: the profile's, else one a core")};
  cl::opt<std::string> batch{
      "batch", cl::value_desc("n"), cl::cat(category),
      cl::desc("Images of a batch that schedules are chosen for, or that "
               "--explain counts with; default of rootc-tune: 16, of rules: "
               "any, of --tuned: the largest that is in the file, of "
               "--explain: the profile's, else 1")};

  explicit NetworkFlags(const char *name) : category(name) {}
};

/// Says what is wrong; nothing, for a caller to return.
std::optional<Options> fail(const llvm::Twine &message);

/// Reads a flag of a whole number, if it was given; what is wrong with it, ""
/// if nothing is.
template <typename T>
std::string readNumber(const cl::opt<std::string> &flag, T least, T most,
                       T &value) {
  if (!flag.getNumOccurrences() ||
      (llvm::to_integer(flag, value, 10) && value >= least && value <= most))
    return "";
  return ("--" + flag.ArgStr + "=" + flag + ": give a whole number from " +
          llvm::Twine(least) + " to " + llvm::Twine(most))
      .str();
}

/// Takes over the flags on which a network's kernels depend; what is wrong with
/// them, "" if nothing is.
std::string checkNetwork(const NetworkFlags &flags, Options &options);

/// What is wrong with `options.kind` for the target; "" if nothing is. After
/// checkNetwork.
std::string checkDevice(const NetworkFlags &flags, const Options &options);

/// Takes over --precision; what is wrong with it for the targets and
/// `options.kind`, "" if nothing is. After checkNetwork.
std::string checkPrecision(const NetworkFlags &flags, Options &options);

/// Whether one of the targets is a device.
bool isForDevice(const Options &options);

/// Makes MLIR's own flags. Before any NetworkFlags, as one of LLVM's has the
/// name of one of theirs.
void registerLibraryFlags();

/// Reads the command line into all flags that there are, and prints what is
/// wrong with it; --help shows those of one category. Ends the process, with
/// code 0, after --help and --version.
bool readCommandLine(int argc, char **argv, cl::OptionCategory &shown,
                     const char *overview);

} // namespace rootc

#endif // ROOTC_DRIVER_FLAGS_H
