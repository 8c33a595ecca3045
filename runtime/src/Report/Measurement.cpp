//===- Measurement.cpp - Times of a run's model ---------------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Measurement.h"

#include "../VerbSupport.h"
#include "../Workload.h"

#include <chrono>
#include <nlohmann/json.hpp>
#include <thread>

using namespace rootc;
using namespace rootc::report;
using Json = nlohmann::ordered_json;

double Timing::median() const { return rootc::median(ms); }

static Json timingJson(const Timing &timing) {
  Json calls = Json::array();
  for (const auto &[label, ms] : timing.calls)
    calls.push_back({{"label", label}, {"ms", ms}});
  return {{"median_ms", timing.median()}, {"ms", timing.ms}, {"calls", calls}};
}

std::string Measurement::toJson() const {
  Json json = {{"machine", machine},      {"threads", threads},
               {"batch", batch},          {"measured", measured},
               {"model_hash", modelHash}, {"infer", timingJson(infer)}};
  if (train)
    json["train"] = timingJson(*train);
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

static double milliseconds(const Json &json, const std::string &path) {
  double ms = json.get<double>();
  if (!(ms >= 0 && ms < 1e12))
    fail("{}: holds a time of {} ms", path, ms);
  return ms;
}

static Timing readTiming(const Json &json, const std::string &path) {
  Timing timing;
  for (const Json &ms : json.at("ms"))
    timing.ms.push_back(milliseconds(ms, path));
  for (const Json &call : json.at("calls"))
    timing.calls.emplace_back(call.at("label").get<std::string>(),
                              milliseconds(call.at("ms"), path));
  if (timing.ms.empty())
    fail("{}: holds no times", path);
  return timing;
}

Measurement Measurement::parse(std::string_view text, const std::string &path) {
  Measurement result;
  try {
    Json json = Json::parse(text);
    json.at("machine").get_to(result.machine);
    json.at("threads").get_to(result.threads);
    json.at("batch").get_to(result.batch);
    json.at("measured").get_to(result.measured);
    json.at("model_hash").get_to(result.modelHash);
    result.infer = readTiming(json.at("infer"), path);
    if (json.contains("train"))
      result.train = readTiming(json.at("train"), path);
  } catch (const Json::exception &error) {
    fail("{}: is damaged or of another version: {}; remove it, and --measure "
         "makes it again",
         path, error.what());
  }
  if (result.batch < 1 || result.threads < 1)
    fail("{}: holds a batch of {} and {} threads", path, result.batch,
         result.threads);
  return result;
}

namespace {
/// One model's share of the turns.
class Contender {
public:
  Contender(std::string library, const MeasureOptions &options)
      : library(std::move(library)), options(options) {
    result.machine = Machine::current();
    result.batch = options.batch;
    result.measured = timestamp();
    result.modelHash = hashOfFile(this->library);
  }

  void turn(int64_t runs) {
    VerbOptions verb;
    verb.model = library;
    verb.batch = options.batch;
    verb.threads = options.threads;
    bool training = Model::open(library).canTrain();
    Workload work(verb, training, /*withInference=*/true);
    result.threads = work.pool->threads();
    measure(work, /*training=*/false, runs, result.infer);
    if (!training)
      return;
    if (!result.train)
      result.train.emplace();
    measure(work, /*training=*/true, runs, *result.train);
  }

  Measurement finish() {
    for (Timing *timing :
         {&result.infer, result.train ? &*result.train : nullptr})
      if (timing)
        for (auto &[label, ms] : timing->calls)
          ms /= double(timing->ms.size());
    return std::move(result);
  }

private:
  /// Adds to the sums of the calls; they are divided in the end.
  static void measure(Workload &work, bool training, int64_t runs,
                      Timing &timing) {
    work.run(training); // warms up
    for (int64_t i = 0; i < runs; ++i)
      timing.ms.push_back(work.time(training));
    CallProfile profile(work, training);
    for (int64_t i = 0; i < runs; ++i)
      profile.run();
    timing.calls.resize(profile.sums().size());
    for (size_t i = 0; i < timing.calls.size(); ++i) {
      timing.calls[i].first = profile.label(i);
      timing.calls[i].second += profile.sums()[i];
    }
  }

  std::string library;
  MeasureOptions options;
  Measurement result;
};
} // namespace

std::vector<Measurement> rootc::report::measure(
    const std::vector<std::string> &libraries, const MeasureOptions &options,
    const std::function<void(const std::string &)> &progress) {
  std::vector<Contender> contenders;
  for (const std::string &library : libraries)
    contenders.emplace_back(library, options);
  constexpr int64_t turns = 3;
  for (int64_t turn = 0; turn < turns; ++turn) {
    int64_t runs =
        options.runs * (turn + 1) / turns - options.runs * turn / turns;
    if (runs == 0)
      continue;
    for (size_t i = 0; i < libraries.size(); ++i) {
      progress(fmt::format("measuring {}, turn {} of {}", libraries[i],
                           turn + 1, turns));
      std::this_thread::sleep_for(std::chrono::milliseconds(300));
      contenders[i].turn(runs);
    }
  }
  std::vector<Measurement> results;
  for (Contender &contender : contenders)
    results.push_back(contender.finish());
  return results;
}
