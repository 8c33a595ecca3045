//===- Report.cpp - Compare runs ------------------------------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Report.h"

#include "Data.h"
#include "Page.h"

#include <filesystem>
#include <set>

using namespace rootc;
using namespace rootc::report;
namespace fs = std::filesystem;

static std::vector<Run> readRuns(const std::vector<std::string> &paths) {
  std::vector<Run> runs;
  std::set<std::string> seen;
  for (const std::string &path : paths) {
    Run run = readRun(path);
    std::error_code error;
    fs::path canonical = fs::canonical(path, error);
    if (!seen.insert(error ? path : canonical.string()).second) {
      fmt::print(stderr, "rootrun: {}: given twice, counted once\n", path);
      continue;
    }
    runs.push_back(std::move(run));
  }
  return runs;
}

/// Gives each run the library among `paths` that it was trained with.
static void findModels(std::vector<Run> &runs,
                       const std::vector<std::string> &paths) {
  for (const std::string &path : paths) {
    Model model = Model::open(path);
    std::string hash = hashOfFile(path);
    bool used = false;
    for (Run &run : runs) {
      if (run.model.hash != hash)
        continue;
      used = true;
      run.model.path = path;
      run.model.target = model->target;
      if (!run.model.describe(model->description))
        run.remarks.push_back(fmt::format(
            "--model {}: does not say what the network costs", path));
    }
    if (!used)
      fail("--model {}: none of the runs was trained with this library (hash "
           "{})",
           path, hash);
  }
}

/// The libraries of all runs, each once; throws if one is not where it was.
static std::vector<std::string> librariesOf(const std::vector<Run> &runs) {
  std::vector<std::string> libraries;
  std::set<std::string> seen;
  for (const Run &run : runs) {
    const ModelInfo &model = run.model;
    if (model.hash.empty())
      fail("--measure: {}: does not say which library it was trained with; "
           "leave the run out",
           run.path);
    std::error_code error;
    if (model.path.empty())
      fail("--measure: {}: does not say where its library ({}, hash {}) is; "
           "pass it with --model",
           run.path, model.name, model.hash);
    if (!fs::exists(model.path, error) || hashOfFile(model.path) != model.hash)
      fail("--measure: {}: its library {} (hash {}) {}; pass it with --model, "
           "or leave the run out",
           run.path, model.path, model.hash,
           fs::exists(model.path, error) ? "has changed" : "is not there");
    if (seen.insert(model.hash).second)
      libraries.push_back(model.path);
  }
  return libraries;
}

/// What all runs can be measured with: they were trained with as much.
static int64_t smallestBatch(const std::vector<Run> &runs) {
  int64_t smallest = 0;
  for (const Run &run : runs) {
    int64_t batch = std::strtoll(run.option("--batch").c_str(), nullptr, 10);
    if (batch > 0 && (smallest == 0 || batch < smallest))
      smallest = batch;
  }
  return smallest ? smallest : 32;
}

/// The page of runs, with pictures of one run's filters a configuration.
static std::string pageOf(Comparison &all) {
  for (const Configuration &one : all.configurations)
    readFilters(all.runs[one.runs.front()], all.remarks);
  return makePage(all, timestamp());
}

static void measureRuns(std::vector<Run> &runs,
                        const std::vector<std::string> &libraries,
                        const ReportOptions &options) {
  MeasureOptions how;
  how.batch = options.batch ? options.batch : smallestBatch(runs);
  how.runs = options.measuredRuns;
  how.threads = options.threads;
  std::vector<Measurement> results =
      measure(libraries, how, [](const std::string &text) {
        fmt::print(stderr, "rootrun: {}\n", text);
      });
  for (Run &run : runs)
    for (const Measurement &result : results)
      if (result.modelHash == run.model.hash) {
        run.measured = result;
        try {
          writeFile(run.path + "/measured.json", {result.toJson()});
        } catch (const Error &error) {
          run.remarks.push_back(std::string(error.what()) +
                                "; the times are on this page alone");
        }
      }
}

/// A page that was not named takes no other file's place.
static std::string defaultPage() {
  std::string page = "report.html";
  std::error_code error;
  if (!fs::is_regular_file(page, error))
    return page;
  std::vector<char> bytes = readFile(page);
  if (std::string_view(bytes.data(), bytes.size()).find("rootrun report") ==
      std::string_view::npos)
    fail("{}: is there already, and no page of rootrun report; give -o FILE",
         page);
  return page;
}

void rootc::writeRunPage(const std::string &folder, bool ended) {
  Run run = readRun(folder);
  if (ended && run.status == Status::Running)
    run.status = Status::Stopped;
  std::vector<Run> runs;
  runs.push_back(std::move(run));
  Comparison one = compare(std::move(runs));
  writeFile(folder + "/report.html", {pageOf(one)});
}

void rootc::reportRuns(const ReportOptions &options) {
  std::vector<Run> runs = readRuns(options.runs);
  findModels(runs, options.models);
  std::string page = options.output;
  if (page.empty() && !options.json)
    page = defaultPage();
  if (options.measure) {
    std::vector<std::string> libraries = librariesOf(runs);
    // A page that cannot be written is known before minutes of measuring.
    if (!page.empty()) {
      Comparison before = compare(runs);
      writeFile(page, {pageOf(before)});
    }
    measureRuns(runs, libraries, options);
  }
  Comparison all = compare(std::move(runs));
  for (const auto *texts : {&all.warnings, &all.remarks})
    for (const std::string &text : *texts)
      fmt::print(stderr, "rootrun: {}\n", text);
  if (!page.empty())
    writeFile(page, {pageOf(all)});
  if (options.json)
    fmt::print("{}\n", makeJson(all));
  else
    fmt::print("{}: {} from {}\n", page,
               plural(int64_t(all.configurations.size()), "configuration"),
               plural(int64_t(all.runs.size()), "run"));
}
