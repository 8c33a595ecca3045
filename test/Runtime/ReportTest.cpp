//===- ReportTest.cpp - Runs side by side ---------------------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TestSupport.h"
#include "runtime/src/Report/LayerTable.h"
#include "runtime/src/Report/Markup.h"

#include <cmath>
#include <nlohmann/json.hpp>

using namespace rootc;
using namespace rootc::report;
using namespace rootc::test;

static RunRecord makeRecord() {
  RunRecord record;
  record.modelName = "nin";
  record.modelPath = "/a \"b\"/nin.so";
  record.modelHash = "0123456789abcdef";
  record.target = "host";
  record.description = R"({"params":5,"macs":7,"layers":[]})";
  record.dataPath = "/data";
  record.dataHash = "fedcba9876543210";
  record.trainingImages = 50000;
  record.testImages = 10000;
  record.options = {{"--epochs", "3"}, {"--seed", "18446744073709551615"}};
  record.machine = {"A CPU", 2};
  record.threads = 4;
  record.started = "2026-01-31T12:00:00Z";
  return record;
}

TEST(RunRecord, RoundTrip) {
  RunRecord record = makeRecord();
  RunRecord read = RunRecord::parse(record.toJson(), "run.json");
  EXPECT_EQ(read.toJson(), record.toJson());
  EXPECT_EQ(read.modelPath, record.modelPath);
  EXPECT_EQ(read.description, record.description);
  EXPECT_EQ(read.options, record.options);
  EXPECT_EQ(read.machine, record.machine);
  EXPECT_EQ(read.trainingImages, 50000);
  // A model need not describe itself.
  record.description.clear();
  EXPECT_EQ(RunRecord::parse(record.toJson(), "run.json").description, "");
}

TEST(RunRecord, Errors) {
  auto errorFor = [](const std::string &text) {
    return errorOf([&] { RunRecord::parse(text, "a/run.json"); });
  };
  std::string text = makeRecord().toJson();
  EXPECT_EQ(errorFor(text), "");
  EXPECT_CONTAINS(errorFor(""), "a/run.json: is damaged or of another version");
  EXPECT_CONTAINS(errorFor(text.substr(0, text.size() / 2)), "a/run.json");
  for (const char *key : {"model", "data", "options", "machine", "threads"}) {
    auto json = nlohmann::json::parse(text);
    json.erase(key);
    EXPECT_CONTAINS(errorFor(json.dump()), fmt::format("'{}'", key));
    json[key] = "text";
    EXPECT_CONTAINS(errorFor(json.dump()), "a/run.json: is damaged");
  }
  EXPECT_CONTAINS(errorFor(std::string(1 << 20, '[')), "nested too deeply");
}

TEST(Metrics, ReadsWhatALineHolds) {
  std::string remark;
  auto epochs = readMetrics("{\"epoch\":1,\"loss\":2.5,\"test_accuracy\":0.25,"
                            "\"seconds\":10,\"top5\":0.75,\"new\":[1]}\n"
                            "{\"epoch\":3,\"loss\":null,\"test_loss\":1e300}\n",
                            "m", remark);
  ASSERT_EQ(epochs.size(), 2u);
  EXPECT_EQ(remark, "");
  EXPECT_EQ(epochs[0].loss, 2.5);
  EXPECT_EQ(epochs[0].accuracy, 0.25);
  EXPECT_EQ(epochs[0].top5, 0.75);
  EXPECT_TRUE(std::isnan(epochs[0].testLoss));
  EXPECT_EQ(epochs[1].epoch, 3);
  EXPECT_TRUE(std::isnan(epochs[1].loss));
  EXPECT_TRUE(std::isnan(epochs[1].testLoss));
  EXPECT_TRUE(readMetrics("", "m", remark).empty());
}

TEST(Metrics, NotANumberIsNotText) {
  std::string remark;
  auto epochs = readMetrics("{\"epoch\":1,\"loss\":NaN,\"NaN\":\"NaN\"}\n"
                            "{\"epoch\":2,\"loss\":-Infinity}\n",
                            "m", remark);
  ASSERT_EQ(epochs.size(), 2u);
  EXPECT_TRUE(std::isnan(epochs[0].loss));
  EXPECT_TRUE(std::isnan(epochs[1].loss));
}

TEST(Metrics, CutAnywhere) {
  std::string text = "{\"epoch\":1,\"loss\":2.5}\n{\"epoch\":2,\"loss\":1.5}\n";
  size_t first = text.find('\n') + 1;
  for (size_t length = 0; length <= text.size(); ++length) {
    std::string remark;
    size_t count = readMetrics(text.substr(0, length), "m", remark).size();
    // Without its line break a line is whole.
    EXPECT_EQ(count,
              size_t(length + 1 >= first) + size_t(length + 1 >= text.size()))
        << length;
    bool whole = length == 0 || length + 1 == first || length == first ||
                 length + 1 >= text.size();
    EXPECT_EQ(remark.empty(), whole) << length << remark;
  }
}

