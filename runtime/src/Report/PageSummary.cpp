//===- PageSummary.cpp - What to read first -------------------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Noise.h"
#include "PageParts.h"

#include <algorithm>
#include <set>

using namespace rootc;
using namespace rootc::report;

static std::string factorText(double value, double baseline) {
  return baseline > 0 ? fmt::format("{:.2f}×", value / baseline) : "–";
}

/// A figure to read first: what it is, how it compares, what it is made of, and
/// whether that may be chance.
static void writeTile(Markup &markup, const std::string &big,
                      const std::string &what, const std::string &detail,
                      const std::string &noise = "") {
  auto tile =
      markup.in("div", {{"class", noise.empty() ? "tile" : "tile noise"}});
  markup.leaf("div", {{"class", "what"}}, what);
  markup.leaf("div", {{"class", "big"}}, big);
  markup.leaf("div", {{"class", "detail"}}, detail);
  if (!noise.empty())
    markup.leaf("div", {{"class", "detail"}}, noise);
}

/// "Within noise: ±2.51 points (1,000 test images)" if a difference is.
static std::string noiseText(const Noise &noise, double difference,
                             const char *unit) {
  if (!noise.hides(difference))
    return "";
  return fmt::format("Within noise: ±{} {} ({})", significant(100 * noise.size),
                     unit, noise.of);
}

static bool timesCompare(const Comparison &all, const Configuration &a,
                         const Configuration &b) {
  const Measurement *first = all.measurementOf(a);
  const Measurement *second = all.measurementOf(b);
  return first && second && Comparison::comparable(*first, *second);
}

/// Whether both were trained on one known machine with as many threads.
static bool sameMachine(const Comparison &all, const Configuration &a,
                        const Configuration &b) {
  std::set<std::string> places;
  for (const Configuration *one : {&a, &b})
    for (size_t index : one->runs)
      places.insert(fmt::format("{} {}", all.runs[index].machine,
                                all.runs[index].threads));
  return places.size() == 1 && !all.runs[a.runs.front()].machine.empty();
}

static std::string milliseconds(double ms) { return significant(ms) + " ms"; }

static void writeAgainst(Markup &markup, const Comparison &all,
                         const Configuration &root,
                         const Configuration &baseline) {
  const ModelInfo &a = all.modelOf(root), &b = all.modelOf(baseline);
  {
    auto heading = markup.in("h3");
    writeName(markup, root.label);
    markup.text(" against ");
    writeName(markup, baseline.label);
  }
  auto tiles = markup.in("div", {{"class", "tiles"}});
  auto instead = [](const std::string &now, const std::string &before) {
    return fmt::format("{} instead of {}", now, before);
  };
  if (root.error && baseline.error)
    writeTile(
        markup,
        fmt::format("{:+.2f}", 100 * (root.error->mean - baseline.error->mean)),
        "Test error, points",
        instead(percentText(root.error) + " %",
                percentText(baseline.error) + " %"),
        noiseText(errorNoise(all, root, baseline),
                  root.error->mean - baseline.error->mean, "points"));
  else
    writeTile(markup, "–", "Test error", "one of them has no epoch yet");
  writeTile(markup, factorText(double(a.macs), double(b.macs)), "Multiply-adds",
            instead(compact(double(a.macs)), compact(double(b.macs))));
  writeTile(markup, factorText(double(a.params), double(b.params)),
            "Parameters",
            instead(compact(double(a.params)), compact(double(b.params))));
  if (timesCompare(all, root, baseline))
    writeTile(
        markup,
        factorText(root.milliseconds->mean, baseline.milliseconds->mean),
        "Inference time",
        instead(milliseconds(root.milliseconds->mean),
                milliseconds(baseline.milliseconds->mean)) +
            " an image",
        noiseText(inferenceNoise(all, root, baseline),
                  root.milliseconds->mean / baseline.milliseconds->mean - 1,
                  "%"));
  else
    writeTile(markup, "–", "Inference time",
              root.milliseconds && baseline.milliseconds
                  ? "measured under different conditions"
                  : "not measured (see Error against cost)");
  if (root.trainMilliseconds && baseline.trainMilliseconds)
    writeTile(
        markup,
        factorText(root.trainMilliseconds->mean,
                   baseline.trainMilliseconds->mean),
        "Training time",
        instead(milliseconds(root.trainMilliseconds->mean),
                milliseconds(baseline.trainMilliseconds->mean)) +
            " an image" +
            (sameMachine(all, root, baseline) ? ""
                                              : ", perhaps not on one machine"),
        noiseText(
            trainingNoise(all, root, baseline),
            root.trainMilliseconds->mean / baseline.trainMilliseconds->mean - 1,
            "%"));
}

/// The largest resident set of any of the runs; NaN: not known.
static double peakBytes(const Comparison &all, const Configuration &one) {
  double largest = NAN;
  for (size_t index : one.runs)
    for (const Epoch &epoch : all.runs[index].epochs)
      largest = std::fmax(largest, epoch.peakBytes);
  return largest;
}

static std::string mebibytes(double bytes) {
  return significant(bytes / (1 << 20));
}

static std::string bytesText(double bytes) {
  return bytes < 1 << 20 ? significant(bytes / 1024) + " KiB"
                         : mebibytes(bytes) + " MiB";
}

