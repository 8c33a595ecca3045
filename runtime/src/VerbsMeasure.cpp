//===- VerbsMeasure.cpp - eval, bench -------------------------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Data.h"
#include "Evaluate.h"
#include "Workload.h"

#include <algorithm>
#include <iostream>
#include <nlohmann/json.hpp>

using namespace rootc;
using Json = nlohmann::ordered_json;

void rootc::evalModel(const VerbOptions &options) {
  Model model = Model::open(options.model, options.device);
  auto [weights, prepared] = loadForInference(model, options);
  Normalisation normalisation = Normalisation::of(weights, options.weights);
  std::string split = options.split.empty() ? "test" : options.split;
  auto images = openData(options.data, split == "train", model);
  if (auto text = compareClassNames(weights, options.data); !text.empty())
    fmt::print(stderr, "rootrun: {}\n", text);
  int loaderThreads =
      options.loaderThreads ? options.loaderThreads : images->defaultThreads();
  Session session(model, std::make_shared<ThreadPool>(model, options.threads));
  Evaluation result =
      evaluate(session, model, prepared, *images, normalisation,
               options.batch ? options.batch : 128, loaderThreads);
  printReports(*images);
  double speed = double(result.images) / result.seconds;
  bool hasTop5 = model->classes > 5;
  if (!options.json) {
    fmt::print("{} images: accuracy {:.4f}, {}loss {:.4f}, {}{}\n",
               result.images, result.accuracy,
               hasTop5 ? fmt::format("top-5 {:.4f}, ", result.top5) : "",
               result.loss, speedText(speed),
               result.skipped ? fmt::format(", {} skipped", result.skipped)
                              : "");
    return;
  }
  Json report = {{"model", model->name},     {"split", split},
                 {"images", result.images},  {"accuracy", result.accuracy},
                 {"loss", result.loss},      {"images_per_second", speed},
                 {"skipped", result.skipped}};
  if (hasTop5)
    report["top5"] = result.top5;
  fmt::print("{}\n", report.dump());
}

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
    Workload work(options, options.train, !options.train);
    serve(work, options.train);
    return;
  }
  bool both = !options.train && !options.infer;
  bool canTrain = Model::open(options.model, options.device).canTrain();
  bool training = options.train || (both && canTrain);
  Workload work(options, training, options.infer || both);
  int64_t size = work.batchSize();
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
      fmt::print("{}: median {:.3f} ms, min {:.3f} ms, {} (batch "
                 "{}, {} threads, {} runs)\n",
                 name, middle, least, speedText(speed), size,
                 work.pool->threads(), options.runs);
  }
  int64_t used = peakResidentBytes();
  report["memory"] = {{"planned_bytes", work.plan.total()},
                      {"peak_bytes", used},
                      {"loaded_bytes", work.processBytes}};
  if (options.json)
    fmt::print("{}\n", report.dump());
  else
    fmt::print("memory: at most {:.0f} MiB; planned {}\n",
               double(used) / (1 << 20), toString(work.plan));
}