static std::string describe(int groups) {
  return fmt::format(
      R"({{"params":{},"macs":{},"layers":[
        {{"name":"a","op":"conv2d","groups":1,"params":10,"macs":100}},
        {{"name":"a b","op":"conv2d","groups":{},"params":{},"macs":{}}}],
        "options":{{"root":{},"topology":"root","groups":"","image":""}}}})",
      10 + 40 / groups, 100 + 800 / groups, groups, 40 / groups, 800 / groups,
      groups == 1 ? 0 : groups);
}

TEST(ModelInfo, Describe) {
  ModelInfo info;
  for (const char *bad :
       {"", "[]", "{}", R"({"params":1,"macs":1})",
        R"({"params":1,"macs":1,"layers":[1]})",
        R"({"params":1.5,"macs":1,"layers":[]})",
        R"({"params":-1,"macs":1,"layers":[]})",
        R"({"params":1,"macs":1,"layers":[],"options":[]})",
        R"({"params":1,"macs":1,"layers":[],"options":{"root":"a"}})"})
    EXPECT_FALSE(info.describe(bad)) << bad;
  EXPECT_FALSE(info.described);
  EXPECT_TRUE(info.describe(describe(4)));
  EXPECT_EQ(info.root, 4);
  EXPECT_EQ(info.groupList(), "a b 4");
  std::string twice = describe(4);
  twice.replace(twice.find("a b"), 3, "a");
  EXPECT_FALSE(info.describe(twice));
  EXPECT_EQ(info.layers.size(), 2u);
}

static Run makeRun(int groups, int seed, std::vector<double> errors) {
  Run run;
  run.path = run.name = fmt::format("root-{}-{}", groups, seed);
  run.model.name = "net";
  run.model.hash = fmt::format("{}", groups);
  EXPECT_TRUE(run.model.describe(describe(groups)));
  run.options = {{"--seed", fmt::format("{}", seed)}, {"--lr", "0.1"}};
  for (double error : errors) {
    Epoch epoch;
    epoch.epoch = int64_t(run.epochs.size()) + 1;
    epoch.loss = epoch.testLoss = 1;
    epoch.accuracy = 1 - error;
    epoch.imagesPerSecond = 250;
    run.epochs.push_back(epoch);
  }
  run.plannedEpochs = 2;
  run.status = errors.size() == 2 ? Status::Finished : Status::Stopped;
  return run;
}

TEST(Comparison, SeedsAreOneConfiguration) {
  Comparison all =
      compare({makeRun(4, 0, {0.5, 0.3}), makeRun(1, 0, {0.5, 0.2}),
               makeRun(4, 1, {0.2, 0.4}), makeRun(4, 2, {0.1})});
  ASSERT_EQ(all.configurations.size(), 2u);
  const Configuration &baseline = all.configurations[0],
                      &root = all.configurations[1];
  EXPECT_EQ(baseline.label, "net");
  EXPECT_EQ(root.label, "net root-4");
  EXPECT_EQ(root.baseline, std::optional<size_t>(0));
  // The run that is not finished has no part in the error.
  EXPECT_EQ(root.runs.size(), 3u);
  EXPECT_NEAR(root.error->mean, 0.35, 1e-12);
  EXPECT_NEAR(root.error->deviation, std::sqrt(0.005), 1e-12);
  EXPECT_EQ(root.error->count, 2u);
  EXPECT_NEAR(root.bestError->mean, 0.25, 1e-12);
  EXPECT_NEAR(root.trainMilliseconds->mean, 4, 1e-12);
  EXPECT_FALSE(root.milliseconds);
  ASSERT_EQ(all.families.size(), 1u);
  EXPECT_EQ(all.families[0].configurations, (std::vector<size_t>{0, 1}));
  ASSERT_EQ(all.warnings.size(), 1u);
  EXPECT_CONTAINS(all.warnings[0], "root-4-2 is not finished: 1 of 2 epochs");
}

TEST(Comparison, OtherOptionsAreAnotherConfiguration) {
  report::Run other = makeRun(1, 1, {0.5, 0.2});
  other.options["--lr"] = "0.2";
  Comparison all = compare({makeRun(1, 0, {0.5, 0.2}), other});
  ASSERT_EQ(all.configurations.size(), 2u);
  EXPECT_EQ(all.configurations[0].label, "net (lr 0.1)");
  EXPECT_EQ(all.configurations[1].label, "net (lr 0.2)");
  EXPECT_CONTAINS(all.warnings.at(0), "--lr");
}

