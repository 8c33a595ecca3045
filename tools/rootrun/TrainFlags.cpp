//===- TrainFlags.cpp - The flags of rootrun train ------------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/src/RunRecord.h"
#include "runtime/src/Support.h"
#include "tools/rootrun/Flags.h"

#include <optional>

using namespace rootc;
using namespace rootc::flags;

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

void rootc::flags::addTrain(CLI::App &app, TrainOptions &options, int &code) {
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
