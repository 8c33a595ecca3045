//===- SuggestRoot.cpp - Topologies of a network by time ------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lib/Driver/SuggestRoot.h"
#include "codegen/Emit/TemporaryFolder.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Program.h"
#include "llvm/Support/raw_ostream.h"

#include <algorithm>
#include <set>

using namespace llvm;

namespace rootc {

namespace {
using Clock = std::chrono::steady_clock;

struct Candidate {
  std::string name, library;
  std::vector<std::string> flags; ///< of rootc
  std::string refused;            ///< why the network cannot have it, or empty
  int64_t params = 0, macs = 0;
  std::vector<double> infer, train; ///< ms, of each round
};

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  size_t half = values.size() / 2;
  return values.size() % 2 ? values[half]
                           : (values[half - 1] + values[half]) / 2;
}

class Suggestion {
public:
  Suggestion(const Options &options, const std::string &programs,
             codegen::TemporaryFolder folder, codegen::Progress &progress)
      : options(options), programs(programs), folder(std::move(folder)),
        progress(progress) {}

  Expected<std::string> run() {
    makeCandidates();
    for (auto step :
         {&Suggestion::costs, &Suggestion::compile, &Suggestion::measure})
      if (Error error = (this->*step)())
        return error;
    return table();
  }

private:
  void makeCandidates() {
    candidates.push_back({"as given", {}, {}, "", 0, 0, {}, {}});
    for (const char *topology : {"root", "tree", "column"})
      for (int64_t groups : options.tune.suggest) {
        std::string number = std::to_string(groups);
        Candidate candidate;
        candidate.name = std::string(topology) + "-" + number;
        candidate.flags = {"--root=" + number,
                           "--topology=" + std::string(topology)};
        candidates.push_back(std::move(candidate));
      }
  }

  std::string file(StringRef name) const {
    return folder.path() + "/" + name.str();
  }

  /// What a program of rootc's prints. What it complains of goes to `problem`;
  /// without one it is an error.
  Expected<std::string> output(const std::string &program,
                               const std::vector<std::string> &flags,
                               std::string *problem = nullptr) {
    std::string path = programs + "/" + program;
    std::vector<StringRef> arguments{path};
    arguments.insert(arguments.end(), flags.begin(), flags.end());
    std::string out = file("out"), err = file("err"), reason;
    for (const std::string &old : {out, err}) // which is not cut off
      sys::fs::remove(old);
    int code = sys::ExecuteAndWait(
        path, arguments, std::nullopt,
        {StringRef(""), StringRef(out), StringRef(err)}, 0, 0, &reason);
    auto text = MemoryBuffer::getFile(code == 0 ? out : err);
    std::string content = text ? (*text)->getBuffer().str() : "";
    if (code == 0)
      return content;
    // The message of a first error at a place of the file.
    StringRef first = StringRef(content).split('\n').first;
    if (size_t at = first.find(" error: "); problem && at != StringRef::npos)
      first = first.substr(at + 8);
    std::string why = first.empty() ? reason : first.str();
    if (!problem)
      return createStringError(program + " failed: " + why);
    *problem = why;
    return "";
  }

  std::vector<std::string> compilerFlags(const Candidate &candidate) const {
    std::vector<std::string> flags = {
        options.input, "--target=" + options.target.halide,
        std::string("--winograd=") + (options.winograd ? "on" : "off"),
        std::string("--mode=") + (options.inferOnly ? "infer" : "train"),
        "--batch=" + std::to_string(options.batch)};
    if (options.threads)
      flags.push_back("--threads=" + std::to_string(options.threads));
    if (!options.image.empty())
      flags.push_back("--image=" + options.image);
    if (!options.groups.empty())
      flags.push_back("--groups=" + options.groups);
    if (options.classes)
      flags.push_back("--classes=" + std::to_string(options.classes));
    if (!options.freeze.empty())
      flags.push_back("--freeze=" + options.freeze);
    if (options.recompute)
      flags.push_back("--recompute");
    if (options.keepResponses)
      flags.push_back("--keep-responses");
    if (options.jobs)
      flags.push_back("--jobs=" + std::to_string(options.jobs));
    flags.insert(flags.end(), candidate.flags.begin(), candidate.flags.end());
    return flags;
  }

