//===- rootrun.cpp - Train and run models ---------------------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Flags only; what they do is in runtime/src.
//
//===----------------------------------------------------------------------===//

#include "rootc/runtime.h"
#include "runtime/src/Report/Report.h"
#include "runtime/src/RunRecord.h"
#include "runtime/src/Support.h"
#include "runtime/src/Train.h"
#include "runtime/src/Verbs.h"

#include <CLI/CLI.hpp>
#include <cmath>
#include <cstdio>
#include <fmt/format.h>
#include <limits>
#include <optional>

using namespace rootc;

static const CLI::Range counts(int64_t(1), int64_t(1) << 40);
static const CLI::Range threadCounts(1, 1024);
static const CLI::Range indices(int64_t(0), int64_t(1) << 40);

/// A number from 0 to `most`. CLI::Range lets NaN through.
static CLI::Validator numbersTo(double most, const char *kind,
                                const std::string &range) {
  auto check = [=](std::string &text) {
    double value = NAN;
    // Written so that NaN is refused.
    if (CLI::detail::lexical_cast(text, value) && value >= 0 && value <= most)
      return std::string();
    return fmt::format("'{}' is not a number {}", text, range);
  };
  return {check, kind};
}
/// What kernels compute with is a float.
static const CLI::Validator numbers =
    numbersTo(std::numeric_limits<float>::max(), "NONNEGATIVE",
              "of at least 0, and finite as a float");
static const CLI::Validator positiveNumbers(
    [](std::string &text) {
      double value = NAN;
      if (CLI::detail::lexical_cast(text, value) && float(value) > 0 &&
          std::isfinite(float(value)))
        return std::string();
      return fmt::format("'{}' is not a number greater than 0, and finite as a "
                         "float",
                         text);
    },
    "POSITIVE");
static const CLI::Validator parts = numbersTo(1, "0 TO 1", "from 0 to 1");

static const char *const dataHelp =
    "Folder of CIFAR-10's data_batch_*.bin and test_batch.bin, or of "
    "train/CLASS/... and val/CLASS/... (or test/), JPEG and PNG files";
static const char *const deviceHelp =
    "cpu, or the number of a device, of what the model was compiled for "
    "(default: the first device, else the CPU)";
static const char *const loaderHelp =
    "Threads that make batches ahead (default: 1; for JPEG and PNG files half "
    "of the kernels' default)";

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

/// With --resume, what the command line leaves out is what the run was begun
/// with.
static void takeFromRun(CLI::App &verb, TrainOptions &options) {
  std::string path = options.output + "/run.json";
  std::optional<RunRecord> record;
  try {
    std::vector<char> bytes = readFile(path);
    record = RunRecord::parse({bytes.data(), bytes.size()}, path);
  } catch (const Error &) {
    return; // of an older version, or lost: flags have to say it
  }
  for (const auto &[name, value] : record->options)
    if (CLI::Option *option = verb.get_option_no_throw(name);
        option && option->count() == 0 && !value.empty()) {
      option->add_result(value);
      option->run_callback();
    }
  if (options.model.empty())
    options.model = record->modelPath;
  if (options.data.empty())
    options.data = record->dataPath;
}

static void addUpdateFlags(CLI::App &verb, TrainOptions &options) {
  OptimizerOptions &update = options.optimizer;
  verb.add_option("--optimizer", update.kind, "sgd (default) or adamw")
      ->check(CLI::IsMember({"sgd", "adamw"}));
  verb.add_option("--momentum", update.momentum, "sgd: momentum (default: 0.9)")
      ->check(numbers);
  verb.add_flag("--nesterov", update.nesterov,
                "sgd: Nesterov's momentum, which looks one step ahead");
  verb.add_option("--beta1", update.beta1,
                  "adamw: what is kept of the gradients' mean (default: 0.9)")
      ->check(parts);
  verb.add_option("--beta2", update.beta2,
                  "adamw: what is kept of the squares' mean (default: 0.999)")
      ->check(parts);
  verb.add_option("--epsilon", update.epsilon,
                  "adamw: added to the root of the squares (default: 1e-8)")
      ->check(numbers);
  verb.add_option("--weight-decay", update.decay,
                  "Weight decay (default: 0.0005); adamw's is apart from the "
                  "gradients")
      ->check(numbers);
  verb.add_flag("--decay-all", update.decayAll,
                "Decay biases and batch norm too, not only filters and linear "
                "weights");
  verb.add_option("--clip-norm", update.clipNorm,
                  "Scale the gradients down where their norm, of all together, "
                  "is larger (default: 0, never)")
      ->check(numbers);
  verb.add_option("--ema", options.average,
                  "Test and write a moving average of the weights, of which "
                  "each step keeps so much, as 0.999 (default: 0, none)")
      ->check(parts);
}

