//===- TuneTest.cpp - The search for schedules ----------------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/Emit/Emit.h"
#include "codegen/Emit/Target.h"
#include "codegen/Tune/LibraryTimer.h"
#include "codegen/Tune/Search.h"
#include "runtime/src/KernelTimes.h"
#include "test/unittests/TuneFixture.h"

#include <cmath>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace rootc;
using namespace rootc::codegen;
using namespace rootc::test;

namespace {

std::vector<TuneTask> tasks() {
  std::vector<TuneTask> all;
  for (Kernel &kernel : kernels(wide)) {
    int64_t number = int64_t(all.size());
    all.push_back({std::move(kernel), std::to_string(number), 1 + number % 3, 4,
                   false, "generator 1"});
  }
  return all;
}

TEST(TuneMoves, NeighboursAreLegalAndOneStepAway) {
  for (const TargetInfo &target : {wide, narrow})
    for (const Kernel &kernel : kernels(target)) {
      Problem problem(kernel, target);
      const Schedule here = pointOf(kernel);
      std::vector<Move> moves = neighbours(problem, here, true);
      EXPECT_FALSE(moves.empty());
      std::set<Schedule> seen;
      int64_t layouts = 0;
      for (const Move &move : moves) {
        Kernel other = atPoint(kernel, move.point);
        ReadSchedule read = readSchedule(Problem(other, target));
        EXPECT_EQ(read.error, "") << move.kind;
        int64_t most = std::max(
            target.registers, accumulators(defaultSchedule(problem), problem));
        EXPECT_LE(accumulators(read.schedule, Problem(other, target)), most)
            << move.kind;
        EXPECT_TRUE(seen.insert(move.point).second) << move.kind;
        if (other.inputs != kernel.inputs) { // and the default schedule there
          ++layouts;
          EXPECT_EQ(other.schedule, chooseSchedule(other, target));
          continue;
        }
        int different = 0;
        for (const auto &[key, value] : move.point)
          different += here.at(key) != value;
        EXPECT_EQ(different, 1) << move.kind;
      }
      EXPECT_EQ(layouts > 0, packedConvolution(kernel).has_value());
    }
}

TEST(TuneMoves, WinogradIsForFiltersThatArePackedOnce) {
  Kernel kernel = kernels(wide)[0];
  for (bool packsOnce : {false, true}) {
    int64_t winograd = 0;
    for (const Schedule &point : layoutPoints(Problem(kernel, wide), packsOnce))
      winograd += point.at("winograd") != 0;
    EXPECT_EQ(winograd > 0, packsOnce);
  }
}

TEST(TuneMoves, LayoutsThatAreNoneAreRefused) {
  Kernel kernel = kernels(wide)[0], strided = kernels(wide)[3],
         depthwise = kernels(wide)[6];
  for (int64_t block : {int64_t(0), int64_t(-16), int64_t(1) << 40})
    EXPECT_THROW(atPoint(kernel, {{"block", block}}), std::invalid_argument);
  EXPECT_THROW(atPoint(kernel, {{"winograd", 3}}), std::invalid_argument);
  EXPECT_THROW(atPoint(strided, {{"winograd", 4}}), std::invalid_argument);
  EXPECT_THROW(atPoint(depthwise, {{"block", 48}}), std::invalid_argument);
  ConvShape inner{8, 8, 36, 36, 6, {3, 3}, {1, 1}, {1, 1, 1, 1}, {1, 1}, 6, 6};
  Kernel lanes = convKernel(ConvKind::ForwardRelu, inner, wide);
  for (int64_t block : {6, 36}) // one group a block, and several
    EXPECT_THROW(atPoint(lanes, {{"block", block}, {"winograd", 4}}),
                 std::invalid_argument);
  for (const Schedule &point : layoutPoints(Problem(lanes, wide), true))
    EXPECT_EQ(point.at("winograd"), 0);
}

/// Times that depend on the schedule alone, with kinds that fail.
class MadeUpTimer : public Timer {
public:
  Trial time(const TimingRequest &request) override {
    Trial trial{request.candidate, TrialState::Slower, 0, 1, ""};
    trial.milliseconds = cost(request.task, request.candidate);
    trial.relative =
        trial.milliseconds / cost(request.task, request.task.rule());
    if (request.candidate == request.task.rule())
      return trial;
    size_t hash = std::hash<std::string>()(scheduleText(request.candidate));
    if (hash % 11 == 0)
      return {request.candidate, TrialState::Failed, 0, 0, "made up"};
    if (hash % 13 == 0)
      trial.state = TrialState::Wrong;
    return trial;
  }

private:
  static double cost(const TuneTask &task, const Schedule &schedule) {
    double logarithm = double(task.label.size());
    for (const auto &[key, value] : schedule)
      logarithm += 0.2 * std::cos(double(key.size() + key[0]) +
                                  std::log2(1 + double(value)));
    return std::exp(logarithm);
  }
};

/// As recorded, but no faster than a few a millisecond.
class SlowRecords : public RecordedTimer {
public:
  using RecordedTimer::RecordedTimer;
  Trial time(const TimingRequest &request) override {
    usleep(300);
    return RecordedTimer::time(request);
  }
};

SearchOptions searchOptions(int64_t trials, uint64_t seed = 1) {
  SearchOptions options;
  options.target = wide;
  options.machine = machine;
  options.seed = seed;
  options.trials = trials;
  return options;
}

std::string dump(const std::string &path) {
  TuneDatabase database(path, TuneDatabase::Mode::Read);
  std::string text;
  for (const TuneTask &task : tasks()) {
    int64_t problem =
        database.problem(task.problem(), machine, task.batch, task.label);
    for (const Trial &trial : database.trials(problem))
      text += task.label + " " + scheduleText(trial.schedule) + " " +
              std::to_string(int(trial.state)) + " " +
              std::to_string(trial.milliseconds) + " " +
              std::to_string(trial.relative) + " " + trial.note + "\n";
  }
  return text;
}

TEST_F(Tune, ASearchThatIsKilledEndsWithTheSameRecords) {
  const int64_t trials = 250;
  MadeUpTimer timer;
  {
    TuneDatabase database(path("whole"), TuneDatabase::Mode::Write);
    Search search(tasks(), database, timer, searchOptions(trials));
    search.run();
    EXPECT_EQ(search.trialCount(), trials);
    EXPECT_LT(search.bestMilliseconds(), 0.97 * search.ruleMilliseconds());
  }
  std::string whole = dump(path("whole"));
  EXPECT_EQ(std::count(whole.begin(), whole.end(), '\n'), trials);
  std::mt19937 random(1);
  int killed = 0;
  for (bool isDone = false; !isDone;) {
    pid_t child = fork();
    if (child == 0) {
      try {
        TuneDatabase database(path("killed"), TuneDatabase::Mode::Write);
        SlowRecords times(path("whole"), machine);
        Search(tasks(), database, times, searchOptions(trials)).run();
      } catch (...) {
        _exit(1);
      }
      _exit(0);
    }
    ASSERT_GT(child, 0);
    if (killed < 20) {
      usleep(2000 + random() % 40000);
      kill(child, SIGKILL);
    }
    int status = 0;
    waitpid(child, &status, 0);
    isDone = WIFEXITED(status);
    ASSERT_TRUE(!isDone || WEXITSTATUS(status) == 0);
    killed += !isDone;
  }
  EXPECT_GE(killed, 3);
  EXPECT_EQ(dump(path("killed")), whole);
}

TEST_F(Tune, TwoSearchesMayShareADatabase) {
  pid_t children[2];
  for (uint64_t seed = 0; seed < 2; ++seed) {
    children[seed] = fork();
    if (children[seed] == 0) {
      try {
        MadeUpTimer timer;
        TuneDatabase database(path("db"), TuneDatabase::Mode::Write);
        Search(tasks(), database, timer, searchOptions(100, seed)).run();
      } catch (...) {
        _exit(1);
      }
      _exit(0);
    }
  }
  for (pid_t child : children) {
    int status = 0;
    waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
  }
  std::string both = dump(path("db"));
  EXPECT_GE(std::count(both.begin(), both.end(), '\n'), 100);
}

/// As rootc-tune times kernels on this machine.
class LiveTimes : public Tune {
protected:
  LibraryTimerOptions options() {
    LibraryTimerOptions live;
    live.target = llvm::cantFail(parseTarget("host"));
    live.compiler.program = ROOTC_KERNEL;
    live.compiler.cacheDirectory = path("cache");
    live.timingProgram = ROOTC_TIME;
    live.threads = 2;
    return live;
  }
  TuneTask task(const TargetInfo &target) {
    ConvShape shape{9, 7, 16, 24, 1, {3, 3}, {1, 1}, {1, 1, 1, 1}, {1, 1}};
    return {convKernel(ConvKind::ForwardRelu, shape, target), "conv", 1, 2,
            true};
  }
};

TEST_F(LiveTimes, SchedulesAreCompiledRunAndCompared) {
  LibraryTimerOptions live = options();
  TuneTask conv = task(live.target);
  LibraryTimer timer(live);
  Trial rule = timer.time({conv, conv.rule(), 1, conv.rule()});
  EXPECT_EQ(rule.state, TrialState::Slower);
  EXPECT_GT(rule.milliseconds, 0);
  auto moves = neighbours(Problem(conv.kernel, live.target), conv.rule(), true);
  // One of a key, and those of another layout: direct and Winograd's.
  std::vector<Schedule> points = {moves.front().point};
  for (int64_t winograd : {0, 4})
    for (const Move &move : moves)
      if (move.point.at("block") != conv.rule().at("block") &&
          move.point.at("winograd") == winograd) {
        points.push_back(move.point);
        break;
      }
  EXPECT_EQ(points.size(), 3u);
  timer.prepare({{conv, conv.rule(), 1, points.back()}});
  for (const Schedule &point : points) {
    Trial other = timer.time({conv, conv.rule(), 1, point});
    EXPECT_EQ(other.note, "") << scheduleText(point);
    EXPECT_EQ(other.state, TrialState::Slower);
    EXPECT_GT(other.relative, 0.1);
  }
}

TEST_F(LiveTimes, WhatCrashesCostsOneTrial) {
  LibraryTimerOptions live = options();
  std::ofstream(path("dies")) << "#!/bin/sh\nread job\nkill -SEGV $$\n";
  ASSERT_EQ(chmod(path("dies").c_str(), 0700), 0);
  live.timingProgram = path("dies");
  TuneTask conv = task(live.target);
  Trial trial = LibraryTimer(live).time({conv, conv.rule(), 1, conv.rule()});
  EXPECT_EQ(trial.state, TrialState::Failed);
  EXPECT_NE(trial.note.find("signal 11"), std::string::npos) << trial.note;
  conv.kernel.ops[0].name = "conv3d";
  trial = LibraryTimer(options()).time({conv, conv.rule(), 1, conv.rule()});
  EXPECT_EQ(trial.state, TrialState::Failed);
  EXPECT_NE(trial.note.find("conv3d"), std::string::npos) << trial.note;
}

TEST_F(LiveTimes, OtherResultsAreSeen) {
  LibraryTimerOptions live = options();
  TensorType map{ElementType::F32, {-1, 5, 5, 19}};
  auto oneOp = [&](const char *name) {
    Kernel kernel;
    kernel.name = name;
    kernel.inputs = {map};
    kernel.ops = {{name, {0}, {}, {map}}};
    kernel.outputs = {1};
    return kernel;
  };
  EmitOptions emit;
  emit.output = path("timed.so");
  emit.target = live.target;
  emit.kernels = live.compiler;
  std::vector<Kernel> pair = {oneOp("relu"), oneOp("sigmoid")};
  llvm::cantFail(
      emitModel(timingModel(pair, 3, copiesFor(pair[0], 3, 2)), emit));
  auto answer = nlohmann::json::parse(
      timeKernels(R"({"library": ")" + emit.output +
                  R"(", "threads": 1, "milliseconds": 1, "samples": 3})"));
  ASSERT_TRUE(answer.contains("difference")) << answer;
  EXPECT_EQ(answer["difference"][0], 0);
  EXPECT_GT(answer["difference"][1], 0.1);
  EXPECT_EQ(answer["milliseconds"].size(), 2u);
  EXPECT_NE(timeKernels("{}").find("error"), std::string::npos);
}

} // namespace