  /// Parameters and multiply-adds; drops what makes the same network again.
  Error costs() {
    std::set<std::string> known;
    std::vector<Candidate> kept;
    for (Candidate &candidate : candidates) {
      std::vector<std::string> flags = compilerFlags(candidate);
      flags.insert(flags.end(), {"--emit=cost", "--format=json"});
      bool given = candidate.flags.empty();
      auto text = output("rootc", flags, given ? nullptr : &candidate.refused);
      if (!text)
        return text.takeError();
      if (candidate.refused.empty()) {
        Expected<json::Value> cost = json::parse(*text);
        if (!cost)
          return cost.takeError();
        json::Object &object = *cost->getAsObject();
        network = object.getString("network").value_or("").str();
        candidate.params = object.getInteger("params").value_or(0);
        candidate.macs = object.getInteger("macs").value_or(0);
        if (!known.insert(formatv("{0}", *cost)).second)
          continue;
      }
      kept.push_back(std::move(candidate));
    }
    candidates = std::move(kept);
    return Error::success();
  }

  Error compile() {
    for (size_t i = 0; i < candidates.size(); ++i) {
      Candidate &candidate = candidates[i];
      if (!candidate.refused.empty())
        continue;
      progress.say(formatv("compiling {0}, {1} of {2}", candidate.name, i + 1,
                           candidates.size()));
      candidate.library = file(std::to_string(i) + ".so");
      std::vector<std::string> flags = compilerFlags(candidate);
      flags.insert(flags.end(), {"-o", candidate.library});
      auto text = output("rootc", flags);
      if (!text)
        return text.takeError();
    }
    return Error::success();
  }

  Error measure() {
    const size_t most = 9;
    Clock::time_point begin = Clock::now(), round = begin;
    for (rounds = 0; rounds < most; ++rounds) {
      Clock::time_point now = Clock::now();
      // Another one may take as long as the last.
      if (rounds != 0 && now + (now - round) > begin + options.tune.budget)
        break;
      round = now;
      for (Candidate &candidate : candidates)
        if (candidate.refused.empty())
          if (Error error = measure(candidate))
            return error;
    }
    return Error::success();
  }

  Error measure(Candidate &candidate) {
    progress.say(formatv("timing {0}, round {1}", candidate.name, rounds + 1));
    std::vector<std::string> flags = {
        "bench",  candidate.library,
        "--json", "--runs",
        "3",      "--batch=" + std::to_string(options.batch)};
    if (options.threads)
      flags.push_back("--threads=" + std::to_string(options.threads));
    if (options.inferOnly)
      flags.push_back("--infer");
    auto text = output("rootrun", flags);
    if (!text)
      return text.takeError();
    Expected<json::Value> value = json::parse(*text);
    if (!value)
      return value.takeError();
    const json::Object &times = *value->getAsObject();
    threads = times.getInteger("threads").value_or(0);
    for (auto [name, list] : {std::pair{"infer", &candidate.infer},
                              std::pair{"train", &candidate.train}})
      if (const json::Object *time = times.getObject(name))
        list->push_back(time->getNumber("min_ms").value_or(0));
    return Error::success();
  }

  std::string table() const {
    std::string text;
    raw_string_ostream stream(text);
    stream << formatv("{0}, batch {1}, {2} threads; ms: the median of {3} "
                      "round{4}, ratios to the network as given\n",
                      network, options.batch, threads, rounds,
                      rounds == 1 ? "" : "s");
    std::string row =
        formatv("{0,-12} {1,12} {2,15} {3,6} {4,10} {5,6}", "", "parameters",
                "multiply-adds", "ratio", "inference", "ratio");
    if (!options.inferOnly)
      row += formatv(" {0,10} {1,6}", "training", "ratio").str();
    stream << row << "\n";
    const Candidate &given = candidates.front();
    for (const Candidate &candidate : candidates) {
      if (!candidate.refused.empty()) {
        stream << formatv("{0,-12} {1}\n", candidate.name, candidate.refused);
        continue;
      }
      auto time = [&](const std::vector<double> &ms,
                      const std::vector<double> &ofGiven) {
        stream << formatv(" {0,10:f3} {1,6:f2}", median(ms),
                          median(ms) / median(ofGiven));
      };
      stream << formatv("{0,-12} {1,12} {2,15} {3,6:f2}", candidate.name,
                        candidate.params, candidate.macs,
                        double(candidate.macs) / double(given.macs));
      time(candidate.infer, given.infer);
      if (!options.inferOnly)
        time(candidate.train, given.train);
      stream << "\n";
    }
    return text;
  }

  const Options &options;
  const std::string &programs; ///< the folder where they are
  codegen::TemporaryFolder folder;
  codegen::Progress &progress;
  std::vector<Candidate> candidates;
  std::string network;
  int64_t threads = 0;
  size_t rounds = 0;
};
} // namespace

Expected<std::string> suggestRoot(const Options &options,
                                  const std::string &programFolder,
                                  codegen::Progress &progress) {
  auto folder = codegen::TemporaryFolder::create();
  if (!folder)
    return folder.takeError();
  return Suggestion(options, programFolder, std::move(*folder), progress).run();
}

} // namespace rootc
