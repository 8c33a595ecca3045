//===- VerbsMeasure.cpp - eval, bench, profile ----------------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Evaluate.h"
#include "VerbSupport.h"

#include <algorithm>
#include <chrono>
#include <iostream>
#include <nlohmann/json.hpp>

using namespace rootc;
using Json = nlohmann::ordered_json;
using Clock = std::chrono::steady_clock;

static double milliseconds(Clock::duration time) {
  return std::chrono::duration<double, std::milli>(time).count();
}

void rootc::evalModel(const VerbOptions &options) {
  Model model = Model::open(options.model);
  Weights weights = loadWeights(model, options);
  Normalisation normalisation = Normalisation::of(weights, options.weights);
  std::string split = options.split.empty() ? "test" : options.split;
  Dataset dataset = loadCifar(options.data, split == "train", model);
  Prepared prepared(model, weights);
  Session session(model, std::make_shared<ThreadPool>(model, options.threads));
  Evaluation result = evaluate(session, model, prepared, dataset, normalisation,
                               options.batch ? options.batch : 128);
  double speed = double(dataset.count) / result.seconds;
  if (options.json)
    fmt::print("{}\n", Json{{"model", model->name},
                            {"split", split},
                            {"images", dataset.count},
                            {"accuracy", result.accuracy},
                            {"loss", result.loss},
                            {"images_per_second", speed}}
                           .dump());
  else
    fmt::print("{} images: accuracy {:.4f}, loss {:.4f}, {:.0f} images/s\n",
               dataset.count, result.accuracy, result.loss, speed);
}

namespace {
/// A model with random weights and a batch, ready to be timed.
class Workload {
public:
  Workload(const VerbOptions &options, bool withTraining)
      : model(Model::open(options.model)),
        weights(options.weights.empty()
                    ? Weights::initialise(model, options.seed)
                    : loadWeights(model, options)),
        prepared(model, weights),
        pool(std::make_shared<ThreadPool>(model, options.threads)),
        session(model, pool),
        batch(model, options.batch ? options.batch : 1, options.seed),
        logits(batch.labels.size() * size_t(model->classes)) {
    if (!withTraining)
      return;
    model.requireTraining();
    gradients.resize(weights.parameters.size());
    velocity.resize(weights.parameters.size());
  }

  void infer() {
    session.infer(prepared, int64_t(batch.labels.size()), batch.image.data(),
                  logits.data());
  }
  /// Forward, backward and update; the rate is too small to go astray.
  void train() {
    session.train(batch.view(), weights, gradients.data());
    session.update(weights, gradients.data(), velocity.data(), 1e-6f, 0.9f,
                   5e-4f);
  }
  void run(bool training) { training ? train() : infer(); }
  double time(bool training) {
    auto start = Clock::now();
    run(training);
    return milliseconds(Clock::now() - start);
  }

  Model model;
  Weights weights;
  Prepared prepared;
  std::shared_ptr<ThreadPool> pool;
  Session session;
  RandomBatch batch;
  FloatArray logits, gradients, velocity;
};
} // namespace

/// Answers every line of standard input with the best of three times, after a
/// run to warm up, so that contenders can take turns.
static void serve(Workload &work, bool training) {
  work.run(training);
  for (std::string line; std::getline(std::cin, line);) {
    work.run(training);
    double best = work.time(training);
    for (int i = 0; i < 2; ++i)
      best = std::min(best, work.time(training));
    fmt::print("{}\n", best);
    std::fflush(stdout);
  }
}

void rootc::benchModel(const VerbOptions &options) {
  if (options.serve) {
    if (options.train && options.infer)
      fail("--serve measures one thing: pass --train or --infer");
    Workload work(options, options.train);
    serve(work, options.train);
    return;
  }
  bool both = !options.train && !options.infer;
  bool canTrain = Model::open(options.model)->has_training;
  bool training = options.train || (both && canTrain);
  Workload work(options, training);
  int64_t size = int64_t(work.batch.labels.size());
  Json report = {{"model", work.model->name},
                 {"batch", size},
                 {"threads", work.pool->threads()},
                 {"runs", options.runs}};
  for (bool train : {false, true}) {
    if (train ? !training : !(options.infer || both))
      continue;
    work.run(train);
    std::vector<double> times;
    for (int64_t i = 0; i < options.runs; ++i)
      times.push_back(work.time(train));
    double middle = median(times);
    double least = *std::min_element(times.begin(), times.end());
    double speed = double(size) / middle * 1e3;
    const char *name = train ? "train" : "infer";
    report[name] = {
        {"median_ms", middle}, {"min_ms", least}, {"images_per_second", speed}};
    if (!options.json)
      fmt::print("{}: median {:.3f} ms, min {:.3f} ms, {:.0f} images/s (batch "
                 "{}, {} threads, {} runs)\n",
                 name, middle, least, speed, size, work.pool->threads(),
                 options.runs);
  }
  if (options.json)
    fmt::print("{}\n", report.dump());
}

namespace {
/// Sums the time of each kernel call of one program.
struct CallTimes {
  int32_t program;
  std::vector<double> sums;
  Clock::time_point start;

  static void hook(void *state, int32_t program, int32_t call, int32_t phase) {
    auto &times = *static_cast<CallTimes *>(state);
    if (program != times.program || call < 0 ||
        size_t(call) >= times.sums.size())
      return;
    if (phase == 0)
      times.start = Clock::now();
    else
      times.sums[size_t(call)] += milliseconds(Clock::now() - times.start);
  }
};
} // namespace

void rootc::profileModel(const VerbOptions &options) {
  Workload work(options, options.train);
  int32_t program = options.train ? ROOTC_TRAIN : ROOTC_INFER;
  work.run(options.train);
  CallTimes times{program,
                  std::vector<double>(size_t(work.model->call_count[program])),
                  {}};
  work.session.context().call_hook = CallTimes::hook;
  work.session.context().call_hook_state = &times;
  for (int64_t i = 0; i < options.runs; ++i)
    work.run(options.train);
  double total = 0;
  for (double &sum : times.sums)
    total += sum /= double(options.runs);
  int64_t size = int64_t(work.batch.labels.size());
  Json report = {{"model", work.model->name},
                 {"program", options.train ? "train" : "infer"},
                 {"batch", size},
                 {"threads", work.pool->threads()},
                 {"total_ms", total},
                 {"calls", Json::array()}};
  if (!options.json)
    fmt::print("{:>10}  {:>6}  kernel\n", "ms", "share");
  for (size_t i = 0; i < times.sums.size(); ++i) {
    const char *label = work.model->call_labels[program][i];
    double share = total > 0 ? times.sums[i] / total : 0;
    report["calls"].push_back(
        {{"label", label}, {"ms", times.sums[i]}, {"share", share}});
    if (!options.json)
      fmt::print("{:>10.3f}  {:>5.1f}%  {}\n", times.sums[i], 100 * share,
                 label);
  }
  if (options.json)
    fmt::print("{}\n", report.dump());
  else
    fmt::print("{:>10.3f}  {:>5.1f}%  all (batch {}, {} threads, mean of {} "
               "runs)\n",
               total, 100.0, size, work.pool->threads(), options.runs);
}
