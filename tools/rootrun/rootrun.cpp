//===- rootrun.cpp - Train and run models ---------------------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Flags only, those of train in TrainFlags.cpp; what they do is in runtime/src.
//
//===----------------------------------------------------------------------===//

#include "rootc/runtime.h"
#include "runtime/src/Report/Report.h"
#include "runtime/src/Support.h"
#include "runtime/src/Verbs.h"
#include "tools/rootrun/Flags.h"

#include <cstdio>

using namespace rootc;
using namespace rootc::flags;

namespace {
/// The flags of every verb but train.
struct Flags {
  VerbOptions options;

  CLI::App *verb(CLI::App &app, const char *name, const char *help,
                 void (*run)(const VerbOptions &)) {
    CLI::App *verb = app.add_subcommand(name, help);
    verb->add_option("NET.so", options.model, "A model that rootc compiled")
        ->required();
    verb->callback([this, run] { run(options); });
    return verb;
  }
  /// `otherwise`: what is taken without them; null: nothing.
  void weights(CLI::App *verb, const char *otherwise = nullptr) {
    std::string help = "Weights or a checkpoint, safetensors";
    if (otherwise)
      help += std::string(" (default: ") + otherwise + ")";
    verb->add_option("--weights", options.weights, help)->required(!otherwise);
    verb->add_flag("--slice-weights", options.sliceWeights,
                   "Cut filters with fewer groups than the network's to their "
                   "diagonal blocks");
  }
  void threads(CLI::App *verb) {
    verb->add_option("--threads", options.threads,
                     "Threads (default: $ROOTC_THREADS, else all cores)")
        ->check(threadCounts);
  }
  void device(CLI::App *verb) {
    verb->add_option("--device", options.device, deviceHelp);
  }
  void batch(CLI::App *verb, const char *help) {
    verb->add_option("--batch", options.batch, help)->check(counts);
  }
  void loaderThreads(CLI::App *verb) {
    verb->add_option("--loader-threads", options.loaderThreads, loaderHelp)
        ->check(threadCounts);
  }
  void data(CLI::App *verb) {
    verb->add_option("--data", options.data, dataHelp)->required();
  }
  void seed(CLI::App *verb, const char *help) {
    verb->add_option("--seed", options.seed, help);
  }
  void json(CLI::App *verb) {
    verb->add_flag("--json", options.json, "Print one JSON object");
  }
  void output(CLI::App *verb, const char *help) {
    verb->add_option("-o,--output", options.output, help)->required();
  }
  void input(CLI::App *verb, const char *help) {
    verb->add_option("--input", options.input, help)->required();
  }
  void runs(CLI::App *verb) {
    verb->add_option("--runs", options.runs, "Measured runs (default: 10)")
        ->check(counts);
  }
};
} // namespace