static void writeAlone(Markup &markup, const Comparison &all,
                       const Configuration &one) {
  const ModelInfo &model = all.modelOf(one);
  auto tiles = markup.in("div", {{"class", "tiles"}});
  writeTile(markup, one.error ? percentText(one.error) + " %" : "–",
            "Test error",
            one.bestError ? "best epoch " + percentText(one.bestError) + " %"
                          : "no epoch yet");
  writeTile(markup, model.described ? compact(double(model.macs)) : "–",
            "Multiply-adds", model.described ? "for an image" : "not known");
  writeTile(markup, model.described ? compact(double(model.params)) : "–",
            "Parameters", model.described ? "" : "not known");
  writeTile(
      markup, one.milliseconds ? milliseconds(one.milliseconds->mean) : "–",
      "Inference time",
      one.milliseconds ? "an image" : "not measured (see Cost per layer)");
  if (one.speed)
    writeTile(markup, significant(one.speed->mean), "Training, images/s",
              "median over the epochs");
  if (double bytes = peakBytes(all, one); bytes > 0)
    writeTile(markup, bytesText(bytes), "Memory in training",
              "the largest resident set");
  if (model.bytes > 0)
    writeTile(markup, bytesText(double(model.bytes)), "Library",
              "the model's code, without weights");
}

static void writeConfigurations(Markup &markup, const Comparison &all) {
  bool top5 = std::any_of(all.configurations.begin(), all.configurations.end(),
                          [](const auto &one) { return bool(one.top5Error); });
  std::vector<std::string> headings = {"Configuration",  "#Runs",
                                       "#Parameters",    "#Multiply-adds",
                                       "#Test error, %", "#Best epoch, %"};
  if (top5)
    headings.emplace_back("#Top-5 error, %");
  headings.insert(headings.end(),
                  {"#Inference, ms an image", "#Training, images/s",
                   "#Memory, MiB", "#Library, MiB"});
  Table table(markup, "Configurations", headings, /*sortable=*/true);
  for (size_t i = 0; i < all.configurations.size(); ++i) {
    const Configuration &one = all.configurations[i];
    const ModelInfo &model = all.modelOf(one);
    const Configuration *base =
        one.baseline ? &all.configurations[*one.baseline] : nullptr;
    auto row = markup.in("tr");
    {
      auto name = markup.in("th", {{"scope", "row"}});
      writeKey(markup, all, i);
      if (!one.finished)
        markup.leaf("small", "not finished");
    }
    numberCell(markup, double(one.runs.size()),
               fmt::format("{}", one.runs.size()));
    auto count = [&](int64_t value, int64_t before) {
      numberCell(markup, model.described ? double(value) : NAN,
                 compact(double(value)),
                 base ? factorText(double(value), double(before)) : "");
    };
    count(model.params, base ? all.modelOf(*base).params : 0);
    count(model.macs, base ? all.modelOf(*base).macs : 0);
    auto error = [&](const std::optional<Spread> &spread,
                     const std::optional<Spread> &before) {
      std::string note;
      if (base && before && spread) {
        double difference = spread->mean - before->mean;
        bool noise = errorNoise(all, one, *base).hides(difference);
        note =
            fmt::format("{:+.2f}{}", 100 * difference, noise ? " (noise)" : "");
      }
      numberCell(markup, spread ? spread->mean : NAN, percentText(spread),
                 note);
    };
    error(one.error, base ? base->error : std::nullopt);
    error(one.bestError, base ? base->bestError : std::nullopt);
    if (top5)
      error(one.top5Error, base ? base->top5Error : std::nullopt);
    numberCell(
        markup, one.milliseconds ? one.milliseconds->mean : NAN,
        one.milliseconds ? significant(one.milliseconds->mean) : "",
        base && timesCompare(all, one, *base)
            ? factorText(one.milliseconds->mean, base->milliseconds->mean)
            : "");
    numberCell(markup, one.speed ? one.speed->mean : NAN,
               one.speed ? significant(one.speed->mean) : "");
    double peak = peakBytes(all, one);
    numberCell(markup, peak, mebibytes(peak));
    double bytes = model.bytes > 0 ? double(model.bytes) : NAN;
    numberCell(markup, bytes, mebibytes(bytes));
  }
}

void rootc::report::writeSummary(Markup &markup, const Comparison &all) {
  auto section = openSection(markup, "summary", "Summary");
  // Of each network, the variant that saves most.
  std::map<size_t, size_t> smallest; // baseline -> configuration
  for (size_t i = 0; i < all.configurations.size(); ++i) {
    const Configuration &one = all.configurations[i];
    if (!one.baseline)
      continue;
    auto [found, added] = smallest.emplace(*one.baseline, i);
    if (!added && all.modelOf(one).macs <
                      all.modelOf(all.configurations[found->second]).macs)
      found->second = i;
  }
  for (auto [baseline, root] : smallest)
    writeAgainst(markup, all, all.configurations[root],
                 all.configurations[baseline]);
  if (all.configurations.size() == 1)
    writeAlone(markup, all, all.configurations.front());
  writeConfigurations(markup, all);
  if (!smallest.empty())
    markup.leaf("p", {{"class", "under"}},
                "Under a number: against the same network without groups; "
                "(noise): a difference smaller than two standard errors.");
  writeHow(markup, all);
}
