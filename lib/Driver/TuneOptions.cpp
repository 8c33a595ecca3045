//===- TuneOptions.cpp - What rootc-tune's command line asks for ----------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lib/Driver/Flags.h"

using namespace llvm;

namespace rootc {

namespace {

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
  cl::opt<bool> random{
      "random", cl::cat(category),
      cl::desc("Try any legal schedules, not those near the best one: what "
               "rules and the search are worth")};
  cl::opt<std::string> replay{
      "replay", cl::value_desc("file"), cl::cat(category),
      cl::desc("Another database, whose times are taken; nothing is compiled "
               "or measured")};
  cl::opt<std::string> bundle{
      "bundle", cl::value_desc("folder"), cl::cat(category),
      cl::desc("For a machine that this one is not: put candidates and the "
               "program that times them into a folder, --trials of them (200); "
               "there: FOLDER/rootc-time FOLDER; then --take")};
  cl::opt<std::string> take{
      "take", cl::value_desc("folder"), cl::cat(category),
      cl::desc(
          "Put the times of a bundle into the database; needs no network")};
  cl::opt<std::string> exported{
      "export", cl::value_desc("file"), cl::cat(category),
      cl::desc("Put what the database found faster than the rules into a text "
               "of records, as models/records.csv, which is made or gone on "
               "with; needs no network")};
  cl::opt<std::string> suggest{
      "suggest-root", cl::ValueOptional, cl::value_desc("n,..."),
      cl::cat(category),
      cl::desc("Instead of a search: time the network with each topology and "
               "each number of groups; default 2,4,8,16")};

  TuneCommandFlags() : NetworkFlags("rootc-tune options") {}
};

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
           &flags.seed, &flags.random, &flags.replay, &flags.bundle,
           &flags.take, &flags.exported})
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

/// What is wrong with --bundle, --take and --export; empty if nothing is.
std::string checkBundle(const TuneCommandFlags &flags) {
  for (const cl::opt<std::string> *name :
       {&flags.bundle, &flags.take, &flags.exported})
    if (name->getNumOccurrences() && name->empty())
      return ("--" + name->ArgStr + ": the name is empty").str();
  if (flags.exported.getNumOccurrences() &&
      (!flags.input.empty() || flags.bundle.getNumOccurrences() ||
       flags.take.getNumOccurrences() || flags.replay.getNumOccurrences()))
    return "--export=" + flags.exported +
           " reads a database alone: give --db beside it and nothing else";
  if (flags.take.getNumOccurrences() &&
      (!flags.input.empty() || flags.bundle.getNumOccurrences() ||
       flags.replay.getNumOccurrences()))
    return "--take=" + flags.take +
           " reads a bundle alone: give --db beside it and nothing else";
  if (flags.bundle.getNumOccurrences() && flags.replay.getNumOccurrences())
    return "--bundle and --replay exclude each other";
  return "";
}

std::optional<Options> check(const TuneCommandFlags &flags) {
  Options options;
  options.kind = OutputKind::Tuning;
  options.output = "-";
  options.input = flags.input;
  options.tune.take = flags.take;
  options.tune.exported = flags.exported;
  if (!flags.exported.empty())
    options.output = flags.exported;
  if (options.input.empty() && options.tune.take.empty() &&
      !flags.exported.getNumOccurrences())
    return fail("no input: give a network's file, or - for standard input; "
                "see rootc-tune --help");
  std::string problem = checkNetwork(flags, options);
  TuneFlags &tune = options.tune;
  if (problem.empty())
    problem = readNumber<int64_t>(flags.trials, 1, INT64_MAX, tune.trials);
  if (problem.empty())
    problem = readNumber<uint64_t>(flags.seed, 0, UINT64_MAX, tune.seed);
  if (problem.empty())
    problem = checkDevice(flags, options);
  if (problem.empty() && flags.precision == "tf32")
    problem = "--precision=tf32: tensor cores have schedules of their own, "
              "which are not searched; give f32 or bf16";
  if (problem.empty())
    problem = checkPrecision(flags, options);
  if (!problem.empty())
    return fail(problem);
  tune.database = flags.database.getNumOccurrences()
                      ? std::string(flags.database)
                      : "rootc-tune.db";
  tune.random = flags.random;
  tune.replay = flags.replay;
  tune.bundle = flags.bundle;
  options.measuredOn = flags.measuredOn;
  if (problem = checkBundle(flags); !problem.empty())
    return fail(problem);
  auto budget = readDuration(flags.budget);
  if (!budget)
    return fail("--budget=" + flags.budget +
                ": give a time, as in 90s, 10m or 2h");
  if (flags.trials.getNumOccurrences() && flags.budget.getNumOccurrences())
    return fail("--budget and --trials both say how long; give one of them");
  const int64_t usualCandidates = 200;
  bool isCounted = flags.trials.getNumOccurrences() ||
                   (!tune.bundle.empty() && !flags.budget.getNumOccurrences());
  if (isCounted && tune.trials == INT64_MAX)
    tune.trials = usualCandidates;
  tune.budget = isCounted ? std::chrono::hours(24 * 365) : *budget;
  if (options.batch == 0)
    options.batch = 16;
  if (problem = checkSuggest(flags, options); !problem.empty())
    return fail(problem);
  return options;
}

} // namespace

std::optional<Options> parseTuneOptions(int argc, char **argv, int &exitCode) {
  exitCode = 1;
  registerLibraryFlags();
  // Lives as long as the registry that refers to it.
  static TuneCommandFlags flags;
  if (!readCommandLine(argc, argv, flags.category,
                       "Searches for faster schedules of a network's kernels, "
                       "by measurement\n"))
    return std::nullopt;
  return check(flags);
}

} // namespace rootc
