//===- ScheduleTest.cpp - Schedules that are legal, and those that are not ===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Random schedules of every family, on random filter layouts, for AVX-512 and
// AVX2 in turns: what is legal gives the reference's numbers, what is not is
// refused before Halide sees it. The variable ROOTC_SCHEDULES sets how many of
// each kernel are run, ROOTC_SEED from where.
//
//===----------------------------------------------------------------------===//

#include "codegen/Pipeline.h"
#include "codegen/Schedules/Families.h"
#include "codegen/Schedules/Point.h"
#include "codegen/Schedules/Source.h"
#include "test/Bench/ConvolutionCases.h"
#include "test/Kernels/KernelHarness.h"

#include <cstdlib>
#include <functional>
#include <gtest/gtest.h>
#include <random>
#include <stdexcept>

using namespace rootc::test;
using namespace rootc::codegen;

namespace {

const Halide::Target host = Halide::get_host_target();
const bool onDevice = device() == Device::OpenCL;
const TargetInfo machine = onDevice ? testTarget() : targetInfo(host);

struct Case {
  std::string name;
  Kernel kernel;
  int64_t batch;
  std::vector<size_t> positive = {};
  double tolerance = 4e-6; ///< of the largest value
  /// The kernel for a target, with blocks of so many out channels; 0: the
  /// target's choice. Throws std::invalid_argument if there is none.
  std::function<Kernel(const TargetInfo &, int64_t block)> make = nullptr;
};

std::vector<Case> convolutions() {
  struct Shape {
    const char *name;
    int64_t batch;
    ConvShape shape;
  };
  const Shape shapes[] = {
      {"dense", 3, {6, 8, 16, 48, 1, {3, 3}, {1, 1}, {1, 1, 1, 1}, {1, 1}}},
      {"odd", 2, {9, 7, 5, 13, 1, {3, 2}, {1, 1}, {1, 0, 1, 1}, {1, 1}}},
      {"strided", 2, {8, 12, 16, 24, 1, {3, 3}, {2, 2}, {1, 1, 1, 1}, {1, 1}}},
      {"groups", 2, {6, 6, 32, 64, 2, {3, 3}, {1, 1}, {1, 1, 1, 1}, {1, 1}}},
      {"merged_groups",
       3,
       {5, 7, 16, 64, 8, {1, 1}, {1, 1}, {0, 0, 0, 0}, {1, 1}}},
      {"groups_of_13",
       2,
       {4, 6, 26, 26, 2, {3, 3}, {1, 1}, {1, 1, 1, 1}, {1, 1}}},
      {"groups_of_4",
       2,
       {6, 6, 24, 24, 6, {3, 3}, {1, 1}, {1, 1, 1, 1}, {1, 1}}},
      {"strided_groups_of_6",
       1,
       {8, 8, 36, 36, 6, {3, 3}, {2, 2}, {1, 1, 1, 1}, {1, 1}}},
      {"depthwise",
       2,
       {6, 9, 20, 20, 20, {3, 3}, {1, 1}, {1, 1, 1, 1}, {1, 1}}},
      {"groups_of_32",
       3,
       {7, 5, 96, 60, 3, {3, 3}, {2, 1}, {1, 1, 1, 1}, {1, 1}}},
      {"order_12",
       2,
       {6, 7, 48, 48, 12, {3, 3}, {1, 1}, {1, 1, 1, 1}, {1, 1}, 12, 12}},
      {"order_17_strided",
       2,
       {8, 9, 34, 34, 17, {3, 3}, {2, 2}, {1, 1, 1, 1}, {1, 1}, 17, 17}},
      {"pointwise", 5, {6, 4, 24, 40, 1, {1, 1}, {1, 1}, {}, {1, 1}}},
      {"linear", 11, {1, 1, 64, 36, 1, {1, 1}, {1, 1}, {}, {1, 1}}},
      {"flattened", 5, {2, 3, 20, 24, 1, {2, 3}, {1, 1}, {}, {1, 1}}},
  };
  const std::pair<const char *, ConvKind> kinds[] = {
      {"forward", ConvKind::ForwardRelu},
      {"data", ConvKind::BackwardData},
      {"filter", ConvKind::BackwardFilter}};
  std::vector<Case> cases;
  for (const Shape &shape : shapes)
    for (auto &[name, kind] : kinds)
      cases.push_back({std::string(shape.name) + "_" + name,
                       convKernel(kind, shape.shape, machine),
                       shape.batch,
                       {},
                       4e-6,
                       [kind, shape = shape.shape](const TargetInfo &target,
                                                   int64_t block) {
                         return convKernel(kind, shape, target, block);
                       }});
  if (onDevice)
    return cases;
  ConvShape winograd{12, 9, 16, 40, 1, {3, 3}, {1, 1}, {1, 1, 1, 1}, {1, 1}};
  winograd.winograd = 4;
  for (ConvKind kind : {ConvKind::ForwardRelu, ConvKind::BackwardData})
    cases.push_back(
        {kind == ConvKind::BackwardData ? "winograd_data" : "winograd_forward",
         convKernel(kind, winograd, machine, 16),
         3,
         {},
         2e-5});
  return cases;
}

std::vector<Case> others() {
  std::vector<Case> cases;
  using Pair = std::vector<int64_t>;
  AttributeMap window = {{"kernel", Pair{3, 2}},
                         {"stride", Pair{2, 1}},
                         {"pad", Pair{1, 0, 1, 1}},
                         {"output", Pair{4, 7}}};
  for (int64_t channels : {96, 19}) {
    std::string suffix = "_" + std::to_string(channels);
    TensorType x = f32({-1, 8, 7, channels}), y = f32({-1, 4, 7, channels}),
               c = f32({channels});
    auto add = [&](Kernel kernel, std::vector<size_t> positive = {}) {
      cases.push_back({kernel.ops[0].name + suffix, kernel, 3, positive});
    };
    AttributeMap back = window, average = window;
    back["input"] = average["input"] = Pair{8, 7};
    average["exclude_pad"] = int64_t(0);
    add(oneOp("max_pool", {x}, {y}, window));
    add(oneOp("average_pool", {x}, {y}, average));
    add(oneOp("average_pool_backward", {y}, {x}, average));
    add(oneOp("channel_sum", {x}, {c}));
    add(oneOp("batch_norm_backward_reduce", {x, x, c, c}, {c, c, c, c},
              {{"epsilon", 1e-5}}),
        {3});
    add(oneOp("layer_norm", {x, c, c}, {x}, {{"epsilon", 1e-5}}));
    add(oneOp("layer_norm_backward_reduce", {x, x}, {c, c},
              {{"epsilon", 1e-5}}));
    add(oneOp("resample", {x}, {f32({-1, 12, 7, channels})},
              {{"input", Pair{8, 7}},
               {"output", Pair{12, 7}},
               {"mode", std::string("bilinear")},
               {"coordinates", std::string("half_pixel")},
               {"round", std::string("floor")}}));
    add(oneOp("channel_affine", {x, c, c}, {x}));
    add(oneOp("concat", {x, x}, {f32({-1, 8, 7, 2 * channels})}));
    add(oneOp(
        "local_response_norm", {x}, {x},
        {{"size", int64_t(5)}, {"alpha", 1e-2}, {"beta", 0.75}, {"k", 1.0}}));
  }
  TensorType shuffled = f32({-1, 6, 5, 36});
  cases.push_back({"channel_shuffle",
                   oneOp("channel_shuffle", {shuffled}, {shuffled},
                         {{"groups", int64_t(3)}}),
                   2});
  return cases;
}

int64_t number(const char *variable, int64_t otherwise) {
  const char *text = std::getenv(variable);
  return text ? std::atoll(text) : otherwise;
}

/// Changes some keys of a schedule to values that may be right.
Schedule mutate(Schedule schedule, std::mt19937 &random) {
  auto upTo = [&](int64_t most) {
    return std::uniform_int_distribution<int64_t>(0, most)(random);
  };
  for (auto &[key, value] : schedule)
    switch (upTo(3)) {
    case 0:
      value = 1 + upTo(12);
      break;
    case 1:
      value = int64_t(1) << upTo(5);
      break;
    case 2:
      value = upTo(1);
      break;
    default:
      break;
    }
  return schedule;
}

std::string describe(const Schedule &schedule) {
  std::string text;
  for (const auto &[key, value] : schedule)
    text += key + "=" + std::to_string(value) + " ";
  return text;
}

class Schedules : public ::testing::TestWithParam<Case> {
protected:
  std::mt19937 random{static_cast<uint32_t>(number("ROOTC_SEED", 1))};
};

TEST_P(Schedules, LegalOnesComputeTheSame) {
  const Case &param = GetParam();
  std::hash<std::string> hash;
  int64_t wanted = number("ROOTC_SCHEDULES", 1), refused = 0;
  for (int64_t run = 0; run < wanted; ++run) {
    int64_t bits = (hash(param.name) + run) % 2 ? 256 : machine.vectorBits;
    TargetInfo target{machine.halide, bits, bits == 512 ? 32 : 16};
    Kernel kernel = param.kernel;
    if (onDevice)
      target = machine;
    if (param.make && !onDevice) {
      int64_t block = int64_t(8) * (random() % 9);
      try {
        kernel = param.make(target, block);
      } catch (const std::invalid_argument &) {
        kernel = param.make(target, 0);
      }
    }
    // A layout that the tuner may choose, Winograd's among them.
    double tolerance = param.tolerance;
    auto layouts = layoutPoints(Problem(kernel, target), true);
    if (!layouts.empty() && random() % 2 == 0) {
      const Schedule &point = layouts[random() % layouts.size()];
      kernel = atPoint(kernel, point);
      tolerance = point.at("winograd") ? 2e-5 : tolerance;
    }
    const Schedule usual = chooseSchedule(kernel, target);
    auto inputs = makeInputs(kernel, param.batch, param.positive);
    auto expected = rootc::reference::evaluate(kernel, inputs);
    for (int64_t tries = 0; tries < 2000; ++tries) {
      kernel.schedule = mutate(usual, random);
      if (kernel.schedule == usual)
        continue;
      SCOPED_TRACE(describe(kernel.schedule) + "at " + std::to_string(bits));
      ReadSchedule read = readSchedule(Problem(kernel, target));
      if (!read.error.empty()) {
        // Refused by name, and by the compiler too.
        EXPECT_NE(read.error.find('\''), std::string::npos);
        if (!onDevice && bits == machine.vectorBits && ++refused <= 3) {
          EXPECT_THROW(buildPipeline(kernel, host), std::invalid_argument);
        }
        continue;
      }
      EXPECT_EQ(print(read.schedule), kernel.schedule);
      EXPECT_EQ(difference(onDevice ? runOnDevice(kernel, inputs)
                                    : runKernel(kernel, inputs, false, bits),
                           expected, tolerance),
                "");
      break;
    }
  }
}

// Halide's own are what ours are compared with.
TEST_P(Schedules, AutoschedulersComputeTheSame) {
  const Case &param = GetParam();
  size_t hash = std::hash<std::string>()(param.name);
  if (hash % 3 != 0 && number("ROOTC_SCHEDULES", 1) == 1)
    GTEST_SKIP() << "every third, unless more schedules are asked for";
  Kernel kernel = param.kernel;
  auto inputs = makeInputs(kernel, param.batch, param.positive);
  auto expected = rootc::reference::evaluate(kernel, inputs);
  int64_t which = 1 + hash / 3 % 2;
  auto known = fromAutoscheduler({which, param.batch, 2})(kernel, false);
  if (!known)
    known = fromAutoscheduler({1, param.batch, 2})(kernel, false);
  ASSERT_TRUE(known);
  kernel.schedule = known->point;
  EXPECT_EQ(readSchedule(Problem(kernel, machine)).error, "");
  std::vector<Tensor> results;
  try {
    results = runKernel(kernel, inputs, false, 512);
  } catch (const std::runtime_error &error) {
    GTEST_SKIP() << "what it makes does not run: " << error.what();
  }
  EXPECT_EQ(difference(results, expected, param.tolerance), "");
}

TEST(AutoscheduledSchedule, IsChecked) {
  TensorType x = f32({-1, 8, 7, 20});
  Kernel kernel = oneOp("relu", {x}, {x});
  kernel.schedule = {{"autoscheduler", 2}, {"batch", 8}, {"threads", 2}};
  EXPECT_EQ(readSchedule(Problem(kernel, machine)).error, "");
  kernel.schedule["autoscheduler"] = 3;
  EXPECT_EQ(readSchedule(Problem(kernel, machine)).error,
            "'autoscheduler' is 3, not from 1 to 2");
}

TEST_P(Schedules, AbsurdOnesAreRefused) {
  Kernel kernel = GetParam().kernel;
  for (int64_t bits : {512, 256, 128}) {
    TargetInfo target{onDevice ? machine.halide : "", bits,
                      bits == 512 ? 32 : 16};
    kernel.schedule = {};
    EXPECT_EQ(readSchedule(Problem(kernel, target)).error, "");
    const Schedule usual = chooseSchedule(kernel, target);
    for (const auto &[key, value] : usual)
      for (int64_t absurd :
           {int64_t(-1), int64_t(1) << 31, INT64_MAX, INT64_MIN}) {
        kernel.schedule = usual;
        kernel.schedule[key] = absurd;
        std::string error = readSchedule(Problem(kernel, target)).error;
        EXPECT_EQ(error.find("'" + key + "' is " + std::to_string(absurd)), 0u)
            << error;
      }
    kernel.schedule = usual;
    kernel.schedule["tile_z"] = 1;
    std::string error = readSchedule(Problem(kernel, target)).error;
    EXPECT_EQ(error.find("'tile_z' is no key of the schedule family '"), 0u)
        << error;
    for (const auto &[key, value] : usual)
      EXPECT_NE(error.find("'" + key + "'"), std::string::npos) << error;
  }
}

auto nameOf = [](const auto &info) { return info.param.name; };
INSTANTIATE_TEST_SUITE_P(Convolutions, Schedules,
                         ::testing::ValuesIn(convolutions()), nameOf);
INSTANTIATE_TEST_SUITE_P(Others, Schedules, ::testing::ValuesIn(others()),
                         nameOf);

// In channels of a register tile that the algorithm does not clamp.
TEST(FilterGradientSchedule, TilesBeyondTheChannelsAreRefused) {
  ConvShape shape{7, 11, 12, 32, 1, {3, 3}, {1, 1}, {1, 1, 1, 1}, {1, 1}};
  Kernel kernel = convKernel(ConvKind::BackwardFilter, shape, machine);
  auto error = [&](const char *key, int64_t value) {
    Kernel other = kernel;
    other.schedule[key] = value;
    return readSchedule(Problem(other, machine)).error;
  };
  EXPECT_EQ(error("tile_i", 4), "");
  EXPECT_EQ(error("tile_i", 5),
            "'tile_i' is 5, which does not divide the in channels of a group, "
            "12");
  EXPECT_EQ(error("tile_i", 13), "'tile_i' is 13, not from 1 to 12");
  EXPECT_EQ(error("tile_j", 4),
            "'tile_j' is no key of the schedule family 'filter gradient'; its "
            "keys are 'copy', 'copy_dy', 'lanes', 'rows', 'split_out', "
            "'tile_i', 'tile_kx', 'vectors'");
  Kernel loss = oneOp("softmax_cross_entropy", {f32({-1, 1, 1, 10}), i64({-1})},
                      {f32({1})});
  loss.schedule["rows"] = 1;
  EXPECT_EQ(readSchedule(Problem(loss, machine)).error,
            "'rows' is no key of the schedule family 'loss'; it has none");
}

} // namespace