static void addVerbs(CLI::App &app, Flags &flags) {
  VerbOptions &options = flags.options;
  CLI::App *eval =
      flags.verb(app, "eval", "Measure accuracy on a data set", evalModel);
  flags.weights(eval, "the library's own");
  flags.data(eval);
  eval->add_option("--split", options.split,
                   "test (default; an image folder's val/, or test/) or train")
      ->check(CLI::IsMember({"test", "train"}));
  flags.batch(eval, "Images at a time (default: 128)");
  flags.threads(eval);
  flags.device(eval);
  flags.loaderThreads(eval);
  flags.json(eval);

  CLI::App *predict =
      flags.verb(app, "predict", "Classify images", predictImages);
  flags.weights(predict, "the library's own");
  // Those behind the model, and one behind each --input.
  auto addImages = [&options](const std::vector<std::string> &paths) {
    options.images.insert(options.images.end(), paths.begin(), paths.end());
  };
  predict->add_option_function<std::vector<std::string>>(
      "IMAGE", addImages,
      "JPEG and PNG files, folders of such, or one array of pixels 0 to 255: "
      ".npy [N,H,W,C] or [H,W,C], uint8 or float32, or a CIFAR-10 .bin file");
  predict
      ->add_option_function<std::vector<std::string>>("--input", addImages,
                                                      "An IMAGE by flag")
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->allow_extra_args(false);
  predict->add_option("--top", options.top, "Classes an image (default: 1)")
      ->check(counts);
  predict->add_option("--classes", options.classes,
                      "Folder of the data, for the class names: of "
                      "batches.meta.txt, or of train/ (default: the training "
                      "data's)");
  flags.batch(predict, "Images at a time (default: 128)");
  flags.threads(predict);
  flags.device(predict);
  flags.loaderThreads(predict);
  flags.json(predict);

  CLI::App *run = flags.verb(app, "run", "Infer on raw tensors", runTensors);
  flags.weights(run, "the library's own");
  flags.input(run, "Images, .npy float32 [N,H,W,C], taken as they are");
  flags.output(run, "Logits, .npy float32 [N,classes]");
  flags.batch(run, "Images at a time (default: all)");
  flags.threads(run);
  flags.device(run);

  CLI::App *grad = flags.verb(
      app, "grad", "One training-mode forward and backward", gradTensors);
  flags.weights(grad);
  flags.input(grad, "Images, .npy float32 [N,H,W,C], taken as they are");
  grad->add_option("--labels", options.labels, "Labels, .npy int64 [N]")
      ->required();
  flags.seed(grad, "Key of dropout (default: 0)");
  grad->add_option("--epoch", options.epoch, "Key of dropout (default: 0)")
      ->check(indices);
  flags.output(grad, "Gradients, safetensors: loss, input, every parameter");
  flags.threads(grad);
  flags.device(grad);

  CLI::App *init =
      flags.verb(app, "init", "Write initial weights", initWeights);
  flags.seed(init, "Seed of the weights (default: 0)");
  flags.output(init, "Weights, safetensors");

  CLI::App *bench =
      flags.verb(app, "bench", "Time inference and training", benchModel);
  flags.weights(bench, "random");
  flags.batch(bench, "Images at a time (default: 1)");
  bench->add_flag("--train", options.train, "Training steps (default: both)");
  bench->add_flag("--infer", options.infer, "Inference (default: both)");
  flags.runs(bench);
  bench->add_flag("--serve", options.serve,
                  "Answer each line of standard input with a time in ms (best "
                  "of 3), to take turns with others");
  flags.seed(bench, "Seed of weights and images (default: 0)");
  flags.threads(bench);
  flags.device(bench);
  flags.json(bench);

  CLI::App *profile =
      flags.verb(app, "profile",
                 "Time every kernel, and compare it with what the machine can "
                 "do",
                 profileModel);
  flags.weights(profile, "random");
  flags.batch(profile, "Images at a time (default: 1)");
  profile->add_flag("--train", options.train,
                    "A training step (default: inference)");
  flags.runs(profile);
  profile->add_option("--trace", options.trace,
                      "Write every call as an event, JSON for chrome://tracing "
                      "and Perfetto");
  flags.seed(profile, "Seed of weights and images (default: 0)");
  flags.threads(profile);
  flags.device(profile);
  flags.json(profile);

  CLI::App *info = flags.verb(app, "info", "Describe a model", describeModel);
  flags.batch(info, "Batch of the printed workspace sizes (default: 1)");
  flags.json(info);
}

static void addCovariance(CLI::App &app, Flags &flags) {
  VerbOptions &options = flags.options;
  CLI::App *verb =
      flags.verb(app, "covariance", "Covariance between two adjacent layers",
                 measureCovariance);
  flags.weights(verb);
  flags.data(verb);
  verb->add_option("--split", options.split, "train (default) or test")
      ->check(CLI::IsMember({"train", "test"}));
  verb->add_option("--layers", options.layers,
                   "Two layers, FIRST,SECOND, of which the second reads the "
                   "first")
      ->required();
  verb->add_option("--blocks", options.blocks,
                   "Cut the channels of both into so many blocks (default: the "
                   "second layer's groups)")
      ->check(counts);
  verb->add_option("--epsilon", options.epsilon,
                   "Directions with this part of the largest variance, or "
                   "less, are not whitened (default: 1e-10)")
      ->check(parts);
  flags.output(verb, "Folder of covariance.json, matrices and pictures");
  flags.batch(verb, "Images at a time (default: 32)");
  flags.threads(verb);
  flags.device(verb);
  flags.loaderThreads(verb);
  flags.json(verb);
}

