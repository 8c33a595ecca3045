//===- OptimizerTest.cpp - Updates against recorded ones ------------------===//
//
// Part of rootc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/src/Optimizer.h"
#include "CompiledModels.h"
#include "test/Runtime/TestSupport.h"

#include <cmath>
#include <sstream>

using namespace rootc;
using namespace rootc::test;

namespace {
constexpr int64_t count = 12;

const rootc_model &tiny(const std::string &target) {
  static std::map<std::string, Model> open;
  std::string file = compiled(ROOTC_TINY, target + ".so", "--target=" + target);
  return *open.try_emplace(target, Model::open(file))
              .first->second.operator->();
}

/// The programs of a compiled model on two tensors of a layer, `first` floats
/// and 4.
struct Case {
  std::vector<rootc_tensor> tensors;
  rootc_model table;

  explicit Case(int64_t first, const std::string &target = "host")
      : table(tiny(target)) {
    int64_t end = (first + 15) / 16 * 16;
    tensors = {{"fc.weight", "weight", 1, 0, {first}, 0, first},
               {"fc.bias", "bias", 1, 0, {4}, end, 0}};
    table.tensors = tensors.data();
    table.tensor_count = 2;
    table.parameter_count = end + 16;
    table.decayed_count = end;
    table.statistic_count = 0;
  }
  Model model() const { return Model::adopt(&table); }
};

struct Result {
  FloatArray parameters, average;
};

/// Some updates on the gradients of record_updates.py.
Result update(const Case &of, const OptimizerOptions &options, int64_t steps,
              double rate, int64_t values = count, double average = 0.9,
              int threads = 1) {
  Model model = of.model();
  auto pool = std::make_shared<ThreadPool>(model, threads);
  Session session(model, pool);
  Optimizer optimizer(model, options);
  Weights weights(model);
  for (int64_t i = 0; i < values; ++i)
    weights.parameters[size_t(i)] = float(std::sin(1 + double(i)));
  FloatArray gradients(weights.parameters.size());
  Result result{{}, weights.parameters};
  OptimizerState state = optimizer.makeState();
  for (int64_t step = 0; step < steps; ++step) {
    for (int64_t i = 0; i < values; ++i)
      gradients[size_t(i)] =
          float((0.1 + double(i % 3)) *
                std::cos(0.7 * double(i) + 1.3 * double(step)));
    optimizer.update(session, weights, state, gradients.data(), rate);
    session.average(model->parameter_count, result.average.data(),
                    weights.parameters.data(), float(1 - average));
  }
  result.parameters = weights.parameters;
  return result;
}

/// The case's line of updates.txt, which PyTorch computed in float64.
std::vector<double> recorded(const std::string &name) {
  std::ifstream file(ROOTC_TEST_INPUTS "/updates.txt");
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string word;
    words >> word;
    if (word == name)
      return {std::istream_iterator<double>(words), {}};
  }
  return {};
}

void expectRecorded(const std::string &name, const FloatArray &values) {
  std::vector<double> expected = recorded(name);
  ASSERT_EQ(expected.size(), size_t(count)) << name;
  for (size_t i = 0; i < expected.size(); ++i)
    EXPECT_NEAR(values[i], expected[i], 1e-5) << name << " " << i;
}
} // namespace

class OptimizerOn : public ::testing::TestWithParam<const char *> {};

TEST_P(OptimizerOn, UpdatesAreThoseOfPyTorch) {
  Case of(count, GetParam());
  OptimizerOptions options;
  options.decay = 0.01;
  expectRecorded("sgd", update(of, options, 20, 0.1).parameters);
  options.nesterov = true;
  expectRecorded("nesterov", update(of, options, 20, 0.1).parameters);
  OptimizerOptions plain;
  plain.decay = 0;
  expectRecorded("ema", update(of, plain, 20, 0.1).average);
  plain.clipNorm = 1.5;
  expectRecorded("clip", update(of, plain, 20, 0.1).parameters);
  OptimizerOptions adam;
  adam.kind = "adamw";
  adam.beta1 = 0.8;
  adam.beta2 = 0.95;
  adam.epsilon = 1e-6;
  adam.decay = 0.01;
  expectRecorded("adamw", update(of, adam, 20, 0.1).parameters);
}

INSTANTIATE_TEST_SUITE_P(Targets, OptimizerOn,
                         ::testing::Values("host", "host-opencl"));

TEST(Optimizer, ThreadsChangeNoBit) {
  constexpr int64_t many = 300001;
  Case of(many);
  for (const char *kind : {"sgd", "adamw"}) {
    OptimizerOptions options;
    options.kind = kind;
    options.nesterov = options.kind == "sgd";
    options.clipNorm = 1;
    Result one = update(of, options, 3, 0.1, many),
           four = update(of, options, 3, 0.1, many, 0.9, 4);
    EXPECT_EQ(one.parameters, four.parameters) << kind;
    EXPECT_EQ(one.average, four.average) << kind;
  }
}

TEST(Optimizer, RatesHaveFactorsByName) {
  Case of(count);
  for (const char *kind : {"sgd", "adamw"}) {
    OptimizerOptions options;
    options.kind = kind;
    auto biasAfter = [&](const std::string &factors, double rate) {
      options.factors = parseRateFactors(factors);
      // The first of the bias lies behind 16 floats.
      FloatArray values =
          update(of, options, 2, rate, /*values=*/20).parameters;
      return std::pair(values[0], values[16]);
    };
    auto whole = biasAfter("", 0.1), half = biasAfter("", 0.05),
         none = biasAfter("", 0);
    EXPECT_EQ(biasAfter("fc=0.5", 0.1), half);
    EXPECT_EQ(biasAfter("f*=0", 0.1), none);
    EXPECT_EQ(biasAfter("fc=0,*.bias=1", 0.1),
              std::pair(none.first, whole.second));
    EXPECT_EQ(biasAfter("*.bias=0.5", 0.1),
              std::pair(whole.first, half.second));
  }
  EXPECT_CONTAINS(errorOf([&] { update(of, {.factors = {{"fd", 1}}}, 1, 1); }),
                  "'fd' matches no layer or tensor");
  for (const char *bad : {"fc", "=1", "fc=", "fc=x", "fc=-1", "fc=inf",
                          "a=1,"
                          "b"})
    EXPECT_CONTAINS(errorOf([&] { parseRateFactors(bad); }),
                    "is not PATTERN=FACTOR");
}
