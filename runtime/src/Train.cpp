//===- Train.cpp - Train a model ------------------------------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Train.h"
#include "LoaderThreads.h"
#include "LogFile.h"
#include "Report/Report.h"
#include "StopSignals.h"
#include "Trainer.h"
#include "WeightsFile.h"

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <spdlog/sinks/stdout_sinks.h>

using namespace rootc;

static double secondsSince(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start)
      .count();
}

/// Seconds since 1970.
static double now() {
  return std::chrono::duration<double>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

/// Says which images could not be read.
void Trainer::logReports(Progress &progress) {
  for (ImageSource *source : {trainingSet.get(), testSet.get()})
    for (const std::string &text : source->takeReports()) {
      progress.clear();
      log.warn("{}", text);
    }
}

/// Ends a run whose numbers are not finite any more: where that shows first,
/// and from where one can go on.
void Trainer::diverged(const std::string &what,
                       const std::string &response) const {
  const Weights &weights = state->weights;
  fetchFromDevice();
  if (gradientsOnDevice)
    gradientsOnDevice->fetch();
  std::string where = firstNotFinite(model, weights.parameters.data(),
                                     weights.statistics.data());
  if (where.empty())
    where = response;
  if (where.empty() && !gradients.empty()) {
    where = firstNotFinite(model, gradients.data(), nullptr);
    where = where.empty() ? where : "the gradient of " + where;
  }
  std::string last = lastCheckpoint(folder.path());
  fail("{}{}{}; begin another run with a smaller --lr{}", what,
       where.empty() ? "" : ": ", where,
       last.empty() ? ""
                    : fmt::format(" (the last good checkpoint is {}, which its "
                                  "--weights can be)",
                                  last));
}

/// A device has them from here on, and gives them back where the host needs
/// them: to check, save and report.
void Trainer::keepOnDevice() {
  Weights &weights = state->weights;
  for (FloatArray *values :
       {&weights.parameters, &weights.statistics, &state->optimizer.velocity,
        &state->optimizer.second, &state->averageParameters,
        &state->averageStatistics})
    if (!values->empty())
      stateOnDevice.push_back(std::make_unique<DeviceCopy>(model, *values));
  gradientsOnDevice = std::make_unique<DeviceCopy>(model, gradients);
}

void Trainer::fetchFromDevice() const {
  for (const auto &values : stateOnDevice)
    values->fetch();
}

/// Nothing that is not finite is saved.
void Trainer::checkWeights() const {
  fetchFromDevice();
  if (!firstNotFinite(model, state->weights.parameters.data(),
                      state->weights.statistics.data())
           .empty())
    diverged(fmt::format("the weights are not finite after epoch {}, step {}",
                         state->epoch + 1, state->step));
}

/// Writes a file of the run; says how to go on where that fails.
void Trainer::keep(const std::function<void()> &write) const {
  try {
    write();
  } catch (const Error &error) {
    if (!hasCheckpoint(folder.path()))
      throw;
    fail("{}; then go on from the last checkpoint with --resume -o {}",
         error.what(), folder.path());
  }
}

void Trainer::save() {
  checkWeights();
  keep([&] { saveCheckpoint(folder.path(), model, *state); });
}

/// Ends the run where a batch's loss is not finite, or so large that it cannot
/// come back.
void Trainer::checkLoss(float loss, const Batch &batch, double rate) {
  double most = options.maxLoss > 0 ? options.maxLoss
                                    : 100 * std::log(double(model->classes));
  if (loss <= most)
    return;
  gradientsOnDevice.reset();
  gradients = FloatArray(); // their memory is for the packed weights
  Prepared prepared(model, state->weights);
  std::string response =
      describeResponses(session, model, prepared, batch, !std::isfinite(loss));
  diverged(fmt::format("the loss is {} at epoch {}, step {} (learning rate "
                       "{:.3g}){}",
                       valueText(loss), batch.epoch + 1, batch.index + 1, rate,
                       std::isfinite(loss)
                           ? fmt::format(", more than --max-loss {:.4g}", most)
                           : ""),
           response);
}

void Trainer::step(const Batch &batch) {
  ++state->step;
  state->skipped += batch.skipped;
  if (batch.size == 0)
    return;
  auto start = std::chrono::steady_clock::now();
  rootc_batch arguments = {};
  arguments.size = batch.size;
  arguments.image = batch.image.data();
  arguments.labels = batch.labels.data();
  arguments.samples = batch.samples.data();
  arguments.seed = int64_t(options.seed);
  arguments.epoch = batch.epoch;
  float loss = session.train(arguments, state->weights, gradients.data());
  double rate = options.rate.at(batch.epoch * perEpoch + batch.index, perEpoch,
                                options.epochs);
  checkLoss(loss, batch, rate);
  // So is NaN, of a rate of 0 times an infinite factor.
  if (!(rate <= std::numeric_limits<float>::max()))
    fail("the learning rate is {} at epoch {}, step {}, which is not finite "
         "as a float; use a smaller --lr-gamma or --lr",
         valueText(rate), batch.epoch + 1, batch.index + 1);
  optimizer.update(session, state->weights, state->optimizer, gradients.data(),
                   rate);
  if (options.average > 0) {
    auto share = float(1 - options.average);
    session.average(model->parameter_count, state->averageParameters.data(),
                    state->weights.parameters.data(), share);
    session.average(model->statistic_count, state->averageStatistics.data(),
                    state->weights.statistics.data(), share);
  }
  state->lossSum += double(loss) * double(batch.size);
  state->images += batch.size;
  state->seconds += secondsSince(start);
}

/// "  best 0.7123", once there is one.
std::string Trainer::bestText() const {
  if (state->bestAccuracy < 0)
    return "";
  return fmt::format("  best {:.4f}", state->bestAccuracy);
}

/// Returns false if a signal came.
bool Trainer::trainEpoch(BatchFeed &batches, Progress &progress) {
  while (state->step < perEpoch) {
    auto start = std::chrono::steady_clock::now();
    const Batch *batch = batches.next();
    if (!batch)
      fail("the loader ended before the epoch did");
    state->waited += secondsSince(start);
    step(*batch);
    logReports(progress);
    if (state->images)
      progress.step(
          fmt::format("epoch {}/{}", state->epoch + 1, options.epochs),
          state->step, perEpoch,
          fmt::format(
              "loss {:.4f}  {}{}", state->lossSum / double(state->images),
              speedText(double(state->images) / state->seconds), bestText()));
    if (StopSignals::caught())
      return false;
    int64_t every = options.checkpointEvery;
    if (every && state->step < perEpoch && state->step % every == 0)
      save();
  }
  return true;
}

Evaluation Trainer::evaluateTestSet() {
  // The packed weights take the place of the gradients.
  bool kept = gradientsOnDevice != nullptr;
  gradientsOnDevice.reset();
  gradients = FloatArray();
  Evaluation result = evaluateTestSet(state->averageParameters.empty()
                                          ? Prepared(model, state->weights)
                                          : Prepared(model, this->result()));
  gradients.resize(size_t(model->parameter_count));
  if (kept)
    gradientsOnDevice = std::make_unique<DeviceCopy>(model, gradients);
  return result;
}

Evaluation Trainer::evaluateTestSet(const Prepared &prepared) {
  auto run = [&] {
    return evaluate(session, model, prepared, *testSet, normalisation,
                    testBatch(), testThreads,
                    [] { return StopSignals::caught() != 0; });
  };
  try {
    return run();
  } catch (const TooFewThreads &error) {
    // The training set's threads wait meanwhile, and their limit is shared. An
    // epoch's work is not lost for it.
    if (error.started == 0)
      throw;
    testThreads = std::max(1, error.started / 2);
    log.warn("test images: {}; going on with {}", error.what(), testThreads);
  }
  return run();
}

Weights Trainer::result() const {
  fetchFromDevice();
  Weights weights = state->weights;
  if (!state->averageParameters.empty()) {
    weights.parameters = state->averageParameters;
    weights.statistics = state->averageStatistics;
  }
  return weights;
}

/// Of epochs that are equally good the first counts.
void Trainer::keepBest() {
  if (!(state->testAccuracy > state->bestAccuracy))
    return;
  state->bestAccuracy = state->testAccuracy;
  state->bestEpoch = state->epoch;
  if (options.keepBest)
    keep([&] { result().save(model, folder.file("best.safetensors")); });
}

/// Whether all epochs are done, or --patience has come to its end.
bool Trainer::finished() const {
  return state->epoch >= options.epochs ||
         (options.patience > 0 && state->epoch > 0 &&
          state->epoch - state->bestEpoch >= options.patience);
}

/// Evaluates and writes the epoch's line; returns false if a signal came.
bool Trainer::finishEpoch(Progress &progress) {
  if (state->images == 0)
    fail("--data: {}: none of the {} training images can be read", options.data,
         trainingSet->count);
  Evaluation test = evaluateTestSet();
  logReports(progress);
  if (!test.complete)
    return false;
  if (!std::isfinite(test.loss))
    diverged(fmt::format("the test loss is {} after epoch {}",
                         valueText(test.loss), state->epoch + 1),
             test.notFinite);
  checkWeights();
  double loss = state->lossSum / double(state->images);
  double speed = double(state->images) / state->seconds;
  nlohmann::ordered_json line = {{"epoch", state->epoch + 1},
                                 {"loss", loss},
                                 {"test_accuracy", test.accuracy},
                                 {"images_per_second", speed},
                                 {"test_loss", test.loss},
                                 {"seconds", state->seconds},
                                 {"waiting_seconds", state->waited},
                                 {"skipped", state->skipped},
                                 {"test_skipped", test.skipped},
                                 {"lr", rateAtEnd()},
                                 {"peak_bytes", peakResidentBytes()},
                                 {"time", now()}};
  if (model->classes > 5)
    line["top5"] = test.top5;
  keep([&] {
    writeFile(folder.file("evaluation.json"),
              {test.mistakes.toJson(state->epoch + 1, *testSet,
                                    state->weights.classNames)});
    state->metricsBytes = folder.appendMetrics(line.dump());
  });
  progress.clear();
  // A wait worth telling: more loader threads may help.
  double share = state->waited / (state->waited + state->seconds);
  log.info("epoch {}/{}: loss {:.4f}, test accuracy {:.4f}, {}{}",
           state->epoch + 1, options.epochs, loss, test.accuracy,
           speedText(speed),
           share > 0.1 ? fmt::format(", {:.0f}% of the time spent waiting for "
                                     "images",
                                     100 * share)
                       : "");
  state->testAccuracy = test.accuracy;
  ++state->epoch;
  keepBest();
  state->step = state->images = state->skipped = 0;
  state->lossSum = state->seconds = state->waited = 0;
  save();
  writePage(/*ended=*/false);
  return true;
}

double Trainer::rateAtEnd() const {
  return options.rate.at((state->epoch + 1) * perEpoch - 1, perEpoch,
                         options.epochs);
}

/// That it cannot be written does not stop a run.
void Trainer::writePage(bool ended) {
  try {
    writeRunPage(folder.path(), ended);
  } catch (const Error &error) {
    log.warn("{}; the run goes on without its page", error.what());
  }
}

int Trainer::stopped(Progress &progress) {
  progress.clear();
  save();
  writePage(/*ended=*/true);
  log.info("stopped at epoch {}, step {}; go on with --resume -o {}",
           state->epoch + 1, state->step, folder.path());
  return 128 + StopSignals::caught();
}

int Trainer::run() {
  StopSignals catching;
  begin();
  keepOnDevice();
  LoaderOptions loading;
  loading.batch = options.batch;
  loading.seed = options.seed;
  loading.shuffle = true;
  loading.augment = augment;
  loading.mixup = options.mixup;
  loading.epochs = options.epochs;
  loading.firstEpoch = state->epoch;
  loading.firstBatch = state->step;
  loading.threads = loaderThreads;
  MemoryPlan plan = planTrainingRun(model, largestBatch(), testBatch());
  plan.process = processBytes;
  int64_t floats = int64_t(state->optimizer.second.size());
  plan.velocity += floats * int64_t(sizeof(float));
  floats = int64_t(state->averageParameters.size() +
                   state->averageStatistics.size());
  // A copy with the average is tested.
  plan.parameters += 2 * floats * int64_t(sizeof(float));
  log.info("memory, as planned: {}", toString(plan));
  Loader loader(*trainingSet, normalisation, loading);
  BatchFeed batches(model, loader);
  Progress progress((options.epochs - state->epoch) * perEpoch - state->step);
  logReports(progress);
  while (!finished())
    if (!trainEpoch(batches, progress) || !finishEpoch(progress))
      return stopped(progress);
  keep([&] { result().save(model, folder.file("weights.safetensors")); });
  log.info("test accuracy {:.4f} after {} epochs", state->testAccuracy,
           state->epoch);
  if (state->epoch < options.epochs)
    log.info("stopped early: none of the last {} epochs was better than epoch "
             "{}",
             options.patience, state->bestEpoch);
  if (options.keepBest)
    log.info("best: test accuracy {:.4f} after epoch {}: {}",
             state->bestAccuracy, state->bestEpoch,
             folder.file("best.safetensors"));
  log.info("memory, at most: {:.0f} MiB",
           double(peakResidentBytes()) / (1 << 20));
  log.info("weights: {}", folder.file("weights.safetensors"));
  log.info("metrics: {} and .csv", folder.file("metrics.jsonl"));
  writePage(/*ended=*/true);
  log.info("report: {}", folder.file("report.html"));
  return 0;
}

int rootc::train(const TrainOptions &options) {
  Model model = Model::open(options.model, options.device);
  model.requireTraining();
  model.device();           // says so if there is none
  options.rate.at(0, 1, 1); // says so if the policy is unknown
  if (options.optimizer.nesterov && options.optimizer.kind != "sgd")
    fail("--nesterov is of --optimizer sgd; leave one of them out");
  if (options.optimizer.beta1 >= 1 || options.optimizer.beta2 >= 1)
    fail("--beta1 and --beta2: give numbers less than 1");
  if (options.skipMismatched && options.weights.empty())
    fail("--skip-mismatched is about layers that --weights has in another "
         "shape; give both");
  if (options.resume && options.output.empty())
    fail("--resume needs -o RUN, the folder of the run to go on with");
  RunFolder folder(options.output.empty() ? newRunFolder(model->name)
                                          : options.output);
  auto console = std::make_shared<spdlog::sinks::stdout_sink_mt>();
  console->set_pattern("%v");
  auto file = std::make_shared<LogFile>(folder.file("log"));
  spdlog::logger log("train", {console, file});
  log.flush_on(spdlog::level::info);
  try {
    return Trainer(options, model, folder, log).run();
  } catch (const Error &error) {
    file->log({"train", spdlog::level::err, error.what()});
    throw;
  }
}
