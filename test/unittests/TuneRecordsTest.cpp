//===- TuneRecordsTest.cpp - Which records hold for whom ------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/Schedules/Point.h"
#include "codegen/Tune/Tuned.h"
#include "test/unittests/TuneFixture.h"

#include <fstream>

using namespace rootc;
using namespace rootc::codegen;
using namespace rootc::test;

namespace {

TEST(TuneKeys, AKernelIsItsOwnWhateverItsPointAndName) {
  Kernel kernel = kernels(wide)[0], other = kernel;
  other.name = "other";
  other.schedule["rows"] = 7;
  EXPECT_EQ(problemText(kernel, true), problemText(other, true));
  // Nor does it matter how its filter lies, but whether it may be transformed.
  other = atPoint(kernel, {{"block", 16}, {"winograd", 4}});
  EXPECT_NE(other.inputs, kernel.inputs);
  EXPECT_EQ(problemText(kernel, true), problemText(other, true));
  EXPECT_NE(problemText(kernel, true), problemText(kernel, false));
  other.ops[0].attributes["groups"] = int64_t(2);
  EXPECT_NE(problemText(kernel, true), problemText(other, true));
  EXPECT_EQ(batchClass(1), 1);
  EXPECT_EQ(batchClass(24), 16);
  EXPECT_EQ(batchClass(64), 64);
}

TEST(TuneKeys, SchedulesAreReadAsTheyAreWritten) {
  Schedule schedule = {{"rows", 4}, {"copy", 0}, {"tile_x", 12}};
  EXPECT_EQ(scheduleText(schedule), "copy=0 rows=4 tile_x=12");
  EXPECT_EQ(scheduleFromText(scheduleText(schedule)), schedule);
  EXPECT_EQ(scheduleFromText(""), Schedule());
  for (const char *bad : {"rows", "rows=", "rows=x", "rows=4x", "rows=4 copy"})
    EXPECT_THROW(scheduleFromText(bad), std::runtime_error) << bad;
}

TEST_F(Tune, ARecordIsTheFastestOfItsMachine) {
  Kernel kernel = kernels(wide)[0];
  TuneDatabase database(path("db"), TuneDatabase::Mode::Write);
  TuneProblem key{problemText(kernel, false), "generator 1"};
  int64_t problem = database.problem(key, machine, 16, "conv forward");
  EXPECT_EQ(database.problem(key, machine, 17, "again"), problem);
  EXPECT_EQ(database.record(key, machine, 0), std::nullopt);
  database.add(problem, {kernel.schedule, TrialState::Rule, 2, 1, ""});
  auto add = [&](int64_t rows, TrialState state, double relative) {
    Schedule schedule = kernel.schedule;
    schedule["rows"] = rows;
    database.add(problem, {schedule, state, 2 * relative, relative, "note"});
  };
  add(1, TrialState::Better, 0.9);
  add(2, TrialState::Slower, 0.8); // not measured twice
  add(3, TrialState::Wrong, 0.5);
  add(4, TrialState::Better, 0.85);
  add(4, TrialState::Better, 0.1); // another program was faster
  ASSERT_EQ(database.trials(problem).size(), 5u);
  EXPECT_EQ(database.trials(problem)[3].state, TrialState::Wrong);
  EXPECT_EQ(database.trials(problem)[3].note, "note");
  auto record = database.record(key, machine, 0);
  ASSERT_TRUE(record);
  EXPECT_EQ(record->schedule.at("rows"), 4);
  EXPECT_EQ(record->relative, 0.85);
  EXPECT_EQ(record->batch, 16);
  EXPECT_TRUE(database.record(key, machine, 31));
  EXPECT_FALSE(database.record(key, machine, 32));
}

TEST_F(Tune, WhatOthersMeasuredIsNotUsedAndSaid) {
  Kernel kernel = kernels(wide)[0];
  {
    TuneDatabase database(path("db"), TuneDatabase::Mode::Write);
    database.add(database.problem({problemText(kernel, false),
                                   generator.version(kernel, wide)},
                                  machine, 16, "conv forward"),
                 {kernel.schedule, TrialState::Rule, 2, 1, ""});
  }
  const ShippedRecords none("");
  auto remark = [&](TuneMachine here, int64_t batch = 0,
                    const char *winograd = "1") {
    KernelGenerator now({{"", "1"}, {"Pool", "2"}, {"Winograd", winograd}});
    TunedSchedules tuned(path("db"), now, wide, std::move(here), batch, none);
    bool isFound = tuned.find(kernel, true).has_value();
    std::string text = tuned.remark();
    EXPECT_EQ(text.empty(), isFound);
    return text;
  };
  auto has = [](const std::string &text, const char *part) {
    return text.find(part) != std::string::npos;
  };
  EXPECT_EQ(remark(machine), "");
  // What makes pools matters for none of its kernels.
  EXPECT_TRUE(
      has(remark(machine, 0, "2"), "another version of the kernel generator"));
  TuneMachine other = machine;
  other.threads = 4;
  EXPECT_TRUE(has(remark(other), "another number of threads"));
  other = machine;
  other.cpu = "another CPU";
  EXPECT_TRUE(has(remark(other), "another CPU"));
  other.target = narrow.halide;
  EXPECT_TRUE(has(remark(other), "another --target"));
  EXPECT_TRUE(has(remark(machine, 1), "another size of batch"));
}

TEST_F(Tune, RecordsThatAreShippedHoldForAnyCpuOfTheirVectors) {
  Kernel kernel = kernels(wide)[0];
  TuneProblem key{problemText(kernel, true), generator.version(kernel, wide)};
  {
    TuneDatabase database(path("db"), TuneDatabase::Mode::Write);
    for (int64_t batch : {1, 16}) {
      int64_t problem = database.problem(key, machine, batch, "conv, forward");
      database.add(problem, {pointOf(kernel), TrialState::Rule, 2, 1, ""});
      Schedule point = pointOf(kernel);
      point["block"] = 16 * (1 + batch / 16);
      point["unroll"] = 2;
      database.add(problem, {point, TrialState::Better, 1, 0.5, ""});
    }
  }
  ShippedRecords records("");
  records.take(TuneDatabase(path("db"), TuneDatabase::Mode::Read));
  EXPECT_EQ(records.count(), 2u);
  ShippedRecords read(records.text());
  EXPECT_EQ(read.text(), records.text());
  auto block = [&](const TargetInfo &target, int64_t batch,
                   const char *winograd = "1") {
    KernelGenerator now({{"", "1"}, {"Winograd", winograd}});
    TunedSchedules tuned("", now, target, {target.halide, "any CPU", 7}, batch,
                         read);
    auto known = tuned.find(kernel, true);
    EXPECT_EQ(tuned.problem(), "");
    return known ? known->point.at("block") : 0;
  };
  EXPECT_EQ(block(wide, 1), 16);
  EXPECT_EQ(block(wide, 16), 32);
  EXPECT_EQ(block(wide, 0), 32);
  EXPECT_EQ(block(wide, 4), 0);
  EXPECT_EQ(block(wide, 16, "2"), 0);
  EXPECT_EQ(block(narrow, 16), 0);
  for (const char *bad :
       {"512,32,1", "512,32,x,0,0,0.9,rows=1,a", "512,32,1,0,0,0.9,rows,a"})
    EXPECT_THROW(ShippedRecords{bad}, std::runtime_error) << bad;
}

TEST_F(Tune, WhatIsShippedMustSuitTheBatchAndTheThreads) {
  Kernel kernel = kernels(wide)[0];
  ShippedRecords records("");
  int number = 0;
  auto ship = [&](int64_t batch, const char *key, int64_t value) {
    TuneProblem problem{problemText(kernel, true),
                        generator.version(kernel, wide)};
    TuneDatabase database(path("db" + std::to_string(++number)),
                          TuneDatabase::Mode::Write);
    Schedule point = pointOf(kernel);
    point[key] = value;
    if (key == std::string("winograd"))
      point = {{"winograd", value}, {"block", 16}};
    database.add(database.problem(problem, machine, batch, "conv"),
                 {point, TrialState::Better, 1, 0.5, ""});
    records.take(database);
  };
  auto isKnown = [&](int64_t batch, int64_t threads) {
    return TunedSchedules("", generator, wide, {wide.halide, "any", threads},
                          batch, records)
        .find(kernel, true)
        .has_value();
  };
  ship(1, "rows", kernel.schedule.at("rows"));
  EXPECT_TRUE(isKnown(1, 2));
  EXPECT_FALSE(isKnown(0, 2));
  // One task an image starves more threads, and a single image's.
  ship(16, "rows", 14);
  EXPECT_TRUE(isKnown(16, 2));
  EXPECT_FALSE(isKnown(16, 64));
  EXPECT_FALSE(isKnown(0, 2));
  ship(16, "rows", kernel.schedule.at("rows"));
  EXPECT_TRUE(isKnown(16, 64));
  EXPECT_TRUE(isKnown(0, 2));
  // What images share is not for a batch that is not known.
  ship(16, "winograd", 4);
  EXPECT_TRUE(isKnown(16, 2));
  EXPECT_FALSE(isKnown(0, 2));
}

TEST_F(Tune, FilesThatAreNoDatabaseAreErrors) {
  auto error = [&](const std::string &name, TuneDatabase::Mode mode) {
    try {
      TuneDatabase database(path(name), mode);
    } catch (const std::runtime_error &error) {
      return std::string(error.what());
    }
    return std::string();
  };
  EXPECT_NE(error("none", TuneDatabase::Mode::Read).find("none: "),
            std::string::npos);
  std::ofstream(path("text")) << "a text that is no database, but long enough";
  EXPECT_NE(error("text", TuneDatabase::Mode::Read).find("text: "),
            std::string::npos);
  EXPECT_NE(error("text", TuneDatabase::Mode::Write).find("text: "),
            std::string::npos);
  std::ofstream(path("empty")).flush();
  EXPECT_NE(error("empty", TuneDatabase::Mode::Read).find("rootc-tune"),
            std::string::npos);
  EXPECT_EQ(error("empty", TuneDatabase::Mode::Write), "");
}

} // namespace