static void addEndFlags(CLI::App &verb, TrainOptions &options) {
  verb.add_flag("--keep-best", options.keepBest,
                "Keep the weights of the best test accuracy as "
                "best.safetensors");
  verb.add_option("--patience", options.patience,
                  "End the run after so many epochs none of which was better "
                  "(default: 0, never)")
      ->check(indices);
  verb.add_option("--max-loss", options.maxLoss,
                  "A batch's loss that ends the run as diverged (default: 0, "
                  "100 log classes)")
      ->check(numbers);
}

static void addTrain(CLI::App &app, TrainOptions &options, int &code) {
  CLI::App *verb = app.add_subcommand("train", "Train a model");
  verb->add_option("NET.so", options.model,
                   "A model that rootc compiled (with --resume: the run's)");
  verb->add_option("--data", options.data,
                   std::string(dataHelp) +
                       "; or of CLASS/..., split in two by --val-fraction "
                       "(with --resume: the run's)");
  verb->add_option("--val-fraction", options.valFraction,
                   "Part of each class that is tested, where the folder has no "
                   "parts (default: 0.2)")
      ->check(parts);
  verb->add_option("-o,--output", options.output,
                   "Folder of the run (default: runs/NAME-1, -2, ...)");
  verb->add_flag("--resume", options.resume,
                 "Go on from the folder's checkpoint, if it has one; what is "
                 "not said is as the run was begun, and more --epochs extend "
                 "it");
  verb->add_flag("--overwrite", options.overwrite,
                 "Begin again in a folder that holds a run");
  verb->add_option("--epochs", options.epochs, "Epochs (default: 15)")
      ->check(CLI::Range(int64_t(1), int64_t(1) << 31));
  verb->add_option("--batch", options.batch, "Images a step (default: 64)")
      ->check(CLI::Range(int64_t(1), int64_t(1) << 31));
  verb->add_option("--lr", options.rate.lr,
                   "Learning rate, the highest (default: 0.05)")
      ->check(numbers);
  verb->add_option("--lr-policy", options.rate.policy,
                   "constant, step, multistep, poly, cosine or one-cycle "
                   "(default)");
  verb->add_option("--lr-every", options.rate.every,
                   "step: epochs between two drops (default: 10)")
      ->check(counts);
  verb->add_option("--lr-milestones", options.rate.milestones,
                   "multistep: epochs of the drops, comma-separated")
      ->delimiter(',')
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->check(indices);
  verb->add_option("--lr-gamma", options.rate.gamma,
                   "step, multistep: factor of a drop (default: 0.1)")
      ->check(numbers);
  verb->add_option("--lr-power", options.rate.power,
                   "poly: exponent (default: 1)")
      ->check(numbers);
  verb->add_option("--warmup", options.rate.warmup,
                   "Epochs over which the learning rate grows from 0 "
                   "(default: 0)")
      ->check(numbers);
  verb->add_option("--lr-factors", options.rateFactors,
                   "PATTERN=FACTOR,...: times the learning rate of layers or "
                   "tensors by name, as in fc=10,*.bias=2");
  addUpdateFlags(*verb, options);
  addEndFlags(*verb, options);
  verb->add_option_function<std::string>(
          "--augment",
          [&options](const std::string &kind) {
            options.augment = augmentFromName(kind);
          },
          "pad-crop-mirror (default where all images have the network's size), "
          "crop-mirror (default elsewhere), random-resized-crop or none")
      ->check(CLI::IsMember(augmentNames()));
  verb->add_option("--mixup", options.mixup,
                   "Mix each image with another of its batch, and their labels "
                   "in the loss; the weight is a batch's, from "
                   "Beta(ALPHA, ALPHA), as of 0.2 (default: images are not "
                   "mixed)")
      ->type_name("ALPHA")
      ->check(positiveNumbers);
  verb->add_option(
      "--seed", options.seed,
      "Seed of weights, order, augmentation, dropout (default: 0)");
  verb->add_option("--weights", options.weights,
                   "Begin with these weights (default: He initialisation)");
  verb->add_flag("--slice-weights", options.sliceWeights,
                 "Cut filters with fewer groups than the network's to their "
                 "diagonal blocks");
  verb->add_flag("--skip-mismatched", options.skipMismatched,
                 "Let layers begin anew that --weights lacks or has in another "
                 "shape, as a new classifier is");
  verb->add_option("--threads", options.threads,
                   "Threads (default: $ROOTC_THREADS, else all cores)")
      ->check(threadCounts);
  verb->add_option("--device", options.device, deviceHelp);
  verb->add_option("--loader-threads", options.loaderThreads, loaderHelp)
      ->check(threadCounts);
  verb->add_option("--checkpoint-every", options.checkpointEvery,
                   "Steps between checkpoints within an epoch (default: 0, "
                   "after each epoch only)")
      ->check(indices);
  verb->callback([verb, &options, &code] {
    if (options.resume && !options.output.empty())
      takeFromRun(*verb, options);
    for (const auto &[name, value] : {std::pair("NET.so", &options.model),
                                      std::pair("--data", &options.data)})
      if (value->empty())
        throw CLI::RequiredError(name);
    code = train(options);
  });
}

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