static void addReport(CLI::App &app, ReportOptions &options) {
  CLI::App *verb =
      app.add_subcommand("report", "Compare runs on one HTML page");
  verb->add_option("RUN", options.runs, "Folders that train made")
      ->required()
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  verb->add_option("-o,--output", options.output,
                   "The page (default: report.html; with --json, none)");
  verb->add_option("--model", options.models,
                   "A library that a run was trained with, where the run does "
                   "not know it or it has moved; may be given many times")
      ->allow_extra_args(false)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  verb->add_flag("--measure", options.measure,
                 "Time the runs' libraries, in turns, and keep the times in "
                 "the runs' folders");
  verb->add_option("--batch", options.batch,
                   "--measure: images at a time (default: the smallest that "
                   "one of the runs was trained with)")
      ->check(counts);
  verb->add_option("--runs", options.measuredRuns,
                   "--measure: measured runs of each library (default: 10)")
      ->check(counts);
  verb->add_option("--threads", options.threads,
                   "--measure: threads (default: $ROOTC_THREADS, else all "
                   "cores)")
      ->check(threadCounts);
  verb->add_flag("--json", options.json,
                 "Print the page's numbers as one JSON object");
  verb->callback([&options] { reportRuns(options); });
}

static int report(const std::string &message) {
  std::fprintf(stderr, "rootrun: error: %s\n", message.c_str());
  return 1;
}

/// A bad command line: what is wrong, and which --help tells more.
static int reportUsage(const CLI::App &app, const std::string &message,
                       const std::string &verb) {
  std::string verbs;
  for (const CLI::App *known : app.get_subcommands(nullptr)) {
    if (known->get_name() == verb)
      return report(fmt::format("{}; see rootrun {} --help", message, verb));
    verbs += (verbs.empty() ? "" : ", ") + known->get_name();
  }
  if (verb.empty())
    return report("a verb is missing: " + verbs);
  return report("'" + verb + "' is not a verb; use one of " + verbs);
}

/// The exit code, once all that was printed has arrived.
static int finish(int code) {
  bool written = std::fflush(stdout) == 0 && std::ferror(stdout) == 0;
  return written || code ? code : report("standard output cannot be written");
}

int main(int argc, char **argv) {
  prepareProcess();
  CLI::App app("Trains and runs the models that rootc compiles.", "rootrun");
  app.require_subcommand(1);
  app.set_version_flag(
      "--version",
      fmt::format("rootrun {} (ABI {})", ROOTC_VERSION, ROOTC_ABI_VERSION));
  // The last one wins, so that scripts can pass defaults before "$@".
  app.option_defaults()->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  TrainOptions trainOptions;
  Flags flags;
  int code = 0;
  addTrain(app, trainOptions, code);
  addVerbs(app, flags);
  addCovariance(app, flags);
  ReportOptions reportOptions;
  addReport(app, reportOptions);
  try {
    app.parse(argc, argv);
    return finish(code);
  } catch (const CLI::ParseError &error) {
    if (error.get_exit_code() == 0)
      return finish(app.exit(error));
    return reportUsage(app, error.what(), argc > 1 ? argv[1] : "");
  } catch (const Error &error) {
    return report(error.what());
  } catch (const std::bad_alloc &) {
    return report("memory ran out; use a smaller --batch, or fewer --threads "
                  "and --loader-threads");
  } catch (const std::exception &error) {
    return report(error.what());
  }
}