TEST(LayerTable, TimesGoToTheirLayers) {
  report::Run baseline = makeRun(1, 0, {0.5, 0.2}),
              root = makeRun(4, 0, {0.5, 0.3});
  Measurement measured;
  measured.modelHash = root.model.hash;
  measured.batch = 2;
  measured.threads = 1;
  measured.infer.ms = {12, 14, 10};
  measured.infer.calls = {{"a", 2}, {"a b", 4}, {"a b relu", 1}, {"pool", 5}};
  root.measured = measured;
  Comparison all = compare({baseline, root});
  LayerTable table = layerTables(all).at(0);
  EXPECT_EQ(table.configurations, (std::vector<size_t>{0, 1}));
  ASSERT_EQ(table.rows.size(), 2u);
  EXPECT_EQ(table.rows[1].name, "a b");
  EXPECT_EQ(table.rows[1].costs[0].macs, 800);
  EXPECT_EQ(table.rows[1].costs[1].macs, 200);
  EXPECT_EQ(table.rows[1].costs[1].groups, 4);
  EXPECT_EQ(table.rows[0].costs[1].infer, 1);
  EXPECT_EQ(table.rows[1].costs[1].infer, 2.5);
  EXPECT_EQ(table.rest.costs[1].infer, 2.5);
  EXPECT_EQ(table.total.costs[1].infer, 6);
  EXPECT_EQ(all.configurations[1].milliseconds->mean, 6);
  EXPECT_TRUE(std::isnan(table.rows[0].costs[0].infer));
  EXPECT_TRUE(table.has(&LayerCosts::infer));
  EXPECT_FALSE(table.has(&LayerCosts::train));
  // Times of another library are not this one's.
  all.runs[1].measured->modelHash = "another";
  Comparison again = compare(all.runs);
  EXPECT_FALSE(again.configurations[1].milliseconds);
  EXPECT_CONTAINS(again.remarks.at(0), "measured another library");
}

TEST(Numbers, Text) {
  EXPECT_EQ(grouped(-1234567), "-1,234,567");
  EXPECT_EQ(grouped(999), "999");
  EXPECT_EQ(compact(222487946), "222 M");
  EXPECT_EQ(compact(999950), "1.00 M");
  EXPECT_EQ(compact(42), "42");
  EXPECT_EQ(compact(NAN), "-");
  EXPECT_EQ(significant(0.0123456), "0.0123");
  EXPECT_EQ(significant(9.996), "10.0");
  EXPECT_EQ(significant(123456), "123000");
  EXPECT_EQ(percent(0.0789), "7.89");
  EXPECT_EQ(duration(200), "3 min 20 s");
  EXPECT_EQ(duration(7500), "2 h 05 min");
}

TEST(Numbers, AxesHoldTheirValues) {
  for (std::vector<double> values : {std::vector<double>{},
                                     {0},
                                     {5},
                                     {-3},
                                     {1, 2},
                                     {0.2, 0.21},
                                     {966986, 314954},
                                     {1e-9, 1e9},
                                     {1e15, 1e15 + 1},
                                     {NAN, 7, INFINITY},
                                     {-1e-12, 1e12},
                                     {25.78, 25.98, 27.37, 27.55}})
    for (Scale scale : {Scale::Linear, Scale::Whole, Scale::Auto})
      for (bool fromZero : {false, true}) {
        Axis axis = makeAxis(values, scale, 5, fromZero);
        EXPECT_LT(axis.low, axis.high);
        EXPECT_GE(axis.ticks.size(), 2u);
        EXPECT_LE(axis.ticks.size(), 12u);
        for (double value : values)
          if (std::isfinite(value)) {
            EXPECT_GE(axis.at(value), -1e-9) << value;
            EXPECT_LE(axis.at(value), 1 + 1e-9) << value;
          }
        for (size_t i = 1; i < axis.ticks.size(); ++i)
          EXPECT_NE(axis.ticks[i].label, axis.ticks[i - 1].label);
        for (const Tick &tick : axis.ticks)
          EXPECT_TRUE(scale != Scale::Whole ||
                      tick.value == std::round(tick.value));
      }
}

TEST(Markup, EscapesWhateverComes) {
  EXPECT_EQ(escape("a<b>&\"'"), "a&lt;b&gt;&amp;&quot;&#39;");
  EXPECT_EQ(escape("ünï漢🌳"), "ünï漢🌳");
  // Not UTF-8, overlong, a surrogate, a control character, cut short.
  for (const char *bad :
       {"\xff", "\xc0\xaf", "\xed\xa0\x80", "\x01", "\xe6\xbc"})
    EXPECT_EQ(escape(bad).substr(0, 3), "\xef\xbf\xbd") << bad;
  EXPECT_EQ(shorten("漢字漢字", 3), "漢字…");
  EXPECT_EQ(base64("a"), "YQ==");
  EXPECT_EQ(base64("ab\xff"), "YWL/");
}
